"""What a report says: rows of the published file, as `sql/report/` selects them. The only module here that reads.

Figures are taken over as they are, bit for bit: nothing is rounded, pooled or computed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.pages.periods import PeriodName, first_day, last_day, steps_back
from ces_pipeline.registry.reports import OwnFigure
from ces_pipeline.reports.answers import published
from ces_pipeline.storage.sql_files import SqlFile, sql_files

Row = Mapping[str, Any]
Rows = tuple[Row, ...]

_OF_PAGE = (
    *("categories", "personas", "fixes", "incidents", "stages", "objectives", "books", "programme", "checks"),
    "restated_days",
)
_OF_SURVEYS = (
    "answers",
    "satisfaction",
    "response_rates",
    "follow_ups",
    "events",
    "current_days",
    "segments",
)


class NoSuchPartError(CesError):
    """There is no survey, owner or period of that name."""


@dataclass(frozen=True)
class Ask:
    """What a report is asked for.

    on: a day of the period; None: the newest complete period, or the newest one if none is complete. periods: how many
    periods the trends show. owners, surveys: only these; empty: all. comments: the most comments of difficult answers.
    """

    period: PeriodName = "week"
    on: date | None = None
    periods: int = 26
    owners: tuple[str, ...] = ()
    surveys: tuple[str, ...] = ()
    comments: int = 0
    own: tuple[OwnFigure, ...] = ()
    registry: Path | None = None


@dataclass(frozen=True)
class Publication:
    """The publish that the report reads. published_at is None if nothing was ever published."""

    published_at: datetime | None
    business_time_zone: str
    minimum_n: int
    first_day: date | None
    last_day: date | None
    rows_landed: int
    rows_rejected: int
    days_waiting: int


@dataclass(frozen=True)
class Touchpoint:
    """One survey: its row of `surveys`, its periods in order (the last one is the report's), and rows of other figures.

    The report's period is None if the survey has no row in it.
    """

    survey: Row
    periods: Rows
    now: Row | None
    answers: Rows
    satisfaction: Row | None
    response_rates: Rows
    follow_ups: Row | None
    events: Rows
    current_days: Rows
    segments: Rows
    comments: Rows

    @property
    def survey_id(self) -> str:
        return str(self.survey["survey_id"])


@dataclass(frozen=True)
class Own:
    """A figure of the installation: its entry and its rows."""

    figure: OwnFigure
    columns: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True)
class Report:
    """All facts of one page.

    start: first day of the period; None: there is no answer at all. rows: name of a file in `sql/report/` -> its rows.
    """

    ask: Ask
    start: date | None
    is_whole: bool
    publication: Publication
    touchpoints: tuple[Touchpoint, ...] = ()
    rows: Mapping[str, Rows] = field(default_factory=dict)
    own: tuple[Own, ...] = ()

    @property
    def end(self) -> date:
        """Last day of the period. Raises ValueError if there is none."""
        if self.start is None:
            raise ValueError("a report without answers has no period")
        return last_day(self.ask.period, self.start)

    @property
    def is_of_all(self) -> bool:
        """Whether the report is about every survey."""
        return not (self.ask.owners or self.ask.surveys)


def captions() -> dict[str, str]:
    """Name of each query in `sql/report/` -> its first line."""
    return {file.name: file.title for file in sql_files("report")}


def read(home: Home, ask: Ask) -> Report:
    """The facts of a page.

    Raises NothingPublishedError, NoSuchPartError for a survey, owner or day without a row, CesError if the file cannot
    be read or a query of the installation fails.
    """
    with published(home) as connection:
        report, surveys = _summary(connection, ask)
        if report.start is None:
            return _with_rows(connection, report, ("books", "checks"))
        return _with_rows(connection, _with_touchpoints(connection, report, surveys), _OF_PAGE)


def read_summary(connection: duckdb.DuckDBPyConnection, ask: Ask) -> Report:
    """The facts of the terminal: the periods of each survey, and the failed checks."""
    report, surveys = _summary(connection, ask)
    if report.start is None:
        return report
    ease = _by_survey(_query(connection, "ease", _values(report)))
    touchpoints = tuple(
        _touchpoint(survey, report, ease.get(survey["survey_id"], ()), {}, ())
        for survey in surveys
        if survey["survey_id"] in ease
    )
    report = Report(ask, report.start, report.is_whole, report.publication, _by_volume(touchpoints))
    return _with_rows(connection, report, ("categories", "checks"))


def restated_since(connection: duckdb.DuckDBPyConnection, period: PeriodName, start: date) -> datetime | None:
    """When answers of a period that was published were changed last; None: never."""
    values = {"period_start": start, "period_end": last_day(period, start)}
    return max((row["restated_at"] for row in _query(connection, "restated_days", values)), default=None)


def _summary(connection: duckdb.DuckDBPyConnection, ask: Ask) -> tuple[Report, Rows]:
    (row,) = _query(connection, "publication", {})
    surveys = _chosen(_query(connection, "surveys", {}), ask)
    periods = [found for found in _query(connection, "periods", {}) if found["period"] == ask.period]
    publication = Publication(**row)
    if not periods:
        return Report(ask, None, False, publication), surveys
    starts = {found["period_start"]: bool(found["is_whole"]) for found in periods}
    if ask.on is None:
        start = max((day for day, is_whole in starts.items() if is_whole), default=max(starts))
    else:
        start = first_day(ask.period, ask.on)
        if start not in starts:
            raise NoSuchPartError(
                f"the data have no {ask.period} that contains {ask.on}: the first begins on {min(starts)}, the newest "
                f"on {max(starts)}"
            )
    return Report(ask, start, starts[start], publication), surveys


def _chosen(surveys: Rows, ask: Ask) -> Rows:
    """The surveys of the page. Raises NoSuchPartError for a name that no survey about effort has."""
    ids, owners = {row["survey_id"] for row in surveys}, {row["owner"] for row in surveys} - {None}
    for wanted, known, what in ((ask.surveys, ids, "survey"), (ask.owners, owners, "owner of a survey")):
        if stray := sorted(set(wanted) - known):
            listed = ", ".join(sorted(known)) or "none"
            raise NoSuchPartError(f"{stray[0]!r} is no {what} with a question about effort (known: {listed})")
    return tuple(
        row
        for row in surveys
        if (not ask.surveys or row["survey_id"] in ask.surveys)
        and (not ask.owners or row["owner"] in ask.owners)
    )


def _values(report: Report) -> dict[str, Any]:
    ask, start = report.ask, report.start
    assert start is not None
    return {
        "period": ask.period,
        "period_start": start,
        "period_end": report.end,
        "first_start": steps_back(ask.period, start, ask.periods - 1),
        "comments": ask.comments,
    }


def _with_touchpoints(connection: duckdb.DuckDBPyConnection, report: Report, surveys: Rows) -> Report:
    values = _values(report)
    ease = _by_survey(_query(connection, "ease", values))
    others = {name: _by_survey(_query(connection, name, values)) for name in _OF_SURVEYS}
    comments = _by_survey(_query(connection, "comments", values)) if report.ask.comments else {}
    touchpoints = [
        _touchpoint(
            survey,
            report,
            ease.get(survey["survey_id"], ()),
            {name: rows.get(survey["survey_id"], ()) for name, rows in others.items()},
            comments.get(survey["survey_id"], ()),
        )
        for survey in surveys
    ]
    own = tuple(_own(connection, figure, report.ask.registry) for figure in report.ask.own)
    return Report(
        report.ask, report.start, report.is_whole, report.publication, _by_volume(touchpoints), {}, own
    )


def _touchpoint(
    survey: Row, report: Report, periods: Rows, others: Mapping[str, Rows], comments: Rows
) -> Touchpoint:
    newest = periods[-1] if periods and periods[-1]["period_start"] == report.start else None
    satisfaction, follow_ups = others.get("satisfaction", ()), others.get("follow_ups", ())
    return Touchpoint(
        survey=survey,
        periods=periods,
        now=newest,
        answers=others.get("answers", ()),
        satisfaction=satisfaction[0] if satisfaction else None,
        response_rates=others.get("response_rates", ()),
        follow_ups=follow_ups[0] if follow_ups else None,
        events=others.get("events", ()),
        current_days=others.get("current_days", ()),
        segments=others.get("segments", ()),
        comments=comments,
    )


def _by_volume(touchpoints: Sequence[Touchpoint]) -> tuple[Touchpoint, ...]:
    """Most answers in the period first."""
    return tuple(
        sorted(touchpoints, key=lambda found: (-(found.now["n"] if found.now else 0), found.survey_id))
    )


def _with_rows(connection: duckdb.DuckDBPyConnection, report: Report, names: Sequence[str]) -> Report:
    values = _values(report) if report.start else {}
    rows = {name: _query(connection, name, values) for name in names}
    return Report(
        report.ask, report.start, report.is_whole, report.publication, report.touchpoints, rows, report.own
    )


def _by_survey(rows: Rows) -> dict[str, Rows]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["survey_id"], []).append(row)
    return {survey_id: tuple(of_survey) for survey_id, of_survey in found.items()}


def _query(connection: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, Any]) -> Rows:
    (file,) = (file for file in sql_files("report") if file.name == name)
    return ask_query(connection, file, values)


def ask_query(connection: duckdb.DuckDBPyConnection, file: SqlFile, values: Mapping[str, Any]) -> Rows:
    """The rows of a query of `sql/report/`, with those of the values that it names (`$period`)."""
    named = set(re.findall(r"\$(\w+)", file.code))
    found = connection.sql(file.query, params={name: values[name] for name in sorted(named)})
    return tuple(found.to_arrow_table().to_pylist())


def _own(connection: duckdb.DuckDBPyConnection, figure: OwnFigure, registry: Path | None) -> Own:
    """Run a query of the installation on the published file, which is open for reading only."""
    if registry is None:
        raise ValueError("figures of an installation need its registry")
    path = registry / figure.sql
    try:
        found = connection.sql(path.read_text(encoding="utf-8").strip().removesuffix(";")).to_arrow_table()
    except OSError as problem:
        raise CesError(
            f"{path} of the figure {figure.id!r} cannot be read ({problem.strerror}). Correct `sql` in settings.yaml"
        ) from problem
    except duckdb.Error as problem:
        raise CesError(
            f"the figure {figure.id!r} failed: {str(problem).splitlines()[0]}. Correct {path}"
        ) from problem
    if missing := [name for name in figure.needs if name not in found.column_names]:
        raise CesError(
            f"the figure {figure.id!r} is of kind {figure.kind} and lacks the column {missing[0]}. Correct {path}"
        )
    return Own(figure, tuple(found.column_names), tuple(found.to_pylist()))
