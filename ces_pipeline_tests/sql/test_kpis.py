"""Protects the marts that compare effort with satisfaction and recommendation: each has its own n and interval."""

from datetime import timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry, response, ticket
from ces_pipeline_tests.sql.by_hand import mean_interval
from ces_pipeline_tests.sql.snapshots import derived

PAIRS = ["mart.kpi_pairs", "mart.kpi_crosstab", "mart.kpi_disagreements", "mart.kpi_association"]


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    """The survey also asks for satisfaction on five points; minimum n 2."""
    here = registry(tmp_path)
    survey = here.surveys["after_chat"].model_copy(update={"csat_scale": "ease_1_5", "has_nps": True})
    return here.model_copy(update={"surveys": {"after_chat": survey}})


def test_each_kpi_has_its_own_n_interval_and_suppression(here: Registry) -> None:
    eases, csats, scores = [100.0, 75.0, 50.0], [0.0, 100.0], [10, 9, 7, 0]
    rows = [response(f"e{n}", ease=value) for n, value in enumerate(eases)]
    rows += [response(f"c{n}", ease=None, csat_0_100=value) for n, value in enumerate(csats)]
    rows += [response(f"n{n}", ease=None, nps=value) for n, value in enumerate(scores)]
    rows += [response("other", ease=25.0, survey_id="other"), response("silent", ease=None, survey_id="none")]
    with derived(here, ["mart.kpi_daily"], {"core.responses": rows}) as snapshot:
        row, other = snapshot.rows("FROM mart.kpi_daily ORDER BY survey_id")
    assert (row["ease_n"], row["csat_n"], row["nps_n"]) == (3, 2, 4)
    assert (row["mean_ease_0_100"], row["mean_csat_0_100"]) == (mean(eases), 50.0)
    assert row["ease_low_0_100"] == pytest.approx(mean_interval(eases)[0])
    assert (row["ease_high_0_100"], row["csat_low_0_100"], row["csat_high_0_100"]) == (100.0, 0.0, 100.0)
    assert (row["promoters"], row["passives"], row["detractors"]) == (2, 1, 1)
    assert row["net_promoter_score"] == 25.0
    assert row["net_promoter_score_low"] < 25 < row["net_promoter_score_high"] <= 100
    assert (other["ease_n"], other["mean_ease_0_100"], other["csat_n"], other["mean_csat_0_100"]) == (
        1,
        None,
        0,
        None,
    )


def paired(key: str, ease: float, **values: Any) -> dict[str, Any]:
    return response(key, ease=ease, **values)


def test_disagreements_are_listed_and_the_crosstab_adds_up(here: Registry) -> None:
    rows = [
        paired("a", 100.0, csat_0_100=0.0, nps=10, ticket_id="T"),
        paired("b", 75.0, csat_0_100=100.0, nps=6),
        paired("c", 0.0, csat_0_100=75.0),
        paired("d", 50.0, csat_0_100=0.0),
        paired("e", 0.0, csat_0_100=25.0, nps=8),
    ]
    given = {"core.responses": rows, "core.ticket_versions": [ticket("T", csat_0_100=0.0)]}
    with derived(here, PAIRS, given) as snapshot:
        listed = snapshot.rows(
            "SELECT response_key, kpi, ticket_key FROM mart.kpi_disagreements ORDER BY ALL"
        )
        crosstab = snapshot.rows("FROM mart.kpi_crosstab WHERE kpi = 'csat' ORDER BY effort_band, other_band")
        sums = snapshot.row(
            "SELECT sum(n) AS n, (SELECT count(*) FROM mart.kpi_pairs) AS pairs FROM mart.kpi_crosstab"
        )
    assert [(row["response_key"], row["kpi"], row["ticket_key"]) for row in listed] == [
        ("a", "csat", "T"),
        ("a", "ticket_csat", "T"),
        ("b", "nps", None),
        ("c", "csat", None),
    ]
    assert [(row["effort_band"], row["other_band"], row["n"], row["share_of_band"]) for row in crosstab] == [
        ("difficult", "negative", 1, 0.5),
        ("difficult", "positive", 1, 0.5),
        ("easy", "negative", 1, 0.5),
        ("easy", "positive", 1, 0.5),
        ("neutral", "negative", 1, None),
    ]
    assert sums["n"] == sums["pairs"] == 9


def test_association_is_that_of_scipy_over_the_same_answers(here: Registry) -> None:
    generator = np.random.default_rng(7)
    eases = generator.integers(0, 5, 60) * 25.0
    csats = np.clip(eases + generator.integers(-1, 2, 60) * 25.0, 0, 100)
    rows = [paired(f"r{n}", float(ease), csat_0_100=float(csats[n])) for n, ease in enumerate(eases)]
    with derived(here, PAIRS, {"core.responses": rows}) as snapshot:
        row = snapshot.row("FROM mart.kpi_association")
    assert (row["kpi"], row["n"], row["is_suppressed"], row["why_null"]) == ("csat", 60, False, None)
    assert row["spearman"] == pytest.approx(stats.spearmanr(eases, csats).statistic)
    assert row["spearman_low"] < row["spearman"] < row["spearman_high"] < 1


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([(100.0, 0.0), (0.0, 100.0)], "fewer than the minimum n (10 at least)"),
        ([(100.0, 25.0 * (n % 5)) for n in range(20)], "all answers to one of the two are equal"),
    ],
)
def test_where_there_is_no_association_to_tell_it_says_why(
    here: Registry, values: list[tuple[float, float]], why: str
) -> None:
    rows = [paired(f"r{n}", ease, csat_0_100=csat) for n, (ease, csat) in enumerate(values)]
    with derived(here, PAIRS, {"core.responses": rows}) as snapshot:
        row = snapshot.row("FROM mart.kpi_association")
    assert (row["n"], row["spearman"], row["spearman_high"], row["why_null"]) == (
        len(values),
        None,
        None,
        why,
    )


def test_a_home_with_effort_alone_has_no_pairs(here: Registry) -> None:
    with derived(here, PAIRS, {"core.responses": [response("a")]}) as snapshot:
        assert [snapshot.rows(f"FROM {name}") for name in PAIRS] == [[], [], [], []]


def test_satisfaction_and_recommendation_of_a_week_pool_its_days(tmp_path: Path) -> None:
    days = (DAY, DAY + timedelta(days=6), DAY + timedelta(days=7))
    given = [
        response(f"{day}-{place}", day, csat_0_100=csat, nps=nps)
        for day in days
        for place, (csat, nps) in enumerate([(100.0, 10), (50.0, 9), (None, 3)])
    ]
    with derived(registry(tmp_path), ["mart.kpi_periods"], {"core.responses": given}) as snapshot:
        weeks = snapshot.rows("FROM mart.kpi_periods WHERE period = 'week' ORDER BY period_start")
        month = snapshot.row("FROM mart.kpi_periods WHERE period = 'month'")
    assert [(row["period_start"], row["csat_n"], row["nps_n"]) for row in weeks] == [
        (DAY, 4, 6),
        (days[2], 2, 3),
    ]
    assert weeks[0]["mean_csat_0_100"] == pytest.approx(75)
    assert (weeks[0]["csat_low_0_100"], weeks[0]["csat_high_0_100"]) == pytest.approx(
        mean_interval([100, 50] * 2)
    )
    assert weeks[0]["net_promoter_score"] == pytest.approx(100 * (4 - 2) / 6)
    assert (month["csat_n"], month["promoters"], month["detractors"]) == (6, 6, 3)
