"""Where a response or a ticket came from, and why it counts or does not: its landed rows, verdicts, link and days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow.fs as pa_fs

from ces_pipeline.clean.explain import ExplainedRow, RuleVerdict, explain_response
from ces_pipeline.clean.inputs import Planner
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.paths import raw_file
from ces_pipeline.registry.registry import Registry
from ces_pipeline.reports.answers import published
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.scratch import scratch

_KINDS = ("survey", "tickets")
_SHOWN = {
    "survey": (
        "survey",
        "score",
        "csat",
        "nps",
        "status",
        "finished",
        "progress",
        "duration_seconds",
        "ticket_id",
    ),
    "tickets": ("status", "priority", "category", "channel", "is_deleted"),
}
_TIMES = {
    "survey": ("started_at", "submitted_at", "recorded_at", "modified_at"),
    "tickets": ("created_at", "first_reply_at", "solved_at", "updated_at"),
}
"""Landed columns that are shown: none is of a person."""


class UnknownIdError(CesError):
    """No landed row has that id."""


@dataclass(frozen=True)
class LandedRow:
    """One landed row: where it came from, and what became of it.

    landed: the values as landed, without those of people. outcome: `newest`, `superseded` or `landed_again`; None:
    not known. revision: 1 for the first content of the id.
    """

    day: date
    delivery_id: str
    file_name: str
    row_number: int
    received_at: datetime
    landed: dict[str, str]
    outcome: str | None = None
    revision: int | None = None


@dataclass(frozen=True)
class Stored:
    """What the cleaned tables hold. state: `accepted` or `rejected`. reasons: of the rejection, or accepted flags."""

    state: str
    day: date
    table: str
    reasons: tuple[str, ...]
    rule_version: str | None


@dataclass(frozen=True)
class Link:
    """A ticket of a response, or a response of a ticket."""

    id: str
    source_id: str
    method: str
    confidence: float | None


@dataclass(frozen=True)
class Why:
    """What is known of one id in one source.

    rows: its landed rows by day. stored: what the cleaned tables hold. verdicts: of every rule on the newest row.
    links: None if the published file does not say. notes: what could not be read, or is not up to date.
    """

    kind: str
    source_id: str
    id: str
    rows: tuple[LandedRow, ...]
    stored: tuple[Stored, ...]
    survey_id: str | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    links: tuple[Link, ...] | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def days(self) -> list[date]:
        """The days that hold a row of it."""
        return sorted({row.day for row in self.rows} | {stored.day for stored in self.stored})


def why(home: Home, registry: Registry, wanted: str) -> list[Why]:
    """What is known of a response id or a ticket id, one entry per source that has it.

    Raises UnknownIdError if no landed row has the id, CesError if the ledger cannot be read.
    """
    lake = Lake(home.lake)
    ledger = Ledger.read(lake)
    found = [entry for kind in _KINDS for entry in _of_kind(home, lake, registry, ledger, kind, wanted)]
    if not found:
        sources = ", ".join(source.id for kind in _KINDS for source in registry.sources_of(kind)) or "none"
        raise UnknownIdError(
            f"no landed row has the response or ticket id {wanted!r} (sources: {sources}). Ids are compared letter by "
            "letter; `ces deliveries` shows what has landed"
        )
    return found


def _of_kind(
    home: Home, lake: Lake, registry: Registry, ledger: Ledger, kind: str, wanted: str
) -> Iterator[Why]:
    deliveries = [delivery for delivery in ledger.deliveries if delivery.kind == kind]
    rows, lost = _landed_rows(lake, kind, deliveries, wanted)
    waiting = Planner(lake, registry, kind).waiting_days() if rows else {}
    for source_id in sorted({source for source, _ in rows}):
        own = sorted(
            (row for source, row in rows if source == source_id),
            key=lambda row: (row.day, row.received_at, row.row_number),
        )
        notes = [f"{path} cannot be read: `ces doctor` says what to do" for path in lost]
        days = sorted({row.day for row in own})
        notes += [
            f"day {day} waits to be cleaned ({waiting[day]}): `ces run`" for day in days if day in waiting
        ]
        explained: list[ExplainedRow] = []
        if kind == "survey":
            for day in days:
                try:
                    explained += [
                        found
                        for found in explain_response(lake, registry, day, wanted)
                        if found.source_id == source_id
                    ]
                except UNREADABLE as problem:
                    notes.append(
                        f"day {day} cannot be judged again ({type(problem).__name__}): see `ces doctor`"
                    )
        newest = next((found for found in explained if found.verdicts), None)
        links, note = _links(home, kind, source_id, wanted)
        yield Why(
            kind=kind,
            source_id=source_id,
            id=wanted,
            rows=tuple(_with_outcome(row, explained) for row in own),
            stored=tuple(_stored(lake, kind, source_id, wanted)),
            survey_id=newest.survey_id if newest else None,
            verdicts=newest.verdicts if newest else (),
            links=links,
            notes=(*notes, *([note] if note else [])),
        )


def _landed_rows(
    lake: Lake, kind: str, deliveries: Sequence[Delivery], wanted: str
) -> tuple[list[tuple[str, LandedRow]], list[str]]:
    """(source, row) of every landed row with the id, and the raw files that cannot be read."""
    files = [
        (raw_file(delivery.source_id, delivery.delivery_id, day), day, delivery)
        for delivery in deliveries
        for day, (landed, _) in sorted(delivery.days.items())
        if landed
    ]
    there = {info.path for info in lake.list("raw", recursive=True) if info.type == pa_fs.FileType.File}
    lost = [path for path, _, _ in files if path not in there]
    files = [file for file in files if file[0] in there]
    found = []
    for path, day, delivery in _with_id(lake, kind, files, wanted, lost):
        for row in path:
            found.append(
                (
                    delivery.source_id,
                    LandedRow(
                        day=day,
                        delivery_id=delivery.delivery_id,
                        file_name=delivery.file_name,
                        row_number=row.pop("row_number"),
                        received_at=delivery.received_at,
                        landed={name: str(value) for name, value in row.items() if value is not None},
                    ),
                )
            )
    return found, lost


def _with_id(
    lake: Lake, kind: str, files: Sequence[tuple[str, date, Delivery]], wanted: str, lost: list[str]
) -> Iterator[tuple[list[dict[str, Any]], date, Delivery]]:
    """The rows with the id, by file. All files in one scan; if one is damaged, each on its own."""
    if not files:
        return
    try:
        by_place = _scan(lake, kind, [path for path, _, _ in files], wanted)
    except UNREADABLE:
        by_place = {}
        for place, (path, _, _) in enumerate(files):
            try:
                for rows in _scan(lake, kind, [path], wanted).values():
                    by_place[place] = rows
            except UNREADABLE:
                lost.append(path)
    for place, rows in sorted(by_place.items()):
        yield rows, files[place][1], files[place][2]


def _scan(lake: Lake, kind: str, paths: Sequence[str], wanted: str) -> dict[int, list[dict[str, Any]]]:
    with scratch() as connection:
        scan = lake.scan(connection, paths, "landed_rows")
        names = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
        shown = [name for name in _SHOWN[kind] if name in names]
        times = [
            f"strftime({name}, '%Y-%m-%d %H:%M:%S UTC') AS {name}" for name in _TIMES[kind] if name in names
        ]
        rows = (
            connection.sql(
                f"SELECT place, row_number, {', '.join([*shown, *times])} FROM {scan} "
                f"WHERE {KINDS[kind].own_id} = $wanted ORDER BY place, row_number",
                params={"wanted": wanted},
            )
            .to_arrow_table()
            .to_pylist()
        )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop("place"), []).append(row)
    return found


def _with_outcome(row: LandedRow, explained: Sequence[ExplainedRow]) -> LandedRow:
    for found in explained:
        if (found.delivery_id, found.row_number, found.day) == (row.delivery_id, row.row_number, row.day):
            return LandedRow(**{**vars(row), "outcome": found.outcome, "revision": found.revision})
    return row


def _stored(lake: Lake, kind: str, source_id: str, wanted: str) -> Iterator[Stored]:
    """The rows of the cleaned tables with the id."""
    for table in KINDS[kind].tables:
        paths = [lake.day_file(table, day) for day in lake.days(table)]
        paths = [path for path in paths if lake.exists(path)]
        if not paths:
            continue
        is_accepted = table == KINDS[kind].accepted
        with scratch() as connection:
            scan = lake.scan(connection, paths, "stored_rows")
            names = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
            reasons = (
                "flags" if is_accepted and "flags" in names else "reasons" if not is_accepted else "NULL"
            )
            version = "NULL" if is_accepted else "rule_version"
            try:
                rows = connection.execute(
                    f"SELECT day, {reasons}, {version} FROM {scan} "
                    f"WHERE source_id = $source AND {KINDS[kind].own_id} = $wanted ORDER BY day",
                    {"source": source_id, "wanted": wanted},
                ).fetchall()
            except UNREADABLE:
                # A damaged day file: `ces doctor` names it, and the next run cleans its day again.
                continue
        for day, listed, rule_version in rows:
            yield Stored(
                "accepted" if is_accepted else "rejected", day, table, tuple(listed or ()), rule_version
            )


def _links(home: Home, kind: str, source_id: str, wanted: str) -> tuple[tuple[Link, ...] | None, str | None]:
    """The tickets of a response, or the responses of a ticket, and a note if the published file does not say."""
    of_response = (
        "SELECT tickets.ticket_id, tickets.source_id, links.method, links.confidence "
        "FROM core.response_tickets AS links JOIN core.responses AS responses USING (response_key) "
        "LEFT JOIN core.tickets AS tickets USING (ticket_key) "
        "WHERE responses.source_id = $source AND responses.response_id = $wanted ORDER BY ALL"
    )
    of_ticket = (
        "SELECT responses.response_id, responses.source_id, links.method, links.confidence "
        "FROM core.tickets AS tickets JOIN core.response_tickets AS links USING (ticket_key) "
        "JOIN core.responses AS responses USING (response_key) "
        "WHERE tickets.source_id = $source AND tickets.ticket_id = $wanted ORDER BY ALL"
    )
    try:
        with published(home) as connection:
            rows = connection.execute(
                of_response if kind == "survey" else of_ticket, {"source": source_id, "wanted": wanted}
            ).fetchall()
    except CesError as problem:
        return None, f"links are not known: {problem}"
    return tuple(Link(row[0] or "no ticket", row[1] or "-", row[2], row[3]) for row in rows), None
