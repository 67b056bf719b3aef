"""The watch as steps of a run: events of the figures that are published, events of what failed, and the messages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb
import pyarrow as pa

from ces_pipeline.home import Home
from ces_pipeline.http.clock import Clock, SystemClock
from ces_pipeline.publish.checks import CheckResult, all_checks
from ces_pipeline.registry.alerts import Channel
from ces_pipeline.registry.registry import Registry
from ces_pipeline.schemas.incidents import ALERT_DELIVERIES, INCIDENTS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.last_results import last_results
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.watch import log
from ces_pipeline.watch.channels import open_sender
from ces_pipeline.watch.deliveries import Outbox, Sent, outboxes, send
from ces_pipeline.watch.episodes import episodes
from ces_pipeline.watch.events import Event, published_event, report_event
from ces_pipeline.watch.failures import (
    FailedRun,
    check_failures,
    missed_nights,
    run_failures,
    source_failures,
)
from ces_pipeline.watch.figures import first_responses, newest_day, watched_series
from ces_pipeline.watch.incidents import (
    FIGURE_RULES,
    Incident,
    Logging,
    Row,
    Series,
    events_of_episodes,
    events_of_failures,
    events_of_removed_rules,
    fold,
    rows_of,
)
from ces_pipeline.watch.messages import body, title


@dataclass(frozen=True)
class PublishWatch:
    """What a publish asks of the watch: the events of its figures and checks, and the incidents that follow."""

    registry: Registry

    def new_events(
        self,
        connection: duckdb.DuckDBPyConnection,
        checks: Sequence[CheckResult],
        logged: pa.Table,
        *,
        run_id: str,
        now: datetime,
    ) -> pa.Table:
        """The events that the figures and checks of this publish add to the log.

        connection: its default catalog has the filled tables. logged: all rows of `audit.incident_events` so far.
        """
        how = Logging(now, self.registry.settings.business_date(now), "publish", run_id)
        incidents = fold(logged.to_pylist())
        found = [
            *_events_of_figures(connection, self.registry, incidents, how),
            *_events_of_checks(self.registry, checks, incidents, how),
        ]
        return log.events_table(found)

    def incidents(self, logged: pa.Table) -> pa.Table:
        """The incidents of a log, as rows of `audit.incidents`."""
        rows = rows_of(fold(logged.to_pylist()), self.registry)
        return pa.Table.from_pylist(rows, schema=INCIDENTS.arrow)


def _events_of_figures(
    connection: duckdb.DuckDBPyConnection, registry: Registry, incidents: Mapping[str, Incident], how: Logging
) -> list[Row]:
    newest = newest_day(connection)
    found: list[Row] = list(events_of_removed_rules(registry.alerts.rules, incidents.values(), how))
    for rule in registry.alerts.rules:
        if rule.kind not in FIGURE_RULES or newest is None:
            continue
        of_rule = _by_series(incident for incident in incidents.values() if incident.rule_id == rule.id)
        kept = [series for series, known in of_rule.items() if known[-1].closed_at is None]
        watched = watched_series(connection, rule, registry.settings.minimum_n, kept, newest)
        read = {series.series: series for series in watched}
        for series in sorted({*read, *kept}):
            steps, usual = (read[series].steps, read[series].usual_steps) if series in read else ((), 1)
            spans = episodes(steps, usual_steps=usual, cooldown_days=rule.cooldown_days, newest_day=newest)
            found += events_of_episodes(rule, series, spans, of_rule.get(series, ()), how)
    opened = [event for event in found if event["kind"] == "opened"]
    first = first_responses(connection, [(_series(event), event["first_affected_day"]) for event in opened])
    by_incident = {
        event["incident_id"]: first.get((_series(event), event["first_affected_day"])) for event in opened
    }
    return [
        {**event, "first_response_at": by_incident.get(event["incident_id"], event["first_response_at"])}
        for event in found
    ]


def _series(event: Row) -> Series:
    return Series(event["series_kind"], event["dimension"], event["segment"])


def _by_series(incidents: Iterable[Incident]) -> dict[Series, list[Incident]]:
    found: dict[Series, list[Incident]] = {}
    for incident in incidents:
        found.setdefault(incident.series, []).append(incident)
    return found


def _events_of_checks(
    registry: Registry, checks: Sequence[CheckResult], incidents: Mapping[str, Incident], how: Logging
) -> Iterator[Row]:
    for rule in registry.alerts.rules:
        if rule.kind == "checks":
            failures, examined = check_failures(rule, checks)
            of_rule = [incident for incident in incidents.values() if incident.rule_id == rule.id]
            yield from events_of_failures(rule, failures, examined, of_rule, how)


def note_checks(
    home: Home, registry: Registry, checks: Sequence[CheckResult], *, run_id: str, now: datetime
) -> None:
    """Log the events of checks whose publish wrote no file: it was blocked, or found nothing new."""
    lake = Lake(home.lake)
    with log.locked(home):
        how = Logging(now, registry.settings.business_date(now), "run", run_id)
        log.add_events(lake, list(_events_of_checks(registry, checks, fold(log.read_events(lake)), how)))


def note_failures(
    home: Home,
    registry: Registry,
    steps: Sequence[str],
    *,
    now: datetime,
    run_id: str | None = None,
    failed_runs: Mapping[str, FailedRun | None] | None = None,
) -> list[Row]:
    """Log the events of sources, steps, runs and nights that failed, or no longer fail; returns them.

    steps: the steps of a run but landing. failed_runs: job -> its newest run, if that failed; None: not known.
    """
    with log.locked(home):
        found = _events_of_failures(home, registry, steps, now, run_id, failed_runs)
        log.add_events(Lake(home.lake), found)
        return found


def _events_of_failures(
    home: Home,
    registry: Registry,
    steps: Sequence[str],
    now: datetime,
    run_id: str | None,
    failed_runs: Mapping[str, FailedRun | None] | None,
) -> list[Row]:
    lake, settings = Lake(home.lake), registry.settings
    results = last_results(lake)
    incidents = fold(log.read_events(lake))
    how = Logging(now, registry.settings.business_date(now), "run", run_id)
    found: list[Row] = []
    for rule in registry.alerts.rules:
        if rule.kind == "sources":
            failures, examined = source_failures(rule, registry.sources, results)
        elif rule.kind == "runs":
            published_at = log.last_published(lake)
            missed = missed_nights(
                published_at, now, settings.business_time_zone, settings.schedule_hour, rule.late_hours
            )
            failures, examined = run_failures(
                rule,
                steps,
                results,
                {job: _since(run, published_at) for job, run in (failed_runs or {}).items()},
                blocked_by={check.name for check in all_checks()},
                missed=missed,
            )
        else:
            continue
        of_rule = [incident for incident in incidents.values() if incident.rule_id == rule.id]
        found += events_of_failures(rule, failures, examined, of_rule, how)
    return found


def _since(run: FailedRun | None, published_at: datetime | None) -> FailedRun | None:
    """The run, unless a publish ended well after it: what it left undone is done then."""
    return run if run is not None and (published_at is None or run.at > published_at) else None


@dataclass(frozen=True)
class Alerting:
    """What a run of `ces alert` did, or would do.

    open: the incidents that are not over, oldest first. due: channel -> title and text of each message that was due.
    sent: messages by channel. failures: a line for each channel that did not take all. is_due: whether there was
    anything to log or to send; what is logged, the next publish publishes.
    """

    open: tuple[Incident, ...] = ()
    due: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    is_due: bool = False


def alert(
    home: Home,
    registry: Registry,
    steps: Sequence[str],
    environment: Mapping[str, str],
    *,
    is_dry: bool = False,
    clock: Clock | None = None,
    failed_runs: Mapping[str, FailedRun | None] | None = None,
) -> Alerting:
    """Log what failed since the last publish, and send the messages that are due.

    With `is_dry` nothing is logged or sent. A second call waits until the first has ended. steps, failed_runs: as
    `note_failures`.
    """
    clock = clock or SystemClock()
    lake = Lake(home.lake)
    channels, rules = registry.alerts.channels, {rule.id: rule for rule in registry.alerts.rules}
    with exclusive(home.lake / ALERT_DELIVERIES.name.replace(".", "/") / ".alert.lock"):
        now = clock.now()
        if is_dry:
            new = _events_of_failures(home, registry, steps, now, None, failed_runs)
            incidents = fold([*log.read_events(lake), *new])
        else:
            new = note_failures(home, registry, steps, now=now, failed_runs=failed_runs)
            incidents = fold(log.read_events(lake))
        boxes = outboxes(
            channels,
            rules,
            incidents,
            log.read_deliveries(lake),
            registry.settings.business_date(now),
            _events(home, channels),
        )
        nearby = {row["incident_id"]: row["nearby_changes"] for row in rows_of(incidents, registry)}
        done = Sent()
        if not is_dry:
            done = send(lake, boxes, nearby, lambda channel: open_sender(channel, environment, clock), clock)
    still_open = tuple(incident for incident in incidents.values() if incident.is_open)
    is_due = bool(new or any(not box.is_empty for box in boxes))
    return Alerting(still_open, _texts(boxes, nearby), done.sent, tuple(done.failures), is_due)


def _events(home: Home, channels: Sequence[Channel]) -> list[Event]:
    """What happened last of each kind that a channel sends."""
    if not any(channel.events for channel in channels):
        return []
    return [event for event in (published_event(home), report_event(home)) if event]


def _texts(boxes: Sequence[Outbox], nearby: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, str]]]:
    return {
        box.channel.id: [
            *((title(message), body(message, nearby, box.channel.links)) for message in box.messages),
            *((event.title, f"event {event.kind}, {event.event_id}") for event in box.events),
        ]
        for box in boxes
        if not box.is_empty
    }
