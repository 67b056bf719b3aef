"""The import endpoints of Mixpanel and Amplitude: the shape of an event, and the meaning of their responses.

`send.py` decides what is sent.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from ces_pipeline.activation.errors import ExportError
from ces_pipeline.activation.ledger import Item
from ces_pipeline.http.client import Http, HttpResponse

_EVENT_ERRORS = ("events_with_invalid_fields", "events_with_missing_fields")


@dataclass(frozen=True)
class Outgoing:
    """An event in a receiver's shape. item: its ledger entry. is_revision: it was sent before, with other content."""

    item: Item
    insert_id: str
    body: dict[str, Any] = field(repr=False)
    is_revision: bool = False

    @property
    def size(self) -> int:
        """Bytes as JSON, including the comma after it."""
        return len(json.dumps(self.body, separators=(",", ":")).encode()) + 1


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request. refused: index of an event -> the field that the receiver refused.

    stores_rest: whether the receiver stored the other events, if it refused some. is_too_large: the request was too
    large, so nothing was stored.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    stores_rest: bool = True
    is_too_large: bool = False


@dataclass(frozen=True)
class Target:
    """A receiver.

    most_events, most_bytes: limits of one request. replaces: whether an event with the id, person and time of an
    earlier event replaces it. remembers: how long the receiver recognises an id; None: for ever. stores_rest: whether
    the receiver stores the other events of a request if it refuses some. properties_key: the member of an event that
    holds its properties. needed_properties: those without which no event is accepted. unlisted_refusal: the message if
    the receiver refuses a request but lists no event.
    """

    name: str
    most_events: ClassVar[int] = 2000
    most_bytes: ClassVar[int] = 2_000_000
    replaces: ClassVar[bool]
    remembers: ClassVar[timedelta | None]
    stores_rest: ClassVar[bool]
    properties_key: ClassVar[str]
    needed_properties: ClassVar[tuple[str, ...]] = ()
    unlisted_refusal: ClassVar[str]

    def event(
        self, name: str, insert_id: str, person_key: str, at_ms: int, properties: dict[str, Any]
    ) -> dict[str, Any]:
        """The event as a JSON object of a request."""
        raise NotImplementedError

    def post(self, http: Http, events: Sequence[Outgoing]) -> Outcome:
        """Send events. Raises PullError as `http` does, and ExportError if the receiver refuses all of them."""
        response = self.request(http, events)
        if response.status == 413:
            return Outcome(is_too_large=True)
        if response.status != 400:
            return Outcome()
        refused = self.refused_fields(response.data if isinstance(response.data, dict) else {}, events)
        if not refused:
            raise ExportError(f"{self.name}: {self.unlisted_refusal}")
        return Outcome(refused, self.stores_rest)

    def request(self, http: Http, events: Sequence[Outgoing]) -> HttpResponse:
        """One request with these events; accepts the statuses 400 and 413."""
        raise NotImplementedError

    def refused_fields(self, body: Mapping[str, Any], events: Sequence[Outgoing]) -> dict[int, str]:
        """The events that a response with status 400 lists: index of an event -> its refused field."""
        raise NotImplementedError

    def without_field(self, event: Outgoing, refused_field: str) -> Outgoing | None:
        """The event without its refused property; None if the event cannot be sent without it."""
        name = refused_field.removeprefix(f"{self.properties_key}.")
        properties = event.body[self.properties_key]
        if name in self.needed_properties or name not in properties:
            return None
        remaining = {key: value for key, value in properties.items() if key != name}
        return replace(event, body={**event.body, self.properties_key: remaining})


@dataclass(frozen=True)
class Mixpanel(Target):
    """`/import` in strict mode: Mixpanel checks every event and stores the valid events of a request."""

    project_id: str
    replaces = True
    remembers = None
    stores_rest = True
    properties_key = "properties"
    needed_properties = ("time", "distinct_id", "$insert_id")
    unlisted_refusal = (
        "Mixpanel refused the import with 400 and listed no event. Check project_id in exports.yaml"
    )

    def event(
        self, name: str, insert_id: str, person_key: str, at_ms: int, properties: dict[str, Any]
    ) -> dict[str, Any]:
        own = {"time": at_ms, "distinct_id": person_key, "$insert_id": insert_id}
        return {"event": name, "properties": {**own, **properties}}

    def request(self, http: Http, events: Sequence[Outgoing]) -> HttpResponse:
        return http.request(
            "POST",
            "/import",
            params={"strict": 1, "project_id": self.project_id},
            body=gzip.compress(
                json.dumps([event.body for event in events], separators=(",", ":")).encode(), mtime=0
            ),
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
            accept=(400, 413),
            repeatable=True,
        )

    def refused_fields(self, body: Mapping[str, Any], events: Sequence[Outgoing]) -> dict[int, str]:
        records = body.get("failed_records")
        by_id = {event.insert_id: index for index, event in enumerate(events)}
        refused: dict[int, str] = {}
        for record in records if isinstance(records, list) else []:
            index = by_id.get(record.get("insert_id"), record.get("index"))
            if isinstance(index, int) and 0 <= index < len(events):
                refused[index] = str(record.get("field"))
        return refused


@dataclass(frozen=True)
class Amplitude(Target):
    """`/batch`: Amplitude refuses a full request if one of its events is invalid."""

    key: str = field(repr=False)
    replaces = False
    remembers = timedelta(days=7)
    stores_rest = False
    properties_key = "event_properties"
    unlisted_refusal = "Amplitude refused the request with 400 and listed no event. Check key in exports.yaml"

    def event(
        self, name: str, insert_id: str, person_key: str, at_ms: int, properties: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "user_id": person_key,
            "event_type": name,
            "time": at_ms,
            "insert_id": insert_id,
            "event_properties": properties,
        }

    def request(self, http: Http, events: Sequence[Outgoing]) -> HttpResponse:
        return http.request(
            "POST",
            "/batch",
            json_body={"api_key": self.key, "events": [event.body for event in events]},
            accept=(400, 413),
            repeatable=True,
        )

    def refused_fields(self, body: Mapping[str, Any], events: Sequence[Outgoing]) -> dict[int, str]:
        refused: dict[int, str] = {}
        for kind in _EVENT_ERRORS:
            listed = body.get(kind)
            for name, indexes in (listed if isinstance(listed, dict) else {}).items():
                refused |= {
                    index: str(name)
                    for index in indexes
                    if isinstance(index, int) and 0 <= index < len(events)
                }
        return refused
