"""Sends the messages that are due and keeps the ledger of them, `audit.alert_deliveries`.

A message is recorded as `sending` before it is sent and as `sent` afterwards. One that a killed run left as `sending`
may have arrived: it is sent once more, with the same id and the same events.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from ces_pipeline.http.clock import Clock
from ces_pipeline.registry.alerts import Channel, Rule
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch import log
from ces_pipeline.watch.channels import ChannelError, Outgoing, Sender
from ces_pipeline.watch.events import Event, message_id, outgoing
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
    """The messages of one channel: those that a killed run left in doubt, those that are due, and the events."""

    channel: Channel
    messages: tuple[Message, ...]
    events: tuple[Event, ...]
    rows: Mapping[str, Row]
    """Message id -> its row of the ledger, of those that it has."""

    @property
    def is_empty(self) -> bool:
        return not self.messages and not self.events


@dataclass(frozen=True)
class _Parcel:
    """A message as the ledger records it, and how it is made when it is sent."""

    message_id: str
    kind: str
    event_ids: Sequence[str]
    incident_count: int
    made: Callable[[datetime], Outgoing]


def outboxes(
    channels: Sequence[Channel],
    rules: Mapping[str, Rule],
    incidents: Mapping[str, Incident],
    ledger: Sequence[Row],
    today: date,
    events: Sequence[Event] = (),
) -> list[Outbox]:
    """What each channel is due. events: what happened last of each kind; one that is out of date is not sent."""
    found = []
    for channel in channels:
        of_channel = [row for row in ledger if row["channel_id"] == channel.id]
        left = [recorded(row, incidents) for row in of_channel if row["status"] == "sending"]
        new = due(channel, rules, list(incidents.values()), of_channel, today)
        rows = {row["message_id"]: row for row in of_channel}
        sent_ids = {row["message_id"] for row in of_channel if row["status"] == "sent"}
        unsent = [
            event
            for event in events
            if event.kind in channel.events and message_id(event, channel) not in sent_ids
        ]
        messages = (*(message for message in left if message.notices), *new)
        found.append(Outbox(channel, messages, tuple(unsent), rows))
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
        if box.is_empty:
            continue
        try:
            sender = open_sender(box.channel)
            for place, parcel in enumerate(_parcels(box, nearby)):
                if place:
                    clock.sleep(SECONDS_BETWEEN)
                _send_one(lake, box, parcel, sender, clock)
                done.sent[box.channel.id] = done.sent.get(box.channel.id, 0) + 1
        except ChannelError as problem:
            done.failures.append(str(problem))
    return done


def _parcels(box: Outbox, nearby: Mapping[str, Sequence[str]]) -> list[_Parcel]:
    found = [
        _Parcel(
            message.message_id,
            message.kind,
            message.event_ids,
            len({notice.incident.incident_id for notice in message.notices}),
            partial(_of_message, message, nearby, box.channel.links),
        )
        for message in box.messages
    ]
    return found + [
        _Parcel(
            message_id(event, box.channel),
            event.kind,
            [event.event_id],
            0,
            partial(_of_event, event, box.channel),
        )
        for event in box.events
    ]


def _of_message(
    message: Message, nearby: Mapping[str, Sequence[str]], links: Mapping[str, str], now: datetime
) -> Outgoing:
    text, data = body(message, nearby, links), payload(message, nearby, links, now)
    return Outgoing(message.message_id, title(message), text, data)


def _of_event(event: Event, channel: Channel, _now: datetime) -> Outgoing:
    return outgoing(event, channel)


def _send_one(lake: Lake, box: Outbox, parcel: _Parcel, sender: Sender, clock: Clock) -> None:
    before = box.rows.get(parcel.message_id)
    row: dict[str, Any] = {
        "message_id": parcel.message_id,
        "channel_id": box.channel.id,
        "kind": parcel.kind,
        "event_ids": list(parcel.event_ids),
        "incident_count": parcel.incident_count,
        "attempts": (before["attempts"] if before else 0) + 1,
        "status": "sending",
        "detail": None,
        "created_at": before["created_at"] if before else clock.now(),
        "sent_at": None,
    }
    log.write_deliveries(lake, [row])
    try:
        sender.send(parcel.made(clock.now()))
    except ChannelError as problem:
        log.write_deliveries(lake, [{**row, "status": "failed", "detail": str(problem)}])
        raise
    log.write_deliveries(lake, [{**row, "status": "sent", "sent_at": clock.now()}])
