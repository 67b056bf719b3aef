"""Protects landed rows whose files in the lake are gone: they land again, count elsewhere, or are named."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.land.paths import index_file
from ces_pipeline_tests.builders import NOW, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import damage

FIRST = [answer(1), answer(2, recorded="2026-03-03T12:00:00Z")]
BOTH = [*FIRST, answer(3)]


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    """A first export, and a cumulative one that holds its rows and one more."""
    home = inbox_home(tmp_path / "home")
    for hours, (name, rows) in enumerate({"a.csv": FIRST, "b.csv": BOTH}.items()):
        home.drop(name, rows)
        home.land(now=NOW + timedelta(hours=hours))
    return home


def lose(home: InboxHome, name: str, how: str = "deleted") -> None:
    """Lose a raw file of the delivery of this file."""
    (delivery,) = (found for found in home.deliveries() if found.file_name == name)
    damage(home.home.lake / delivery.raw_files[0], how)


def contents(home: InboxHome) -> list[tuple[Any, ...]]:
    return sorted((row["response_id"], row["score"], row["day"]) for row in home.rows())


@pytest.mark.parametrize("how", ["deleted", "truncated", "folder"])
def test_a_delivery_whose_export_is_still_there_lands_again_as_it_was(home: InboxHome, how: str) -> None:
    before = home.state()
    lose(home, "a.csv", how)
    outcome = home.land(now=NOW + timedelta(days=1))
    assert outcome.failures == ()
    assert "a.csv" in " ".join(outcome.notes)
    assert home.state() == before


def test_a_lost_key_file_is_made_again(home: InboxHome) -> None:
    before = home.state()
    (delivery,) = (found for found in home.deliveries() if found.file_name == "a.csv")
    home.lake.delete(index_file("web", delivery.delivery_id))
    assert home.land(now=NOW + timedelta(days=1)).failures == ()
    assert home.state() == before


def test_a_later_export_supplies_the_rows_of_one_that_is_gone(home: InboxHome) -> None:
    rows = contents(home)
    lose(home, "a.csv")
    (home.home.inbox / "web" / "a.csv").unlink()
    assert home.land(now=NOW + timedelta(days=1)).failures == ()
    assert contents(home) == rows
    counts = {found.file_name: (found.rows_landed, found.rows_redelivered) for found in home.deliveries()}
    assert counts == {"a.csv": (0, 2), "b.csv": (3, 0)}
    again = home.land(now=NOW + timedelta(days=2))
    assert (again.failures, again.notes, again.files_new) == ((), (), 0)


def test_rows_that_nothing_holds_any_more_are_a_failure_at_every_run_that_names_the_delivery(
    home: InboxHome,
) -> None:
    lose(home, "a.csv")
    for name in ("a.csv", "b.csv"):
        (home.home.inbox / "web" / name).unlink()
    (delivery,) = (found for found in home.deliveries() if found.file_name == "a.csv")
    for day in (1, 2):
        (failure,) = home.land(now=NOW + timedelta(days=day)).failures
        assert delivery.delivery_id[:12] in failure
    home.drop("a.csv", FIRST)
    assert home.land(now=NOW + timedelta(days=3)).failures == ()
    assert contents(home) == sorted((row["id"], "4", row_day) for row, row_day in _days(BOTH))


def _days(rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Any]]:
    from datetime import date

    return [(row, date.fromisoformat(row["recorded"][:10])) for row in rows]


def test_a_new_delivery_does_not_count_its_rows_as_repeats_of_lost_ones(home: InboxHome) -> None:
    rows = contents(home)
    lose(home, "a.csv")
    for name in ("a.csv", "b.csv"):
        (home.home.inbox / "web" / name).unlink()
    home.drop("c.csv", [*BOTH, answer(4)])
    assert home.land(now=NOW + timedelta(days=1)).failures == ()
    assert contents(home) == sorted([*rows, ("r4", "4", rows[0][2])])
