"""The logs of the watch in the lake: events of incidents, messages, and how the last publish ended."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ces_pipeline.home import Home
from ces_pipeline.schemas.incidents import ALERT_DELIVERIES, INCIDENT_EVENTS
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows, rows_of
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

_PUBLISHED = "watch/published.json"
_LAST_RUN = "watch/last_run.json"


@dataclass(frozen=True)
class LastRun:
    """The last publish, with which a run ends. at: its end. is_published: False if it failed or was refused."""

    at: datetime
    seconds: float
    is_published: bool


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """The lock of what reads the log and adds to it: two at once would both open the same incident."""
    with exclusive(home.lake / "watch" / ".lock"):
        yield


def read_events(lake: Lake) -> list[dict[str, Any]]:
    """The events of all incidents, as rows of `audit.incident_events`."""
    return rows_of(lake, INCIDENT_EVENTS, ALL_SOURCES)


def add_events(lake: Lake, events: Sequence[dict[str, Any]]) -> None:
    """Add events to the log."""
    _add(lake, INCIDENT_EVENTS, events, "logged_at")


def read_deliveries(lake: Lake) -> list[dict[str, Any]]:
    """All messages, as rows of `audit.alert_deliveries`."""
    return rows_of(lake, ALERT_DELIVERIES, ALL_SOURCES)


def write_deliveries(lake: Lake, rows: Sequence[dict[str, Any]]) -> None:
    """Add messages to the ledger, in place of rows on the same ones."""
    _add(lake, ALERT_DELIVERIES, rows, "created_at")


def events_table(events: Iterable[dict[str, Any]]) -> pa.Table:
    """Events as rows of `audit.incident_events`."""
    return pa.Table.from_pylist(list(events), schema=INCIDENT_EVENTS.arrow)


def _add(lake: Lake, table: Any, rows: Sequence[dict[str, Any]], month_of: str) -> None:
    months = defaultdict(list)
    for row in rows:
        months[f"{row[month_of]:%Y-%m}"].append(row)
    for found in months.values():
        add_rows(lake, table, ALL_SOURCES, found[0][month_of], found)


def last_published(lake: Lake) -> datetime | None:
    """When a publish last ended well, also one that found nothing new; None: never, or not known."""
    try:
        return datetime.fromisoformat(json.loads(lake.read_bytes(_PUBLISHED))["at"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_published(lake: Lake, now: datetime | None = None) -> None:
    """Note that a publish ended well. Raises HomeError if the lake cannot be written."""
    lake.write_bytes(_PUBLISHED, json.dumps({"at": (now or datetime.now(UTC)).isoformat()}).encode())


def last_run(lake: Lake) -> LastRun | None:
    """How the last publish ended; None: there was none, or it is not known."""
    try:
        noted = json.loads(lake.read_bytes(_LAST_RUN))
        return LastRun(
            datetime.fromisoformat(noted["at"]), float(noted["seconds"]), bool(noted["is_published"])
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_run(lake: Lake, run: LastRun) -> None:
    """Note how a publish ended. Raises HomeError if the lake cannot be written."""
    lake.write_bytes(_LAST_RUN, json.dumps({**vars(run), "at": run.at.isoformat()}).encode())
