"""Probes: opens the published file as an analyst does, asks five questions of the cookbook, and logs the times.

The log is `audit.probes`, from which `mart.program_metrics` measures how often the file could be read, and its age.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Timer
from typing import Any
from uuid import uuid4

import duckdb

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.reports.answers import NothingPublishedError, published
from ces_pipeline.schemas.audit import PROBES
from ces_pipeline.storage.journal import ALL_SOURCES, add_rows
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.sql_files import SqlFile, sql_files

QUESTIONS = ("effort_yesterday", "effort_by_week", "response_rates", "hardest_tickets", "why_rejected")
"""One of each part of the file: answers, weeks, the funnel, tickets, the quarantine."""


@dataclass(frozen=True)
class Probed:
    """The answer to one question. failure: what went wrong; None if it was answered in time."""

    question: str
    seconds: float
    newest_response_at: datetime | None
    failure: str | None


def probe(home: Home, limit_seconds: float, now: datetime | None = None) -> list[Probed]:
    """Ask each question on a connection of its own, and add the results to the log of the lake.

    limit_seconds: a question that takes longer is stopped, and has failed. now: UTC, by default the present.
    """
    at = now or datetime.now(UTC)
    queries = {query.name: query for query in sql_files("queries")}
    found = [_ask(home, queries[name], limit_seconds) for name in QUESTIONS]
    probe_id = f"{at:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
    add_rows(
        Lake(home.lake), PROBES, ALL_SOURCES, at, [_row(probe_id, at, limit_seconds, one) for one in found]
    )
    return found


def _ask(home: Home, query: SqlFile, limit_seconds: float) -> Probed:
    newest: datetime | None = None
    failure: str | None = None
    began = time.monotonic()
    try:
        with published(home) as connection, _stopped_after(connection, limit_seconds):
            connection.sql(query.query).to_arrow_table()
            [(newest,)] = connection.execute("SELECT max(recorded_at) FROM core.responses").fetchall()
    except NothingPublishedError:
        failure = "there is no published file"
    except (CesError, duckdb.Error) as problem:
        failure = f"the file cannot be read ({type(problem.__cause__ or problem).__name__})"
    seconds = time.monotonic() - began
    if seconds >= limit_seconds:
        failure = f"no answer within {limit_seconds:g} s"
    return Probed(query.name, seconds, newest, failure)


@contextmanager
def _stopped_after(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    timer = Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _row(probe_id: str, at: datetime, limit_seconds: float, probed: Probed) -> dict[str, Any]:
    return {
        "probe_id": probe_id,
        "question": probed.question,
        "seconds": round(probed.seconds, 4),
        "limit_seconds": limit_seconds,
        "is_in_time": probed.failure is None,
        "failure": probed.failure,
        "newest_response_at": probed.newest_response_at,
        "probed_at": at,
    }
