"""Incidents, computed from the log of their events, and the events that new findings add. Pure functions.

An incident has one id for ever, made from its rule, its series and its first day: a run that is killed and repeated
finds the same incident again. Nothing is changed in the log; `fold` computes the state.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from ces_pipeline.registry.alerts import Rule
from ces_pipeline.registry.registry import Registry
from ces_pipeline.watch.episodes import Episode, Figures

Row = dict[str, Any]
"""A row of a table, by column."""
_ORDER = ("opened", "continued", "repeated", "acknowledged", "recovered", "closed")
_FIGURES = ("observed", "expected", "low", "high", "n", "direction", "detail")
_NEAR = timedelta(days=7)
FIGURE_RULES = ("threshold", "anomaly")
"""Kinds of rule whose incidents are about a figure."""


@dataclass(frozen=True, order=True)
class Series:
    """What an incident is about. A series of figures, or a check, a source or a step of a run."""

    series_kind: str
    dimension: str
    segment: str


@dataclass
class Incident:
    """An incident so far; fields as the columns of `audit.incidents`.

    announced_by: the event that a message on its beginning reports (`opened`, or the newest `repeated`).
    recovered_by: the event of its recovery.
    """

    incident_id: str
    rule_id: str
    rule_kind: str
    series: Series
    severity: str
    owner: str
    opened_at: datetime
    first_affected_day: date
    detected_day: date
    first_response_at: datetime | None
    last_day: date
    figures: Figures
    was_over: bool
    announced_by: str
    repeats: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str | None = None
    recovered_at: datetime | None = None
    recovered_by: str | None = None
    closed_at: datetime | None = None
    events: list[Row] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`open`, `acknowledged`, `recovered` or `closed`."""
        if self.closed_at is not None:
            return "closed"
        if self.recovered_at is not None:
            return "recovered"
        return "open" if self.acknowledged_at is None else "acknowledged"

    @property
    def is_open(self) -> bool:
        return self.recovered_at is None


def fold(events: Iterable[Row]) -> dict[str, Incident]:
    """Every incident by id, in the order in which they were opened. events: rows of `audit.incident_events`."""
    found: dict[str, Incident] = {}
    for event in sorted(events, key=_in_order):
        incident = found.get(event["incident_id"])
        if incident is None:
            if event["kind"] == "opened":
                found[event["incident_id"]] = _opened(event)
            continue
        incident.events.append(event)
        _apply(incident, event)
    return found


def _in_order(event: Row) -> tuple[bool, datetime, date, int, str]:
    # An incident begins with its opening, also where a clock was put back since.
    is_later = event["kind"] != "opened"
    return is_later, event["logged_at"], event["day"], _ORDER.index(event["kind"]), event["event_id"]


def _opened(event: Row) -> Incident:
    return Incident(
        incident_id=event["incident_id"],
        rule_id=event["rule_id"],
        rule_kind=event["rule_kind"],
        series=Series(event["series_kind"], event["dimension"], event["segment"]),
        severity=event["severity"],
        owner=event["owner"],
        opened_at=event["logged_at"],
        first_affected_day=event["first_affected_day"],
        detected_day=event["detected_day"],
        first_response_at=event["first_response_at"],
        last_day=event["day"],
        figures=_figures(event),
        was_over=event["was_over"],
        announced_by=event["event_id"],
        events=[event],
    )


def _figures(event: Row) -> Figures:
    return Figures(**{name: event[name] for name in _FIGURES})


def _apply(incident: Incident, event: Row) -> None:
    match event["kind"]:
        case "continued" | "repeated":
            incident.last_day, incident.figures = max(incident.last_day, event["day"]), _figures(event)
            if event["kind"] == "repeated":
                incident.repeats += 1
                incident.announced_by = event["event_id"]
                incident.recovered_at = incident.recovered_by = incident.closed_at = None
                incident.was_over = event["was_over"]
        case "acknowledged":
            if incident.acknowledged_at is None:
                incident.acknowledged_at, incident.acknowledged_by = event["logged_at"], event["made_by"]
            incident.note = event["note"] or incident.note
        case "recovered":
            incident.recovered_at, incident.recovered_by = event["logged_at"], event["event_id"]
        case "closed":
            incident.closed_at = event["logged_at"]


@dataclass(frozen=True)
class Logging:
    """What the events of one run have in common. newest_day: the newest day of its figures."""

    now: datetime
    today: date
    logged_by: str
    run_id: str | None = None


def events_of_episodes(
    rule: Rule, series: Series, found: Sequence[Episode], logged: Iterable[Incident], how: Logging
) -> Iterator[Row]:
    """The events that the episodes of a series add to its incidents in the log.

    An episode belongs to the incident whose days it shares, so that a first day that moves because days were restated
    makes no second incident. An incident without an episode is over: the figures of its days are others now.
    """
    left = {incident.incident_id: incident for incident in logged if incident.closed_at is None}
    past = {incident.incident_id: incident for incident in logged if incident.closed_at is not None}
    for episode in found:
        incident = _shared(episode, left.values()) or _shared(episode, past.values())
        if incident is None:
            incident_id = _id(rule.id, series, episode.first_day)
            base = _base(rule, series, incident_id, episode, how)
            was_over = episode.recovered_day is not None
            opened = {**base, "kind": "opened", "day": episode.last_day, "was_over": was_over}
            # The recovery is logged with it, because the episode may be over in the same data.
            yield _event(opened)
            yield from _ends(episode, base, None)
            continue
        left.pop(incident.incident_id, None)
        if incident.closed_at is not None:
            continue
        base = {
            **_base(rule, series, incident.incident_id, episode, how),
            "first_affected_day": incident.first_affected_day,
            "detected_day": incident.detected_day,
            "first_response_at": incident.first_response_at,
        }
        yield from _continues(episode, base, incident)
        yield from _ends(episode, base, incident)
    for incident in left.values():
        if incident.is_open:
            yield _event(
                {
                    **_repeated_base(incident, how),
                    "kind": "recovered",
                    "day": incident.last_day,
                    "detail": "the figures of its days were restated, and the rule does not hold any more",
                }
            )


def _shared(episode: Episode, logged: Iterable[Incident]) -> Incident | None:
    """The incident that has a day in common with the episode."""
    return next(
        (
            incident
            for incident in logged
            if incident.first_affected_day <= episode.last_day and episode.first_day <= incident.last_day
        ),
        None,
    )


def _continues(episode: Episode, base: Row, incident: Incident) -> Iterator[Row]:
    """What happened after the days that the log knows."""
    repeats = [day for day in episode.repeats if day > incident.last_day]
    if repeats or (incident.recovered_at and episode.last_day > incident.last_day):
        day = repeats[-1] if repeats else episode.last_day
        was_over = episode.recovered_day is not None
        yield _event({**base, "kind": "repeated", "day": day, "was_over": was_over})
        if episode.last_day > day:
            yield _event({**base, "kind": "continued", "day": episode.last_day})
    elif episode.last_day > incident.last_day:
        yield _event({**base, "kind": "continued", "day": episode.last_day})


def _ends(episode: Episode, base: Row, incident: Incident | None) -> Iterator[Row]:
    is_new = incident is None or incident.is_open or episode.last_day > incident.last_day
    if episode.recovered_day is not None and is_new:
        yield _event({**base, "kind": "recovered", "day": episode.recovered_day})
    if episode.closed_day is not None:
        yield _event({**base, "kind": "closed", "day": episode.closed_day})


@dataclass(frozen=True)
class Failure:
    """Something that is wrong now: a check, a source, a step. since: the first affected day, if it is known."""

    series: Series
    detail: str
    since: date | None = None


def events_of_failures(
    rule: Rule,
    failures: Iterable[Failure],
    examined: Iterable[Series],
    logged: Iterable[Incident],
    how: Logging,
) -> Iterator[Row]:
    """The events that follow from what is wrong now.

    examined: everything that was looked at; an incident about something else is left as it is. What is right again has
    recovered. What fails again within the cooldown is a repeat of the same incident.
    """
    known: dict[Series, list[Incident]] = defaultdict(list)
    for incident in logged:
        known[incident.series].append(incident)
    wrong = {failure.series: failure for failure in failures}
    for series in sorted({*examined, *wrong}):
        newest = known[series][-1] if known[series] else None
        failure = wrong.get(series)
        if failure is not None:
            yield from _fails(rule, failure, newest, len(known[series]), how)
        elif newest is not None and newest.is_open:
            yield _event({**_repeated_base(newest, how), "kind": "recovered", "day": how.today})
        elif newest is not None and newest.closed_at is None and _is_past(newest, rule, how):
            yield _event({**_repeated_base(newest, how), "kind": "closed", "day": how.today})


def _fails(rule: Rule, failure: Failure, newest: Incident | None, number: int, how: Logging) -> Iterator[Row]:
    first = failure.since or how.today
    episode = Episode(first, how.today, how.today, Figures(detail=failure.detail))
    if newest is None or (not newest.is_open and _is_past(newest, rule, how)):
        if newest is not None and newest.closed_at is None:
            yield _event({**_repeated_base(newest, how), "kind": "closed", "day": how.today})
        incident_id = _id(rule.id, failure.series, how.today, number)
        base = _base(rule, failure.series, incident_id, episode, how)
        yield _event({**base, "kind": "opened", "day": how.today})
        return
    base = {**_repeated_base(newest, how), "detail": failure.detail, "day": how.today}
    if not newest.is_open:
        yield _event({**base, "kind": "repeated"})
    elif newest.last_day < how.today:
        yield _event({**base, "kind": "continued"})


def _is_past(incident: Incident, rule: Rule, how: Logging) -> bool:
    """Whether the cooldown after its recovery is over."""
    return incident.recovered_at is not None and how.now - incident.recovered_at > timedelta(
        days=rule.cooldown_days
    )


def events_of_removed_rules(rules: Iterable[Rule], logged: Iterable[Incident], how: Logging) -> Iterator[Row]:
    """Incidents whose rule is no longer in alerts.yaml are closed: whether they go on is not known."""
    known = {rule.id for rule in rules}
    for incident in logged:
        if incident.rule_id not in known and incident.closed_at is None:
            base = {**_repeated_base(incident, how), "day": how.today}
            if incident.is_open:
                detail = "its rule is no longer in alerts.yaml, so nothing watches it"
                yield _event({**base, "kind": "recovered", "detail": detail})
            yield _event({**base, "kind": "closed"})


def acknowledgement(incident: Incident, made_by: str, note: str | None, how: Logging) -> Row:
    """The event of a person who takes an incident over."""
    base = _repeated_base(incident, how)
    return _event(
        {**base, "kind": "acknowledged", "day": incident.last_day, "made_by": made_by, "note": note}
    )


def _base(rule: Rule, series: Series, incident_id: str, episode: Episode, how: Logging) -> Row:
    return {
        "incident_id": incident_id,
        "logged_at": how.now,
        "logged_by": how.logged_by,
        "run_id": how.run_id,
        "rule_id": rule.id,
        "rule_kind": rule.kind,
        "severity": rule.severity,
        "owner": rule.owner,
        **vars(series),
        "first_affected_day": episode.first_day,
        "detected_day": episode.detected_day or episode.last_day,
        "first_response_at": None,
        **{name: getattr(episode.figures, name) for name in _FIGURES},
        "was_over": False,
        "made_by": None,
        "note": None,
    }


def _repeated_base(incident: Incident, how: Logging) -> Row:
    """The columns of a further event of an incident."""
    return {
        **incident.events[0],
        "logged_at": how.now,
        "logged_by": how.logged_by,
        "run_id": how.run_id,
        **{name: getattr(incident.figures, name) for name in _FIGURES},
        "was_over": False,
        "made_by": None,
        "note": None,
    }


def _event(row: Row) -> Row:
    """The row with its id.

    What follows from the figures of a day has the same id whenever it is found; the rest has one id per moment.
    """
    is_of_day = row["rule_kind"] in FIGURE_RULES and row["kind"] != "acknowledged"
    day = row["first_affected_day"] if row["kind"] == "opened" else row["day"]
    moment = day if is_of_day else row["logged_at"]
    return {**row, "event_id": _digest(row["incident_id"], row["kind"], moment.isoformat())}


def _id(rule_id: str, series: Series, day: date, number: int = 0) -> str:
    return _digest(rule_id, *vars(series).values(), day.isoformat(), *([str(number)] if number else []))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def rows_of(incidents: Mapping[str, Incident], registry: Registry) -> list[Row]:
    """The incidents as rows of `audit.incidents`."""
    changes = [
        *((release.day, f"release {release.title}") for release in registry.releases),
        *((fix.live_on, f"fix {fix.title}") for fix in registry.fixes),
    ]
    return [_row(incident, changes) for incident in incidents.values()]


def _row(incident: Incident, changes: Sequence[tuple[date, str]]) -> Row:
    return {
        "incident_id": incident.incident_id,
        "rule_id": incident.rule_id,
        "rule_kind": incident.rule_kind,
        "severity": incident.severity,
        "owner": incident.owner,
        **vars(incident.series),
        "state": incident.state,
        "opened_at": incident.opened_at,
        "first_affected_day": incident.first_affected_day,
        "detected_day": incident.detected_day,
        "first_response_at": incident.first_response_at,
        "last_day": incident.last_day,
        **{name: getattr(incident.figures, name) for name in _FIGURES},
        "repeats": incident.repeats,
        "was_over": incident.was_over,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by,
        "note": incident.note,
        "recovered_at": incident.recovered_at,
        "closed_at": incident.closed_at,
        "nearby_changes": nearby(incident.first_affected_day, changes),
    }


def nearby(day: date, changes: Iterable[tuple[date, str]]) -> list[str]:
    """The changes in the week up to a day, in order of their days."""
    return [title for at, title in sorted(changes) if timedelta(0) <= day - at <= _NEAR]
