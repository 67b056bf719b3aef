"""Sends journeys to a receiver: new and revised events, in batches. The ledger records each batch before the next.

The ledger decides what is sent, so a later run sends nothing twice. After a killed run, the next run continues after
the last recorded batch. It sends the batch in doubt again only while the receiver still recognises repeated ids.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import duckdb

from ces_pipeline.activation.errors import ExportError, export_error
from ces_pipeline.activation.journeys import journey_query, months, properties_of
from ces_pipeline.activation.ledger import UNKNOWN, Item, Ledger, person_fingerprint
from ces_pipeline.activation.targets import Amplitude, Mixpanel, Outcome, Outgoing, Target
from ces_pipeline.home import Home
from ces_pipeline.http.client import Http, RetryPolicy
from ces_pipeline.http.clock import Clock, SystemClock
from ces_pipeline.http.credentials import FixedHeaders, basic, secrets_of, variables_of
from ces_pipeline.http.errors import PullError, RefusedError, UnavailableError
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.registry.exports import Export
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

_MARGIN = timedelta(hours=12)
"""How much earlier than documented we assume that a receiver forgets an id."""
_REMEDY = "put the receiver's credentials into the environment (exports.yaml names the variables)"
_REVISED = " Revised"
_BRACKETS = 2
"""Bytes around the events of a request."""
_PLANNED = """
    SELECT planned.*, sent.person AS sent_person, sent.at_ms AS sent_at_ms
    FROM ({query}) AS planned LEFT JOIN sent ON sent.item = planned.insert_id
    WHERE sent.item IS NULL OR sent.content IS DISTINCT FROM planned.content
    ORDER BY planned.occurred_at, planned.insert_id
"""
_UNKNOWN_REVISION = "unknown_revision"
"""As UNKNOWN, for an answer that was sent before with other content. Sent as a new answer, it would count twice."""
_SENT = f"""
    CREATE OR REPLACE TEMP TABLE sent AS
    SELECT item, person, at_ms, CASE WHEN state = '{_UNKNOWN_REVISION}' AND $1 THEN NULL ELSE content END AS content
    FROM ledger
    WHERE state <> '{UNKNOWN}' OR NOT $1
"""
_WITHDRAWN = """
    SELECT count(*) FROM sent
    WHERE content IS NOT NULL
        AND item NOT IN (SELECT substr(sha256('CES Response|' || response_key), 1, 36) FROM core.responses)
"""


@dataclass
class Report:
    """Result of an export. All counts are events.

    new, revised: sent (in a dry run: would be sent). before: sent by earlier runs. without_person: skipped, because
    their person is unknown. moved: answers that now belong to another person; the receiver keeps them as they were
    sent. unknown: events of a killed run that are too old to send again without a risk of duplicates. withdrawn: sent,
    but no longer published. refused: insert id and field.
    """

    new: int = 0
    revised: int = 0
    before: int = 0
    without_person: int = 0
    moved: int = 0
    unknown: int = 0
    withdrawn: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def target_of(export: Export, environment: Mapping[str, str], *, is_dry: bool) -> Target:
    """The receiver of an entry. Raises MissingVariableError, except in a dry run, which needs no secret."""
    if export.target == "mixpanel":
        return Mixpanel(export.id, export.project_id or "")
    name = export.key or ""
    secret = "" if is_dry else secrets_of(export.id, (name,), environment, _REMEDY)[name]
    return Amplitude(export.id, secret)


def send_journeys(
    home: Home,
    export: Export,
    *,
    is_dry: bool,
    sends_unknown: bool = False,
    clock: Clock | None = None,
    environment: Mapping[str, str] | None = None,
    retry_policy: RetryPolicy | None = None,
) -> Report:
    """Send the events that the receiver does not have yet.

    With `is_dry` it only counts them: it sends no request and does not write the ledger. sends_unknown: also send
    events in doubt that are so old that the receiver may count them twice. A second export to the same receiver starts
    when the first has ended. Raises CesError if there is no published file, and ExportError if the receiver is
    unreachable or refuses everything. The ledger then has what was sent before.
    """
    variables = os.environ if environment is None else environment
    clock = clock or SystemClock()
    target = target_of(export, variables, is_dry=is_dry)
    lake = Lake(home.root)
    name = f"journeys/{export.id}"
    with exclusive(home.root / "exports" / name / ".lock"), open_published(home.published) as connection:
        ledger = Ledger(lake, name)
        run = _Run(export, target, ledger, clock, connection, sends_unknown)
        if is_dry:
            run.count()
            return run.report
        log = RequestLog(export.id, "export")
        with closing(_open_http(export, variables, clock, log, retry_policy)) as http:
            try:
                run.send(http)
            except PullError as problem:
                raise export_error(export.id, "an import", problem) from None
        return run.report


def _open_http(
    export: Export,
    environment: Mapping[str, str],
    clock: Clock,
    log: RequestLog,
    retry_policy: RetryPolicy | None,
) -> Http:
    credentials = None
    if export.auth is not None:
        names = variables_of(export.auth)
        secrets = secrets_of(export.id, names, environment, _REMEDY)
        password = secrets[export.auth.password] if export.auth.password else ""
        credentials = FixedHeaders(names, {"Authorization": basic(secrets[export.auth.user], password)})
    return Http(
        export.id, export.base_url, clock=clock, log=log, credentials=credentials, retry_policy=retry_policy
    )


@dataclass
class _Run:
    export: Export
    target: Target
    ledger: Ledger
    clock: Clock
    connection: duckdb.DuckDBPyConnection
    sends_unknown: bool
    report: Report = field(default_factory=Report)

    def count(self) -> None:
        for _ in self._planned():
            """`_planned` counts."""

    def send(self, http: Http) -> None:
        self._end_old_doubts()
        batch: list[Outgoing] = []
        size = _BRACKETS
        for event in self._planned():
            if batch and (
                len(batch) == self.target.most_events or size + event.size > self.target.most_bytes
            ):
                self._post(http, batch)
                batch, size = [], _BRACKETS
            batch.append(event)
            size += event.size
        if batch:
            self._post(http, batch)

    def _end_old_doubts(self) -> None:
        """Mark events of a killed run as unknown if the receiver may not recognise them any more."""
        if self.target.remembers is None:
            return
        items = self.ledger.in_doubt(self.clock.now() - self.target.remembers + _MARGIN)
        if items:
            known = set(self.ledger.newest()["item"].to_pylist())
            revisions = [item for item in items if item.item in known]
            self.ledger.end(revisions, [], self.clock.now(), _UNKNOWN_REVISION)
            self.ledger.end([item for item in items if item.item not in known], [], self.clock.now(), UNKNOWN)
            self.report.unknown = len(items)

    def _planned(self) -> Iterator[Outgoing]:
        """The events to send now, oldest first. Counts all events on the way."""
        self.connection.register("ledger", self.ledger.newest())
        self.connection.execute(_SENT, [self.sends_unknown])
        query = _PLANNED.format(query=journey_query())
        total = f"SELECT count(*), count(person_key) FROM ({journey_query()})"
        for month in months(self.connection, self.export.since):
            [(rows, known)] = self.connection.execute(total, month).fetchall()
            table = self.connection.sql(query, params=month).to_arrow_table()
            self.report.without_person += rows - known
            self.report.before += known
            for row in table.to_pylist():
                event = self._outgoing(row)
                if event is not None:
                    yield event
        [(self.report.withdrawn,)] = self.connection.execute(_WITHDRAWN).fetchall()

    def _outgoing(self, row: dict[str, Any]) -> Outgoing | None:
        """The event of a row; None if it is not sent."""
        person_key = row["person_key"]
        if person_key is None:
            return None
        person = person_fingerprint(person_key)
        at_ms = round(row["occurred_at"].timestamp() * 1000)
        insert_id, name = row["insert_id"], row["event"]
        is_revision = row["sent_person"] is not None
        if is_revision and row["sent_person"] != person:
            self.report.moved += 1
            return None
        self.report.before -= 1
        if not is_revision:
            self.report.new += 1
        else:
            self.report.revised += 1
            if self.target.replaces:
                # With another time, the receiver would keep both events.
                at_ms = row["sent_at_ms"]
            else:
                insert_id = hashlib.sha256(f"{insert_id}|{row['content']}".encode()).hexdigest()[:36]
                name += _REVISED
        item = Item(row["insert_id"], row["content"], person, at_ms)
        body = self.target.event(name, insert_id, person_key, at_ms, properties_of(row))
        return Outgoing(item, insert_id, body, is_revision=is_revision)

    def _post(self, http: Http, batch: Sequence[Outgoing]) -> None:
        """Send a batch and record the outcome. A refused event is sent once more without the refused property."""
        queue: list[tuple[Sequence[Outgoing], bool]] = [(batch, False)]
        while queue:
            events, is_reduced = queue.pop()
            outcome = self._posted(http, events)
            if outcome.is_too_large:
                queue += [(half, is_reduced) for half in self._halves(events)]
                continue
            good = [event for index, event in enumerate(events) if index not in outcome.refused]
            again = [] if outcome.stores_rest else good
            for index, name in outcome.refused.items():
                reduced = None if is_reduced else self.target.without_field(events[index], name)
                if reduced is None:
                    self._refuse(events[index], name)
                else:
                    again.append(reduced)
            if again:
                # A receiver that refuses a full request reports one error at a time: its events may be reduced again.
                queue.append((again, is_reduced or outcome.stores_rest))

    def _posted(self, http: Http, events: Sequence[Outgoing]) -> Outcome:
        """Send one request. The ledger is written before and after it."""
        items = [event.item for event in events]
        fresh = self.ledger.begin(items, self.clock.now())
        try:
            outcome = self.target.post(http, events)
        except UnavailableError as problem:
            if not problem.may_have_arrived:
                self.ledger.end([], fresh, self.clock.now())
            raise
        except (RefusedError, ExportError):
            self.ledger.end([], fresh, self.clock.now())
            raise
        is_stored = outcome.stores_rest and not outcome.is_too_large
        stored = [item for index, item in enumerate(items) if is_stored and index not in outcome.refused]
        stored_ids = {item.item for item in stored}
        self.ledger.end(stored, [item for item in fresh if item.item not in stored_ids], self.clock.now())
        return outcome

    def _halves(self, events: Sequence[Outgoing]) -> list[Sequence[Outgoing]]:
        if len(events) == 1:
            self._refuse(events[0], "size")
            return []
        middle = len(events) // 2
        # The queue gives the last entry first.
        return [events[middle:], events[:middle]]

    def _refuse(self, event: Outgoing, name: str) -> None:
        """Count the event as refused instead of sent. name: the field, named as the receiver does; reported if ours."""
        self.report.refused.append((event.insert_id, name if _is_ours(event, name) else "another field"))
        if event.is_revision:
            self.report.revised -= 1
        else:
            self.report.new -= 1


def _is_ours(event: Outgoing, name: str) -> bool:
    known = {"size", "event", "time", "user_id", "insert_id", "event_type", "distinct_id", "$insert_id"}
    properties = event.body.get("properties") or event.body.get("event_properties") or {}
    return name.rpartition(".")[2] in known | properties.keys()
