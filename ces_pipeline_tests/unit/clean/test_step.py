"""Protects the cleaning of many days: the same bytes however they are batched, and a bad day that stops no other."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from ces_pipeline.clean import step as clean_module
from ces_pipeline.clean.day import clean_days
from ces_pipeline.clean.inputs import Planner
from ces_pipeline.land.ledger import commit
from ces_pipeline.land.paths import raw_file
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import DESK, SURVEYS, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import clean, core_bytes, damage, stale

FEED = {**WEB, "columns": {**WEB["columns"], "device": "device"}}
APP = {**FEED, "id": "app"}


def said(who: str, number: int | str, when: str, **values: Any) -> dict[str, Any]:
    return answer(number, email=f"{who}@example.org", recorded=f"2026-03-{when}Z", device=None, **values)


def busy_home(folder: Path) -> InboxHome:
    """Four days of repeats across midnight, revisions, also across days, and faults, of two sources that use the same ids."""
    small = inbox_home(folder, FEED, APP, DESK)
    rows = [
        said("ann", 1, "02T23:00:00"),
        said("ann", 2, "03T01:00:00"),
        said("ann", 3, "04T00:30:00"),
        said("bob", 4, "03T08:00:00", score=9),
        said("bob", 5, "03T09:00:00"),
        said("cat", 6, "04T23:59:59"),
        said("dan", 7, "05T00:00:01"),
        said("eve", 8, "05T12:00:00", score="1", comment="very easy"),
        said("flo", 9, "04T23:00:00"),
        said("flo", 10, "05T10:00:00"),
    ]
    small.drop("first.csv", rows)
    # 6 turns out to be dan's, 9 somebody else's; 1 was answered again two days later.
    changes = [
        said("dan", 6, "04T23:59:59", score=2),
        said("gus", 9, "04T23:00:01"),
        said("ann", 1, "04T20:00:00"),
    ]
    small.drop("second.csv", [*rows[:3], *changes])
    small.drop(
        "app.csv", [said("zoe", 1, "02T10:00:00"), said("ann", 2, "03T02:00:00"), said("zoe", 9, "")], "app"
    )
    ticket = {"number": "1", "state": "open", "email": "ann@example.org"}
    times = ("2026-03-02T10:00:00Z", "2026-03-04T10:00:00Z", "")
    small.drop("tickets.csv", [{**ticket, "updated": when} for when in times], "desk")
    for source_id in ("web", "app", "desk"):
        assert small.land(source_id).failures == ()
    return small


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The day files when every day is cleaned by itself."""
    small = busy_home(tmp_path_factory.mktemp("alone"))
    for kind in ("survey", "tickets"):
        for day in stale(small.home, kind):
            assert [result.problems for result in clean(small.home, [date.fromisoformat(day)], kind)] == [()]
    return core_bytes(small.home)


@pytest.fixture
def busy(tmp_path: Path) -> InboxHome:
    return busy_home(tmp_path)


@pytest.fixture(autouse=True, scope="module")
def one_key() -> Iterator[None]:
    """All homes of this module pseudonymise alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CES_PSEUDONYM_KEY", "0123456789abcdef" * 4)
        yield


def test_days_together_give_the_same_bytes_as_one_by_one(busy: InboxHome, expected: dict[str, bytes]) -> None:
    results = clean(busy.home) + clean(busy.home, kind="tickets")
    assert [result.problems for result in results if result.problems] == []
    assert len(expected) == len(core_bytes(busy.home)) > 6
    assert core_bytes(busy.home) == expected


def test_so_do_days_in_small_batches_and_in_any_order(
    busy: InboxHome, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_module, "_DAYS_TOGETHER", 2)
    clean(busy.home, kind="tickets")
    clean(busy.home, [date(2026, 3, 5), date(2026, 3, 3), date(2026, 3, 20)])
    clean(busy.home, [date(2026, 3, 4), date(2026, 3, 2)])
    assert core_bytes(busy.home) == expected


class Inline(Executor):
    """Runs what it is given at once: what crosses to a worker is the same, the worker is not."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize(
    "make", [Inline, lambda: ThreadPoolExecutor(3), processes], ids=["inline", "threads", "processes"]
)
def test_any_executor_gives_the_same_bytes(
    make: Any, busy: InboxHome, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_module, "_DAYS_TOGETHER", 1)
    with make() as executor:
        results = clean(busy.home, executor=executor)
        clean(busy.home, kind="tickets", executor=executor)
    assert [result.day for result in results] == sorted(result.day for result in results)
    assert core_bytes(busy.home) == expected


def test_cleaning_again_changes_no_byte(busy: InboxHome, expected: dict[str, bytes]) -> None:
    days = [date.fromisoformat(day) for day in stale(busy.home)]
    clean(busy.home, kind="tickets")
    assert clean(busy.home, days) == clean(busy.home, days)
    assert core_bytes(busy.home) == expected


def test_a_lake_on_another_kind_of_disk_gives_the_same_bytes(
    busy: InboxHome, expected: dict[str, bytes]
) -> None:
    remote = Lake(f"memory://{uuid4().hex}")
    for path in sorted(busy.home.lake.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            remote.write_bytes(str(path.relative_to(busy.home.lake)), path.read_bytes())
    for kind in ("survey", "tickets"):
        planner = Planner(remote, busy.registry, kind)
        plans = [planner.plan(day) for day in planner.stale_days()]
        results = clean_days(remote, plans, busy.registry, {}, "test")
        assert [result.problems for result in results if result.problems] == []
        assert Planner(remote, busy.registry, kind).stale_days() == []
    assert {path: remote.read_bytes(path) for path in expected} == expected


def test_two_sources_with_the_same_ids_keep_apart(busy: InboxHome) -> None:
    by_day = {result.day.day: result for result in clean(busy.home)}
    # Response 1 of source web was revised on 4 March; response 1 of source app was not.
    assert (by_day[2].accepted, by_day[2].superseded) == (1, 1)


@pytest.fixture
def broken(tmp_path: Path) -> InboxHome:
    """Answers of 2, 3, 4 and 9 March of one delivery each, cleaned but for what a later one changed."""
    small = inbox_home(tmp_path, settings={"speed_window_days": 2})
    for day in ("02", "03", "04", "09"):
        small.drop(f"{day}.csv", [said("ann", day, f"{day}T12:00:00")])
    small.land()
    return small


def raw_of(small: InboxHome, day: date) -> Path:
    (path,) = [
        small.home.lake / raw_file("web", delivery.delivery_id, day)
        for delivery in small.deliveries()
        if day in delivery.days
    ]
    return path


@pytest.mark.parametrize("how", ["deleted", "truncated", "flipped"])
def test_a_lost_raw_file_stops_its_day_and_those_that_look_back_on_it_and_no_other(
    broken: InboxHome, how: str
) -> None:
    clean(broken.home)
    before = core_bytes(broken.home)
    damage(raw_of(broken, date(2026, 3, 3)), how)
    broken.write_registry(WEB, surveys=[{**SURVEYS[0], "product": "Shop"}], settings={"speed_window_days": 2})
    results = {result.day.day: result for result in clean(broken.home)}
    assert {day for day, result in results.items() if result.problems} == {3, 4}
    (problem,) = results[3].problems
    for part in ("2026-03-03 web: ", "raw/web/day=2026-03-03/", "ces run", "ces unland "):
        assert part in problem
    after = core_bytes(broken.home)
    assert {int(path.split("day=2026-03-")[1][:2]) for path in before if before[path] != after[path]} == {
        2,
        9,
    }
    assert stale(broken.home)[:2] == ["2026-03-03", "2026-03-04"]


def test_following_the_advice_repairs_a_lost_raw_file(broken: InboxHome) -> None:
    clean(broken.home)
    before = core_bytes(broken.home)
    path = raw_of(broken, date(2026, 3, 3))
    path.unlink()
    clean(broken.home, [date(2026, 3, 3)])
    assert core_bytes(broken.home) == before
    (broken.home.lake / "ledger" / "web" / f"{path.stem}.json").unlink()
    broken.land()
    clean(broken.home)
    assert stale(broken.home) == []
    assert core_bytes(broken.home) == before


def test_days_whose_speed_limits_lack_answers_are_cleaned_and_stay_stale(tmp_path: Path) -> None:
    small = inbox_home(tmp_path, surveys=[{**SURVEYS[0], "rules": {"duplicate_window_hours": 0}}])
    for day in ("02", "05"):
        small.drop(f"{day}.csv", [said("ann", day, f"{day}T12:00:00")])
    small.land()
    kept = raw_of(small, date(2026, 3, 2)).read_bytes()
    raw_of(small, date(2026, 3, 2)).unlink()
    results = {result.day.day: result for result in clean(small.home)}
    assert (bool(results[2].problems), results[5].accepted) == (True, 1)
    assert stale(small.home) == ["2026-03-02", "2026-03-05"]
    raw_of(small, date(2026, 3, 2)).write_bytes(kept)
    clean(small.home)
    assert stale(small.home) == []


def test_rows_that_do_not_reconcile_are_reported_and_nothing_is_written(broken: InboxHome) -> None:
    clean(broken.home)
    before = core_bytes(broken.home)
    path = raw_of(broken, date(2026, 3, 9))
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    for delivery in broken.deliveries():
        # As an earlier release wrote it: without checksums.
        commit(broken.lake, replace(delivery, checksums={}))
    broken.write_registry(WEB, surveys=[{**SURVEYS[0], "product": "Shop"}], settings={"speed_window_days": 2})
    results = {result.day.day: result for result in clean(broken.home)}
    (problem,) = results[9].problems
    for part in ("2026-03-09 web: ", "1 landed", "0 in the raw files", "raw/web", "ces run"):
        assert part in problem
    assert [day for day, result in results.items() if result.problems] == [9]
    after = core_bytes(broken.home)
    unchanged = [
        path for path in before if path.startswith("core/responses/") and before[path] == after[path]
    ]
    assert unchanged == ["core/responses/day=2026-03-09/part-0.parquet"]
    assert stale(broken.home) == ["2026-03-09"]


def test_the_commit_markerer_keeps_the_history_of_a_day(broken: InboxHome) -> None:
    clean(broken.home)
    clean(broken.home, [date(2026, 3, 9)])
    rows = broken.lake.read_table("audit/load_audit/kind=survey/day=2026-03-09/part-0.parquet").to_pylist()
    assert [row["is_current"] for row in rows] == [False, True]
    assert {(row["landed"], row["accepted"], row["rejected"]) for row in rows} == {(1, 1, 0)}


def timed(number: int, day: int, seconds: int) -> dict[str, Any]:
    row = said(f"p{day}-{number}", f"{day}-{number}", f"{day:02}T{number // 60:02}:{number % 60:02}:00")
    return {**row, "seconds": seconds}


def timed_home(folder: Path, answers: int) -> InboxHome:
    source = {**WEB, "columns": {**WEB["columns"], "duration_seconds": "seconds"}}
    small = inbox_home(folder, source, settings={"speed_window_days": 2})
    usual = [timed(number, 2, 60 + number % 7) for number in range(answers)]
    small.drop("usual.csv", [*usual, timed(0, 4, 10), timed(1, 4, 60), timed(0, 5, 10)])
    small.land()
    clean(small.home)
    return small


def flags(small: InboxHome, day: int) -> dict[str, list[str]]:
    rows = small.lake.read_table(small.lake.day_file("core.responses", date(2026, 3, day))).to_pylist()
    return {row["response_id"]: row["flags"] for row in rows}


@pytest.mark.parametrize(("answers", "expected_flags"), [(100, ["fast_for_survey"]), (99, [])])
def test_an_answer_is_fast_for_its_survey_only_by_a_hundred_answers_of_the_window(
    tmp_path: Path, answers: int, expected_flags: list[str]
) -> None:
    small = timed_home(tmp_path, answers)
    assert flags(small, 4) == {"r4-0": expected_flags, "r4-1": []}
    # The hundred lie outside the window of 5 March.
    assert flags(small, 5) == {"r5-0": []}


def test_later_days_never_change_what_was_fast(tmp_path: Path) -> None:
    small = timed_home(tmp_path, 100)
    before = core_bytes(small.home)
    small.drop("later.csv", [timed(number, 6, 9) for number in range(200)])
    small.drop("same.csv", [timed(number + 300, 5, 9) for number in range(200)])
    assert small.land(now=datetime(2026, 3, 21, tzinfo=UTC)).failures == ()
    for day in (2, 4):
        clean(small.home, [date(2026, 3, day)])
    after = core_bytes(small.home)
    assert {path: after[path] for path in before if "03-05" not in path} == {
        path: data for path, data in before.items() if "03-05" not in path
    }
    clean(small.home)
    assert flags(small, 5)["r5-0"] == []


def test_an_attention_check_finds_a_column_that_the_mapping_took(tmp_path: Path) -> None:
    checked = {
        **SURVEYS[0],
        "expect": {"mood": "Fine ", "Q 9/~": "five", "recorded": "2026-03-02 12:00:00+00"},
    }
    source = {**WEB, "columns": {**WEB["columns"], "language": "mood"}}
    small = inbox_home(tmp_path, source, surveys=[checked])
    rows = [
        answer(1, mood="fine", **{"Q 9/~": "FIVE"}),
        answer(2, mood="bad", **{"Q 9/~": "five"}),
        answer(3, mood="fine", **{"Q 9/~": "four"}),
    ]
    small.drop("a.csv", rows)
    small.land()
    (result,) = clean(small.home)
    assert (result.accepted, result.reasons) == (1, {"failed_attention_check": 2})


def test_an_attention_check_on_a_column_that_holds_people_fails_and_does_not_stop_the_day(
    tmp_path: Path,
) -> None:
    small = inbox_home(tmp_path, surveys=[{**SURVEYS[0], "expect": {"email": "person1@example.org"}}])
    small.drop("a.csv", [answer(1)])
    small.land()
    (result,) = clean(small.home)
    assert result.reasons == {"failed_attention_check": 1}
