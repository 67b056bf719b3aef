"""Writes a sample: the exports of every source in the layout of an inbox, and the known answers.

It handles the responses in chunks, so memory does not grow with their number.
"""

from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np

from ces_pipeline.demo import tickets as ticket_exports
from ces_pipeline.demo.known import FILE_NAME, SECONDS_A_DAY, KnownAnswers, Tally
from ces_pipeline.demo.responses import (
    SOURCES,
    Chunk,
    Kind,
    Link,
    Responses,
    SampleSource,
    chunks,
    draw,
)
from ces_pipeline.demo.surveys import TOOLS, connect
from ces_pipeline.demo.tickets import DELETED, SERVICENOW, ZENDESK
from ces_pipeline.errors import CesError

_LINK_METHODS = {link: link.name.lower() for link in Link if link != Link.NONE}


def write_sample(
    folder: Path, *, responses: int = 6000, days: int = 30, last_day: date = date(2026, 10, 31), seed: int = 7
) -> KnownAnswers:
    """Write the sample's exports to `<folder>/<source_id>/` and its answers to `<folder>/known_answers.json`.

    responses: total of the four survey sources; redelivered and revised rows are added to it. days: number of days up
    to `last_day` (included), which should be before the day on which the sample is landed. The same arguments always
    write the same bytes. Days are UTC days, as in the business zone of the starter registry.

    Raises CesError if the sample is too small, or if the folder of a source already contains files.
    """
    if days < 2 or responses < 10:
        raise CesError("a sample needs at least 2 days and 10 responses")
    for source_id in (*TOOLS, ZENDESK, SERVICENOW):
        if (folder / source_id).is_dir() and any((folder / source_id).iterdir()):
            raise CesError(
                f"{folder / source_id} already contains files. Write the sample to an empty folder"
            )
        (folder / source_id).mkdir(parents=True, exist_ok=True)
    first_day = last_day - timedelta(days=days - 1)
    with connect() as connection:
        writer = _Writer(folder, connection, first_day, days, seed)
        for source, count in zip(SOURCES, _shares(responses), strict=True):
            writer.source(source, count)
    known = writer.tally.known(responses=responses, seed=seed, first_day=first_day, last_day=last_day)
    known.write(folder / FILE_NAME)
    return known


def _shares(responses: int) -> list[int]:
    counts = [int(responses * source.share) for source in SOURCES]
    counts[0] += responses - sum(counts)
    return counts


class _Writer:
    """Writes the chunks and counts the planted rows."""

    def __init__(
        self, folder: Path, connection: duckdb.DuckDBPyConnection, first_day: date, days: int, seed: int
    ):
        self._folder = folder
        self._connection = connection
        self._midnight = int(datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC).timestamp())
        self._days = days
        self._first_export_days = days // 2
        self._first_day = first_day
        self._seed = seed
        self._ticket_files = {ZENDESK: 0, SERVICENOW: 0}
        self.tally = Tally(first_day + timedelta(days=days - 1))

    def source(self, source: SampleSource, responses: int) -> None:
        """Write all exports of a source, and of the tickets that its answers refer to."""
        with ExitStack() as stack:
            early, late = self._cumulative_exports(source, stack) if source.is_cumulative else (None, None)
            for chunk in chunks(source, responses, self._days, self._first_export_days):
                drawn = draw(
                    chunk,
                    first_day_seconds=self._midnight,
                    days=self._days,
                    first_export_days=self._first_export_days,
                    seed=self._seed,
                )
                if early and late:
                    early.write(self._rows(drawn.take(drawn.day < self._first_export_days)))
                    late.write(self._rows(_revised(drawn)))
                else:
                    tool = TOOLS[source.source_id]
                    path = self._path(source.source_id, tool.file_name.format(f"{chunk.number:04d}"))
                    tool.write(path, tool.lines(self._connection, drawn))
                self._count(drawn)
                self._tickets(chunk, drawn)

    def _cumulative_exports(self, source: SampleSource, stack: ExitStack) -> tuple[BinaryIO, BinaryIO]:
        """Open two exports and write their headers: one for the first days, one for all days."""
        tool = TOOLS[source.source_id]

        def opened(days: int) -> BinaryIO:
            newest = self._first_day + timedelta(days=days - 1)
            export = stack.enter_context(
                self._path(source.source_id, tool.file_name.format(newest)).open("wb")
            )
            export.write(tool.header.encode(tool.encoding))
            return export

        return opened(self._first_export_days), opened(self._days)

    def _path(self, source_id: str, name: str) -> Path:
        return self._folder / source_id / name

    def _rows(self, drawn: Responses) -> bytes:
        tool = TOOLS[drawn.source.source_id]
        return "".join(f"{line}\n" for line in tool.lines(self._connection, drawn)).encode(tool.encoding)

    def _count(self, drawn: Responses) -> None:
        """Count the chunk's rows, for a cumulative source in both exports."""
        source, accepted = drawn.source, drawn.accepted
        is_revised = drawn.of(Kind.REVISED, Kind.REVISED_NEXT_DAY)
        twice = drawn.of(Kind.REPEATED)
        if source.is_cumulative:
            twice |= (drawn.day < self._first_export_days) & ~is_revised
            old = drawn.take(is_revised)
            once = np.ones(len(old), np.int64)
            self.tally.rows("survey", source.source_id, old.recorded, {"landed": once, "superseded": once})
            drawn = _revised(drawn)
        seconds = np.where(drawn.has_day, drawn.recorded, np.int64(2**40))
        self.tally.rows(
            "survey",
            source.source_id,
            seconds,
            {
                "landed": 1 + twice,
                "redelivered": twice,
                "accepted": accepted,
                "rejected": ~accepted,
                "suspect": drawn.suspect,
            },
            drawn.reasons,
        )
        kept = drawn.take(accepted)
        self.tally.scores(source.survey_id, kept.ease_0_100(kept.score), kept.band(kept.score))
        for link, method in _LINK_METHODS.items():
            self.tally.links(method, int((kept.link == link).sum()))

    def _tickets(self, chunk: Chunk, drawn: Responses) -> None:
        tickets = ticket_exports.draw_tickets(
            drawn,
            last_second=self._midnight + self._days * SECONDS_A_DAY - 1,
            seed=[self._seed, chunk.source.number, chunk.number, 1],
        )
        if not len(tickets):
            return
        source_id = ticket_exports.ticket_source(drawn)
        self._ticket_files[source_id] += 1
        number = self._ticket_files[source_id]
        if source_id == ZENDESK:
            versions = ticket_exports.zendesk_versions(tickets)
            lines = ticket_exports.zendesk_lines(self._connection, versions)
            name, header = f"tickets_{number:04d}.jsonl", ""
        else:
            versions = ticket_exports.servicenow_versions(tickets)
            lines = ticket_exports.servicenow_lines(self._connection, versions)
            name, header = f"incidents_{number:04d}.csv", ticket_exports.SERVICENOW_HEADER
        text = header + "\n".join(lines) + "\n"
        self._path(source_id, name).write_text(text, encoding="utf-8")
        self.tally.rows(
            "tickets",
            source_id,
            versions.updated,
            {
                "landed": 1 + versions.repeated,
                "redelivered": versions.repeated,
                "superseded": versions.is_superseded,
                "accepted": ~versions.is_superseded,
                "rejected": np.zeros(len(versions.state), np.bool_),
            },
        )
        self.tally.tickets(source_id, unique=len(tickets), deleted=int((tickets.end == DELETED).sum()))


def _revised(drawn: Responses) -> Responses:
    """The responses as in a later export."""
    changed = drawn.of(Kind.REVISED, Kind.REVISED_NEXT_DAY)
    moved = np.where(drawn.kind == Kind.REVISED_NEXT_DAY, SECONDS_A_DAY, 0)
    now = drawn.take(np.ones(len(drawn), np.bool_))
    now.score = np.where(changed, drawn.new_score, drawn.score)
    for name in ("recorded", "submitted", "started"):
        setattr(now, name, getattr(drawn, name) + moved)
    return now
