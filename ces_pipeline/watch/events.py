"""Events of a run that a webhook channel sends besides messages on incidents, as flat JSON for tools such as Zapier.

`published`: the file has other figures. A publish that only adds the log of alerts to it is no event, so that an event
never causes the next one. `report_ready`: the report of another week, month or quarter has been written.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from ces_pipeline.errors import CesError
from ces_pipeline.home import REPORT_PAGE, Home
from ces_pipeline.publish.watcher import WATCHED, followers
from ces_pipeline.registry.alerts import Channel
from ces_pipeline.schemas.vocabularies import EVENT_KINDS
from ces_pipeline.storage.duck import open_published
from ces_pipeline.watch.channels import Outgoing

PUBLISHED, REPORT_READY = EVENT_KINDS
_OF_ITSELF = (*WATCHED, "audit.check_results", "audit.probes", "audit.publication")
"""Tables that change with every publish or alert, although no figure of customers does."""


@dataclass(frozen=True)
class Event:
    """Something that happened. event_id: the same whenever the same is said. facts: further keys of its JSON."""

    event_id: str
    kind: str
    at: datetime
    title: str
    facts: Mapping[str, Any]


def published_event(home: Home) -> Event | None:
    """The event of the figures that are published now; None if there are none, or the file cannot be read."""
    if not home.published.is_file():
        return None
    try:
        with open_published(home.published) as connection:
            return _of_file(connection)
    except (CesError, duckdb.Error):
        # The next run rebuilds the file.
        return None


def _of_file(connection: duckdb.DuckDBPyConnection) -> Event:
    later = {file.table for file in followers(_OF_ITSELF)}
    tables = connection.execute(
        "SELECT table_name, inputs FROM audit.published_tables ORDER BY ALL"
    ).fetchall()
    [(run_id, at)] = connection.execute("SELECT run_id, published_at FROM audit.publication").fetchall()
    [(newest, responses)] = connection.execute("SELECT max(day), count(*) FROM core.responses").fetchall()
    digest = hashlib.sha256(json.dumps([row for row in tables if row[0] not in later]).encode()).hexdigest()
    day: date | None = newest
    facts = {"run_id": run_id, "newest_day": day.isoformat() if day else None, "responses": responses}
    until = f", with answers until {day}" if day else ""
    return Event(f"evt_{digest[:24]}", PUBLISHED, at, f"new figures are published{until}", facts)


def report_event(home: Home) -> Event | None:
    """The event of the newest report page of all surveys; None if there is none.

    A page that is written again is the same event.
    """
    pages = [
        (found[2], found[1], path)
        for path in home.reports.glob("*.html")
        if (found := REPORT_PAGE.fullmatch(path.name)) and not found[3]
    ]
    if not pages:
        return None
    first_day, period, path = max(pages)
    try:
        written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        # It was deleted since.
        return None
    digest = hashlib.sha256(path.name.encode()).hexdigest()
    facts = {"period": period, "first_day": first_day, "file": f"{home.reports.name}/{path.name}"}
    title = f"the report of the {period} from {first_day} is ready"
    return Event(f"evt_{digest[:24]}", REPORT_READY, written_at, title, facts)


def message_id(event: Event, channel: Channel) -> str:
    """The id of the message by which a channel gets an event."""
    digest = hashlib.sha256("\0".join([channel.id, event.kind, event.event_id]).encode()).hexdigest()
    return f"msg_{digest[:24]}"


def outgoing(event: Event, channel: Channel) -> Outgoing:
    """The event as one flat object: its id, kind and time, what happened, and the links of the channel."""
    data = {
        "id": event.event_id,
        "event": event.kind,
        "time": event.at.isoformat().replace("+00:00", "Z"),
        "title": event.title,
        **event.facts,
        **{f"link_{name}": link for name, link in channel.links.items()},
    }
    return Outgoing(message_id(event, channel), event.title, event.title, data)
