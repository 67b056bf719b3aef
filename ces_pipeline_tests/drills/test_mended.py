"""Drill: files lost or damaged by hand, a host that was down, a lost Dagster database. The next run repairs everything."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ces_pipeline.cli import runs
from ces_pipeline.home import Home
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import DESK, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import (
    core_bytes,
    core_rows,
    damage,
    published_rows,
    run,
    same,
    stale,
    visible_strays,
)

DAMAGES = ("deleted", "truncated", "flipped")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> InboxHome:
    """Answers and tickets of 2 to 5 March, published."""
    small = inbox_home(tmp_path_factory.mktemp("published") / "home", WEB, DESK)
    small.drop("1.csv", [answer(n, recorded=f"2026-03-{2 + n % 4:02}T{n:02}:00:00Z") for n in range(12)])
    ticket = {"number": "7", "state": "open", "email": "person1@example.org"}
    small.drop("t.csv", [{**ticket, "updated": f"2026-03-{day:02}T08:00:00Z"} for day in (2, 4)], "desk")
    run(small.home)
    return small


@pytest.fixture
def small(published: InboxHome, tmp_path: Path) -> InboxHome:
    """A copy of `published`."""
    return published.copied(tmp_path / "home")


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("table", ["core.responses", "core.ticket_versions"])
def test_a_damaged_day_file_is_noticed_and_cleaned_again(small: InboxHome, table: str, how: str) -> None:
    core, rows = core_bytes(small.home), published_rows(small.home)
    damage(small.home.lake / small.lake.day_file(table, date(2026, 3, 4)), how)
    assert stale(small.home, "survey" if table == "core.responses" else "tickets") == ["2026-03-04"]
    run(small.home)
    assert core_bytes(small.home) == core
    assert published_rows(small.home) == rows


@pytest.mark.parametrize("how", ["deleted", "truncated"])
def test_a_lost_published_file_is_made_again_with_the_same_rows(small: InboxHome, how: str) -> None:
    rows = published_rows(small.home)
    damage(small.home.published, how)
    assert run(small.home).rebuilt
    assert published_rows(small.home) == rows
    assert visible_strays(small.home) == []


def test_a_published_file_and_its_whole_folder_lost_with_the_derived_tables_are_made_again(
    small: InboxHome,
) -> None:
    rows = published_rows(small.home)
    shutil.rmtree(small.home.warehouse)
    shutil.rmtree(small.home.lake / "core" / "tickets")
    run(small.home)
    assert published_rows(small.home) == rows
    assert Lake(small.home.lake).days("core.tickets") == [date(2026, 3, 4)]


@pytest.mark.slow
def test_days_missed_while_the_host_was_down_are_caught_up(small: InboxHome, tmp_path: Path) -> None:
    def of_day(day: int) -> list[dict[str, object]]:
        return [answer(100 + day * 10 + n, recorded=f"2026-03-{day:02}T1{n}:00:00Z") for n in range(3)]

    nightly = inbox_home(tmp_path / "nightly", WEB, DESK)
    nightly.home.root.joinpath("pseudonym.key").write_bytes((small.home.root / "pseudonym.key").read_bytes())
    nightly.home.root.joinpath("pseudonym.key").chmod(0o600)
    for file in ("web/1.csv", "desk/t.csv"):
        nightly.drop(file.partition("/")[2], (small.home.inbox / file).read_bytes(), file.partition("/")[0])
    run(nightly.home)
    for day in (6, 7, 8, 9):
        for home in (small, nightly):
            home.drop(f"{day}.csv", of_day(day))
        run(nightly.home)
    run(small.home)
    assert stale(small.home) == []
    assert small.lake.days("core.responses")[-4:] == [date(2026, 3, day) for day in (6, 7, 8, 9)]
    assert same(core_bytes(small.home), core_bytes(nightly.home)) == []
    assert same(published_rows(small.home), published_rows(nightly.home)) == []


@pytest.mark.slow
def test_a_lost_dagster_database_costs_its_history_and_nothing_else(small: InboxHome) -> None:
    assert runs.run(small.home)
    rows, file = published_rows(small.home), small.home.published.read_bytes()
    shutil.rmtree(small.home.dagster)
    assert runs.run(small.home)
    assert small.home.published.read_bytes() == file
    small.drop("late.csv", [answer("late", recorded="2026-03-04T20:00:00Z")])
    assert runs.run(small.home)
    assert len(published_rows(small.home)["core.responses"]) == len(rows["core.responses"]) + 1


def test_a_home_that_moved_goes_on_where_it_was(small: InboxHome, tmp_path: Path) -> None:
    rows = core_rows(small.home)
    moved = Home(tmp_path / "elsewhere")
    small.home.root.rename(moved.root)
    assert run(moved, now=datetime(2026, 3, 21, tzinfo=UTC)).unchanged
    assert core_rows(moved) == rows
