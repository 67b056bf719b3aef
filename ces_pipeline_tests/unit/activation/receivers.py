"""Fake import endpoints of Mixpanel and Amplitude over loopback: limits, partial success, recognised ids."""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

USER, SECRET, KEY = "service.account", "mixpanel-secret-canary", "amplitude-key-canary"
_PLACEHOLDERS = ("", "null", "anonymous", "undefined")
_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
Refuses = Callable[[dict[str, Any]], str | None]
"""An event's properties -> the field that the receiver refuses; None if it accepts all."""


def takes_all(_properties: dict[str, Any]) -> str | None:
    return None


class FakeMixpanel(FakeVendor):
    """One project. stored: its events, by the four fields that identify an event; the latest wins."""

    def __init__(self, refuses: Refuses = takes_all, most_bytes: int = 2_000_000, **more: Any):
        super().__init__(**more)
        self.refuses = refuses
        self.most_bytes = most_bytes
        self.stored: dict[tuple[str, str, int, str], dict[str, Any]] = {}
        self.sizes: list[tuple[int, int]] = []

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.basic != (USER, SECRET):
            return FakeResponse(401, {"code": 401, "error": "Unauthorized", "status": "Error"})
        if asked.path != "/import" or asked.query != {"strict": "1", "project_id": "4711"}:
            return FakeResponse(400, {"code": 400, "error": "invalid project", "status": "Bad Request"})
        assert asked.headers["content-encoding"] == "gzip"
        raw = gzip.decompress(asked.body)
        events = json.loads(raw)
        self.sizes.append((len(events), len(raw)))
        if len(raw) > self.most_bytes or len(events) > 2000:
            return FakeResponse(
                413, {"code": 413, "error": "request too large", "status": "Request Entity Too Large"}
            )
        failed = []
        for index, event in enumerate(events):
            properties = event["properties"]
            insert_id = properties["$insert_id"]
            wrong = self._wrong(properties) or self.refuses(properties)
            if wrong:
                message = f"'{wrong}' is invalid: {properties.get(wrong.removeprefix('properties.'))}"
                failed.append({"index": index, "insert_id": insert_id, "field": wrong, "message": message})
            else:
                key = (event["event"], properties["distinct_id"], properties["time"], insert_id)
                self.stored[key] = properties
        stored = len(events) - len(failed)
        if failed:
            error = {"error": "some data points in the request failed validation", "status": "Bad Request"}
            return FakeResponse(
                400, {"code": 400, "failed_records": failed, "num_records_imported": stored, **error}
            )
        return FakeResponse(200, {"code": 200, "num_records_imported": stored, "status": "OK"})

    def _wrong(self, properties: dict[str, Any]) -> str | None:
        if not _ID.fullmatch(properties["$insert_id"]):
            return "properties.$insert_id"
        if properties["distinct_id"] in _PLACEHOLDERS:
            return "properties.distinct_id"
        if not 31_536_000_000 < properties["time"] < (self.now_s + 3600) * 1000:
            return "properties.time"
        return None


@dataclass
class _Seen:
    at: float
    event: dict[str, Any] = field(repr=False)


class FakeAmplitude(FakeVendor):
    """One project. stored: every event that it counts. It recognises an id for seven days."""

    def __init__(self, refuses: Refuses = takes_all, most_bytes: int = 20_000_000, **more: Any):
        super().__init__(**more)
        self.refuses = refuses
        self.most_bytes = most_bytes
        self.stored: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self._seen: dict[tuple[str, str], _Seen] = {}

    def answer(self, asked: FakeRequest) -> FakeResponse:
        sent = asked.json
        if sent["api_key"] != KEY:
            return FakeResponse(400, {"code": 400, "error": f"Invalid API key: {sent['api_key']}"})
        events = sent["events"]
        self.sizes.append(len(events))
        if len(events) > 2000 or len(asked.body) > self.most_bytes:
            return FakeResponse(413, {"code": 413, "error": "Payload too large"})
        wrong: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            if len(event["user_id"]) < 5:
                wrong.setdefault("user_id", []).append(index)
            elif name := self.refuses(event["event_properties"]):
                wrong.setdefault(name, []).append(index)
        if wrong:
            error = {"error": "Request missing required field", "missing_field": None}
            return FakeResponse(400, {"code": 400, **error, "events_with_invalid_fields": wrong})
        for event in events:
            key = (event["user_id"], event["insert_id"])
            seen = self._seen.get(key)
            if seen is None or self.now_s - seen.at > timedelta(days=7).total_seconds():
                self._seen[key] = _Seen(self.now_s, event)
                self.stored.append(event)
        return FakeResponse(
            200, {"code": 200, "events_ingested": len(events), "payload_size_bytes": len(asked.body)}
        )
