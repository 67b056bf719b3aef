"""Which messages a channel is due, and their texts. Pure functions.

A critical incident has one message when it opens and one when it has recovered; the warnings of a day share one. Many
at once are collapsed into one of each kind, so that a run sends a channel at most three new messages. Figures stand
with their n and interval. No text holds a person's value: figures are of groups, and failures name no person.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ces_pipeline.registry.alerts import Channel, Rule
from ces_pipeline.watch.incidents import FIGURE_RULES, Incident, Row

Kind = Literal["opened", "recovered", "digest"]
MOST_MESSAGES = 3
"""Most new messages of a run for a channel."""
_MOST_LISTED = 20
_TITLES: dict[str, tuple[str, str]] = {
    "opened": ("incident", "incidents"),
    "recovered": ("recovery", "recoveries"),
}


@dataclass(frozen=True)
class Notice:
    """What is to be said about one incident: that it opened (or came back), or that it has recovered."""

    incident: Incident
    kind: Literal["opened", "recovered"]
    event_id: str


@dataclass(frozen=True)
class Message:
    """A message for one channel. message_id: the same whenever the same events are reported to it."""

    message_id: str
    channel_id: str
    kind: Kind
    notices: tuple[Notice, ...]

    @property
    def event_ids(self) -> list[str]:
        return [notice.event_id for notice in self.notices]


def due(
    channel: Channel,
    rules: Mapping[str, Rule],
    incidents: Iterable[Incident],
    deliveries: Sequence[Row],
    today: date,
) -> list[Message]:
    """The messages that a channel is due, oldest incident first.

    deliveries: its rows of the ledger. What it did not take is due again, unless it is out of date by now; what is in
    doubt counts as reported. today: the business date, for the digest: a day has one.
    """
    arrived = [row for row in deliveries if row["status"] != "failed"]
    tried = {event for row in deliveries for event in row["event_ids"]}
    sent_on = {event: row["created_at"].date() for row in arrived for event in row["event_ids"]}
    notices = [
        notice
        for incident in incidents
        if incident.rule_id in rules
        and channel.id in rules[incident.rule_id].channels
        and incident.severity in channel.severities
        and (notice := _notice(incident, tried, sent_on, rules[incident.rule_id].cooldown_days, today))
    ]
    critical = [notice for notice in notices if notice.incident.severity == "critical"]
    warnings = [notice for notice in notices if notice.incident.severity != "critical"]
    messages = [_message(channel, notice.kind, [notice]) for notice in critical]
    if len(messages) + bool(warnings) > MOST_MESSAGES:
        by_kind = {
            kind: [notice for notice in critical if notice.kind == kind] for kind in ("opened", "recovered")
        }
        messages = [_message(channel, kind, found) for kind, found in by_kind.items() if found]
    digest = _message(channel, "digest", warnings, today)
    if warnings and digest.message_id not in {row["message_id"] for row in arrived}:
        messages.append(digest)
    return messages


def _notice(
    incident: Incident, tried: Collection[str], sent_on: Mapping[str, date], cooldown_days: int, today: date
) -> Notice | None:
    """What a channel is still to hear about an incident. tried: the events of messages that it may not have taken.

    sent_on: event that was reported -> the day.
    """
    beginnings = [event["event_id"] for event in incident.events if event["kind"] in ("opened", "repeated")]
    if incident.is_open:
        if incident.announced_by in sent_on:
            return None
        # It came back: said again once the cooldown since the last message is over, so that flapping stays quiet.
        said = [sent_on[event] for event in beginnings if event in sent_on]
        if said and today - max(said) < timedelta(days=cooldown_days):
            return None
        return Notice(incident, "opened", incident.announced_by)
    begun = [event for event in beginnings if event in tried]
    if not begun or incident.recovered_by is None:
        return None
    if sent_on.keys() & _after(incident, begun[-1]):
        return None
    return Notice(incident, "recovered", incident.recovered_by)


def _after(incident: Incident, event_id: str) -> set[str]:
    """The recoveries that followed an event of the incident."""
    ids = [event["event_id"] for event in incident.events]
    later = incident.events[ids.index(event_id) + 1 :]
    return {event["event_id"] for event in later if event["kind"] == "recovered"}


def _message(channel: Channel, kind: Any, notices: Sequence[Notice], today: date | None = None) -> Message:
    # A day has one digest, whatever it reports.
    parts = [today.isoformat()] if today else sorted(notice.event_id for notice in notices)
    digest = hashlib.sha256("\0".join([channel.id, kind, *parts]).encode()).hexdigest()[:24]
    return Message(f"msg_{digest}", channel.id, kind, tuple(notices))


def recorded(row: Row, incidents: Mapping[str, Incident]) -> Message:
    """The message of a row of the ledger, to send it again with the same id."""
    by_event = {
        event["event_id"]: (incident, event["kind"])
        for incident in incidents.values()
        for event in incident.events
    }
    notices = [
        Notice(incident, "recovered" if kind == "recovered" else "opened", event_id)
        for event_id in row["event_ids"]
        if event_id in by_event
        for incident, kind in [by_event[event_id]]
    ]
    return Message(row["message_id"], row["channel_id"], row["kind"], tuple(notices))


def title(message: Message) -> str:
    """One line: severity, what, and how far."""
    if len(message.notices) == 1:
        notice = message.notices[0]
        mark = "recovered" if notice.kind == "recovered" else notice.incident.severity
        return f"[{mark}] {headline(notice.incident)}"
    count = len(message.notices)
    if message.kind == "digest":
        return f"[warning] {count} warnings of the day"
    return f"[{'critical' if message.kind == 'opened' else 'recovered'}] {count} {_TITLES[message.kind][1]} at once"


def headline(incident: Incident) -> str:
    """The incident in one line, with figure, interval and n."""
    series, figures = incident.series, incident.figures
    if incident.rule_kind not in FIGURE_RULES:
        subject = "missed night" if series.dimension == "night" else f"{series.series_kind} {series.segment}"
        return f"{subject}: {figures.detail}"
    of = "" if series.dimension == "all" else f" of {series.dimension} {series.segment}"
    direction = f" ({figures.direction})" if figures.direction else ""
    return f"{series.series_kind}{of}{direction}: {figure_text(incident)}"


def figure_text(incident: Incident) -> str:
    """Observed, interval and n, and the threshold or what was expected."""
    figures = incident.figures
    n = f"n {figures.n:,}" if figures.n is not None else ""
    if figures.observed is None:
        return f"too few rows to show the figure{f' ({n})' if n else ''}"
    has_interval = figures.low is not None and figures.high is not None
    interval = f"{shown(figures.low or 0)} to {shown(figures.high or 0)}" if has_interval else ""
    limit = "" if figures.expected is None else shown(figures.expected)
    if incident.rule_kind == "threshold":
        evidence = ", ".join(part for part in (interval and f"95 % interval {interval}", n) if part)
        after = f", threshold {limit}" if limit else ""
    else:
        evidence = n
        after = f", expected {limit}{f' ({interval})' if interval else ''}" if limit else ""
    return f"{shown(figures.observed)}{f' ({evidence})' if evidence else ''}{after}"


def shown(value: float) -> str:
    """A figure with the digits that matter."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def body(message: Message, nearby: Mapping[str, Sequence[str]], links: Mapping[str, str]) -> str:
    """The text of a message, with the links of its channel.

    nearby: incident id -> titles of the changes around its first day.
    """
    addresses = [f"{name}: {address}" for name, address in links.items()]
    if len(message.notices) == 1:
        notice = message.notices[0]
        return "\n".join([*_details(notice, nearby.get(notice.incident.incident_id, ())), *addresses])
    lines = [
        f"- {'recovered: ' if notice.kind == 'recovered' else ''}{headline(notice.incident)} "
        f"[{notice.incident.owner}, since {notice.incident.first_affected_day}, {notice.incident.incident_id}]"
        for notice in message.notices[:_MOST_LISTED]
    ]
    if len(message.notices) > _MOST_LISTED:
        lines.append(f"and {len(message.notices) - _MOST_LISTED:,} more")
    counts: dict[str, int] = {}
    for notice in message.notices:
        counts[notice.incident.rule_id] = counts.get(notice.incident.rule_id, 0) + 1
    by_rule = ", ".join(f"{rule} {count:,}" for rule, count in sorted(counts.items()))
    return "\n".join([f"By rule: {by_rule}", *lines, "All of them: `ces show open_incidents`", *addresses])


def _details(notice: Notice, nearby: Sequence[str]) -> list[str]:
    incident = notice.incident
    lines = [headline(incident), f"first affected day: {incident.first_affected_day}"]
    if notice.kind == "recovered":
        lines.append(f"last affected day: {incident.last_day}")
    elif incident.repeats:
        times = "once" if incident.repeats == 1 else f"{incident.repeats} times"
        lines.append(f"it came back after a recovery: {times}; last affected day {incident.last_day}")
    lines.append(f"owner: {incident.owner}; rule {incident.rule_id} ({incident.severity})")
    if nearby:
        lines.append(f"changed in the week before: {'; '.join(nearby)}")
    if notice.kind == "opened":
        lines.append(f"take it over with `ces ack {incident.incident_id}`")
    return lines


def payload(
    message: Message, nearby: Mapping[str, Sequence[str]], links: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """The message as the body of a webhook, in the form of Standard Webhooks: type, timestamp, data."""
    return {
        "type": f"incident.{message.kind}",
        "timestamp": now.isoformat().replace("+00:00", "Z"),
        "data": {
            "title": title(message),
            "text": body(message, nearby, links),
            "links": dict(links),
            "incident_count": len(message.notices),
            "incidents": [
                _as_json(notice, nearby.get(notice.incident.incident_id, ()))
                for notice in message.notices[:_MOST_LISTED]
            ],
        },
    }


def _as_json(notice: Notice, nearby: Sequence[str]) -> dict[str, Any]:
    incident = notice.incident
    return {
        "incident_id": incident.incident_id,
        "event": notice.kind,
        "rule_id": incident.rule_id,
        "rule_kind": incident.rule_kind,
        "severity": incident.severity,
        "owner": incident.owner,
        **vars(incident.series),
        "state": incident.state,
        "first_affected_day": incident.first_affected_day.isoformat(),
        "last_day": incident.last_day.isoformat(),
        **vars(incident.figures),
        "repeats": incident.repeats,
        "nearby_changes": list(nearby),
    }
