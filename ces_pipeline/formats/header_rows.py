"""Finds where a table begins: title lines above the names, and further header rows below them.

Exports repeat the names, the questions' texts or import ids in a second and third row. Such a row is no answer.
"""

from collections.abc import Sequence

from ces_pipeline.formats.cell_kinds import column_kinds, kind_of
from ces_pipeline.formats.contract import folded

_MOST_TITLE_LINES = 20
_MOST_HEADER_ROWS = 3
_ROWS_BELOW = 40
_QUESTION_LENGTH = 8


def filled(row: Sequence[str]) -> int:
    """How many cells are not blank."""
    return sum(bool(cell.strip()) for cell in row)


def names_at(rows: Sequence[Sequence[str]]) -> int:
    """The place of the row with the names: 0, or the first row below title lines.

    Title lines have at most three cells, and at most half as many as the names. The names are texts, one in each
    column; most rows below are as wide as they are.
    """
    if len(rows) < 2:
        return 0
    for place, row in enumerate(rows[: _MOST_TITLE_LINES + 1]):
        width = len(row)
        below = [len(other) for other in rows[place + 1 :][:_ROWS_BELOW]]
        is_wide = width > 1 and all(filled(other) <= _most_in_title(width) for other in rows[:place])
        are_names = filled(row) >= max(2, 0.8 * width) and all(
            kind_of(cell) in ("text", None) for cell in row
        )
        fitting = sum(other in (width, width + 1) for other in below)
        if place == 0 and (filled(row) > _most_in_title(max([width, *below])) or not below):
            return 0
        if place and is_wide and are_names and fitting >= max(1, 0.5 * len(below)):
            return place
    return 0


def _most_in_title(width: int) -> int:
    return max(1, min(width // 2, 3))


def header_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many of the first rows are header rows: 1 to 3. rows: begins with the names."""
    for count in range(min(_MOST_HEADER_ROWS, len(rows)), 1, -1):
        if all(_could_be_header(row) for row in rows[1:count]) and _is_header(rows, count - 1):
            return count
    return 1


def _could_be_header(row: Sequence[str]) -> bool:
    return not any(kind_of(cell) in ("number", "time") for cell in row) and filled(row) > 0


def _is_header(rows: Sequence[Sequence[str]], place: int) -> bool:
    row, names = rows[place], rows[0]
    below = rows[place + 1 :][:_ROWS_BELOW]
    cells = [cell for cell in row if cell.strip()]
    if sum(_is_json(cell) for cell in cells) > len(cells) / 2 and not any(
        _is_json(cell) for other in below for cell in other
    ):
        return True
    kinds = column_kinds(below, len(names))
    # A cell of text in a column of numbers or times.
    breaks = [kind is not None and bool(cell.strip()) for cell, kind in zip(row, kinds, strict=False)]
    breaking = [cell for cell, is_breaking in zip(row, breaks, strict=False) if is_breaking]
    if not breaking or not below:
        return False
    if any(cell.strip() and folded(cell) == folded(name) for cell, name in zip(row, names, strict=False)):
        return True
    # Question texts: the columns that tell the rows apart say nothing about this row.
    keys = [
        column
        for column, is_breaking in enumerate(breaks)
        if not is_breaking
        and len({other[column] if column < len(other) else "" for other in below}) == len(below)
    ]
    return (
        bool(keys)
        and all(not row[column].strip() for column in keys)
        and len(below) > 1
        and any(len(cell) >= _QUESTION_LENGTH and " " in cell.strip() for cell in breaking)
    )


def _is_json(cell: str) -> bool:
    """Whether the cell looks like a JSON object."""
    text = cell.strip()
    return text.startswith("{") and text.endswith("}") and ":" in text
