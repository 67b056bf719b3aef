"""Whether answers fit a registered scale."""

import re
from collections.abc import Iterable

from ces_pipeline.folding import fold
from ces_pipeline.registry.scales import Scale

_NUMBER = re.compile(r"^[+-]?\d{1,3}(\.0+)?$")
_LEADING_NUMBER = re.compile(r"^(\d{1,2})\s*[-–:.)(=]\s*\S")
_MOST_VALUES = 33
"""More different cells than three spellings of eleven values are no answers on a scale."""
NOTHING = ("undefined", "null", "n/a", "na", "-")
"""How tools write that there is no value, whatever it would be of."""
# Qualtrics writes -99 for a question that was seen and not answered.
_NO_ANSWER = frozenset(
    [
        *NOTHING,
        *("-99", "n.a.", "nan", "not applicable", "skipped"),
        *("no answer", "not answered", "unanswered", "no response", "no rating", "not rated"),
    ]
)


def is_no_answer(cell: str) -> bool:
    """Whether the score's cell is how tools, or a choice offered, say that there is none. `None` may be an effort."""
    return cell.strip().lower() in _NO_ANSWER


def is_number(cell: str) -> bool:
    """Whether the cell is a whole number, as `7` or `7.0`."""
    return bool(_NUMBER.match(cell.strip()))


def value_of(cell: str, scale: Scale) -> int | None:
    """The scale's value that a cell means: a number (`7`, `7.0`, `7 - Very easy`) or a label; None: none."""
    text = cell.strip()
    if _NUMBER.match(text):
        value: int | None = int(float(text))
    elif (labelled := scale.by_label.get(fold(text))) is not None:
        value = labelled
    else:
        leading = _LEADING_NUMBER.match(text)
        value = int(leading.group(1)) if leading else None
    return value if value is not None and scale.min <= value <= scale.max else None


def reaches(scale: Scale, cells: Iterable[str]) -> bool:
    """Whether numeric answers fit the scale and use its top, as all but the smallest exports do."""
    numbers = {float(cell) for cell in cells}
    return bool(numbers) and scale.min <= min(numbers) and max(numbers) == scale.max


def fitting_labels(scales: Iterable[Scale], cells: Iterable[str]) -> list[Scale]:
    """The scales of three or more labelled values on which every cell is a value or label."""
    told = list(cells)
    return [
        scale
        for scale in scales
        if scale.max - scale.min > 1
        and len(scale.by_label) > 1
        and all(value_of(cell, scale) is not None for cell in told)
    ]


def look_like_scores(cells: list[str], scales: Iterable[Scale]) -> bool:
    """Whether nearly all answers are whole numbers 0 to 10, or all are labels of one scale."""
    cells = [cell for cell in cells if not is_no_answer(cell)]
    distinct = set(cells)
    if not 2 <= len(distinct) <= _MOST_VALUES:
        return False
    numbers = [cell for cell in cells if is_number(cell) and 0 <= float(cell) <= 10]
    if len(numbers) >= 0.8 * len(cells):
        return len({float(cell) for cell in numbers}) >= 3
    return bool(fitting_labels(scales, distinct))
