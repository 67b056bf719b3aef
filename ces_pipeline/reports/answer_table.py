"""An answer as a table of texts: a figure and its interval in one cell, each with its unit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ces_pipeline.reports.answers import Answer
from ces_pipeline.reports.units import heading, shown, unit_of

_TOO_FEW = "too few"


@dataclass(frozen=True)
class AnswerTable:
    """headings and rows of texts; right: which columns hold figures. has_suppressed: a figure is `too few`."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    has_suppressed: bool


def answer_table(answer: Answer) -> AnswerTable:
    """The answer's columns and rows as texts.

    `unit` is shown with the values. A reason for a null is a column only where a row has one.
    """
    columns = [column for column in intervals(answer.columns) if _is_shown(column[0], answer)]
    rows = tuple(tuple(_cell(column, row) for column in columns) for row in answer.rows)
    return AnswerTable(
        headings=tuple(heading(figure) + (", 95 % interval" if low else "") for figure, low, _ in columns),
        rows=rows,
        right=tuple(_is_figure(figure, answer) for figure, _, _ in columns),
        has_suppressed=any(_TOO_FEW in row for row in rows),
    )


def intervals(columns: tuple[str, ...]) -> Iterator[tuple[str, str | None, str | None]]:
    """Each column with the two columns of its interval, which stand directly behind it; None: it has no interval."""
    position = 0
    while position < len(columns):
        low, high = (columns[place] if place < len(columns) else "" for place in (position + 1, position + 2))
        if "low" in low.split("_") and high == "_".join("high" if w == "low" else w for w in low.split("_")):
            yield columns[position], low, high
            position += 3
        else:
            yield columns[position], None, None
            position += 1


def _cell(column: tuple[str, str | None, str | None], row: Mapping[str, Any]) -> str:
    figure, low, high = column
    if row[figure] is None and row.get("is_suppressed") and unit_of(figure):
        return _TOO_FEW
    text = shown(figure, row[figure], row)
    if low is None or high is None or row[low] is None or row[high] is None:
        return text
    lowest, highest = shown(figure, row[low], row), shown(figure, row[high], row)
    _, _, unit = text.partition(" ")
    if unit and lowest.endswith(f" {unit}") and highest.endswith(f" {unit}"):
        # The unit once: `55.0 % (53.6 to 56.5)`.
        lowest, highest = lowest.partition(" ")[0], highest.partition(" ")[0]
    return f"{text} ({lowest} to {highest})"


def _is_shown(column: str, answer: Answer) -> bool:
    if column.startswith("why"):
        return any(row[column] is not None for row in answer.rows)
    return column not in ("unit", "is_suppressed")


def _is_figure(column: str, answer: Answer) -> bool:
    values = [row[column] for row in answer.rows if row[column] is not None]
    return bool(values) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
