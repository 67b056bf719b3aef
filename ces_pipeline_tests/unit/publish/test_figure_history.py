"""Protects what was known on a date: every published figure of a day and survey, from its publish to the next one."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import DAY, SmallHome, response, small_home

MORNING = datetime(2026, 3, 3, 3, tzinfo=UTC)
NEVER = date(9999, 12, 31)


def publish(small: SmallHome, day: int, *eases: float, hour: int = 0) -> None:
    """Publish DAY with these answers, some days and hours after its morning."""
    at = MORNING + timedelta(days=day, hours=hour)
    small.clean("survey", [response(f"r{n}", ease=ease) for n, ease in enumerate(eases)])
    with time_machine.travel(at, tick=False):
        assert small.publish(f"run-{day}-{hour}").published


def known(small: SmallHome, on: date) -> list[tuple[object, ...]]:
    return small.rows(
        "SELECT day, n, mean_ease_0_100, is_restated FROM figures_as_known "
        f"WHERE DATE '{on}' BETWEEN known_from AND known_until"
    )


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    return small_home(tmp_path / "home")


@pytest.mark.slow
def test_a_restated_day_has_its_figures_as_they_were_known_on_each_date(small: SmallHome) -> None:
    publish(small, 0, 100.0, 50.0)
    publish(small, 2, 100.0, 50.0, 25.0, 25.0)
    publish(small, 5, 75.0, 75.0)
    first = MORNING.date()
    found = {day: known(small, first + timedelta(days=day)) for day in range(-1, 7)}
    assert found == {
        -1: [],
        **{day: [(DAY, 2, 75.0, True)] for day in (0, 1)},
        **{day: [(DAY, 4, 50.0, True)] for day in (2, 3, 4)},
        # The same mean of other answers is another version.
        **{day: [(DAY, 2, 75.0, True)] for day in (5, 6)},
    }
    assert small.rows("SELECT count(*) FROM audit.figure_history") == [(3,)]


@pytest.mark.slow
def test_of_two_publishes_on_a_day_the_last_one_was_known_and_an_equal_one_adds_nothing(
    small: SmallHome,
) -> None:
    publish(small, 0, 100.0, 50.0)
    publish(small, 0, 100.0, 100.0, hour=5)
    publish(small, 3, 100.0, 100.0)
    assert known(small, MORNING.date()) == [(DAY, 2, 100.0, True)]
    assert small.rows("SELECT known_from, known_until FROM figures_as_known") == [(MORNING.date(), NEVER)]


def test_a_day_that_lost_its_answers_is_known_to_have_none(small: SmallHome) -> None:
    publish(small, 0, 100.0, 50.0)
    publish(small, 1)
    assert known(small, MORNING.date()) == [(DAY, 2, 75.0, True)]
    assert known(small, MORNING.date() + timedelta(days=1)) == [(DAY, 0, None, True)]


@pytest.mark.slow
def test_a_file_that_is_made_anew_keeps_what_was_known(small: SmallHome) -> None:
    publish(small, 0, 100.0, 50.0)
    publish(small, 2, 25.0, 25.0)
    before = small.rows("FROM audit.figure_history")
    small.home.published.unlink()
    with time_machine.travel(MORNING + timedelta(days=4), tick=False):
        assert small.publish("again").rebuilt
    assert small.rows("FROM audit.figure_history") == before


def test_the_question_of_the_cookbook_lists_the_days_that_changed_since(small: SmallHome) -> None:
    publish(small, 0, 100.0, 50.0)
    publish(small, 10, 25.0, 25.0)
    (query,) = [file for file in sql_files("queries") if file.name == "as_known_a_week_ago"]
    (row,) = small.rows(query.query)
    assert row[:6] == ("after_chat", DAY, 2, 2, 75.0, 25.0)
    dated = re.sub(r"select max.*from audit.publication", "select date '2026-03-01' as known_on", query.query)
    assert small.rows(dated) == []
