"""Protects the figures on alerts: how many, how fast noticed, taken over and over, each by hand, and in the metrics."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.snapshots import derived

OPENED = datetime(2026, 3, 3, 1, tzinfo=UTC)
"""02:00 of March 3 in Berlin."""


def incident(name: str, **values: Any) -> dict[str, Any]:
    return {
        "incident_id": name,
        "rule_id": "hard",
        "rule_kind": "threshold",
        "opened_at": OPENED,
        "first_affected_day": date(2026, 3, 1),
        "first_response_at": datetime(2026, 3, 1, 9, tzinfo=UTC),
        "was_over": False,
        **values,
    }


def minutes(hours: float) -> timedelta:
    return timedelta(hours=hours)


GIVEN = {
    "core.responses": [response("r1")],
    "audit.incidents": [
        incident("a", acknowledged_at=OPENED + minutes(1), recovered_at=OPENED + minutes(4)),
        # Berlin is an hour ahead: its March 2 began at 23:00 of March 1, 26 hours before.
        incident(
            "b", first_affected_day=date(2026, 3, 2), first_response_at=None, recovered_at=OPENED + minutes(2)
        ),
        incident("c", rule_id="checks", rule_kind="checks", first_response_at=None),
        incident("d", was_over=True, acknowledged_at=OPENED + minutes(1)),
    ],
    "audit.incident_events": [
        {
            "event_id": "e1",
            "rule_id": "hard",
            "kind": "repeated",
            "was_over": False,
            "logged_at": OPENED + minutes(48),
        },
        {"event_id": "e2", "rule_id": "hard", "kind": "continued", "was_over": False, "logged_at": OPENED},
    ],
}
TABLES = ["mart.alerts_daily", "mart.program_metrics"]


def test_the_alerts_of_a_day_by_rule_and_together(tmp_path: Path) -> None:
    with derived(registry(tmp_path, business_time_zone="Europe/Berlin"), TABLES, GIVEN) as snapshot:
        rows = {(row["rule_id"], row["day"]): row for row in snapshot.rows("FROM mart.alerts_daily")}
        metrics = {
            (row["metric"], row["segment"], row["day"]): (row["value"], row["n"])
            for row in snapshot.rows("FROM mart.program_metrics WHERE metric_id IN ('M4a', 'M4b', 'M4d')")
        }
    noticed, later = date(2026, 3, 3), date(2026, 3, 5)
    assert set(rows) == {
        ("hard", noticed),
        ("checks", noticed),
        ("hard", later),
        *(("all rules", noticed + timedelta(days=number)) for number in range(3)),
    }
    hard = rows["hard", noticed]
    assert (hard["alerts"], hard["figure_alerts"], hard["answer_alerts"]) == (2, 2, 1)
    # From midnight of March 1 and of March 2 in Berlin: 50 and 26 hours.
    assert hard["event_to_alert_p50_minutes"] == (50 + 26) / 2 * 60
    assert hard["response_to_alert_p50_minutes"] == 40 * 60
    assert (hard["acknowledged"], hard["acknowledgement_p50_minutes"]) == (1, 60)
    assert (hard["recovered"], hard["recovery_p50_minutes"]) == (2, 180)
    checks = rows["checks", noticed]
    assert (checks["alerts"], checks["figure_alerts"], checks["event_to_alert_p50_minutes"]) == (1, 0, None)
    together = rows["all rules", noticed]
    assert (together["alerts"], together["figure_alerts"], together["recovered"]) == (3, 2, 2)
    between = rows["all rules", noticed + timedelta(days=1)]
    assert (between["alerts"], between["repeated_alerts"]) == (0, 0)
    assert (rows["hard", later]["alerts"], rows["hard", later]["repeated_alerts"]) == (0, 1)
    assert metrics["detection_minutes", "event_to_alert", noticed] == (38 * 60, 2)
    assert metrics["detection_minutes", "response_to_alert", noticed] == (40 * 60, 1)
    assert metrics["alerts", "all", noticed] == (3, 3)
    assert metrics["alerts", "all", noticed + timedelta(days=1)] == (0, 0)
    assert metrics["repeated_alerts", "all", later] == (1, 1)
    assert metrics["alert_response_minutes", "all", noticed] == (60, 1)
    assert metrics["alert_resolution_minutes", "all", noticed] == (180, 2)


def test_before_the_first_incident_the_metrics_say_so_and_are_no_zero(tmp_path: Path) -> None:
    with derived(registry(tmp_path), TABLES, {"core.responses": [response("r1")]}) as snapshot:
        assert snapshot.rows("FROM mart.alerts_daily") == []
        rows = snapshot.rows(
            "SELECT DISTINCT day, value, why_null FROM mart.program_metrics WHERE metric = 'alerts'"
        )
    assert rows == [{"day": DAY, "value": None, "why_null": "no incident was noticed yet"}]
