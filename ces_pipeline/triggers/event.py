"""Reads a trigger event from the shapes of the event buses. It makes no decision."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ces_pipeline.errors import CesError

_OWN = ("event_id", "event_type", "source", "person", "ticket_id", "survey")
_REQUIRED = "It is required, so that a repeated delivery is recognised."
_LONGEST_TEXT = 2_000
_ATTRIBUTES = ("channel", "product", "category", "priority")


class UnreadableEventError(CesError):
    """The delivered text is no event. Delivering it again does not help. The error names keys, never values."""


@dataclass(frozen=True)
class Event:
    """An event that may trigger a survey.

    source, event_id: together they identify the event at every delivery. person: the e-mail address or id that answers
    use for the same person; it is not stored. survey: id of the survey, if the event names it. attributes: channel,
    product, category and priority, if the event has them.
    """

    source: str
    event_id: str
    event_type: str
    person: str | None = field(default=None, repr=False)
    ticket_id: str | None = None
    survey: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_event(delivered: Any) -> Event:
    """The event in a decoded JSON object: our own shape, EventBridge, Event Grid or CloudEvents.

    Our own shape has `source` and the fields of a source of kind `events`: `event_id`, `event_type`, `person`,
    `ticket_id`, `survey`, `channel`, `product`, `category`, `priority`. Event buses put these fields in `detail` or
    `data`; a missing field is taken from their envelope. Raises UnreadableEventError.
    """
    if not isinstance(delivered, Mapping):
        raise UnreadableEventError(
            "The event is not a JSON object. Send an object with source, event_id and event_type."
        )
    envelope: dict[str, Any] = {}
    body: Any = delivered
    if "detail-type" in delivered:  # EventBridge
        envelope = {
            "event_id": delivered.get("id"),
            "event_type": delivered["detail-type"],
            "source": delivered.get("source"),
        }
        body = delivered.get("detail")
    elif "eventType" in delivered:  # Event Grid
        envelope = {
            "event_id": delivered.get("id"),
            "event_type": delivered["eventType"],
            "source": delivered.get("topic"),
        }
        body = delivered.get("data")
    elif "specversion" in delivered:  # CloudEvents
        envelope = {
            "event_id": delivered.get("id"),
            "event_type": delivered.get("type"),
            "source": delivered.get("source"),
        }
        body = delivered.get("data")
    if not isinstance(body, Mapping):
        raise UnreadableEventError(
            "The detail (or data) of the event is not a JSON object. Put the fields of the event there."
        )
    values = {
        name: _text(name, body.get(name)) or _text(name, envelope.get(name)) for name in (*_OWN, *_ATTRIBUTES)
    }
    absent = [name for name in ("source", "event_id", "event_type") if not values[name]]
    if absent:
        raise UnreadableEventError(f"The event has no {' and no '.join(absent)}. {_REQUIRED}")
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
    """The event in the JSON text of a body. Raises UnreadableEventError, which does not quote the body."""
    try:
        delivered = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise UnreadableEventError("The body is not JSON. Send the event as a JSON object.") from None
    return read_event(delivered)


def _text(name: str, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        text = str(value).strip()
        text.encode()
    except ValueError:
        # Half a character (JSON may hold `"\\ud800"`), or a number of thousands of digits.
        raise UnreadableEventError(
            f"The {name} of the event is no text that can be stored. Send it in UTF-8."
        ) from None
    if len(text) > _LONGEST_TEXT:
        raise UnreadableEventError(f"The {name} of the event has more than {_LONGEST_TEXT:,} characters.")
    return text or None
