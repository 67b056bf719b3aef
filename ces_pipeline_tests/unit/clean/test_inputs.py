"""Protects which days are stale: all that a change can alter, none that it cannot."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ces_pipeline.clean import inputs
from ces_pipeline.clean.inputs import commit_marker_file, days_back
from ces_pipeline.land.ledger import forget
from ces_pipeline.storage import small_files
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.small_files import CACHE_FILE, save_small_files
from ces_pipeline_tests.builders import SURVEYS, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import clean, core_bytes, damage, stale

ONE_DAY = {"speed_window_days": 1}


@pytest.fixture
def small(tmp_path: Path) -> InboxHome:
    """Answers on 2, 3 and 9 March, cleaned. Rules look back 24 hours, speed one day."""
    small = inbox_home(tmp_path, settings=ONE_DAY)
    days = ("02", "03", "09")
    small.drop("first.csv", [answer(n, recorded=f"2026-03-{day}T12:00:00Z") for n, day in enumerate(days)])
    small.land()
    clean(small.home)
    return small


def late(number: int | str, day: str, **values: object) -> list[dict[str, object]]:
    return [answer(number, recorded=f"2026-03-{day}T13:00:00Z", **values)]


def test_cleaned_days_are_not_stale_and_new_days_are(tmp_path: Path) -> None:
    small = inbox_home(tmp_path)
    small.drop("first.csv", late("a", "02"))
    assert stale(small.home) == []
    small.land()
    assert stale(small.home) == ["2026-03-02"]
    assert stale(small.home, "tickets") == []
    clean(small.home)
    assert stale(small.home) == []


def test_a_new_delivery_makes_its_days_stale_and_those_that_look_back_on_them(small: InboxHome) -> None:
    small.drop("second.csv", late("x", "02"))
    small.land()
    # 3 March looks back on the 2nd; 4 March has no rows.
    assert stale(small.home) == ["2026-03-02", "2026-03-03"]


def test_a_cumulative_export_makes_only_the_days_of_its_new_rows_stale(small: InboxHome) -> None:
    days = ("02", "03", "09")
    rows = [answer(n, recorded=f"2026-03-{day}T12:00:00Z") for n, day in enumerate(days)]
    small.drop("all.csv", rows + late("x", "09"))
    assert small.land().rows_redelivered == 3
    assert stale(small.home) == ["2026-03-09"]


def test_the_answers_looked_back_on_are_judged_by_speed_too(small: InboxHome) -> None:
    # 9 March compares with the 8th, and answers of the 8th are judged by the speed of the 7th.
    for day, expected in (("06", []), ("07", ["2026-03-09"]), ("08", ["2026-03-09"])):
        small.drop(f"{day}.csv", late(f"x{day}", day))
        small.land()
        assert [stale_day for stale_day in stale(small.home) if stale_day == "2026-03-09"] == expected, day
        clean(small.home)


def test_a_longer_look_back_spreads_further(tmp_path: Path) -> None:
    small = inbox_home(tmp_path, settings={"speed_window_days": 5})
    small.drop("first.csv", late("a", "02") + late("b", "08") + late("c", "09"))
    small.land()
    clean(small.home)
    small.drop("second.csv", late("x", "02"))
    small.land()
    assert stale(small.home) == ["2026-03-02", "2026-03-08"]


def test_the_old_day_of_a_revision_that_moved_is_stale(small: InboxHome) -> None:
    small.drop("moved.csv", late(0, "09", score=1))
    small.land()
    assert stale(small.home) == ["2026-03-02", "2026-03-03", "2026-03-09"]
    by_day = {result.day.day: result for result in clean(small.home)}
    assert (by_day[2].superseded, by_day[2].accepted) == (1, 0)
    assert (by_day[9].superseded, by_day[9].accepted) == (0, 2)
    assert "core/responses/day=2026-03-02/part-0.parquet" not in core_bytes(small.home)


@pytest.mark.parametrize(
    ("surveys", "settings"),
    [
        ([{**SURVEYS[0], "rules": {"min_duration_seconds": 3}}], ONE_DAY),
        ([{**SURVEYS[0], "scale": "csat_1_5"}], ONE_DAY),
        (SURVEYS, {**ONE_DAY, "first_day": date(2026, 3, 1)}),
    ],
)
def test_a_change_of_how_answers_are_judged_makes_every_day_stale(
    small: InboxHome, surveys: list, settings: dict
) -> None:
    small.write_registry(WEB, surveys=surveys, settings=settings)
    assert stale(small.home) == ["2026-03-02", "2026-03-03", "2026-03-09"]


def test_a_change_that_no_verdict_depends_on_makes_nothing_stale(small: InboxHome) -> None:
    small.write_registry(
        WEB, settings={**ONE_DAY, "minimum_n": 99, "schedule_hour": 5, "reject_share_warning": 0.5}
    )
    assert stale(small.home) == []


def test_other_code_makes_every_day_stale(small: InboxHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "cleaning_code", lambda _kind: "other code")
    assert stale(small.home) == ["2026-03-02", "2026-03-03", "2026-03-09"]


@pytest.mark.parametrize("how", ["deleted", "truncated", "flipped"])
def test_a_day_file_that_is_not_as_written_makes_its_day_stale_and_is_repaired(
    small: InboxHome, how: str
) -> None:
    before_damage = core_bytes(small.home)
    damage(small.home.lake / small.lake.day_file("core.responses", date(2026, 3, 3)), how)
    assert stale(small.home) == ["2026-03-03"]
    clean(small.home)
    assert stale(small.home) == []
    assert core_bytes(small.home) == before_damage


def test_a_lake_that_was_copied_is_as_written_whatever_the_times_of_its_files(small: InboxHome) -> None:
    for path in (small.home.lake / "core").rglob("*.parquet"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    assert stale(small.home) == []


@pytest.mark.parametrize("how", ["deleted", "truncated"])
def test_a_damaged_commit_marker_is_none(small: InboxHome, how: str) -> None:
    damage(small.home.lake / commit_marker_file("survey", date(2026, 3, 3)), how)
    assert stale(small.home) == ["2026-03-03"]
    clean(small.home)
    assert stale(small.home) == []


def age(small: InboxHome) -> None:
    """Make the files of the lake an hour old, in their order: markers that are a little older are cached."""
    for path in small.home.lake.rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_mtime - 3600,) * 2)


def test_a_second_planning_opens_no_commit_marker_and_no_entry(
    small: InboxHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(small)
    assert stale(small.home) == []
    save_small_files(small.lake)
    small_files._held.clear()
    opened: list[str] = []

    def noting(read: Any) -> Any:
        def noted(lake: Lake, path: str, *given: Any) -> Any:
            found = read(lake, path, *given)
            opened.append(path)
            return found

        return noted

    for name in ("read_bytes", "read_table"):
        monkeypatch.setattr(Lake, name, noting(getattr(Lake, name)))
    assert stale(small.home) == []
    assert sorted(opened) == [f"audit/load_audit/kind=survey/{CACHE_FILE}", f"ledger/web/{CACHE_FILE}"]


@pytest.mark.parametrize("how", ["deleted", "truncated", "folder"])
def test_a_cached_commit_marker_that_is_damaged_is_none(small: InboxHome, how: str) -> None:
    age(small)
    assert stale(small.home) == []
    save_small_files(small.lake)
    damage(small.home.lake / commit_marker_file("survey", date(2026, 3, 3)), how)
    assert stale(small.home) == ["2026-03-03"]
    clean(small.home)
    assert stale(small.home) == []


def test_a_commit_marker_that_was_changed_without_its_size_is_seen(small: InboxHome) -> None:
    age(small)
    assert stale(small.home) == []
    path = commit_marker_file("survey", date(2026, 3, 3))
    rows, size = small.lake.read_table(path), small.lake.size(path)
    other = pa.array([text[::-1] for text in rows["inputs"].to_pylist()])
    small.lake.write_table(
        path, rows.set_column(rows.schema.get_field_index("inputs"), rows.field("inputs"), other)
    )
    assert small.lake.size(path) == size
    assert stale(small.home) == ["2026-03-03"]


def test_a_day_whose_deliveries_were_taken_back_is_emptied(small: InboxHome) -> None:
    forget(small.lake, small.deliveries())
    assert stale(small.home) == ["2026-03-02", "2026-03-03", "2026-03-09"]
    clean(small.home)
    assert core_bytes(small.home) == {}
    assert stale(small.home) == []


@pytest.mark.parametrize(
    ("zone", "hours", "day", "back"),
    [
        ("UTC", 24, date(2026, 3, 2), 1),
        ("UTC", 25, date(2026, 3, 2), 2),
        ("UTC", 0.5, date(2026, 3, 2), 1),
        ("UTC", 0, date(2026, 3, 2), 0),
        # The day before is 23 hours long: 24 hours back from midnight reach into the day before that.
        ("Europe/Berlin", 24, date(2026, 3, 30), 2),
        ("Europe/Berlin", 24, date(2026, 10, 26), 1),
    ],
)
def test_how_many_days_the_duplicate_window_reaches_back(
    zone: str, hours: float, day: date, back: int
) -> None:
    assert days_back(day, hours, zone) == back
