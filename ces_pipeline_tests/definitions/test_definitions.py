"""Protects what Dagster sees of a home: its assets, checks, jobs, schedule and sensors, and that it loads."""

import tomllib
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
import time_machine
import yaml

from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs.instance import open_instance, prepare
from ces_pipeline.defs.partitions import (
    calendar_ends,
    daily_partitions,
    range_tags,
    ranges,
    stale_ranges,
    within_calendar,
)
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.publish.checks import all_checks
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.sql_files import derived_files
from ces_pipeline_tests.lake_days import DAY, SmallHome, registry, small_home

DERIVED = {file.table.replace(".", "/") for file in derived_files()}


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    return small_home(tmp_path)


def keys(definitions: dg.Definitions) -> set[str]:
    return {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()}


def test_a_home_has_one_asset_per_source_and_table_and_one_for_the_file(small: SmallHome) -> None:
    definitions = build_definitions(small.home)
    dg.Definitions.validate_loadable(definitions)
    assert keys(definitions) == {
        "raw/web",
        "raw/desk",
        "core/responses",
        "core/ticket_versions",
        *DERIVED,
        "publish/ces_duckdb",
        "report/pages",
    }
    graph = definitions.resolve_asset_graph()
    of_sources, of_days = {"all_landed", "schema_change"}, {"days_written"}
    names = {check.name for check in all_checks()}
    assert {key.name for key in graph.asset_check_keys} == names | of_sources | of_days | {"report_written"}
    jobs = {job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")}
    assert jobs == {"land", "clean_and_publish", "rebuild", "probe", "audit", "alert"}


def test_a_check_is_on_the_asset_that_it_judges(small: SmallHome) -> None:
    graph = build_definitions(small.home).resolve_asset_graph()
    found = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert {
        ("raw/web", "all_landed"),
        ("raw/desk", "schema_change"),
        ("core/responses", "days_written"),
        ("mart/ces_daily", "totals_tie"),
        ("publish/ces_duckdb", "books_balance"),
    } <= found


def test_marts_are_grouped_by_the_question_that_they_answer(small: SmallHome) -> None:
    graph = build_definitions(small.home).resolve_asset_graph()
    groups = Counter(graph.get(key).group_name for key in graph.get_all_asset_keys())
    assert "mart" not in groups
    assert max(groups.values()) <= 12
    assert graph.get(dg.AssetKey(["mart", "priorities"])).group_name == "what_to_fix_and_did_it_help"


def test_sources_and_the_file_are_late_if_a_night_brought_nothing_and_an_ended_source_never_is(
    small: SmallHome,
) -> None:
    sources = small.home.registry / "sources.yaml"
    ended = yaml.safe_load(sources.read_text())
    ended[0]["ended_on"] = date(2026, 3, 1)
    sources.write_text(yaml.safe_dump(ended))
    graph = build_definitions(small.home).resolve_asset_graph()
    late = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy}
    assert late == {f"raw/{entry['id']}" for entry in ended[1:]} | {"publish/ces_duckdb"}


def test_only_a_home_with_such_a_source_has_the_asset_of_its_kind(small: SmallHome) -> None:
    feed = "- {id: crm, kind: accounts, reader: csv}\n"
    (small.home.registry / "sources.yaml").write_text(feed)
    definitions = build_definitions(small.home)
    dg.Definitions.validate_loadable(definitions)
    found = keys(definitions)
    assert "core/account_versions" in found
    assert not {"core/invitations", "core/events"} & found
    graph = definitions.resolve_asset_graph()
    assert graph.get(dg.AssetKey(["core", "account_versions"])).parent_keys == {dg.AssetKey(["raw", "crm"])}
    assert (
        dg.AssetKey(["core", "account_versions"]) in graph.get(dg.AssetKey(["core", "accounts"])).parent_keys
    )


def test_a_home_without_a_registry_loads_without_sources(tmp_path: Path) -> None:
    definitions = build_definitions(Home(tmp_path / "nothing"))
    dg.Definitions.validate_loadable(definitions)
    assert not [key for key in keys(definitions) if key.startswith("raw/")]


def test_a_registry_with_a_mistake_is_reported_at_load(small: SmallHome) -> None:
    (small.home.registry / "sources.yaml").write_text("- id: web\n  kind: nothing\n")
    with pytest.raises(RegistryError, match="entry web"):
        build_definitions(small.home)


def test_only_the_cleaned_tables_have_partitions_and_a_range_is_one_run(small: SmallHome) -> None:
    graph = build_definitions(small.home).resolve_asset_graph()
    by_day = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).partitions_def}
    assert by_day == {"core/responses", "core/ticket_versions"}
    for name in by_day:
        policy = graph.get(dg.AssetKey(name.split("/"))).backfill_policy
        assert policy == dg.BackfillPolicy.single_run()


def test_a_mart_depends_on_the_tables_that_its_sql_reads(small: SmallHome) -> None:
    graph = build_definitions(small.home).resolve_asset_graph()
    parents = {
        key.to_user_string() for key in graph.get(dg.AssetKey(["core", "response_tickets"])).parent_keys
    }
    assert parents == {"core/responses", "core/tickets"}
    assert graph.get(dg.AssetKey(["core", "responses"])).parent_keys == {dg.AssetKey(["raw", "web"])}


def test_a_mart_shows_which_columns_its_own_are_computed_from(small: SmallHome) -> None:
    specs = {
        spec.key.to_user_string(): spec for spec in build_definitions(small.home).resolve_all_asset_specs()
    }
    lineage = specs["mart/ces_daily"].metadata["dagster/column_lineage"].deps_by_column
    assert set(lineage) == set(TABLES["mart.ces_daily"].columns)
    assert lineage["mean_ease_0_100"] == [
        dg.TableColumnDep(asset_key=dg.AssetKey(["core", "responses"]), column_name="ease_0_100"),
        dg.TableColumnDep(asset_key=dg.AssetKey(["reference", "settings"]), column_name="minimum_n"),
    ]


def test_every_table_shows_its_described_columns(small: SmallHome) -> None:
    specs = {
        spec.key.to_user_string(): spec for spec in build_definitions(small.home).resolve_all_asset_specs()
    }
    for name in (*DERIVED, "core/responses", "core/ticket_versions"):
        table = TABLES[name.replace("/", ".")]
        shown = specs[name].metadata["dagster/column_schema"]
        assert [column.name for column in shown.columns] == list(table.columns)
        assert all(column.description for column in shown.columns)
        assert specs[name].description


def test_the_night_runs_by_itself_at_the_hour_and_zone_of_the_settings(tmp_path: Path) -> None:
    small = small_home(tmp_path, schedule_hour=4, business_time_zone="Europe/Berlin")
    repository = build_definitions(small.home).get_repository_def()
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    assert {name: (found.job_name, found.cron_schedule) for name, found in schedules.items()} == {
        "nightly": ("land", "0 4 * * *"),
        "weekly_rebuild": ("rebuild", "0 7 * * 0"),
        "probe": ("probe", "0 * * * *"),
        "weekly_audit": ("audit", "0 7 * * 6"),
    }
    assert {found.execution_timezone for found in schedules.values()} == {"Europe/Berlin"}
    assert {found.default_status for found in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "alerts_sensor",
        "inbox_sensor",
        "stale_days_sensor",
    }
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in repository.sensor_defs)


def test_ticks_and_probes_follow_the_settings(tmp_path: Path) -> None:
    small = small_home(tmp_path, land_every_minutes=5, probe_every_minutes=None)
    repository = build_definitions(small.home).get_repository_def()
    crons = {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs}
    assert "probe" not in crons
    assert crons["every_few_minutes"] == "*/5 * * * *"


def test_dg_and_workspace_yaml_name_the_same_location() -> None:
    root = Path(__file__).resolve().parents[2]
    if not (root / "workspace.yaml").exists():
        pytest.skip("the tests run outside the checkout")
    project = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    (entry,) = yaml.safe_load((root / "workspace.yaml").read_text())["load_from"]
    assert entry["python_module"]["module_name"] == project["code_location_target_module"]
    assert entry["python_module"]["location_name"] == project["code_location_name"]


def test_the_homes_workspace_names_the_location_as_the_checkout_does(small: SmallHome) -> None:
    prepare(small.home)
    (entry,) = yaml.safe_load((small.home.dagster / "workspace.yaml").read_text())["load_from"]
    assert entry["python_module"] == {
        "module_name": "ces_pipeline.definitions",
        "location_name": "ces_pipeline",
    }


def test_the_instance_queues_runs_behind_one_another_and_keeps_a_persons_settings(small: SmallHome) -> None:
    with open_instance(small.home) as instance:
        pools = instance.get_concurrency_config().pool_config
        assert (pools.default_pool_limit, pools.pool_granularity.value) == (1, "run")
        assert not instance.telemetry_enabled
    settings = small.home.dagster / "dagster.yaml"
    settings.write_text("telemetry:\n  enabled: false\n")
    prepare(small.home)
    assert settings.read_text() == "telemetry:\n  enabled: false\n"


def test_days_run_to_today_in_the_business_zone(tmp_path: Path) -> None:
    here = registry(tmp_path, business_time_zone="Pacific/Auckland")
    partitions = daily_partitions(Home(tmp_path), here)
    with time_machine.travel(datetime(2026, 3, 27, 12, tzinfo=UTC), tick=False):
        assert partitions.get_last_partition_key() == "2026-03-28"
    spring = partitions.time_window_for_partition_key("2026-04-05")
    assert (spring.end.timestamp() - spring.start.timestamp()) / 3600 == 25


def test_neighbouring_days_make_one_range() -> None:
    days = [date(2026, 3, 4), date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 7), date(2026, 3, 7)]
    assert ranges(days) == [(date(2026, 3, 2), date(2026, 3, 4)), (date(2026, 3, 7), date(2026, 3, 7))]
    assert ranges([]) == []


def test_days_outside_the_calendar_are_left_to_a_run_of_a_day_inside(tmp_path: Path) -> None:
    home, here = Home(tmp_path), registry(tmp_path)
    first, today = calendar_ends(home, here)
    early, late = date(1999, 1, 1), date(2999, 1, 1)
    assert first == DAY
    assert within_calendar(home, here, [late, DAY, early]) == [DAY]
    assert stale_ranges(home, here, [late, DAY, early]) == [(DAY, DAY)]
    assert stale_ranges(home, here, [early, late]) == [(today, today)]
    assert stale_ranges(home, here, []) == []


def test_the_calendar_begins_with_the_first_landed_day_that_is_possible(tmp_path: Path) -> None:
    home, here = Home(tmp_path), registry(tmp_path, first_day="2020-01-01")
    assert calendar_ends(home, here)[0] == date(2020, 1, 1)
    for day in ("1970-01-01", "2999-01-01", "2026-03-04", "2026-03-09", "no day"):
        (home.lake / "raw" / "web" / f"day={day}").mkdir(parents=True)
    assert calendar_ends(home, here)[0] == date(2026, 3, 4)
    # A day whose deliveries were taken back keeps its place.
    (home.lake / "audit" / "load_audit" / "kind=survey" / "day=2026-03-02").mkdir(parents=True)
    assert calendar_ends(home, here)[0] == date(2026, 3, 2)


def test_range_tags_name_both_ends() -> None:
    assert range_tags(DAY, date(2026, 3, 9)) == {
        "dagster/asset_partition_range_start": "2026-03-02",
        "dagster/asset_partition_range_end": "2026-03-09",
    }
