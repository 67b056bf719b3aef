"""Figures as texts that carry their value: a printed figure is rounded, and `data-v` holds it to the last bit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from ces_pipeline.pages.words import Words


@dataclass(frozen=True)
class Grid:
    """A table of a page. right: which columns hold figures."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]


def grid(columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> Grid:
    """A table from (heading, is a figure) of each column and its rows."""
    return Grid(
        tuple(heading for heading, _ in columns),
        tuple(tuple(row) for row in rows),
        tuple(is_figure for _, is_figure in columns),
    )


@dataclass(frozen=True)
class Cells:
    """Writes figures in one language, and says `suppressed` where there is none."""

    words: Words

    def figure(self, value: float | int, text: str) -> Markup:
        """A text with its value."""
        return Markup("<span data-v={}>{}</span>").format(repr(value), text)

    def count(self, value: int | None) -> Markup:
        """A number of rows or answers; nothing for null."""
        return escape("") if value is None else self.figure(value, self.words.number(value))

    def points(self, value: float | None) -> Markup:
        return self._or_suppressed(value, self.words.points)

    def share(self, value: float | None) -> Markup:
        return self._or_suppressed(value, self.words.percent)

    def minutes(self, value: float | None) -> Markup:
        return escape("") if value is None else self.figure(value, self.words.duration(value))

    def change(self, value: float | None) -> Markup:
        return self._or_suppressed(value, self.words.signed)

    def interval(self, row: Mapping[str, Any], low: str, high: str, kind: str = "points") -> Markup:
        """`65.8 to 71.9` from two columns; nothing if there is none. kind: `points`, `share` or `change`."""
        if row[low] is None or row[high] is None:
            return escape("")
        of: Callable[[float], Markup] = getattr(self, kind)
        return Markup("{} {} {}").format(of(row[low]), self.words("to"), of(row[high]))

    def with_interval(
        self, row: Mapping[str, Any], name: str, low: str, high: str, kind: str = "points"
    ) -> Markup:
        """`68.8 (65.8 to 71.9)`."""
        of: Callable[[float | None], Markup] = getattr(self, kind)
        if row[name] is None or row[low] is None:
            return of(row[name])
        return Markup("{} ({})").format(of(row[name]), self.interval(row, low, high, kind))

    def in_unit(self, value: float | None, unit: str) -> Markup:
        """A value with a unit of `mart.program_metrics` or `mart.objectives`; nothing for null."""
        if value is None:
            return escape("")
        if unit == "share":
            return self.share(value)
        if unit == "minutes":
            return self.minutes(value)
        if unit == "seconds":
            return self.figure(value, self.words.duration(value / 60))
        if unit == "hours":
            return self.figure(value, self.words.duration(value * 60))
        if unit.startswith("points"):
            return self.points(value)
        is_integer = float(value).is_integer()
        return self.figure(value, f"{self.words.number(value, 0 if is_integer else 2)} {unit}".strip())

    def _or_suppressed(self, value: float | None, shown: Callable[[float], str]) -> Markup:
        if value is None:
            return Markup('<span class="suppressed">{}</span>').format(self.words("suppressed"))
        return self.figure(value, shown(value))
