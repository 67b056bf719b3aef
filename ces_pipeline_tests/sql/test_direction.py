"""Protects the sums behind mart.direction_drift, and the check that lists drifts."""

import math
from pathlib import Path

import pytest

from ces_pipeline_tests.lake_days import DAY, registry, response, ticket
from ces_pipeline_tests.sql.snapshots import derived

TABLE = "mart.score_signals_daily"


def test_each_signal_has_the_sums_of_the_answers_that_have_it(tmp_path: Path) -> None:
    rows = [
        response("a", ease=100.0, csat_0_100=75.0, nps=9, comment="good", ticket_id="T"),
        response("b", ease=25.0, csat_0_100=0.0),
        response("c", ease=None, csat_0_100=100.0, nps=10),
    ]
    tickets = [ticket("T", reopens=2, replies=None, handoffs=0, resolution_minutes=59.0, csat_0_100=100.0)]
    links = [{"response_key": "a", "ticket_key": "T", "method": "ticket_id", "confidence": 1.0, "day": DAY}]
    given = {"core.responses": rows, "core.tickets": tickets, "core.response_tickets": links}
    with derived(registry(tmp_path), [TABLE], given) as snapshot:
        found = {row["signal"]: row for row in snapshot.rows(f"FROM {TABLE}")}
    assert {name: row["n"] for name, row in found.items()} == {
        "csat": 2,
        "nps": 1,
        "comment_length": 2,
        "ticket_csat": 1,
        "reopens": 1,
        "handoffs": 1,
        "resolution_minutes": 1,
    }
    csat = found["csat"]
    assert (csat["ease_sum_0_100"], csat["ease_square_sum_0_100"]) == (125.0, 10_625.0)
    assert (csat["signal_sum"], csat["signal_square_sum"], csat["product_sum"]) == (75.0, 5_625.0, 7_500.0)
    assert found["comment_length"]["signal_sum"] == pytest.approx(math.log(5), abs=1e-6)
    assert found["reopens"]["product_sum"] == pytest.approx(100 * math.log(3), abs=1e-4)
    assert found["resolution_minutes"]["signal_sum"] == pytest.approx(math.log(60), abs=1e-6)
    assert found["handoffs"]["signal_sum"] == 0


def test_answers_that_turn_round_are_a_drift_of_their_source_only(tmp_path: Path) -> None:
    rows = []
    for number in range(400):
        csat = 100.0 * (number % 2)
        is_turned = number >= 200
        rows.append(response(f"w{number}", ease=100 - csat if is_turned else csat, csat_0_100=csat))
        rows.append(response(f"m{number}", ease=csat, csat_0_100=csat, source_id="mobile"))
        for row in rows[-2:]:
            row["day"] = DAY.replace(day=1 + number // 20)
    with derived(registry(tmp_path), ["mart.direction_drift"], {"core.responses": rows}) as snapshot:
        found = {
            row["source_id"]: row for row in snapshot.rows("FROM mart.direction_drift WHERE signal = 'csat'")
        }
        check = snapshot.check("direction_drift")
    assert {source: row["is_flagged"] for source, row in found.items()} == {"web": True, "mobile": False}
    # The first of the newest 30 answers that show it, which are some of the day before.
    assert found["web"]["first_day"] in (DAY.replace(day=10), DAY.replace(day=11))
    assert check.failures == 1
    assert "source_id web" in str(check.detail)
