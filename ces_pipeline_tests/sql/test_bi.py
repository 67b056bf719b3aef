"""Protects the `bi` views, on which people build reports: names, types and places stay, keys are unique, null is null."""

from pathlib import Path

import pytest
import yaml

from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import (
    DAY,
    NOON,
    SmallHome,
    days_from,
    rejected,
    response,
    small_home,
    ticket,
)

STORED: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("bi_columns.yaml").read_text(encoding="utf-8")
)
PLAIN = {"BIGINT", "DOUBLE", "DATE", "VARCHAR", "BOOLEAN", "TIMESTAMP"}
"""Types that every BI tool reads: no list, no map, no unsigned number, no time with a zone."""
VIEWS = [view.name for view in sql_files("bi")]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """Four answers of a day (minimum n 2), one of the next week, and a ticket."""
    small = small_home(tmp_path_factory.mktemp("home"))
    next_week = days_from(DAY, 8)[-1]
    answers = [
        response(key, ease=ease, channel="a/b", process="a/b", journey_stage="c")
        for key, ease in zip("abcd", (100, 75, 75, 0), strict=True)
    ]
    small.clean("survey", answers, [rejected("x")], redelivered=3)
    small.clean(
        "survey", [response("e", next_week, ease=50.0, process="a", journey_stage="b/c")], day=next_week
    )
    small.clean("tickets", [ticket("T", category="billing", solved_at=NOON, resolution_minutes=90.0)])
    assert small.publish().published
    return small


def test_columns_are_only_ever_added_at_the_end(small: SmallHome) -> None:
    found: dict[str, list[str]] = {}
    for view, name, kind in small.rows(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'ces' AND schema_name = 'bi' ORDER BY table_name, column_index"
    ):
        found.setdefault(view, []).append(f"{name} {kind}")
    assert found == STORED


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_of_a_plain_type_and_says_what_it_means(small: SmallHome, view: str) -> None:
    columns = small.rows(
        "SELECT column_name, data_type, comment FROM duckdb_columns() "
        f"WHERE database_name = 'ces' AND schema_name = 'bi' AND table_name = '{view}'"
    )
    assert {kind for _, kind, _ in columns} <= PLAIN
    assert [name for name, _, comment in columns if not comment] == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_first_column_is_the_key_of_every_row(small: SmallHome, view: str) -> None:
    key = STORED[view][0].split()[0]
    assert key.endswith("_key")
    ((rows, keys),) = small.rows(f"SELECT count(*), count(DISTINCT {key}) FROM bi.{view}")
    assert rows == keys


def test_a_key_of_several_values_tells_them_apart(small: SmallHome) -> None:
    keys = {key for (key,) in small.rows(f"SELECT journey_key FROM bi.journey WHERE week = DATE '{DAY}'")}
    assert {f"{DAY}/a\\/b/c", f"{DAY}/a/b/c"} <= keys


def test_a_week_with_too_few_answers_has_its_n_and_null_figures(small: SmallHome) -> None:
    figures = [name.split()[0] for name in STORED["weeks"] if name.endswith(" DOUBLE")]
    for small_week in small.rows(f"SELECT {', '.join(figures)} FROM bi.weeks WHERE is_suppressed"):
        assert set(small_week) == {None}
    # (100 + 75 + 75 + 0) / 4; three of four are easy, one is difficult.
    assert small.rows(
        "SELECT week_key, survey_title, n, mean_ease_0_100, easy_share, difficult_share FROM bi.weeks "
        "WHERE NOT is_suppressed"
    ) == [("2026-03-02/after_chat", "After a chat", 4, 62.5, 0.75, 0.25)]


def test_segments_and_sources_say_what_the_marts_say(small: SmallHome) -> None:
    assert small.rows(
        "SELECT segment, n, mean_ease_0_100 FROM bi.segments WHERE period = 'all' AND dimension = 'channel'"
    ) == [("a/b", 4, 62.5), ("unknown", 1, None)]
    assert small.rows("SELECT source_id, landed, accepted, rejected, redelivered FROM bi.sources") == [
        ("desk", 1, 1, 0, 0),
        ("web", 9, 5, 1, 3),
    ]
    assert small.rows(
        "SELECT segment, n, mean_ease_0_100 FROM bi.survey_segments WHERE span = 'all' AND dimension = 'channel'"
    ) == [("a/b", 4, 62.5), ("unknown", 1, None)]
    assert small.rows(
        "SELECT category, tickets, n, is_suppressed, mean_ease_0_100 FROM bi.categories WHERE period = 'all'"
    ) == [("billing", 1, 0, True, None)]
