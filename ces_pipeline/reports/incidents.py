"""The open incidents and the messages about them, as lines of a report and as JSON."""

from typing import Any

from ces_pipeline.watch.incidents import Incident
from ces_pipeline.watch.messages import headline
from ces_pipeline.watch.step import Alerting

_NAMED = 5
_LONGEST = 120


def incident_lines(alerting: Alerting) -> list[tuple[str, str]]:
    """A line for each of the first open incidents, critical ones first; none if no incident is open."""
    if not alerting.open:
        return []
    ordered = sorted(
        alerting.open, key=lambda incident: (incident.severity != "critical", incident.opened_at)
    )
    critical = sum(incident.severity == "critical" for incident in ordered)
    lines = [("incidents", f"{len(ordered):,} open, {critical:,} of them critical")]
    lines += [
        (
            "",
            f"{incident.incident_id[:8]} {incident.severity}{_taken(incident.acknowledged_by)}, "
            f"since {incident.first_affected_day}: {_text(incident)}",
        )
        for incident in ordered[:_NAMED]
    ]
    if len(ordered) > _NAMED:
        lines.append(("", f"and {len(ordered) - _NAMED:,} more: `ces show open_incidents`"))
    return lines


def _text(incident: Incident) -> str:
    """What happened. A run prints what its checks found by itself."""
    if incident.rule_kind == "checks":
        return f"check {incident.series.segment}"
    text = headline(incident)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _taken(by: str | None) -> str:
    return f", acknowledged by {by}" if by else ""


def sent_line(alerting: Alerting) -> str:
    """The messages that were sent, by channel."""
    listed = ", ".join(f"{channel}: {count:,}" for channel, count in sorted(alerting.sent.items()))
    return f"messages sent to {listed}" if listed else "no message was due"


def incidents_as_json(alerting: Alerting) -> dict[str, Any]:
    """The open incidents, the messages sent by channel, and the channels that failed."""
    return {
        "open_incidents": [
            {
                "incident_id": incident.incident_id,
                "rule_id": incident.rule_id,
                "severity": incident.severity,
                "owner": incident.owner,
                "state": incident.state,
                "first_affected_day": incident.first_affected_day.isoformat(),
                "last_day": incident.last_day.isoformat(),
                "text": headline(incident),
            }
            for incident in alerting.open
        ],
        "messages_sent": alerting.sent,
        "failed_channels": list(alerting.failures),
    }
