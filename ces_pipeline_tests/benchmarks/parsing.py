"""Measures records per second from a vendor's pages to landed Parquet, and `json.loads` of the same bytes.

`python -m ces_pipeline_tests.benchmarks.parsing [--records 60000]`. Zendesk tickets are export pages: in
the simulated vendor's format (about 500 bytes each), and with all fields and side-loaded metrics (about 1,250 bytes).
Qualtrics answers are the zipped CSV of an export. The pages are in memory, so the network is not measured.
Exits 1 if a limit is exceeded.
"""

import argparse
import csv
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import is_json
from ces_pipeline.home import Home
from ces_pipeline.http.client import HttpResponse
from ces_pipeline.land import pull as pulling
from ces_pipeline.land.step import land_opened, open_file
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.vendors.zendesk.fake_server import ticket as vendor_ticket

RECORDS_A_SECOND = 50_000
_PAGE = 1_000
_FIRST = datetime(2026, 9, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_ZENDESK = """
- id: tickets
  kind: tickets
  reader: zendesk_json
  api: {connector: zendesk, base_url: "http://127.0.0.1:9", since: 2026-09-01}
"""
_SURVEYS = """
- {id: support, scale: ces2_agreement_1_7}
"""
_TRIES = 3
_QUALTRICS = """
- id: answers
  kind: survey
  reader: qualtrics_csv
  survey: support
  columns: {score: Q1, comment: Q2}
  api: {connector: qualtrics, base_url: "http://127.0.0.1:9", since: 2026-09-01, options: {survey: SV_1}}
"""


def rich_ticket(number: int) -> dict[str, Any]:
    """A ticket with all fields of the export."""
    at = _FIRST + timedelta(seconds=40 * number)
    updated = at + timedelta(hours=9)
    return {
        "id": 100_000 + number,
        "url": f"https://example.zendesk.com/api/v2/tickets/{100_000 + number}.json",
        "external_id": None,
        "via": {
            "channel": ("web", "email", "chat")[number % 3],
            "source": {"from": {}, "to": {}, "rel": None},
        },
        "created_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{updated:%Y-%m-%dT%H:%M:%SZ}",
        "generated_timestamp": int(updated.timestamp()),
        "type": ("question", "incident", "problem")[number % 3],
        "subject": f"Question {number}",
        "raw_subject": f"Question {number}",
        "description": "It took two calls until somebody knew what to do about the invoice.",
        "priority": ("low", "normal", "high")[number % 3],
        "status": "solved",
        "recipient": None,
        "requester_id": 9_000_000 + number % 5_000,
        "submitter_id": 9_000_000 + number % 5_000,
        "assignee_id": 8_000_000 + number % 40,
        "organization_id": None,
        "group_id": 70 + number % 4,
        "collaborator_ids": [],
        "has_incidents": False,
        "is_public": True,
        "tags": ["billing", "invoice"],
        "custom_fields": [{"id": 4711, "value": None}, {"id": 4712, "value": "eu"}],
        "fields": [{"id": 4711, "value": None}, {"id": 4712, "value": "eu"}],
        "satisfaction_rating": {"score": "offered"},
        "brand_id": 360,
    }


def zendesk_pages(
    records: int, ticket: Callable[[int], dict[str, Any]], *, with_metrics: bool
) -> list[bytes]:
    """The pages of the export, each with the users, groups and metrics of its tickets."""
    groups = [{"id": 70 + number, "name": f"Team {number}"} for number in range(4)]
    pages = []
    for start in range(0, records, _PAGE):
        tickets = [ticket(number) for number in range(start, min(start + _PAGE, records))]
        people = sorted({item["requester_id"] for item in tickets})
        page = {
            "tickets": tickets,
            "users": [{"id": person, "email": f"person{person}@example.org"} for person in people],
            "groups": groups,
            "metric_sets": [_metrics(item) for item in tickets] if with_metrics else [],
            "after_cursor": f"after-{start}",
            "end_of_stream": start + _PAGE >= records,
        }
        pages.append(json.dumps(page).encode())
    return pages


def _metrics(ticket: dict[str, Any]) -> dict[str, Any]:
    return {
        "ticket_id": ticket["id"],
        "reopens": ticket["id"] % 3,
        "replies": 2,
        "assignee_stations": 1 + ticket["id"] % 2,
        "group_stations": 1,
        "solved_at": ticket["updated_at"],
        "reply_time_in_minutes": {"calendar": 31, "business": 12},
        "full_resolution_time_in_minutes": {"calendar": 540, "business": 240},
    }


def qualtrics_zip(records: int) -> bytes:
    """A downloaded export: a zip file with a CSV that has three header rows."""
    names = [
        "StartDate",
        "EndDate",
        "Status",
        "Progress",
        "Duration (in seconds)",
        "Finished",
        "RecordedDate",
    ]
    names += ["ResponseId", "RecipientEmail", "UserLanguage", "Q1", "Q2"]
    ids = [json.dumps({"ImportId": name, "timeZone": "Z"}).replace('"', '""') for name in names]
    lines = [",".join(names), ",".join(names), ",".join(f'"{import_id}"' for import_id in ids)]
    for number in range(records):
        ended = _FIRST + timedelta(seconds=40 * number)
        started = ended - timedelta(seconds=30)
        at = f"{ended:%Y-%m-%d %H:%M:%S}"
        lines.append(
            f"{started:%Y-%m-%d %H:%M:%S},{at},IP Address,100,30,True,{at},R_{number:015d},"
            f'person{number % 5000}@example.org,EN,{1 + number % 7},"It was quick, thank you"'
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Support.csv", "\n".join(lines) + "\n")
    return packed.getvalue()


def unpacked(packed: bytes) -> bytes:
    """The only file of a zip file."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return archive.read(archive.namelist()[0])


class _Served:
    """Replaces the HTTP client: returns the pages in order, and checks their head as the client does."""

    def __init__(self, pages: list[bytes]):
        self._pages = iter(pages)

    def get(
        self, path: str, *_asked: Any, head: Callable[[bytes], Any] = is_json, **_how: Any
    ) -> HttpResponse:
        body = b'{"count": 0}' if path.endswith("/search") else next(self._pages)
        return HttpResponse(200, {}, body, is_json=True, head=head(body))

    def close(self) -> None:
        """There is nothing to close."""


def zendesk_seconds(home: Home, registry: Registry, pages: list[bytes]) -> float:
    """Seconds to pull the pages into an empty lake."""
    with mock.patch.object(pulling, "open_http", return_value=_Served(pages)):
        started = time.perf_counter()
        landed = pulling.pull(home, registry, registry.sources["tickets"], now=_NOW)
        seconds = time.perf_counter() - started
    assert not landed.failures, landed.failures
    assert landed.rows_landed == landed.records_pulled
    return seconds


def qualtrics_seconds(home: Home, registry: Registry, packed: bytes, records: int) -> float:
    """Seconds to unpack an export and land it in an empty lake."""
    source = registry.sources["answers"]
    started = time.perf_counter()
    opened = open_file(source, DeliveredFile.in_memory("export", unpacked(packed)))
    landed = land_opened(home, registry, source, opened, _NOW)
    seconds = time.perf_counter() - started
    assert landed is not None
    assert landed.rows_landed == records
    return seconds


def floor_seconds(pages: list[bytes]) -> float:
    """Seconds of `json.loads` alone over the same bytes."""
    started = time.perf_counter()
    for page in pages:
        json.loads(page)
    return time.perf_counter() - started


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Records per second from a served page to landed Parquet.")
    parser.add_argument("--records", type=int, default=60_000)
    records = parser.parse_args(arguments).records
    is_slow = False
    print(f"{'source':<15}{'records':>9}{'MB':>7}{'records/s':>12}{'json.loads/s':>14}")
    packed = qualtrics_zip(records)
    as_json = [json.dumps(row).encode() for row in csv.reader(io.StringIO(unpacked(packed).decode()))]
    served: dict[str, tuple[list[bytes], Callable[[Home, Registry], float]]] = {
        "qualtrics": (as_json, lambda home, registry: qualtrics_seconds(home, registry, packed, records))
    }
    for name, ticket, with_metrics in (
        ("zendesk", vendor_ticket, False),
        ("zendesk, rich", rich_ticket, True),
    ):
        pages = zendesk_pages(records, ticket, with_metrics=with_metrics)
        served[name] = (pages, partial(zendesk_seconds, pages=pages))
    for name, (texts, measure) in served.items():
        seconds = min(_in_new_home(measure) for _ in range(_TRIES))
        least = min(floor_seconds(texts) for _ in range(_TRIES))
        size = sum(map(len, texts)) / 1e6
        print(f"{name:<15}{records:>9,}{size:>7.0f}{records / seconds:>12,.0f}{records / least:>14,.0f}")
        is_slow = is_slow or records / seconds < RECORDS_A_SECOND
    print(f"limit {RECORDS_A_SECOND:,} records/s; best of {_TRIES}")
    return 1 if is_slow else 0


def _in_new_home(measure: Callable[[Home, Registry], float]) -> float:
    with tempfile.TemporaryDirectory(prefix="ces-parsing-") as folder:
        home = Home(Path(folder)).make()
        (home.registry / "sources.yaml").write_text(_ZENDESK + _QUALTRICS, encoding="utf-8")
        (home.registry / "surveys.yaml").write_text(_SURVEYS, encoding="utf-8")
        return measure(home, load_registry(home.registry))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
