"""Protects the benchmark of years of history: its rows, its copies, its measurements and its ratios."""

import os
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ces_pipeline.home import Home
from ces_pipeline_tests.benchmarks.history import NIGHT, NOTHING, Cost, Results, RunFailedError, cost_of, main
from ces_pipeline_tests.benchmarks.long_homes import (
    LAST_DAY,
    Size,
    copy_home,
    is_made,
    note_made,
    write_days,
    write_home,
)

DAYS = Size(12 / 365, 40, 60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Twelve days of 40 answers and 60 tickets, as exports."""
    return write_home(tmp_path_factory.mktemp("history") / "home", DAYS)


def asked(home: Home, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        for feed in ("answers", "tickets"):
            connection.execute(f"CREATE VIEW {feed} AS FROM read_csv('{home.inbox}/{feed}/*.csv')")
        return connection.execute(query).fetchall()


def test_every_day_has_an_export_of_each_feed_with_its_rows(home: Home) -> None:
    first = LAST_DAY - timedelta(days=11)
    names = [f"{first + timedelta(days=number)}.csv" for number in range(12)]
    for feed in ("answers", "tickets"):
        assert sorted(path.name for path in (home.inbox / feed).iterdir()) == names
    counts = "SELECT recorded::DATE, count(*) FROM answers GROUP BY ALL HAVING count(*) <> 40"
    assert asked(home, counts) == []
    assert asked(home, "SELECT count(*), count(DISTINCT number) < count(*) FROM tickets") == [(720, True)]


def test_answers_name_tickets_of_their_day_by_its_customer(home: Home) -> None:
    linked = """
        SELECT count(*), count(*) FILTER (tickets.email = answers.email AND created::DATE = recorded::DATE)
        FROM answers JOIN (FROM tickets WHERE reopens = 0) AS tickets ON ticket = number
    """
    assert asked(home, linked) == [(240, 240)]


def test_later_versions_are_of_tickets_that_were_opened_in_the_week_before(home: Home) -> None:
    # Six a day; those of the first days belong to tickets that are older than the home.
    versions = """
        SELECT later.updated::DATE - opened.created::DATE AS days, count(*)
        FROM tickets AS later JOIN tickets AS opened USING (number)
        WHERE later.reopens = 1 AND opened.reopens = 0 AND later.email = opened.email GROUP BY ALL
    """
    found = dict(asked(home, versions))
    assert found.keys() <= {1, 2, 3, 4, 5, 6}
    assert sum(found.values()) >= 36


def test_the_same_day_has_the_same_bytes_in_every_home(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path).make()
    day = LAST_DAY - timedelta(days=3)
    write_days(other, day, 1, 40, 60)
    for feed in ("answers", "tickets"):
        written = (other.inbox / feed / f"{day}.csv").read_bytes()
        assert written == (home.inbox / feed / f"{day}.csv").read_bytes()
        assert written != (home.inbox / feed / f"{LAST_DAY}.csv").read_bytes()


def test_a_change_of_a_copy_leaves_the_home_as_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    for path in ("warehouse/ces.duckdb", "lake/core/part-0.parquet", "lake/.landing.lock", "pseudonym.key"):
        (home.root / path).parent.mkdir(parents=True, exist_ok=True)
        (home.root / path).write_text("of the home")
    copy = copy_home(home, tmp_path / "copy")
    for path in ("warehouse/ces.duckdb", "lake/.landing.lock", "pseudonym.key"):
        (copy.root / path).write_text("of the copy")
    # As the lake replaces a file.
    (copy.root / "new").write_text("of the copy")
    (copy.root / "new").replace(copy.root / "lake/core/part-0.parquet")
    for path in ("warehouse/ces.duckdb", "lake/core/part-0.parquet", "lake/.landing.lock", "pseudonym.key"):
        assert (home.root / path).read_text() == "of the home"
        assert (copy.root / path).read_text() == "of the copy"


def test_a_home_of_another_size_is_refused(tmp_path: Path) -> None:
    assert not is_made(tmp_path, DAYS)
    note_made(tmp_path, DAYS)
    assert is_made(tmp_path, DAYS)
    with pytest.raises(ValueError, match="'responses': 40"):
        is_made(tmp_path, Size(DAYS.years, 41, 60))


def test_a_command_costs_the_seconds_and_the_memory_of_its_children_too() -> None:
    child = "held = bytearray(200 * 2**20); total = sum(range(20_000_000))"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    cost = cost_of([sys.executable, "-c", program], os.environ, Path.cwd())
    assert cost.peak_mb > 200
    assert cost.cpu > 0.05
    assert cost.cpu < 4 * cost.wall


def test_a_command_that_fails_is_shown_with_its_output() -> None:
    program = "import sys; print('disk is full'); sys.exit(3)"
    with pytest.raises(RunFailedError, match="disk is full"):
        cost_of([sys.executable, "-c", program], os.environ, Path.cwd())


def test_the_table_shows_medians_and_their_ratios() -> None:
    results = Results()
    for code, factor in (("this", 1.0), ("old", 2.0)):
        for home, years in (("1y", 1.0), ("3y", 3.0)):
            for what, seconds in ((NOTHING, 2.0), (NIGHT, 10.0)):
                for turn in (0.5, 1.0, 7.0):
                    cost = Cost(3 * turn * years, seconds * factor * years * turn, 100 * turn)
                    results.add((home, what, code), cost)
    results.sizes["3y", "this"] = (1_150_000, 1_000_000)
    lines = [line.split() for line in results.lines(["1y", "3y"], ["this", "old"])]
    # home, measured, code, wall s, CPU s, peak MB, CPU and wall against 1y, CPU against the last code
    assert ["1y", "night", "this", "3.00", "10.00", "700", "1.00", "1.00", "0.50"] in lines
    assert ["3y", "night", "old", "9.00", "60.00", "700", "3.00", "3.00", "1.00"] in lines
    assert ["3y", "nothing", "new", "this", "9.00", "6.00", "700", "3.00", "3.00", "0.50"] in lines
    assert lines[-1][-2:] == ["ratio", "1.15"]


@pytest.mark.slow
def test_small_homes_are_measured_with_all_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    years = ["--years", "0.03", "0.06", "--responses", "20", "--tickets", "30"]
    night = ["--night-responses", "40", "--night-tickets", "60", "--night-days", "2", "--repeat", "1"]
    assert main(["--homes", str(tmp_path), *years, *night, "--nights", "2", "--backfill", "5"]) == 0
    printed = capsys.readouterr().out
    for line in (
        "0.03y made",
        "0.06y made",
        "0.06y   night",
        "0.06y   nothing new",
        "after 2 nights",
        "5 days of",
    ):
        assert line in printed
    assert date.fromisoformat("2026-01-02") == LAST_DAY + timedelta(days=2)
    with duckdb.connect(str(tmp_path / "0.03y" / "warehouse" / "ces.duckdb"), read_only=True) as connection:
        # The measurements worked on copies.
        assert connection.execute("SELECT max(day) FROM core.ticket_versions").fetchone() == (LAST_DAY,)
