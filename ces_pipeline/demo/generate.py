"""Write a sample: every feed's exports in inbox layout, and the answers that a pipeline must find in them.

Works through the responses in chunks, so that memory does not grow with their number.
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
    FEEDS,
    Chunk,
    Feed,
    Kind,
    Link,
    Responses,
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

    responses: over the four survey feeds; redelivered and revised contents come on top. days: up to and with
    `last_day`, which should lie before the day on which the sample is landed. The same arguments always write
    the same bytes. Days are those of UTC, the business zone of the starter registry.

    Raises CesError for too small a sample, and where a feed's folder already holds files.
    """
    if days < 2 or responses < 10:
        raise CesError("a sample needs at least 2 days and 10 responses")
    sources = [*TOOLS, ZENDESK, SERVICENOW]
    for source_id in sources:
        if (folder / source_id).is_dir() and any((folder / source_id).iterdir()):
            raise CesError(f"{folder / source_id} already holds files: write the sample to an empty folder")
        (folder / source_id).mkdir(parents=True, exist_ok=True)
    first_day = last_day - timedelta(days=days - 1)
    with connect() as connection:
        writer = _Writer(folder, connection, first_day, days, seed)
        for feed, count in zip(FEEDS, _shares(responses), strict=True):
            writer.feed(feed, count)
    known = writer.tally.known(responses=responses, seed=seed, first_day=first_day, last_day=last_day)
    known.write(folder / FILE_NAME)
    return known


def _shares(responses: int) -> list[int]:
    counts = [int(responses * feed.share) for feed in FEEDS]
    counts[0] += responses - sum(counts)
    return counts


class _Writer:
    """Writes chunk after chunk and counts what it plants."""

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

    def feed(self, feed: Feed, responses: int) -> None:
        """Every export of a feed, and of the tickets that its answers refer to."""
        with ExitStack() as stack:
            early, late = self._cumulative_exports(feed, stack) if feed.is_cumulative else (None, None)
            for chunk in chunks(feed, responses, self._days, self._first_export_days):
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
                    tool = TOOLS[feed.source_id]
                    path = self._path(feed.source_id, tool.file_name.format(f"{chunk.number:04d}"))
                    tool.write(path, tool.lines(self._connection, drawn))
                self._count(drawn)
                self._tickets(chunk, drawn)

    def _cumulative_exports(self, feed: Feed, stack: ExitStack) -> tuple[BinaryIO, BinaryIO]:
        """Two exports with their headers: of the first days, and of all days."""
        tool = TOOLS[feed.source_id]

        def opened(days: int) -> BinaryIO:
            newest = self._first_day + timedelta(days=days - 1)
            export = stack.enter_context(self._path(feed.source_id, tool.file_name.format(newest)).open("wb"))
            export.write(tool.header.encode(tool.encoding))
            return export

        return opened(self._first_export_days), opened(self._days)

    def _path(self, source_id: str, name: str) -> Path:
        return self._folder / source_id / name

    def _rows(self, drawn: Responses) -> bytes:
        tool = TOOLS[drawn.feed.source_id]
        return "".join(f"{line}\n" for line in tool.lines(self._connection, drawn)).encode(tool.encoding)

    def _count(self, drawn: Responses) -> None:
        """Count the chunk's rows, of a cumulative feed in both of its exports."""
        feed, accepted = drawn.feed, drawn.accepted
        is_revised = drawn.of(Kind.REVISED, Kind.REVISED_NEXT_DAY)
        twice = drawn.of(Kind.REPEATED)
        if feed.is_cumulative:
            twice |= (drawn.day < self._first_export_days) & ~is_revised
            old = drawn.take(is_revised)
            one = np.ones(len(old), np.int64)
            self.tally.rows("survey", feed.source_id, old.recorded, {"landed": one, "superseded": one})
            drawn = _revised(drawn)
        seconds = np.where(drawn.has_day, drawn.recorded, np.int64(2**40))
        self.tally.rows(
            "survey",
            feed.source_id,
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
        self.tally.scores(feed.survey_id, kept.ease_0_100(kept.score), kept.band(kept.score))
        for link, method in _LINK_METHODS.items():
            self.tally.links(method, int((kept.link == link).sum()))

    def _tickets(self, chunk: Chunk, drawn: Responses) -> None:
        tickets = ticket_exports.draw_tickets(
            drawn,
            last_second=self._midnight + self._days * SECONDS_A_DAY - 1,
            seed=[self._seed, chunk.feed.number, chunk.number, 1],
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
    """The responses as a later export shows them."""
    changed = drawn.of(Kind.REVISED, Kind.REVISED_NEXT_DAY)
    moved = np.where(drawn.kind == Kind.REVISED_NEXT_DAY, SECONDS_A_DAY, 0)
    now = drawn.take(np.ones(len(drawn), np.bool_))
    now.score = np.where(changed, drawn.new_score, drawn.score)
    for name in ("recorded", "submitted", "started"):
        setattr(now, name, getattr(drawn, name) + moved)
    return now
