"""Tells numbers, times and texts apart by their looks, to see whether a row of cells fits a table's columns.

Nothing is parsed: a cell that looks like a number may still be refused as one later.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

Kind = Literal["number", "time", "text"]

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s?%?")
_TIME = re.compile(r"\d{1,4}([-/.年]\s?)\d{1,2}([-/.月]\s?)\d{1,4}.*|\d{1,2}:\d{2}.*")


def kind_of(cell: str) -> Kind | None:
    """How a cell looks; None if it is blank."""
    text = cell.strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text) and text.count(".") < 2:
        return "number"
    return "time" if _TIME.fullmatch(text) else "text"


def column_kinds(rows: Sequence[Sequence[str]], width: int) -> list[Kind | None]:
    """Of each column, the kind that four in five of its filled cells have; None if none has, or they are texts.

    Rows of another width count only if there is no row of this one, since their cells may be shifted.
    """
    fitting = [row for row in rows if len(row) == width]
    found: list[Counter[Kind]] = [Counter() for _ in range(width)]
    for row in fitting or rows:
        for seen, cell in zip(found, row, strict=False):
            kind = kind_of(cell)
            if kind:
                seen[kind] += 1
    kinds: list[Kind | None] = []
    for seen in found:
        [(kind, count)] = seen.most_common(1) or [("text", 0)]
        kinds.append(kind if kind != "text" and count >= 0.8 * seen.total() else None)
    return kinds


def fit(cells: Sequence[str], kinds: Sequence[Kind | None]) -> bool:
    """Whether each filled cell looks like the others of its column."""
    return all(
        kind is None or kind_of(cell) in (None, kind) for cell, kind in zip(cells, kinds, strict=False)
    )


def are_a_row(cells: Sequence[str], kinds: Sequence[Kind | None]) -> bool:
    """Whether these cells are surely a row of the table: its columns of numbers and times hold such.

    At least two of them and half of them are filled. A table without two such columns has no sure rows.
    """
    known = [kind_of(cell) == kind for cell, kind in zip(cells, kinds, strict=False) if kind and cell.strip()]
    typed = sum(kind is not None for kind in kinds)
    return len(cells) == len(kinds) and len(known) >= max(2, 0.5 * typed) and all(known)
