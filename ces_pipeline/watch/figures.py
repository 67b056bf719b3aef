"""Reads the steps of every watched series from the tables that a publish has filled: thresholds and anomalies.

Only series with an affected step, or with an incident that may still change, are read; of these, all steps of the
newest days.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from ces_pipeline.registry.alert_figures import ComparedFigure, compared_figure
from ces_pipeline.registry.alerts import Anomaly, Rule, Threshold
from ces_pipeline.watch.episodes import Figures, Step, Verdict
from ces_pipeline.watch.incidents import Series

_DAYS_READ = 400
USUAL_STEPS = {"day": 7, "week": 2, "month": 1}
"""Grain of a threshold -> usual steps in a row that are a recovery."""
USUAL_STEPS_OF_ANOMALIES = 1
"""An anomaly lasts until its figure was usual for two weeks: the detector waits."""
_WORDS = {"above": "above the threshold", "below": "below the threshold"}
_ALARMS = ("spike", "drift")
_NO_VERDICT = ("holiday", "too little history", "too few rows")
_ANSWERED_BY = (
    "survey",
    "channel",
    "persona",
    "product",
    "device",
    "journey_stage",
    "process",
    "language",
    "source",
)
"""Dimensions that are a column of core.responses."""


@dataclass(frozen=True)
class WatchedSeries:
    """The steps of one series, in order of their days."""

    series: Series
    steps: tuple[Step, ...]
    usual_steps: int


def newest_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    """The newest day with landed rows; accounts aside, whose day is that of their receipt. None: there are none."""
    query = "SELECT max(day) FROM audit.delivery_days WHERE kind <> 'accounts'"
    rows: list[tuple[date | None]] = connection.execute(query).fetchall()
    return rows[0][0]


def watched_series(
    connection: duckdb.DuckDBPyConnection,
    rule: Rule,
    minimum_n: int,
    kept: Collection[Series],
    newest: date,
) -> list[WatchedSeries]:
    """The series of a rule with an affected step, and those of `kept`; none for a rule that is about no figure.

    minimum_n: steps of fewer rows are no evidence, unless the rule has its own minimum. newest: `newest_day`.
    """
    since = newest - timedelta(days=_DAYS_READ)
    if rule.threshold is not None:
        return _of_threshold(connection, rule.threshold, rule.minimum_n or minimum_n, kept, since, newest)
    if rule.anomaly is not None:
        return _of_anomalies(connection, rule.anomaly, kept, since)
    return []


def _of_threshold(
    connection: duckdb.DuckDBPyConnection,
    threshold: Threshold,
    minimum_n: int,
    kept: Collection[Series],
    since: date,
    newest: date,
) -> list[WatchedSeries]:
    figure = compared_figure(threshold)
    beyond = f"low > {threshold.limit!r}" if threshold.side == "above" else f"high < {threshold.limit!r}"
    query = f"""
        WITH compared AS ({_compared(figure)}),
        judged AS (
            SELECT *, (n IS NULL OR n >= $minimum_n) AND low IS NOT NULL AS is_known, is_known AND {beyond} AS is_beyond
            FROM compared WHERE day BETWEEN $since AND $newest AND observed IS NOT NULL
        )
        SELECT dimension, segment, day, first_day, observed, low, high, n, is_known, is_beyond
        FROM judged
        WHERE (dimension, segment) IN (SELECT DISTINCT (dimension, segment) FROM judged WHERE is_beyond)
            OR (dimension, segment) IN (SELECT (unnest($dimensions::VARCHAR[]), unnest($segments::VARCHAR[])))
        ORDER BY dimension, segment, day
    """
    kept = [series for series in kept if series.series_kind == threshold.name]
    values = {
        "minimum_n": minimum_n,
        "since": since,
        "newest": newest,
        "dimensions": [series.dimension for series in kept],
        "segments": [series.segment for series in kept],
        **{f"where_{place}": value for place, value in enumerate(figure.where.values())},
    }
    steps: dict[Series, list[Step]] = defaultdict(list)
    for row in _rows(connection, query, values):
        series = Series(threshold.name, row["dimension"], row["segment"])
        verdict: Verdict = "unknown" if not row["is_known"] else "affected" if row["is_beyond"] else "usual"
        figures = Figures(
            row["observed"],
            threshold.limit,
            None if figure.low == figure.value else row["low"],
            None if figure.high == figure.value else row["high"],
            row["n"],
            _direction(threshold),
        )
        steps[series].append(Step(row["day"], verdict, figures, row["first_day"]))
    return [WatchedSeries(series, tuple(found), USUAL_STEPS[figure.grain]) for series, found in steps.items()]


def _direction(threshold: Threshold) -> str:
    """In words: `harder` for effort above a value, as ease below one; else the side."""
    return "harder" if threshold.figure is not None else _WORDS[threshold.side]


def _compared(figure: ComparedFigure) -> str:
    """The query for every row of the figure: its series, the days that it covers, the value, the interval and n."""
    last_day = {"day": figure.day, "week": f"{figure.day} + 6", "month": f"last_day({figure.day})"}[
        figure.grain
    ]
    if figure.series == ("dimension", "segment"):
        dimension, segment = "dimension", "segment"
    else:
        dimension = f"'{', '.join(figure.series) or 'all'}'"
        texts = ", ".join(f"coalesce({column}::VARCHAR, 'unknown')" for column in figure.series)
        segment = f"concat_ws(', ', {texts})" if texts else "'all'"
    where = " AND ".join(
        f"{column}::VARCHAR = $where_{place}::VARCHAR" for place, column in enumerate(figure.where)
    )
    return (
        f"SELECT {dimension} AS dimension, {segment} AS segment, {figure.day} AS first_day, "
        f"({last_day})::DATE AS day, ({figure.value})::DOUBLE AS observed, ({figure.low})::DOUBLE AS low, "
        f"({figure.high})::DOUBLE AS high, ({figure.n})::BIGINT AS n FROM {figure.table}"
        f"{f' WHERE {where}' if where else ''}"
    )


def _of_anomalies(
    connection: duckdb.DuckDBPyConnection, anomaly: Anomaly, kept: Collection[Series], since: date
) -> list[WatchedSeries]:
    wanted = {
        name: list(values)
        for name in ("series_kind", "dimension", "segment")
        if (values := getattr(anomaly, name)) is not None
    }
    filters = "".join(f" AND {name} IN (SELECT unnest(${name}))" for name in wanted)
    query = f"""
        WITH judged AS (FROM mart.anomalies_daily WHERE day >= $since{filters})
        SELECT series_kind, dimension, segment, day, observed, expected, expected_low, expected_high, n, state,
            direction, if(grain = 'week', incident_first_day - 6, incident_first_day) AS first_day
        FROM judged
        WHERE (series_kind, dimension, segment) IN (
                SELECT DISTINCT (series_kind, dimension, segment) FROM judged WHERE incident_first_day IS NOT NULL
            )
            OR (series_kind, dimension, segment) IN (
                SELECT (unnest($kinds::VARCHAR[]), unnest($dimensions::VARCHAR[]), unnest($segments::VARCHAR[]))
            )
        ORDER BY series_kind, dimension, segment, day
    """
    values = {
        "since": since,
        "kinds": [series.series_kind for series in kept],
        "dimensions": [series.dimension for series in kept],
        "segments": [series.segment for series in kept],
        **wanted,
    }
    steps: dict[Series, list[Step]] = defaultdict(list)
    for row in _rows(connection, query, values):
        series = Series(row["series_kind"], row["dimension"], row["segment"])
        verdict: Verdict
        is_wanted = anomaly.direction is None or row["direction"] in anomaly.direction
        if row["first_day"] is not None and is_wanted:
            verdict = "affected"
        else:
            verdict = "unknown" if row["state"] in _NO_VERDICT else "usual"
        figures = Figures(
            row["observed"],
            row["expected"],
            row["expected_low"],
            row["expected_high"],
            row["n"],
            row["direction"],
        )
        is_alarm = row["state"].startswith(_ALARMS)
        steps[series].append(Step(row["day"], verdict, figures, row["first_day"], is_alarm))
    return [WatchedSeries(series, tuple(found), USUAL_STEPS_OF_ANOMALIES) for series, found in steps.items()]


def first_responses(
    connection: duckdb.DuckDBPyConnection, asked: Collection[tuple[Series, date]]
) -> dict[tuple[Series, date], datetime]:
    """The first response of each day and segment, where the dimension is a column of core.responses."""
    days: dict[str, set[tuple[str, date]]] = defaultdict(set)
    for series, day in asked:
        if series.dimension in ("all", *_ANSWERED_BY):
            days[series.dimension].add((series.segment, day))
    first: dict[tuple[str, str, date], datetime] = {}
    for dimension, wanted in days.items():
        column = f"{dimension}_id" if dimension in ("survey", "source") else dimension
        query = f"""
            SELECT {"'all'" if dimension == "all" else column} AS segment, day, min(recorded_at) AS at
            FROM core.responses WHERE day IN (SELECT unnest($days)) GROUP BY ALL
        """
        for row in _rows(connection, query, {"days": sorted({day for _, day in wanted})}):
            first[dimension, row["segment"], row["day"]] = row["at"]
    return {
        (series, day): first[series.dimension, series.segment, day]
        for series, day in asked
        if (series.dimension, series.segment, day) in first
    }


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    yield from connection.sql(query, params=values).to_arrow_table().to_pylist()
