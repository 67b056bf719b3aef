"""Rows of invitations, events and accounts as cleaning leaves them, for tests of the marts."""

from datetime import UTC, date, datetime, time
from typing import Any

from ces_pipeline_tests.lake_days import DAY


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A moment of a day, UTC."""
    return datetime.combine(day, time(hour, minute), UTC)


def invitation(key: str, day: date = DAY, **values: Any) -> dict[str, Any]:
    """An invitation to `after_chat` sent at 10:00; its id is its key unless given."""
    return {
        "invitation_key": key,
        "source_id": "asked",
        "survey_id": "after_chat",
        "invitation_id": key,
        "channel": "email",
        "status": "sent",
        "sent_at": at(day, 10),
        "revision": 1,
        "delivery_id": "d3",
        "day": day,
        **values,
    }


def event(key: str, day: date = DAY, **values: Any) -> dict[str, Any]:
    """An event `chat_closed` at 09:00; its id is its key unless given."""
    return {
        "event_key": key,
        "source_id": "happened",
        "event_id": key,
        "event_type": "chat_closed",
        "occurred_at": at(day, 9),
        "revision": 1,
        "delivery_id": "d4",
        "day": day,
        **values,
    }


def version(person: str, valid_from: datetime, **values: Any) -> dict[str, Any]:
    """A version of a person's account."""
    return {
        "source_id": "crm",
        "person_key": person,
        "valid_from": valid_from,
        "as_of": valid_from,
        "delivery_id": "d5",
        "day": max(valid_from.date(), DAY),
        **values,
    }
