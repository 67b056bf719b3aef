"""What every part of a page is made of: titled figures, tiles and sections, and how a figure is drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from ces_pipeline.pages import figures
from ces_pipeline.pages.cells import Cells, Grid
from ces_pipeline.pages.facts import Report, Rows
from ces_pipeline.pages.figures import NARROW, WIDE, Point
from ces_pipeline.pages.words import Words


@dataclass(frozen=True)
class Figure:
    """A figure with its words and, behind a click, its table."""

    title: str
    note: str = ""
    drawn: str = ""
    table: Grid | None = None
    is_table_open: bool = False
    lines: tuple[Markup, ...] = ()


@dataclass(frozen=True)
class Tile:
    """A figure of the period with its qualifiers, one a line."""

    title: str
    value: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One survey."""

    anchor: str
    title: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    verdict_class: str
    tiles: tuple[Tile, ...]
    figures: tuple[Figure, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Part:
    """A part of a page: puts facts into words and figures."""

    report: Report
    words: Words

    @property
    def cells(self) -> Cells:
        return Cells(self.words)

    @property
    def period_name(self) -> str:
        return self.words(self.report.ask.period)

    @property
    def suppressed(self) -> str:
        return self.words("suppressed")

    def _rows(self, name: str) -> Rows:
        return self.report.rows.get(name, ())

    def _intervals(self, points: Sequence[Point], texts: Sequence[str], sentence: str) -> str:
        return self._twice(
            lambda width: figures.intervals(
                points,
                width=width,
                sentence=sentence,
                shown=lambda value: self.words.number(value),
                texts=texts,
                suppressed=self.suppressed,
            )
        )

    def _short(self, row: Mapping[str, Any], name: str, low: str, high: str, *, signed: bool = False) -> str:
        """The text at the right of an interval: figure, interval and n."""
        words = self.words
        n = f"{words('n_short')} {words.number(row['n'])}"
        if row[name] is None:
            return f"{self.suppressed}, {n}"
        shown = words.signed if signed else words.points
        if row[low] is None or row[high] is None:
            return f"{shown(row[name])}, {n}"
        return f"{shown(row[name])} ({words.between(shown(row[low]), shown(row[high]))}), {n}"

    def _twice(self, drawn: Callable[[int], str]) -> Markup:
        """A figure for wide and for narrow pages. Its texts were escaped when it was drawn."""
        return Markup(  # noqa: S704
            f'<div class="wide">{drawn(WIDE)}</div><div class="narrow">{drawn(NARROW)}</div>'
        )
