"""The columns behind a threshold of `alerts.yaml`: which table, value, interval, n and day it compares."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from ces_pipeline.registry.alerts import Threshold
from ces_pipeline.schemas.tables import TABLES

_SEGMENTS = "mart.ces_segments"
_METRICS = "mart.program_metrics"
_DAYS = ("day", "week", "period_start")
_NUMBERS = ("Int64", "Float64")


class UnknownColumnError(ValueError):
    """A threshold names a table or column that does not exist. `key` is the key of the entry."""

    def __init__(self, key: str, text: str):
        super().__init__(text)
        self.key = key


@dataclass(frozen=True)
class ComparedFigure:
    """What a threshold compares: SQL expressions over the rows of `table`.

    low, high: the ends of the interval; the value itself where the figure counts all there is. n: null if the table has
    none. grain: what a row covers. series: the columns that distinguish the series. where: column -> value.
    """

    table: str
    value: str
    low: str
    high: str
    n: str
    day: str
    grain: Literal["day", "week", "month"]
    series: tuple[str, ...]
    where: dict[str, str | int | float] = field(default_factory=dict)


def compared_figure(threshold: Threshold) -> ComparedFigure:
    """The columns of a threshold. Raises UnknownColumnError."""
    if threshold.figure is not None:
        return _of_answers(threshold, str(threshold.figure))
    if threshold.metric is not None:
        where: dict[str, str | int | float] = {"metric": str(threshold.metric)}
        if threshold.segment is not None:
            where["segment"] = threshold.segment
        # A metric without an interval counts all there is.
        low, high = "coalesce(value_low, value)", "coalesce(value_high, value)"
        return ComparedFigure(_METRICS, "value", low, high, "n", "day", "day", ("segment",), where)
    return _of_table(threshold, threshold.table or "", threshold.column or "")


def _of_answers(threshold: Threshold, figure: str) -> ComparedFigure:
    low, high = {
        "mean_effort_0_100": ("100 - ease_high_0_100", "100 - ease_low_0_100"),
        "mean_ease_0_100": ("ease_low_0_100", "ease_high_0_100"),
    }.get(figure, (f"{figure}_low", f"{figure}_high"))
    where: dict[str, str | int | float] = {"period": threshold.period, "dimension": threshold.dimension}
    if threshold.segment is not None:
        where["segment"] = threshold.segment
    return ComparedFigure(
        _SEGMENTS, figure, low, high, "n", "period_start", threshold.period, ("dimension", "segment"), where
    )


def _of_table(threshold: Threshold, name: str, value: str) -> ComparedFigure:
    marts = {known: table for known, table in TABLES.items() if table.layer == "mart" and not table.is_view}
    if name not in marts:
        raise UnknownColumnError("table", f"no such mart {name!r}{_near(name, marts)}")
    columns = marts[name].columns
    numbers = [column for column, described in columns.items() if str(described.dtype) in _NUMBERS]

    def known(key: str, column: str, names: Iterable[str]) -> str:
        if column not in names:
            raise UnknownColumnError(key, f"{name} has no such column {column!r}{_near(column, names)}")
        return column

    known("column", value, numbers)
    ends = {}
    for key in ("low", "high"):
        column = getattr(threshold, key) or f"{value}_{key}"
        if threshold.is_exact:
            ends[key] = value
        elif column in numbers:
            ends[key] = column
        else:
            raise UnknownColumnError(
                key,
                f"{name} has no column {column!r}: name the ends of the interval with low and high, or set "
                "`is_exact: true` for a count of all there is",
            )
    days = [column for column, described in columns.items() if "date32" in str(described.dtype)]
    day = threshold.day or next((column for column in _DAYS if column in days), "day")
    known("day", day, days)
    for column in threshold.where:
        known(f"where.{column}", column, columns)
    n = threshold.n or "n"
    if threshold.n is not None or not threshold.is_exact:
        known("n", n, numbers)
    series = tuple(column for column in marts[name].key if column != day and column not in threshold.where)
    if single := [column for column in series if column.endswith("_key")]:
        raise UnknownColumnError(
            "table",
            f"{name} has rows of single people, answers or tickets ({single[0]}): messages are about groups",
        )
    period = str(threshold.where.get("period", "week" if day == "week" else "day"))
    grain: Literal["day", "week", "month"] = (
        "week" if period == "week" else "month" if period == "month" else "day"
    )
    shown_n = n if n in numbers else "null"
    return ComparedFigure(
        name, value, ends["low"], ends["high"], shown_n, day, grain, series, dict(threshold.where)
    )


def _near(name: str, known: Iterable[str]) -> str:
    names = list(known)
    if found := get_close_matches(name, names, n=1):
        return f": did you mean {found[0]}?"
    return f" (known: {', '.join(names)})"
