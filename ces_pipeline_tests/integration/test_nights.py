"""Protects the file that is brought up to date: after any night it has the rows of one that is made anew.

The nights are random, on a home with every kind of source (`ces_pipeline_tests/nights.py`). A run of more nights:
`python -m ces_pipeline_tests.nights --seeds 20 --nights 50`.
"""

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest

from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline_tests.nights import (
    OF_REQUESTS,
    STEPS,
    DifferenceError,
    Nights,
    folder_in_memory,
    outcomes,
    run_nights,
    with_key,
)

pytestmark = pytest.mark.slow

SEEDS, NIGHTS_OF_SEED = range(4), 50


@pytest.fixture(scope="module")
def nights() -> Iterator[Nights]:
    """A few nights of one seed, each equal to a file that was made anew."""
    with folder_in_memory() as folder:
        yield run_nights(folder, 0, 2)


def test_a_few_nights_give_the_rows_of_a_file_made_anew(nights: Nights) -> None:
    assert nights.ways["updated"] >= 1
    assert {name for name in PUBLISHED_TABLES if name.startswith("core.")} - nights.filled == set()
    assert nights.filled >= {"audit.incidents", "mart.alerts_daily"}


def test_a_night_that_left_one_wrong_row_is_reported_with_its_table_and_key(nights: Nights) -> None:
    # Runs last: the file is not sound any more.
    with duckdb.connect(str(nights.world.home.published)) as connection:
        found = connection.execute("SELECT min(ticket_key) FROM mart.ticket_effort").fetchone()
        assert found
        connection.execute("UPDATE mart.ticket_effort SET touches = 77 WHERE ticket_key = $1", [*found])
    with with_key(), pytest.raises(DifferenceError) as difference:
        nights.compare("tampered with")
    text = str(difference.value)
    assert "mart.ticket_effort: 1 rows" in text
    assert f"ticket_key {found[0]}: touches 77 before" in text
    assert text.count("rows only in") == 1
    assert "--first-seed 0 --seeds 1 --nights 2" in text


def test_200_nights_give_the_rows_of_a_file_made_anew() -> None:
    found = [*outcomes(SEEDS, NIGHTS_OF_SEED)]
    assert [outcome.problem for outcome in found if outcome.problem] == []
    ways: Counter[str] = sum((outcome.ways for outcome in found), Counter())
    assert ways.total() == 200
    # Nights that make the file anew compare two such files, which proves nothing.
    assert 2 * ways["updated"] >= ways.total(), ways
    assert {step.__name__ for step in STEPS} == {*sum((outcome.steps for outcome in found), Counter())}
    stored = {table.name for table in PUBLISHED_TABLES.values() if not table.is_view}
    assert stored - {name for outcome in found for name in outcome.filled} == OF_REQUESTS
