"""Protects the marts from odd input: a row that says so, never a division by zero, a lost row or an invented zero.

Every case is published: all blocking checks pass, and no mart has NaN or infinity. Odd input of single marts that has
its own test there (overlapping accounts, a rate without invitations ...) is not repeated here.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.schemas.tables import TABLES
from ces_pipeline_tests.lake_days import DAY, NOON, SmallHome, rejected, response, small_home, ticket
from ces_pipeline_tests.sql.by_hand import mean_interval


def published(tmp_path: Path, fill: Callable[[SmallHome], None], **settings: Any) -> SmallHome:
    """A small home with what `fill` puts in, published without a failed check, and without a figure that is none."""
    small = small_home(tmp_path, **settings)
    fill(small)
    result = small.publish()
    assert result.blocking_failures == ()
    assert result.published
    queries = [
        f"SELECT '{name}.{field.name}' FROM {name} WHERE isnan({field.name}) OR isinf({field.name})"
        for name, table in TABLES.items()
        if table.layer == "mart"
        for field in table.arrow
        if str(field.type) == "double"
    ]
    assert small.rows(" UNION ALL ".join(queries)) == []
    return small


def solved(key: str, **values: Any) -> dict[str, Any]:
    return ticket(
        key, created_at=NOON - timedelta(hours=2), solved_at=NOON, resolution_minutes=120.0, **values
    )


def test_an_unregistered_category_has_its_own_row_and_a_missing_one_is_unknown(tmp_path: Path) -> None:
    def fill(small: SmallHome) -> None:
        small.clean(
            "tickets", [solved("a", category="Brand new | odd"), solved("b"), solved("c", category="")]
        )
        small.clean("survey", [response("r", ticket_id="a", ease=0.0)])

    small = published(tmp_path, fill)
    found = small.rows("SELECT category, tickets, n FROM ticket_effort_by_category")
    assert sum(tickets for _, tickets, _ in found) == 3
    assert ("Brand new | odd", 1, 1) in found
    assert any(category == "unknown" for category, _, _ in found)


def test_a_segment_of_one_is_shown_as_suppressed_everywhere(tmp_path: Path) -> None:
    def fill(small: SmallHome) -> None:
        many = [response(f"r{n}", ease=75.0 * (n % 2), persona="large") for n in range(4)]
        small.clean("survey", [*many, response("alone", ease=0.0, persona="small")])

    small = published(tmp_path, fill)
    (alone,) = small.rows(
        "SELECT n, mean_ease_0_100, easy_share, net_ease, is_suppressed FROM effort_by_segment "
        "WHERE period = 'all' AND dimension = 'persona' AND segment = 'small'"
    )
    assert alone == (1, None, None, None, True)
    verdict = "SELECT verdict, mean_ease_0_100 FROM mart.segment_differences WHERE period = 'all' AND segment = 'small'"
    assert small.rows(verdict) == [("suppressed", None)]


def test_equal_scores_have_a_mean_with_an_interval_and_no_variance_to_split(tmp_path: Path) -> None:
    def fill(small: SmallHome) -> None:
        small.clean(
            "survey",
            [
                response(f"r{n}", ease=50.0, channel=f"c{n % 2}", ticket_id=f"t{n}", csat_0_100=100.0, nps=10)
                for n in range(12)
            ],
        )
        small.clean("tickets", [solved(f"t{n}", category="all", reopens=0) for n in range(12)])

    small = published(tmp_path, fill)
    figures = "SELECT mean_ease_0_100, ease_low_0_100, ease_high_0_100, sd_ease_0_100 FROM mart.ces_segments WHERE period = 'all' AND dimension = 'all'"
    assert small.rows(figures) == [pytest.approx((50.0, *mean_interval([50.0] * 12), 0.0))]
    assert small.rows("SELECT DISTINCT eta_squared, is_suppressed FROM mart.segment_variance") == [
        (None, False)
    ]
    assert small.rows(
        "SELECT DISTINCT verdict FROM mart.segment_differences WHERE dimension = 'channel'"
    ) == [("no variance",)]
    assert small.rows("SELECT DISTINCT correlation FROM mart.effort_drivers") == [(None,)]
    found = small.rows("SELECT DISTINCT spearman, why_null IS NULL FROM mart.kpi_association")
    assert found == [(None, False)]


def test_tickets_without_answers_have_their_figures_and_no_effort(tmp_path: Path) -> None:
    def fill(small: SmallHome) -> None:
        small.clean(
            "tickets",
            [
                *(solved(f"t{n}", category="billing", reopens=n % 2, replies=1) for n in range(4)),
                # A week later the others can no longer be reopened.
                ticket("new", created_at=NOON + timedelta(days=7)),
            ],
        )

    small = published(tmp_path, fill)
    (row,) = small.rows(
        "SELECT tickets, n, mean_effort_0_100, median_resolution_minutes, reopened_share FROM ticket_effort_by_category"
    )
    assert row == (4, 0, None, 120.0, 0.5)
    coverage = (
        "SELECT answered_share, answered_why_null, responses, linked_share FROM mart.link_coverage_daily"
    )
    assert small.rows(coverage) == [(None, "no answers are delivered", 0, None)]
    assert small.rows("SELECT count(*) FROM mart.effort_index WHERE effort_index_0_100 IS NOT NULL") == [(4,)]
    assert small.rows("FROM mart.ces_segments") == []
    unknown = (
        "SELECT DISTINCT state, why_null FROM mart.program_metrics WHERE metric = 'responses_linked_share'"
    )
    assert small.rows(unknown) == [("not measurable yet", "no responses")]


def test_answers_without_tickets_have_their_figures_and_no_link(tmp_path: Path) -> None:
    def fill(small: SmallHome) -> None:
        small.clean(
            "survey", [response(f"r{n}", ease=25.0 * n, ticket_id="gone" if n else None) for n in range(4)]
        )

    small = published(tmp_path, fill)
    (row,) = small.rows(
        "SELECT answered_share, responses, named_not_found, without_ticket, linked_share FROM mart.link_coverage_daily"
    )
    assert row == (None, 4, 3, 1, 0.0)
    assert small.rows("FROM ticket_effort_by_category") == small.rows("FROM hard_tickets") == []
    assert small.rows("SELECT mean_ease_0_100 FROM effort_today") == [(37.5,)]


def test_only_rejected_rows_give_books_and_no_figure(tmp_path: Path) -> None:
    small = published(tmp_path, lambda small: small.clean("survey", [], [rejected("x"), rejected("y")]))
    assert small.rows("SELECT landed, accepted, rejected FROM feed_books WHERE source_id = 'web'") == [
        (2, 0, 2)
    ]
    assert small.rows("SELECT count(*) FROM open_quarantine") == [(2,)]
    assert small.rows("FROM effort_today") == []
    assert small.rows("SELECT value, state FROM mart.program_metrics WHERE metric = 'rejected_share'") == [
        (1.0, "measured")
    ]


def test_a_home_without_any_row_publishes_and_has_nothing_to_tell(tmp_path: Path) -> None:
    small = published(tmp_path, lambda _: None)
    assert small.rows("FROM effort_by_segment") == small.rows("FROM mart.program_metrics") == []
    assert small.rows("SELECT why_null FROM response_rate_by_touchpoint") == [
        ("no response, invitation or view was delivered",)
    ]


def test_a_mean_below_the_minimum_n_is_shown_by_no_table_at_all(tmp_path: Path) -> None:
    def fill(small: SmallHome) -> None:
        small.clean("survey", [response("a", ease=37.5, ticket_id="t"), response("b", DAY, ease=62.5)])
        small.clean("tickets", [solved("t", category="billing")])

    small = published(tmp_path, fill, minimum_n=30)
    queries = [
        f"SELECT '{name}.{column}' FROM {name} WHERE {column} IS NOT NULL"
        for name, table in TABLES.items()
        for column in table.columns
        if table.layer == "mart" and column.startswith("mean_")
    ]
    assert small.rows(" UNION ALL ".join(queries)) == []
