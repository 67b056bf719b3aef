"""Protects `ces show`: the answer of a query, what an interval belongs to, and why there are no rows."""

from pathlib import Path

import pytest

from ces_pipeline.errors import CesError
from ces_pipeline.reports.answer_table import answer_table, intervals
from ces_pipeline.reports.answers import (
    Answer,
    NothingPublishedError,
    UnknownQuestionError,
    answer,
    nearest,
    questions,
)
from ces_pipeline_tests.lake_days import DAY, SmallHome, days_from, rejected, response, small_home, ticket

_, NEXT = days_from(DAY, 2)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """Minimum n is 2: two answers on the first day, one on the next; no ticket, no fix, no objective."""
    small = small_home(tmp_path_factory.mktemp("home"))
    small.clean("survey", [response("a", ease=75.0), response("b", ease=25.0)], [rejected("x")])
    small.clean("survey", [response("c", NEXT, ease=100.0)], day=NEXT)
    assert small.publish().published
    return small


def test_the_answer_is_that_of_the_query_with_the_newest_day(small: SmallHome) -> None:
    found = answer(small.home, "why_rejected")
    assert [(row["source_id"], row["rejected_rows"]) for row in found.rows] == [("web", 1)]
    assert found.newest_day == NEXT
    assert found.minimum_n == 2
    assert found.published_at is not None
    assert found.why_empty == ()


@pytest.mark.parametrize(
    ("question", "cause"),
    [
        ("did_the_fix_help", "registry/fixes.yaml"),
        ("objectives_reached", "registry/objectives.yaml"),
        ("hardest_tickets", "tickets"),
        ("changed_days", "audit.restatements"),
    ],
)
def test_no_rows_come_with_their_cause(small: SmallHome, question: str, cause: str) -> None:
    found = answer(small.home, question)
    assert found.rows == ()
    assert any(cause in reason for reason in found.why_empty), found.why_empty


def test_figures_of_too_few_answers_are_the_cause_where_all_are_suppressed(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    small.clean("survey", [response("a", ease=75.0)])
    assert small.publish().published
    found = answer(small.home, "effort_by_channel")
    assert found.rows == ()
    assert any("minimum_n" in reason for reason in found.why_empty), found.why_empty


def test_every_question_without_rows_says_why(small: SmallHome) -> None:
    for question in questions():
        found = answer(small.home, question)
        assert bool(found.rows) != bool(found.why_empty), question


def test_an_unknown_question_names_the_nearest(small: SmallHome) -> None:
    with pytest.raises(UnknownQuestionError, match="effort_yesterday"):
        answer(small.home, "effort_yesterdy")
    assert "what_to_fix_first" in nearest("fix", questions())
    assert nearest("zzzzzz", questions()) == []


def test_without_a_published_file_or_with_a_damaged_one_the_file_is_named(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    with pytest.raises(NothingPublishedError, match="ces run"):
        answer(small.home, "why_rejected")
    small.home.published.write_bytes(b"not a database")
    with pytest.raises(CesError, match=r"ces\.duckdb"):
        answer(small.home, "why_rejected")


def test_an_interval_belongs_to_the_figure_before_it() -> None:
    assert list(intervals(("n", "rate", "rate_low", "rate_high", "low_season", "m", "m_low_0_100"))) == [
        ("n", None, None),
        ("rate", "rate_low", "rate_high"),
        ("low_season", None, None),
        ("m", None, None),
        ("m_low_0_100", None, None),
    ]


def test_a_suppressed_figure_is_neither_null_nor_zero() -> None:
    columns = (
        "survey_id",
        "n",
        "mean_ease_0_100",
        "ease_low_0_100",
        "ease_high_0_100",
        "is_suppressed",
        "why_null",
    )
    rows = (
        dict(zip(columns, ("a", 40, 62.84, 55.2, 70.4, False, None), strict=True)),
        dict(zip(columns, ("b", 3, None, None, None, True, None), strict=True)),
    )
    table = answer_table(Answer("q", "t", columns, rows, None, None, 30))
    assert table.headings == ("survey id", "n", "mean ease (0-100), 95 % interval")
    assert table.rows == (("a", "40", "62.8 (55.2 to 70.4)"), ("b", "3", "too few"))
    assert table.right == (False, True, True)
    assert table.has_suppressed


def test_a_share_and_its_interval_have_their_unit_once() -> None:
    columns = ("rate", "rate_low", "rate_high")
    table = answer_table(
        Answer("q", "t", columns, ({"rate": 0.55, "rate_low": 0.536, "rate_high": 0.565},), None, None, 1)
    )
    assert table.rows == (("55.0 % (53.6 to 56.5)",),)


def test_tickets_without_a_category_are_no_cause_for_an_error(tmp_path: Path) -> None:
    small = small_home(tmp_path)
    small.clean("tickets", [ticket("T")])
    assert small.publish().published
    assert answer(small.home, "effort_by_ticket_category").why_empty
