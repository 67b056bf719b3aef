"""Protects what the assets and sensors do with the answers of the plain functions."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest

from ces_pipeline import pipeline
from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs import sensors
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.defs.local import LocalRuns, local_runs
from ces_pipeline.defs.night import night_began, night_tags
from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home
from ces_pipeline.pipeline import DayResult, SourceLanding
from ces_pipeline.proof.step import prove
from ces_pipeline.publish.checks import CheckResult, all_checks
from ces_pipeline.publish.step import PublishResult
from ces_pipeline.registry import Registry
from ces_pipeline.storage import spool
from ces_pipeline_tests.builders import WEB, answer, inbox_home
from ces_pipeline_tests.lake_days import DAY, SmallHome, response, small_home

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    return small_home(tmp_path)


@pytest.fixture
def runs(small: SmallHome) -> Iterator[LocalRuns]:
    with local_runs(small.home) as ready:
        yield ready


def landing(source: str, **values: object) -> SourceLanding:
    return replace(SourceLanding(source, "survey"), files_new=2, rows_landed=5, **values)  # type: ignore[arg-type]


def day_result(kind: str, day: date, problems: tuple[str, ...] = ()) -> DayResult:
    return DayResult(kind, day, 9, 1, 1, day.day, 2, 1, {"too_fast": 2}, problems)


def verdict(instance: dg.DagsterInstance, asset: list[str], name: str) -> dg.AssetCheckEvaluation:
    """The newest result of a check."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    event = record.event.get_dagster_event()
    return event.asset_check_evaluation_data


def shown_rows(evaluation: dg.AssetCheckEvaluation) -> list[dict[str, object]]:
    """The rows of the table in its metadata."""
    table = evaluation.metadata["wrong_rows"]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def test_a_source_that_fails_says_why_and_the_others_land(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def land(home: Home, registry: Registry, sources: Sequence[str]) -> list[SourceLanding]:
        (source,) = sources
        return [landing(source, failures=("bad.csv: cut off: deliver it again",) if source == "web" else ())]

    monkeypatch.setattr(pipeline, "land", land)
    web, desk = runs.land(["web", "desk"])
    assert web.failure == "bad.csv: cut off: deliver it again"
    with open_instance(small.home) as instance:
        failed = verdict(instance, ["raw", "web"], "all_landed")
        assert (failed.passed, failed.metadata["failures"].value) == (False, 1)
        assert shown_rows(failed) == [{"what": "bad.csv: cut off: deliver it again"}]
        assert verdict(instance, ["raw", "desk"], "all_landed").passed
    assert (web.metadata["files_new"], web.metadata["rows_landed"]) == (2, 5)
    assert (desk.failure, desk.metadata["files_failed"]) == (None, 0)


def test_what_a_source_delivers_otherwise_is_a_failed_check_of_its_asset(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    for number, more in ((0, {}), (100, {"browser": "x"})):
        with local_runs(home.home) as runs:
            home.drop(f"{number}.csv", [answer(number + n, seen=n, **more) for n in range(40)])
            (outcome,) = runs.land(["web"])
            assert outcome.failure is None
        with open_instance(home.home) as instance:
            key = dg.AssetCheckKey(dg.AssetKey(["raw", "web"]), "schema_change")
            record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        assert record.event is not None
        check = record.event.asset_check_evaluation
        assert check is not None
        # Both files landed on one day.
        assert check.passed is not bool(more)
    (change,) = check.metadata["wrong_rows"].records
    assert change.data == {
        "change": "column_added",
        "column_name": "browser",
        "field": "",
        "was": "",
        "is_now": "text",
    }


def test_the_audit_is_an_observation_of_the_published_file(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(1)])
    assert home.land().failures == ()
    list(pipeline.clean(home.home, home.registry, "survey", [DAY], run_id="test"))
    home.write_registry(WEB, surveys=[{"id": "after_chat", "scale": "effort_1_7"}])
    with open_instance(home.home) as instance:
        job = build_definitions(home.home).resolve_job_def("audit")
        assert job.execute_in_process(instance=instance).success
        (record,) = instance.fetch_observations(dg.AssetKey(["publish", "ces_duckdb"]), limit=2).records
    assert record.asset_observation is not None
    metadata = record.asset_observation.metadata
    assert (metadata["days_compared"].value, metadata["days_that_would_change"].value) == (1, 1)
    assert "effort_0_100" in str(metadata["changes"].value)


def test_an_error_of_the_home_is_reported_in_its_own_words_and_one_of_the_program_by_kind(
    runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def land(home: Home, registry: Registry, sources: Sequence[str]) -> list[SourceLanding]:
        if sources == ["web"]:
            raise HomeError("the disk is full: free space")
        raise KeyError("jane@example.org")

    monkeypatch.setattr(pipeline, "land", land)
    web, desk = runs.land(["web", "desk"])
    assert web.failure == "the disk is full: free space"
    assert desk.failure is not None
    assert "KeyError" in desk.failure
    assert "jane" not in desk.failure


def test_a_range_is_one_run_with_each_days_own_figures(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def clean(
        home: Home, registry: Registry, kind: str, days: Sequence[date], *, run_id: str
    ) -> Iterator[DayResult]:
        calls.append((kind, list(days)))
        yield from (day_result(kind, day) for day in days)

    far = date(2999, 1, 1)
    monkeypatch.setattr(pipeline, "clean", clean)
    monkeypatch.setattr(pipeline, "stale_days", lambda *_: [DAY, NEXT, far])
    heard: list[date] = []
    outcome = runs.clean("survey", DAY, NEXT, lambda result: heard.append(result.day))
    assert outcome.failure is None
    assert calls == [("survey", [DAY, NEXT, far])]
    assert heard == [DAY, NEXT, far]
    with open_instance(small.home) as instance:
        assert instance.get_runs_count() == 1
        records = instance.fetch_materializations(dg.AssetKey(["core", "responses"]), limit=10).records
    rows_by_day = {
        record.partition_key: record.asset_materialization.metadata["dagster/partition_row_count"].value
        for record in records
        if record.asset_materialization
    }
    assert rows_by_day == {"2026-03-02": 2, "2026-03-03": 3}
    audit = records[0].asset_materialization.metadata["audit"].value
    assert "| `too_fast` | 2 |" in str(audit)
    with open_instance(small.home) as instance:
        assert verdict(instance, ["core", "responses"], "days_written").passed
        (run,) = instance.get_runs()
    assert (
        run.tags["ces/night"]
        == night_began(current_registry(small.home), datetime.now(UTC)).date().isoformat()
    )


def test_the_runs_of_a_night_and_of_the_day_after_it_have_the_same_date(small: SmallHome) -> None:
    registry = current_registry(small.home)
    hour = registry.settings.schedule_hour
    zone = ZoneInfo(registry.settings.business_time_zone)
    begin = datetime(2026, 3, 2, hour, tzinfo=zone)
    last = begin + timedelta(days=1, seconds=-1)
    assert night_tags(registry, begin) == night_tags(registry, last) == {"ces/night": "2026-03-02"}
    assert night_tags(registry, begin - timedelta(seconds=1)) == {"ces/night": "2026-03-01"}


def test_days_older_than_the_calendar_are_partitions_after_their_landing(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small.home.lake / "raw" / "web"
    (folder / f"day={NEXT}").mkdir(parents=True)

    def land(home: Home, registry: Registry, sources: Sequence[str]) -> list[SourceLanding]:
        (folder / f"day={DAY}").mkdir()
        return [landing(source) for source in sources]

    monkeypatch.setattr(pipeline, "land", land)
    monkeypatch.setattr(pipeline, "stale_days", lambda *_: [DAY])
    monkeypatch.setattr(
        pipeline, "clean", lambda _home, _registry, kind, days, run_id: iter([day_result(kind, DAY)])
    )
    with local_runs(small.home) as runs:
        assert [outcome.failure for outcome in runs.land(["web"])] == [None]
        assert runs.clean("survey", DAY, DAY).failure is None


def test_a_check_can_be_run_alone_and_names_its_wrong_rows_with_links_to_their_days(small: SmallHome) -> None:
    small.clean("survey", [response("a"), response("b")])
    small.publish()
    with duckdb.connect(str(small.home.published)) as connection:
        connection.execute("UPDATE mart.ces_daily SET n = n + 1")
    definitions = build_definitions(small.home)
    keys = {
        key
        for key in definitions.resolve_asset_graph().asset_check_keys
        if key.name in ("totals_tie", "schema")
    }
    job = definitions.resolve_implicit_global_asset_job_def()
    alone = job.get_subset(asset_selection=set(), asset_check_selection=keys)
    with open_instance(small.home) as instance:
        result = alone.execute_in_process(instance=instance, raise_on_error=False)
    found = {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}
    assert {name: evaluation.passed for name, evaluation in found.items()} == {
        "totals_tie": False,
        "schema": True,
    }
    assert [row["day"] for row in shown_rows(found["totals_tie"])] == [DAY.isoformat()]
    assert f"/assets/core/responses?view=partitions&partition={DAY}" in str(
        found["totals_tie"].metadata["days"].value
    )
    assert not result.get_asset_materialization_events()


def test_a_day_whose_rows_do_not_reconcile_fails_the_run(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "stale_days", lambda *_: [])
    monkeypatch.setattr(
        pipeline,
        "clean",
        lambda *_args, **_values: iter([day_result("survey", DAY, ("2026-03-02: 1 row is lost",))]),
    )
    assert runs.clean("survey", DAY, DAY).failure == "2026-03-02: 1 row is lost"
    with open_instance(small.home) as instance:
        failed = verdict(instance, ["core", "responses"], "days_written")
        assert instance.get_latest_materialization_event(dg.AssetKey(["core", "responses"])) is None
    assert not failed.passed
    assert shown_rows(failed) == [{"day": "2026-03-02", "what": "2026-03-02: 1 row is lost"}]


def test_a_publish_materialises_every_table_with_its_rows_and_verdicts(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.clean("survey", [response("a"), response("b")])
    monkeypatch.setattr(pipeline, "publish", lambda *_args, run_id: small.publish(run_id))
    outcome, verdicts = runs.publish()
    assert outcome.failure is None
    assert outcome.metadata["rows core.responses"] == 2
    assert {verdict.name for verdict in verdicts} == {check.name for check in all_checks()} | {
        "report_written"
    }
    assert all(verdict.passed for verdict in verdicts if verdict.is_blocking)
    with open_instance(small.home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["mart", "ces_daily"]))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 1


def test_a_failed_blocking_check_fails_the_step_and_the_file_counts_as_not_made(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciliation = next(check for check in all_checks() if check.name == "books_balance")
    failed = PublishResult(
        path=small.home.published,
        published=False,
        unchanged=False,
        rebuilt_because="there was no published file",
        days_loaded=0,
        restated_days=0,
        rows={},
        checks=tuple(
            CheckResult(check, 1, "2026-03-02: 1 row is lost")
            if check is reconciliation
            else CheckResult(check, 0, None)
            for check in all_checks()
        ),
    )
    monkeypatch.setattr(pipeline, "publish", lambda *_args, **_values: failed)
    outcome, verdicts = runs.publish()
    assert outcome.failure is not None
    assert "books_balance: 2026-03-02: 1 row is lost" in outcome.failure
    assert [verdict.name for verdict in verdicts if not verdict.passed] == ["books_balance"]
    with open_instance(small.home) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey(["publish", "ces_duckdb"])) is None


def test_a_rule_that_missed_its_poison_is_a_failed_check_of_the_published_file(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ces_pipeline.proof.step.uncaught_by_rules", lambda: ["rule too_fast (survey)"])
    prove.cache_clear()
    try:
        outcome, verdicts = runs.publish()
    finally:
        prove.cache_clear()
    assert "poisoned_rows_caught: rule too_fast (survey)" in (outcome.failure or "")
    failed = [verdict.name for verdict in verdicts if verdict.is_blocking and not verdict.passed]
    assert failed == ["poisoned_rows_caught"]
    assert not small.home.published.exists()


def test_a_rebuild_whose_rows_differ_fails_its_run_with_the_tables_and_is_published_all_the_same(
    small: SmallHome, runs: LocalRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.clean("survey", [response("a")])
    small.publish()
    asked: list[str] = []

    def rebuild(_home: Home, _registry: Registry, *, run_id: str) -> PublishResult:
        asked.append(run_id)
        differences = ("mart.ces_daily: 2 rows differ",) if len(asked) > 1 else ()
        published = small.publish(run_id)
        return replace(published, rebuilt_because="to compare it", compared=True, differences=differences)

    monkeypatch.setattr(pipeline, "rebuild", rebuild)
    equal = runs.rebuild()
    assert equal.failure is None
    assert equal.metadata["compared"]
    assert runs.rebuild().failure == "mart.ces_daily: 2 rows differ"
    with open_instance(small.home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["publish", "ces_duckdb"]))
        assert event is not None
        assert event.run_id == asked[-1]
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["tables_that_differed"].value == 1


@pytest.fixture
def tick(small: SmallHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What the stale-days sensor sees; `run` evaluates it and keeps its cursor."""
    seen: dict[str, object] = {"survey": [], "tickets": [], "behind": False, "cursor": None, "state": "s1"}
    monkeypatch.setattr(sensors, "is_behind", lambda *_: seen["behind"])
    monkeypatch.setattr(
        sensors,
        "publish_inputs",
        lambda *_: replace(
            small.state(), pending=tuple((kind, day) for kind in ("survey", "tickets") for day in seen[kind])
        ),
    )
    monkeypatch.setattr(sensors, "state_fingerprint", lambda *_: seen["state"])
    seen["now"] = datetime.now(UTC)
    night = sensors.night_without_checks
    monkeypatch.setattr(
        sensors, "night_without_checks", lambda home, registry, _: night(home, registry, seen["now"])
    )
    repository = build_definitions(small.home).get_repository_def()
    sensor = repository.get_sensor_def("stale_days_sensor")

    with open_instance(small.home) as instance:

        def run() -> list[dg.RunRequest]:
            context = dg.build_sensor_context(
                instance=instance,
                cursor=seen["cursor"],
                repository_def=repository,  # type: ignore[arg-type]
            )
            data = sensor.evaluate_tick(context)
            seen["cursor"] = data.cursor or seen["cursor"]
            return list(data.run_requests or [])

        seen["run"] = run
        seen["instance"] = instance
        yield seen


def requested(requests: list[dg.RunRequest]) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            request.asset_selection[0].to_user_string() if request.asset_selection else "",
            request.tags.get("dagster/asset_partition_range_start"),
            request.tags.get("dagster/asset_partition_range_end"),
        )
        for request in requests
    ]


def test_stale_days_are_asked_for_once_as_ranges(tick: dict) -> None:
    tick["survey"] = [DAY, NEXT, DAY + timedelta(days=5)]
    tick["tickets"] = [NEXT]
    assert requested(tick["run"]()) == [
        ("core/ticket_versions", "2026-03-03", "2026-03-03"),
        ("core/responses", "2026-03-02", "2026-03-03"),
        ("core/responses", "2026-03-07", "2026-03-07"),
    ]
    assert tick["run"]() == []
    tick["state"] = "s2"
    assert len(tick["run"]()) == 3


def test_a_file_that_is_behind_is_published_once_when_no_day_is_stale(tick: dict) -> None:
    tick["behind"] = True
    (request,) = tick["run"]()
    assert dg.AssetKey(["publish", "ces_duckdb"]) in request.asset_selection
    assert tick["run"]() == []
    tick["state"] = "s2"
    assert len(tick["run"]()) == 1


def test_a_publish_follows_the_cleaning_of_stale_days(tick: dict) -> None:
    tick["survey"], tick["behind"] = [DAY], True
    cleaning, publish = tick["run"]()
    assert requested([cleaning]) == [("core/responses", "2026-03-02", "2026-03-02")]
    assert dg.AssetKey(["publish", "ces_duckdb"]) in publish.asset_selection
    assert tick["run"]() == []
    # A file arrives before the day is cleaned: it is cleaned again, and published again.
    tick["state"] = "s2"
    assert len(tick["run"]()) == 2


def test_days_that_failed_do_not_keep_the_rest_from_being_published(tick: dict) -> None:
    tick["survey"] = [DAY]
    assert requested(tick["run"]())[0][0] == "core/responses"
    tick["behind"] = True
    (request,) = tick["run"]()
    assert dg.AssetKey(["publish", "ces_duckdb"]) in request.asset_selection


def test_a_night_without_news_is_checked_once(tick: dict, small: SmallHome) -> None:
    small.clean("survey", [response("a")])
    small.publish()
    assert tick["run"]() == []
    tick["now"] += timedelta(days=1)
    (request,) = tick["run"]()
    assert dg.AssetKey(["publish", "ces_duckdb"]) in request.asset_selection
    assert tick["run"]() == []
    tick["now"] += timedelta(days=1)
    (another,) = tick["run"]()
    assert another.run_key != request.run_key


def test_nothing_is_asked_for_while_a_run_is_under_way(tick: dict) -> None:
    tick["survey"] = [DAY]
    run = dg.DagsterRun(job_name="land", run_id="a" * 8, status=dg.DagsterRunStatus.STARTED)
    tick["instance"].add_run(run)
    assert tick["run"]() == []


def test_the_sensors_see_an_edit_of_the_registry_and_name_its_mistakes_in_a_line(small: SmallHome) -> None:
    repository = build_definitions(small.home).get_repository_def()
    file = small.home.inbox / "web" / "export.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text("id\n1\n")
    long_ago = time.time() - 60
    os.utime(file, (long_ago, long_ago))
    sources = small.home.registry / "sources.yaml"
    right = sources.read_text()

    def run(name: str, cursor: str | None = None) -> tuple[int, str | None, str]:
        with dg.DagsterInstance.ephemeral() as instance:
            data = repository.get_sensor_def(name).evaluate_tick(
                dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
            )
        return len(data.run_requests or []), data.cursor, data.skip_message or ""

    count, cursor, _ = run("inbox_sensor")
    assert (count, run("inbox_sensor", cursor)[0]) == (1, 0)
    sources.write_text(f"{right}\n- id: next\n  kindd: survey\n")
    for name in ("inbox_sensor", "stale_days_sensor"):
        asked, _, line = run(name, cursor if name == "inbox_sensor" else None)
        assert asked == 0
        assert "sources.yaml, line " in line
        assert "entry next: kindd: " in line
        assert "\n" not in line
    sources.write_text(f"{right}\n- {{id: next, kind: tickets, reader: csv}}\n")
    assert run("inbox_sensor", cursor)[0] == 1
    sources.write_text(f"{right}\n- {{id: crm, kind: accounts, reader: csv}}\n")
    assert "kind accounts" in run("stale_days_sensor")[2]


def test_a_new_file_is_landed_once_it_has_settled(small: SmallHome) -> None:
    repository = build_definitions(small.home).get_repository_def()
    sensor = repository.get_sensor_def("inbox_sensor")

    def run(cursor: str | None) -> tuple[int, str | None]:
        with dg.DagsterInstance.ephemeral() as instance:
            data = sensor.evaluate_tick(
                dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
            )
        return len(data.run_requests or []), data.cursor

    assert run(None)[0] == 0
    file = small.home.inbox / "web" / "export.csv"
    file.parent.mkdir()
    file.write_text("id\n1\n")
    assert run(None)[0] == 0
    long_ago = time.time() - 60
    os.utime(file, (long_ago, long_ago))
    count, cursor = run(None)
    assert count == 1
    assert run(cursor)[0] == 0
    # Every landing makes such a file: if it caused the next landing, there would be no end.
    spool.append(file.parent, [b"{}"])
    received = spool.hand_over(file.parent)
    assert received is not None
    os.utime(received, (long_ago, long_ago))
    assert run(cursor)[0] == 0
    file.write_text("id\n1\n2\n")
    os.utime(file, (long_ago, long_ago))
    assert run(cursor)[0] == 1
    # One that keeps growing delays no other, and a time ahead of this machine's clock delays none either.
    growing = file.with_name("growing.csv")
    growing.write_text("id\n")
    count, cursor = run(cursor)
    assert count == 1
    ahead = file.with_name("ahead.csv")
    ahead.write_text("id\n")
    os.utime(ahead, (time.time() + 3600,) * 2)
    growing.write_text("id\n3\n")
    assert run(cursor)[0] == 1
