"""Protects the publish: what the file holds, when it is left alone, and that readers never see half of it."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import time_machine

from ces_pipeline.errors import CesError
from ces_pipeline.publish import step as publish_step
from ces_pipeline.publish.checks import POISONED_ROWS_CAUGHT, CheckResult, all_checks
from ces_pipeline.publish.fingerprints import state_fingerprint
from ces_pipeline.publish.step import PublishResult, publish, publish_state
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.duck import open_published, readable, session
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch.step import PublishWatch
from ces_pipeline_tests.lake_days import (
    DAY,
    NOON,
    SmallHome,
    days_from,
    proved,
    rejected,
    response,
    small_home,
    ticket,
)


def five_days(root: Path) -> SmallHome:
    """Five days of two responses each, one with a ticket."""
    small = small_home(root)
    for day in days_from(DAY, 5):
        rows = [response(f"a{day}", day, ticket_id="t1"), response(f"b{day}", day, ease=25.0)]
        small.clean("survey", rows, day=day)
    small.clean("tickets", [ticket("t1", solved_at=NOON)])
    return small


@pytest.fixture
def unpublished(tmp_path: Path) -> SmallHome:
    return five_days(tmp_path / "home")


@pytest.fixture(scope="module")
def first_publish(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallHome, PublishResult]:
    """A home that was published once, and the result. No test changes it."""
    small = five_days(tmp_path_factory.mktemp("published") / "home")
    return small, small.publish()


@pytest.fixture(scope="module")
def published(first_publish: tuple[SmallHome, PublishResult]) -> SmallHome:
    return first_publish[0]


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    """A copy of `published`."""
    return published.copied(tmp_path / "home")


def test_the_order_of_the_cleanings_is_no_change(unpublished: SmallHome) -> None:
    state = unpublished.state()
    backwards = replace(state, load_audit=state.load_audit[::-1])
    fewer = replace(state, load_audit=state.load_audit[1:])
    assert state.load_audit.num_rows == 6
    assert state_fingerprint(unpublished.registry, backwards) == state_fingerprint(
        unpublished.registry, state
    )
    assert state_fingerprint(unpublished.registry, fewer) != state_fingerprint(unpublished.registry, state)


def contents(small: SmallHome) -> dict[str, list[tuple]]:
    """Every table that does not tell of the publish itself."""
    names = [name for name in PUBLISHED_TABLES if name.startswith(("core.", "mart.", "reference."))]
    return {name: sorted(small.rows(f"SELECT * FROM {name}"), key=repr) for name in names}


def test_a_first_publish_holds_every_day_and_passes_every_blocking_check(
    first_publish: tuple[SmallHome, PublishResult],
) -> None:
    published, result = first_publish
    assert (result.published, result.rebuilt, result.days_loaded) == (True, True, 5)
    assert not result.blocking_failures
    assert result.rows["core.responses"] == 10
    assert {check.check.name for check in result.checks} == {check.name for check in all_checks()}
    assert published.rows("SELECT count(*) FROM core.responses") == [(10,)]
    assert published.rows("SELECT min(day), max(day) FROM mart.ces_daily") == [(DAY, date(2026, 3, 6))]


def test_every_table_and_column_carries_its_comment_and_the_old_storage_version(published: SmallHome) -> None:
    described = "SELECT count(*) FROM duckdb_{}() WHERE schema_name IN ('core', 'mart', 'audit', 'reference')"
    expected = sum(len(table.columns) for table in PUBLISHED_TABLES.values())
    assert published.rows(described.format("columns")) == [(expected,)]
    assert published.rows(described.format("columns") + " AND comment IS NULL") == [(0,)]
    assert published.rows(described.format("tables") + " AND comment IS NULL") == [(0,)]
    comments = published.rows(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'tickets' AND column_name = 'reopens'"
    )
    assert comments == [(TABLES["core.tickets"].columns["reopens"].description,)]
    version = published.rows(
        "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'ces'"
    )
    assert str(version[0][0]).startswith("v1.2.0")


def test_a_second_publish_with_nothing_new_does_not_touch_the_file(small: SmallHome) -> None:
    before = small.home.published.stat()
    again = small.publish("run-2")
    assert again.unchanged
    assert again.published
    assert {result.check.name for result in again.checks} == {check.name for check in all_checks()}
    after = small.home.published.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_changed_day_is_brought_up_to_date_as_a_file_rebuilt_would_be(small: SmallHome) -> None:
    changed = [response(f"a{DAY}", ticket_id="t1"), response("new", ease=0.0)]
    small.clean("survey", changed, [rejected("r1")])
    result = small.publish("run-2")
    assert (result.published, result.rebuilt, result.days_loaded, result.restated_days) == (True, False, 1, 1)
    stepwise = contents(small)
    small.home.published.unlink()
    assert small.publish("run-3").rebuilt
    assert contents(small) == stepwise


@pytest.mark.slow
def test_a_changed_published_day_is_reported_with_its_figures_before_and_after(small: SmallHome) -> None:
    assert small.rows("SELECT count(*) FROM audit.restatements") == [(0,)]
    small.clean("survey", [response("only", ease=100.0)])
    small.publish("run-2")
    query = "SELECT * EXCLUDE restated_at FROM audit.restatements"
    assert small.rows(query) == [("run-2", "core.responses", DAY, 2, 1, 100.0, 100.0)]
    small.home.published.unlink()
    small.publish("run-3")
    assert small.rows(query)[0][0] == "run-2"


def test_a_day_that_is_no_longer_in_the_lake_leaves_the_file(small: SmallHome) -> None:
    last = date(2026, 3, 6)
    small.lake.delete(f"audit/load_audit/kind=survey/day={last}/part-0.parquet")
    del small.delivery_days["survey", last]
    result = small.publish("run-2")
    assert result.published
    assert not result.rebuilt
    assert small.rows("SELECT max(day) FROM core.responses") == [(date(2026, 3, 5),)]
    assert small.rows("SELECT day, rows_after FROM audit.restatements") == [(last, 0)]


def test_a_failed_blocking_check_leaves_the_old_file_published(small: SmallHome) -> None:
    before = small.home.published.read_bytes()
    small.delivery_days["survey", DAY]["rows_landed"] += 1
    result = small.publish("run-2")
    assert not result.published
    assert [failed.check.name for failed in result.blocking_failures] == ["books_balance"]
    assert "2026-03-02" in (result.blocking_failures[0].detail or "")
    assert small.home.published.read_bytes() == before
    assert [path.name for path in small.home.warehouse.iterdir() if path.name.startswith(".publishing")] == []


def test_a_failed_check_is_remembered_and_published_with_the_next_good_file(unpublished: SmallHome) -> None:
    unpublished.delivery_days["survey", DAY]["rows_landed"] += 1
    assert not unpublished.publish("bad run").published
    assert not unpublished.home.published.exists()
    unpublished.delivery_days["survey", DAY]["rows_landed"] -= 1
    assert unpublished.publish("good run").published
    verdicts = (
        "SELECT run_id, passed FROM audit.check_results WHERE check_name = 'books_balance' ORDER BY run_id"
    )
    assert unpublished.rows(verdicts) == [("bad run", False), ("good run", True)]


MISSED = CheckResult(POISONED_ROWS_CAUGHT, 1, "rule too_fast (survey)")
VERDICTS = (
    "SELECT run_id, detail FROM audit.check_results WHERE check_name = 'poisoned_rows_caught' ORDER BY run_id"
)


def test_a_rule_that_missed_its_poison_refuses_the_publish_and_is_recorded(unpublished: SmallHome) -> None:
    refused = unpublished.publish("run-1", lambda: MISSED)
    assert not refused.published
    assert refused.blocking_failures == (MISSED,)
    assert not unpublished.home.published.exists()
    assert unpublished.publish("run-2").published
    assert unpublished.rows(VERDICTS) == [("run-1", "rule too_fast (survey)"), ("run-2", None)]


def test_a_night_without_news_is_refused_and_recorded_as_well(small: SmallHome) -> None:
    before = small.home.published.stat()
    # The code that published the file today found all poison then.
    assert small.publish("same-day", lambda: MISSED).blocking_failures == ()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
        refused = small.publish("run-2", lambda: MISSED)
    assert (refused.unchanged, refused.published) == (True, False)
    assert refused.blocking_failures == (MISSED,)
    assert small.home.published.stat().st_mtime_ns == before.st_mtime_ns
    small.clean("survey", [response("new")])
    assert small.publish("run-3").published
    assert [run_id for run_id, detail in small.rows(VERDICTS) if detail] == ["run-2"]


def test_rows_of_a_stale_day_need_not_reconcile(unpublished: SmallHome) -> None:
    unpublished.delivery_days["survey", DAY]["rows_landed"] += 1
    unpublished.pending = (("survey", DAY),)
    assert unpublished.publish().published
    assert unpublished.rows("SELECT kind, day FROM audit.pending_days") == [("survey", DAY)]
    quality = "SELECT landed, redelivered, accepted, rejected FROM mart.quality_daily ORDER BY day LIMIT 1"
    assert unpublished.rows(quality) == [(2, 0, 2, 0)]


def test_a_reader_that_holds_the_file_open_keeps_what_it_opened(small: SmallHome) -> None:
    with duckdb.connect(str(small.home.published), read_only=True) as reader:
        small.clean("survey", [response("only")])
        assert small.publish("run-2").published
        assert reader.execute("SELECT count(*) FROM core.responses").fetchone() == (10,)
    assert small.rows("SELECT count(*) FROM core.responses") == [(9,)]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "overwritten", "not a database"])
def test_a_damaged_file_is_rebuilt_from_the_lake(published: SmallHome, small: SmallHome, damage: str) -> None:
    data = small.home.published.read_bytes()
    small.home.published.write_bytes(
        {
            "truncated": data[: len(data) // 2],
            "overwritten": data[:12_288] + b"\xff" * (len(data) - 12_288),
            "not a database": b"hello",
        }[damage]
    )
    assert small.publish("run-2").rebuilt
    assert contents(small) == contents(published)


def test_a_block_that_does_not_read_leads_to_a_file_rebuilt(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.clean("survey", [response("only")])

    def damaged(*_: object) -> None:
        raise duckdb.IOException("Corrupt database file")

    monkeypatch.setattr(publish_step._Publish, "_unload", damaged)
    result = small.publish("run-2")
    assert result.published
    assert result.rebuilt


def test_a_day_file_that_is_not_the_one_cleaned_is_refused(small: SmallHome) -> None:
    before = small.home.published.read_bytes()
    small.clean("survey", [response("only")])
    path = small.home.lake / small.lake.day_file("core.responses", DAY)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(CesError, match=r"core\.responses of 2026-03-02"):
        small.publish("run-2")
    assert small.home.published.read_bytes() == before


def test_what_a_killed_publish_left_is_swept(unpublished: SmallHome) -> None:
    left = unpublished.home.warehouse / ".publishing-dead"
    left.mkdir()
    (left / "ces.duckdb").write_bytes(b"half")
    unpublished.publish()
    assert not left.exists()


@pytest.mark.slow
def test_derived_tables_are_stored_by_day_and_only_where_they_changed(small: SmallHome) -> None:
    lake = Lake(small.home.lake)
    assert lake.days("core.tickets") == [DAY]
    assert lake.days("core.response_tickets") == days_from(DAY, 5)
    table = TABLES["core.response_tickets"]
    stored = lake.read_table(lake.day_file(table.name, DAY))
    assert stored.schema == table.arrow
    assert stored.column("ticket_key").to_pylist() == ["t1"]
    untouched = small.home.lake / lake.day_file(table.name, date(2026, 3, 3))
    mark = untouched.stat().st_ino
    small.clean("survey", [response("c", ticket_id="other")])
    small.publish("run-2")
    assert untouched.stat().st_ino == mark
    changed = lake.read_table(lake.day_file(table.name, DAY)).to_pylist()
    assert [(row["response_key"], row["method"]) for row in changed] == [("c", "named_not_found")]


def test_a_registry_change_alone_is_published(small: SmallHome) -> None:
    small.registry = small.registry.model_copy(
        update={"settings": small.registry.settings.model_copy(update={"minimum_n": 100})}
    )
    result = small.publish("run-2")
    assert not result.unchanged
    assert small.rows("SELECT bool_and(is_suppressed) FROM mart.ces_daily") == [(True,)]


def test_an_empty_lake_publishes_empty_tables(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    result = small.publish()
    assert result.published
    assert result.rows["core.responses"] == 0


def test_two_publishes_at_once_take_turns(unpublished: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0
    gate = threading.Lock()
    real = publish_state

    def counted(*args: object, **values: object) -> PublishResult:
        nonlocal inside, most
        with gate:
            inside += 1
            most = max(most, inside)
        try:
            return real(*args, **values)  # type: ignore[arg-type]
        finally:
            with gate:
                inside -= 1

    monkeypatch.setattr(publish_step, "publish_state", counted)
    results: list[PublishResult] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(
                publish(
                    unpublished.home,
                    unpublished.registry,
                    unpublished.state,
                    run_id="r",
                    prove=proved,
                    watcher=PublishWatch(unpublished.registry),
                )
            )
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert sorted(result.unchanged for result in results) == [False, True]


def test_a_lake_that_is_not_on_a_local_disk_is_read_all_the_same(tmp_path: Path) -> None:
    remote = Lake("memory://lake")
    schema = PUBLISHED_TABLES["audit.pending_days"].arrow
    remote.write_table(
        "audit/x.parquet", pa.Table.from_pylist([{"kind": "survey", "day": DAY}], schema=schema)
    )
    with session(tmp_path) as connection, readable(connection, remote, ["audit/x.parquet"]) as source:
        assert connection.execute(f"SELECT kind, day FROM {source}").fetchall() == [("survey", DAY)]


def test_times_come_back_as_utc_instants(published: SmallHome) -> None:
    with open_published(published.home.published) as connection:
        newest = connection.execute("SELECT max(recorded_at) FROM core.responses").fetchone()
    assert newest is not None
    assert newest[0] == datetime.fromisoformat("2026-03-06T12:00:00+00:00")
