"""Tells numbers, times and texts apart by their looks, to see whether a row of cells fits a table's columns.

Nothing is parsed: a cell that looks like a number may still be refused as one later.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

Kind = Literal["number", "time", "text"]

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")
_TIME = re.compile(r"\d{1,4}([-/.年]\s?)\d{1,2}([-/.月]\s?)\d{1,4}.*|\d{1,2}:\d{2}.*", re.DOTALL)


def kind_of(cell: str) -> Kind | None:
    """How a cell looks; None if it is blank."""
    text = cell.strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text) and text.count(".") < 2:
        return "number"
    return "time" if _TIME.fullmatch(text) else "text"


def column_kinds(rows: Iterable[Sequence[str]], width: int) -> list[Kind | None]:
    """Of each column, the kind that all filled cells have; None if they differ, are texts, or there are none."""
    found: list[set[Kind]] = [set() for _ in range(width)]
    for row in rows:
        for seen, cell in zip(found, row, strict=False):
            kind = kind_of(cell)
            if kind:
                seen.add(kind)
    return [seen.pop() if len(seen) == 1 and "text" not in seen else None for seen in found]


def fit(cells: Sequence[str], kinds: Sequence[Kind | None]) -> bool:
    """Whether each filled cell looks like the others of its column."""
    return all(
        kind is None or kind_of(cell) in (None, kind) for cell, kind in zip(cells, kinds, strict=False)
    )


def are_a_row(cells: Sequence[str], kinds: Sequence[Kind | None]) -> bool:
    """Whether these cells are surely a row of the table: every column of numbers or times is filled with such.

    A table without two such columns has no sure rows.
    """
    known = [(cell, kind) for cell, kind in zip(cells, kinds, strict=False) if kind]
    return len(cells) == len(kinds) and len(known) >= 2 and all(kind_of(cell) == kind for cell, kind in known)
