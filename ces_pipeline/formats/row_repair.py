"""Repairs rows that do not fit their header, where it is clear how: the cells must look like those of their columns.

- a row without its last, empty cells, as spreadsheets write them
- a row with a delimiter too many at its end
- quotes inside a quoted cell that are not doubled, or have a backslash before them
- a quote that is not closed in its line, so that a cell holds the rows below it
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ces_pipeline.formats.cell_kinds import Kind, are_a_row, fit, kind_of

_BREAK = re.compile(r"\r\n|\r|\n")
_LEAST_CELLS = 2
_LEAST_KNOWN = 2
_WIDE = 4


def has_stray_quotes(text: str, delimiter: str) -> bool:
    """Whether a quote neither stands at an end of its cell nor is doubled, or the text ends within quotes."""
    ends = (delimiter, "\n", "\r", '"', "")
    is_open = False
    for found in re.finditer('"', text):
        at = found.start()
        neighbour = text[at + 1 : at + 2] if is_open else text[max(0, at - 1) : at]
        if neighbour not in ends:
            return True
        is_open = not is_open
    return is_open


@dataclass(frozen=True)
class Repaired:
    """A row that was repaired, or a line that could not be. cells: None for the latter. width: the cells it had."""

    cells: list[str] | None
    text: str
    width: int


@dataclass(frozen=True)
class RowRepair:
    """Repairs the rows of one table. kinds: of each column, the kind of its cells; None if it is open."""

    delimiter: str
    quote: str | None
    kinds: Sequence[Kind | None]

    @property
    def width(self) -> int:
        return len(self.kinds)

    def rows_of(self, text: str) -> list[Repaired] | None:
        """The rows that a record holds; None if it is not clear which.

        A record of several lines whose quotes are wrong is taken line by line.
        """
        if _BREAK.search(text) is not None and (
            # A record that does not fit has a fault: its lines are rows already if they may be.
            has_stray_quotes(text, self.delimiter) or self.holds_rows(text, is_suspect=True)
        ):
            return self.lines_of(text)
        for cells in self._ways_to_split(text):
            fitting = self._fitting(cells)
            if fitting is not None:
                return [Repaired(fitting, text, len(cells))]
        return None

    def holds_rows(self, text: str, *, is_suspect: bool = False) -> bool:
        """Whether a line of the text, below the first, is a row of the table: surely, or if suspect perhaps.

        is_suspect: whether the file has quotes that do not stand at an end of their cell.
        """
        return any(
            self.delimiter in line and (self._is_sure(line) or (is_suspect and self._may_be(line)))
            for line in _BREAK.split(text)[1:]
        )

    def ends_row(self, text: str, place: int) -> bool:
        """Whether a line of the cell at this place, but the last, ends in cells that are those to its right."""
        kinds = self.kinds[place + 1 :]
        if sum(kind is not None for kind in kinds) < _LEAST_KNOWN:
            return False
        for line in _BREAK.split(text)[:-1]:
            cells = line.split(self.delimiter)[-len(kinds) :]
            if line.count(self.delimiter) >= len(kinds) and all(
                kind is None or kind_of(cell) == kind for cell, kind in zip(cells, kinds, strict=True)
            ):
                return True
        return False

    def lines_of(self, text: str) -> list[Repaired]:
        """Each line of a record as a row of its own, since a quote in it is not closed in its line."""
        found = []
        for line in _BREAK.split(text.rstrip("\r\n")):
            fitting, width = None, 0
            for cells in self._ways_to_split(line):
                fitting, width = self._fitting(cells), len(cells)
                if fitting is not None:
                    break
            found.append(Repaired(fitting, line, width))
        return found

    def as_text(self, cells: Sequence[str | None], raw: int) -> str:
        """A record's text. raw: the place of the cell whose text is not put in quotes again."""
        return self.delimiter.join(
            (cell or "") if place == raw else self._quoted(cell or "") for place, cell in enumerate(cells)
        )

    def _quoted(self, cell: str) -> str:
        is_plain = not any(letter in cell for letter in (self.delimiter, '"', "\n", "\r"))
        return cell if is_plain else '"' + cell.replace('"', '""') + '"'

    def _is_sure(self, line: str) -> bool:
        return any(are_a_row(cells, self.kinds) for cells in self._ways_to_split(line))

    def _may_be(self, line: str) -> bool:
        """Whether the line has about as many cells as a row, or fewer that look like those of its columns."""
        for cells in self._ways_to_split(line):
            known = [cell for cell, kind in zip(cells, self.kinds, strict=False) if kind and cell.strip()]
            near = abs(len(cells) - self.width) <= (self.width >= _WIDE)
            if near or (known and self._fitting(cells) is not None):
                return True
        return False

    def _ways_to_split(self, text: str) -> list[list[str]]:
        """The cells as the parser sees them; then with quotes that close only at the end of a cell."""
        if self.quote is None:
            return [text.split(self.delimiter)]
        try:
            records = list(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter))
        except csv.Error:
            return []
        ways = records if len(records) == 1 else []
        if '"' in text:
            ways += [self._split(text, has_escapes=True), self._split(text, has_escapes=False)]
        return ways

    def _split(self, text: str, has_escapes: bool) -> list[str]:
        """The cells; of a text with far too many, only so many as show that it is no row."""
        cells: list[str] = []
        start, end = 0, len(text)
        last_close = len(text) - 1 if text.endswith('"') else text.rfind(f'"{self.delimiter}')
        while start <= end and not (len(cells) > self.width + _WIDE and cells[-1].strip()):
            cell, start = self._next_cell(text, start, has_escapes, last_close)
            cells.append(cell)
        return cells

    def _next_cell(self, text: str, start: int, has_escapes: bool, last_close: int) -> tuple[str, int]:
        """(The cell that begins at `start`, the start of the next one). last_close: where the last quote may close."""
        if start < last_close and text.startswith('"', start):
            place = start + 1
            while (place := text.find('"', place)) >= 0:
                after = text[place + 1 : place + 2]
                is_escaped = has_escapes and text[place - 1] == "\\" and place - 1 > start
                if after in ("", self.delimiter) and not is_escaped:
                    inner = text[start + 1 : place].replace('""', '"')
                    return inner.replace('\\"', '"') if has_escapes else inner, place + 2
                place += 2 if after == '"' and not is_escaped else 1
        found = text.find(self.delimiter, start)
        stop = len(text) if found < 0 else found
        return text[start:stop], stop + 1

    def _fitting(self, cells: list[str]) -> list[str] | None:
        """The cells as a row of the table; None if they are none."""
        extra = cells[self.width :]
        if any(cell.strip() for cell in extra) or len(cells) < min(_LEAST_CELLS, self.width):
            return None
        if not fit(cells, self.kinds) or self._is_shifted(cells) or self._is_a_fragment(cells):
            return None
        return (cells + [""] * (self.width - len(cells)))[: self.width]

    def _is_a_fragment(self, cells: list[str]) -> bool:
        """Whether nothing shows that the few cells of a short row begin at its start: no number or time of a column."""
        if 2 * len(cells) >= self.width:
            return False
        return not any(kind and cell.strip() for cell, kind in zip(cells, self.kinds, strict=False))

    def _is_shifted(self, cells: list[str]) -> bool:
        """Whether a short row lacks a cell in its middle: the time of a column at the end lies in one of texts."""
        lacks_time = "time" in self.kinds[len(cells) :]
        texts = (cell for cell, kind in zip(cells, self.kinds, strict=False) if kind is None)
        return lacks_time and any(kind_of(cell) == "time" for cell in texts)
