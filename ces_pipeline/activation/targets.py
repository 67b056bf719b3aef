"""Mixpanel's and Amplitude's import endpoints: how an event is said to them, and what their answers mean.

What is sent, and what was sent before, is decided in `send.py`.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from ces_pipeline.activation.errors import ExportError
from ces_pipeline.activation.ledger import Item
from ces_pipeline.http.client import Http

_OWN = ("time", "distinct_id", "$insert_id")
_EVENT_ERRORS = ("events_with_invalid_fields", "events_with_missing_fields")


@dataclass(frozen=True)
class Outgoing:
    """An event as a receiver takes it. item: how the ledger knows it. is_revision: it was sent with another content."""

    item: Item
    insert_id: str
    body: dict[str, Any] = field(repr=False)
    is_revision: bool = False

    @property
    def size(self) -> int:
        """Bytes as JSON, with the comma behind it."""
        return len(json.dumps(self.body, separators=(",", ":")).encode()) + 1


@dataclass(frozen=True)
class Outcome:
    """What became of a request. refused: place of an event -> the field because of which it was refused.

    stores_rest: whether the others were stored, where some were refused. is_too_large: nothing was, by its size.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    stores_rest: bool = True
    is_too_large: bool = False


@dataclass(frozen=True)
class Target:
    """A receiver.

    most_events, most_bytes: of one request. replaces: whether an event that comes again with the same id, person and
    time takes the place of the first. remembers: how long it knows an id again; None: for ever.
    """

    name: str
    most_events: ClassVar[int] = 2000
    most_bytes: ClassVar[int] = 2_000_000
    replaces: ClassVar[bool]
    remembers: ClassVar[timedelta | None]

    def event(
        self, name: str, insert_id: str, person_key: str, at_ms: int, said: dict[str, Any]
    ) -> dict[str, Any]:
        """The event as it stands in a request."""
        raise NotImplementedError

    def post(self, http: Http, events: Sequence[Outgoing]) -> Outcome:
        """Send events. Raises PullError as `http` does, and ExportError for an answer that refuses all of them."""
        raise NotImplementedError

    def mended(self, event: Outgoing, refused_field: str) -> Outgoing | None:
        """The event without what it was refused for; None where it is nothing without that."""
        raise NotImplementedError


@dataclass(frozen=True)
class Mixpanel(Target):
    """`/import` in strict mode: every event is checked, and the good ones of a request are stored."""

    project_id: str
    replaces = True
    remembers = None

    def event(
        self, name: str, insert_id: str, person_key: str, at_ms: int, said: dict[str, Any]
    ) -> dict[str, Any]:
        own = {"time": at_ms, "distinct_id": person_key, "$insert_id": insert_id}
        return {"event": name, "properties": {**own, **said}}

    def post(self, http: Http, events: Sequence[Outgoing]) -> Outcome:
        answer = http.request(
            "POST",
            "/import",
            params={"strict": 1, "project_id": self.project_id},
            body=gzip.compress(
                json.dumps([one.body for one in events], separators=(",", ":")).encode(), mtime=0
            ),
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
            accept=(400, 413),
            repeatable=True,
        )
        if answer.status == 413:
            return Outcome(is_too_large=True)
        if answer.status != 400:
            return Outcome()
        told = answer.data.get("failed_records") if isinstance(answer.data, dict) else None
        by_id = {one.insert_id: place for place, one in enumerate(events)}
        refused = {}
        for record in told if isinstance(told, list) else []:
            place = by_id.get(record.get("insert_id"), record.get("index"))
            if isinstance(place, int) and 0 <= place < len(events):
                refused[place] = str(record.get("field"))
        if not refused:
            raise ExportError(
                f"{self.name}: the import was refused with 400 and no list of events: check project_id in exports.yaml"
            )
        return Outcome(refused)

    def mended(self, event: Outgoing, refused_field: str) -> Outgoing | None:
        name = refused_field.removeprefix("properties.")
        said = event.body["properties"]
        if name in _OWN or name not in said:
            return None
        left = {key: value for key, value in said.items() if key != name}
        return replace(event, body={**event.body, "properties": left})


@dataclass(frozen=True)
class Amplitude(Target):
    """`/batch`: a request with one bad event is refused whole."""

    key: str = field(repr=False)
    replaces = False
    remembers = timedelta(days=7)

    def event(
        self, name: str, insert_id: str, person_key: str, at_ms: int, said: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "user_id": person_key,
            "event_type": name,
            "time": at_ms,
            "insert_id": insert_id,
            "event_properties": said,
        }

    def post(self, http: Http, events: Sequence[Outgoing]) -> Outcome:
        answer = http.request(
            "POST",
            "/batch",
            json_body={"api_key": self.key, "events": [one.body for one in events]},
            accept=(400, 413),
            repeatable=True,
        )
        if answer.status == 413:
            return Outcome(is_too_large=True)
        if answer.status != 400:
            return Outcome()
        refused: dict[int, str] = {}
        for kind in _EVENT_ERRORS:
            listed = answer.data.get(kind) if isinstance(answer.data, dict) else None
            for name, places in (listed if isinstance(listed, dict) else {}).items():
                refused |= {
                    place: str(name)
                    for place in places
                    if isinstance(place, int) and 0 <= place < len(events)
                }
        if not refused:
            raise ExportError(
                f"{self.name}: the events were refused with 400 and no list of them: check key in exports.yaml"
            )
        return Outcome(refused, stores_rest=False)

    def mended(self, event: Outgoing, refused_field: str) -> Outgoing | None:
        name = refused_field.removeprefix("event_properties.")
        said = event.body["event_properties"]
        if name not in said:
            return None
        left = {key: value for key, value in said.items() if key != name}
        return replace(event, body={**event.body, "event_properties": left})
