"""A trigger event, read from the shapes in which event buses deliver it. No decision is made here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ces_pipeline.errors import CesError

_OWN = ("event_id", "event_type", "source", "person", "ticket_id", "survey")
_ATTRIBUTES = ("channel", "product", "category", "priority")


class UnreadableEventError(CesError):
    """What was delivered is no event: delivering it again does not help. The text names keys, never values."""


@dataclass(frozen=True)
class Event:
    """Something that may call for a survey.

    source, event_id: together they name it for ever, however often it is delivered. person: e-mail or id, by which
    answers name the same person; kept nowhere. survey: the touchpoint, where the event itself says.
    attributes: channel, product, category, priority, as far as they are said.
    """

    source: str
    event_id: str
    event_type: str
    person: str | None = field(default=None, repr=False)
    ticket_id: str | None = None
    survey: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_event(told: Any) -> Event:
    """The event in a decoded JSON object: our own shape, EventBridge, Event Grid or CloudEvents.

    Our own shape has the names of an `events` feed beside `source`: `event_id`, `event_type`, `person`, `ticket_id`,
    `survey`, `channel`, `product`, `category`, `priority`. In the envelopes of event buses they stand in `detail` or
    `data`, and what is missing there is taken from the envelope. Raises UnreadableEventError.
    """
    if not isinstance(told, Mapping):
        raise UnreadableEventError(
            "the event is no JSON object: send one with source, event_id and event_type"
        )
    envelope: dict[str, Any] = {}
    body: Any = told
    if "detail-type" in told:  # EventBridge
        envelope = {
            "event_id": told.get("id"),
            "event_type": told["detail-type"],
            "source": told.get("source"),
        }
        body = told.get("detail")
    elif "eventType" in told:  # Event Grid
        envelope = {"event_id": told.get("id"), "event_type": told["eventType"], "source": told.get("topic")}
        body = told.get("data")
    elif "specversion" in told:  # CloudEvents
        envelope = {"event_id": told.get("id"), "event_type": told.get("type"), "source": told.get("source")}
        body = told.get("data")
    if not isinstance(body, Mapping):
        raise UnreadableEventError("the event's detail (or data) is no JSON object: put its fields there")
    values = {name: _text(body.get(name)) or _text(envelope.get(name)) for name in (*_OWN, *_ATTRIBUTES)}
    absent = [name for name in ("source", "event_id", "event_type") if not values[name]]
    if absent:
        raise UnreadableEventError(
            f"the event has no {' and no '.join(absent)}: without, it cannot be told from its own repetition"
        )
    return Event(
        source=values["source"] or "",
        event_id=values["event_id"] or "",
        event_type=(values["event_type"] or "").lower(),
        person=values["person"],
        ticket_id=values["ticket_id"],
        survey=values["survey"],
        attributes={name: value for name in _ATTRIBUTES if (value := values[name])},
    )


def decoded_event(text: Any) -> Event:
    """The event in the JSON text of a body. Raises UnreadableEventError, without the body's text."""
    try:
        told = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise UnreadableEventError("the body is no JSON: send the event as a JSON object") from None
    return read_event(told)


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None
