"""Sends the messages that are due and keeps the ledger of them, `audit.alert_deliveries`.

A message is recorded as `sending` before it is sent and as `sent` afterwards. One that a killed run left as `sending`
may have arrived: it is sent once more, with the same id and the same events.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ces_pipeline.http.clock import Clock
from ces_pipeline.registry.alerts import Channel, Rule
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch import log
from ces_pipeline.watch.channels import ChannelError, Outgoing, Sender
from ces_pipeline.watch.incidents import Incident, Row
from ces_pipeline.watch.messages import Message, body, due, payload, recorded, title

SECONDS_BETWEEN = 1.0
"""Least time between two messages of a channel: services such as Slack take one a second."""


@dataclass
class Sent:
    """What came of sending. sent: messages by channel. failures: a line for each channel that took not everything."""

    sent: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outbox:
    """The messages of one channel: those that a killed run left in doubt, then those that are due."""

    channel: Channel
    messages: tuple[Message, ...]
    rows: Mapping[str, Row]
    """Message id -> its row of the ledger, of those that it has."""


def outboxes(
    channels: Sequence[Channel],
    rules: Mapping[str, Rule],
    incidents: Mapping[str, Incident],
    ledger: Sequence[Row],
    today: date,
) -> list[Outbox]:
    """What each channel is due."""
    found = []
    for channel in channels:
        of_channel = [row for row in ledger if row["channel_id"] == channel.id]
        left = [recorded(row, incidents) for row in of_channel if row["status"] == "sending"]
        new = due(channel, rules, list(incidents.values()), of_channel, today)
        rows = {row["message_id"]: row for row in of_channel}
        found.append(Outbox(channel, (*(message for message in left if message.notices), *new), rows))
    return found


def send(
    lake: Lake,
    boxes: Sequence[Outbox],
    nearby: Mapping[str, Sequence[str]],
    open_sender: Callable[[Channel], Sender],
    clock: Clock,
) -> Sent:
    """Send every message; a channel that fails does not stop the others, and keeps its messages for the next run.

    nearby: incident id -> titles of the changes around its first day.
    """
    done = Sent()
    for box in boxes:
        if not box.messages:
            continue
        try:
            sender = open_sender(box.channel)
            for place, message in enumerate(box.messages):
                if place:
                    clock.sleep(SECONDS_BETWEEN)
                _send_one(lake, box, message, nearby, sender, clock)
                done.sent[box.channel.id] = done.sent.get(box.channel.id, 0) + 1
        except ChannelError as problem:
            done.failures.append(str(problem))
    return done


def _send_one(
    lake: Lake,
    box: Outbox,
    message: Message,
    nearby: Mapping[str, Sequence[str]],
    sender: Sender,
    clock: Clock,
) -> None:
    before = box.rows.get(message.message_id)
    row: dict[str, Any] = {
        "message_id": message.message_id,
        "channel_id": message.channel_id,
        "kind": message.kind,
        "event_ids": message.event_ids,
        "incident_count": len({notice.incident.incident_id for notice in message.notices}),
        "attempts": (before["attempts"] if before else 0) + 1,
        "status": "sending",
        "detail": None,
        "created_at": before["created_at"] if before else clock.now(),
        "sent_at": None,
    }
    log.write_deliveries(lake, [row])
    outgoing = Outgoing(
        message.message_id, title(message), body(message, nearby), payload(message, nearby, clock.now())
    )
    try:
        sender.send(outgoing)
    except ChannelError as problem:
        log.write_deliveries(lake, [{**row, "status": "failed", "detail": str(problem)}])
        raise
    log.write_deliveries(lake, [{**row, "status": "sent", "sent_at": clock.now()}])
