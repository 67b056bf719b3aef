"""Writes the score of an answer to its ticket, for sources with `write_back`.

Only answers that name their ticket count; of several answers, the newest. A ticket's field is read before it is
written, and is not written if it already has the value. So each ticket is updated once, even after a killed run.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ces_pipeline.activation.errors import export_error
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

_TICKETS_PER_WRITE = 50
"""Tickets per write of the ledger. After a kill, at most that many tickets are read again."""
_MOST_REFUSED = 20
"""The export stops if the system refuses this many tickets and has not accepted any."""
_LEFT = "left"
"""State of a ticket that is gone or closed. It is not requested again, unless its answer changes."""
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
    """Result of a write-back. All counts are tickets.

    written: changed (in a dry run: would be changed, as far as the ledger knows). before: handled by earlier runs.
    held: already had the value. not_there: deleted, or closed for changes. refused: ids of tickets that the system
    refused to change.
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
    """Write the scores that the tickets of one source do not have yet.

    With `is_dry` it only counts them: it sends no request and does not write the ledger. Raises CesError if there is no
    published file, and ExportError if the system is unreachable or refuses the credentials. The ledger then has what
    was written before.
    """
    clock = clock or SystemClock()
    # A rename keeps the ledger, so no score is written twice.
    name = f"scores/{source.first_id}"
    with exclusive(home.root / "exports" / name / ".lock"):
        run = _Run(source, Ledger(Lake(home.root), name), clock)
        run.plan(home)
        if is_dry:
            run.report.written = len(run.planned)
            return run.report
        variables = os.environ if environment is None else environment
        log = RequestLog(source.id, "write-back")
        with closing(
            open_http(home, source, log, clock=clock, environment=variables, retry_policy=retry_policy)
        ) as http:
            try:
                run.write(http)
            except PullError as problem:
                raise export_error(source.id, "a ticket's field", problem) from None
            finally:
                run.record()
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
            # Each value of an answer is written to a field once.
            key = f"{response_key}|{self.source.write_back.field}|{value}"
            content = int(hashlib.sha256(key.encode()).hexdigest()[:16], 16)
            yield _Score(ticket_id, Item(ticket_key, content), value)

    def write(self, http: Http) -> None:
        for score in self.planned:
            try:
                self._write_score(http, score)
            except RefusedError as problem:
                self.report.refused.append(score.ticket_id)
                is_first = not (self.report.written or self.report.held)
                if problem.status == 401 or (is_first and len(self.report.refused) >= _MOST_REFUSED):
                    raise
            if sum(map(len, self._done.values())) >= _TICKETS_PER_WRITE:
                self.record()

    def _write_score(self, http: Http, score: _Score) -> None:
        api, target = self.source.api, self.source.write_back
        assert api is not None
        assert target is not None
        write_back = WRITE_BACKS[api.connector]
        current = write_back.read(http, api, score.ticket_id, target.field)
        if current is None:
            self.report.not_there += 1
            self._done[_LEFT].append(score.item)
            return
        if _is_equal(current.value, score.value):
            self.report.held += 1
        else:
            write_back.write(http, api, current, target.field, score.value)
            self.report.written += 1
        self._done[SENT].append(score.item)

    def record(self) -> None:
        """Write the tickets handled since the last write to the ledger."""
        for state, done in self._done.items():
            if done:
                self.ledger.end(done, [], self.clock.now(), state)
                done.clear()


def _is_equal(current: Any, value: Value) -> bool:
    """Whether a field already has the value. Systems return numbers as numbers or as text."""
    as_number: Callable[[Any], float] = float
    try:
        return as_number(current) == as_number(value)
    except (TypeError, ValueError):
        return str(current) == str(value)
