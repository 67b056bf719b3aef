"""Writes the score of a ticket's answer to the ticket, for feeds whose entry has `write_back`.

Only answers that name their ticket count, of several the newest. A ticket's field is read before it is written, and
left alone where it says so already: whatever happened before, there is one effective update.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ces_pipeline.activation.errors import told
from ces_pipeline.activation.ledger import SENT, Item, Ledger
from ces_pipeline.home import Home
from ces_pipeline.http.client import Http, RetryPolicy
from ces_pipeline.http.clock import Clock, SystemClock
from ces_pipeline.http.errors import PullError, RefusedError
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.pull import open_http
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.vendors.catalog import WRITE_BACKS
from ces_pipeline.vendors.contract import Value

_NOTED_AT_ONCE = 50
"""Tickets per note in the ledger. A kill between two notes costs reading that many tickets again."""
_MOST_REFUSED = 20
"""Tickets refused in a row, and none taken, until it is plain that all will be."""
_LEFT = "left"
"""State of a ticket that is gone or closed: it is not asked for again, unless its answer changes."""
_SCORES = """
    SELECT tickets.ticket_id, tickets.ticket_key,
        arg_max(response_key, (recorded_at, response_key)) AS response_key,
        arg_max({value}, (recorded_at, response_key)) AS value
    FROM core.response_tickets
    JOIN core.tickets USING (ticket_key)
    JOIN core.responses USING (response_key)
    WHERE tickets.source_id = $1 AND method IN ('ticket_id', 'external_id') AND NOT tickets.is_deleted
        AND {value} IS NOT NULL
    GROUP BY ALL
    ORDER BY tickets.ticket_id
"""


@dataclass
class Report:
    """How a write-back went, in tickets.

    written: changed (in a dry run: to be changed, as far as the ledger knows). before: by earlier runs. held: that said
    so already. not_there: gone, or closed for changes. refused: ids of tickets that the system did not let be changed.
    """

    written: int = 0
    before: int = 0
    held: int = 0
    not_there: int = 0
    refused: list[str] = field(default_factory=list)


def write_scores(
    home: Home,
    source: Source,
    *,
    is_dry: bool,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
    retry_policy: RetryPolicy | None = None,
) -> Report:
    """Write what one feed's tickets do not say yet; with `is_dry` only count it, without a request or a note.

    Raises CesError where there is no published file, and ExportError where the system cannot be reached or refuses the
    credentials; what was written before is noted.
    """
    clock = clock or SystemClock()
    name = f"scores/{source.id}"
    with exclusive(home.root / "exports" / name / ".lock"):
        run = _Run(source, Ledger(Lake(home.root), name), clock)
        run.plan(home)
        if is_dry:
            run.report.written = len(run.planned)
            return run.report
        told_environment = os.environ if environment is None else environment
        log = RequestLog(source.id, "write-back")
        with closing(
            open_http(home, source, log, clock=clock, environment=told_environment, retry_policy=retry_policy)
        ) as http:
            try:
                run.write(http)
            except PullError as problem:
                raise told(source.id, "a ticket's field", problem) from None
            finally:
                run.note()
    return run.report


@dataclass(frozen=True)
class _Score:
    ticket_id: str
    item: Item
    value: Value


@dataclass
class _Run:
    source: Source
    ledger: Ledger
    clock: Clock
    report: Report = field(default_factory=Report)
    planned: list[_Score] = field(default_factory=list)
    _done: dict[str, list[Item]] = field(default_factory=lambda: {SENT: [], _LEFT: []})

    def plan(self, home: Home) -> None:
        assert self.source.write_back is not None
        written = self.ledger.newest()
        known = dict(zip(written["item"].to_pylist(), written["content"].to_pylist(), strict=True))
        for score in self._scores(home):
            if known.get(score.item.item) == score.item.content:
                self.report.before += 1
            else:
                self.planned.append(score)

    def _scores(self, home: Home) -> Iterator[_Score]:
        assert self.source.write_back is not None
        kind = self.source.write_back.value
        with open_published(home.published) as connection:
            rows = connection.execute(_SCORES.format(value=kind), [self.source.id]).fetchall()
        for ticket_id, ticket_key, response_key, found in rows:
            value = round(found, 2) if isinstance(found, float) else found
            value = int(value) if isinstance(value, float) and value.is_integer() else value
            # One answer's value in one field of a ticket is written once.
            key = f"{response_key}|{self.source.write_back.field}|{value}"
            content = int(hashlib.sha256(key.encode()).hexdigest()[:16], 16)
            yield _Score(ticket_id, Item(ticket_key, content), value)

    def write(self, http: Http) -> None:
        for score in self.planned:
            try:
                self._write_one(http, score)
            except RefusedError as problem:
                self.report.refused.append(score.ticket_id)
                is_first = not (self.report.written or self.report.held)
                if problem.status == 401 or (is_first and len(self.report.refused) >= _MOST_REFUSED):
                    raise
            if sum(map(len, self._done.values())) >= _NOTED_AT_ONCE:
                self.note()

    def _write_one(self, http: Http, score: _Score) -> None:
        api, target = self.source.api, self.source.write_back
        assert api is not None
        assert target is not None
        write_back = WRITE_BACKS[api.connector]
        held = write_back.read(http, api, score.ticket_id, target.field)
        if held is None:
            self.report.not_there += 1
            self._done[_LEFT].append(score.item)
            return
        if _is_equal(held.value, score.value):
            self.report.held += 1
        else:
            write_back.write(http, api, held, target.field, score.value)
            self.report.written += 1
        self._done[SENT].append(score.item)

    def note(self) -> None:
        """Note what became of tickets since the last note."""
        for state, done in self._done.items():
            if done:
                self.ledger.end(done, [], self.clock.now(), state)
                done.clear()


def _is_equal(held: Any, value: Value) -> bool:
    """Whether a field holds the value already: systems return numbers as numbers or as text."""
    as_number: Callable[[Any], float] = float
    try:
        return as_number(held) == as_number(value)
    except (TypeError, ValueError):
        return str(held) == str(value)
