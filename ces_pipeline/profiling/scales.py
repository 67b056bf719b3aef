"""Checks whether answers fit a registered scale."""

import re
from collections.abc import Iterable

from ces_pipeline.clean.answers import read_answer
from ces_pipeline.registry.scales import Scale

_NUMBER = re.compile(r"^[+-]?\d{1,3}(\.0+)?$")
_MOST_VALUES = 33
"""Most different cells of a score column: three spellings of eleven values."""
NOTHING = ("undefined", "null", "n/a", "na", "-")
"""Texts that tools write for no value, in any column."""
# Qualtrics writes -99 for a question that was seen but not answered.
_NO_ANSWER = frozenset(
    [
        *NOTHING,
        *("-99", "n.a.", "nan", "not applicable", "skipped"),
        *("no answer", "not answered", "unanswered", "no response", "no rating", "not rated"),
    ]
)


def is_no_answer(cell: str) -> bool:
    """Whether a cell of the score column means no answer. `None` is not in the list: it may mean no effort."""
    return cell.strip().lower() in _NO_ANSWER


def is_number(cell: str) -> bool:
    """Whether the cell is an integer, such as `7` or `7.0`."""
    return bool(_NUMBER.match(cell.strip()))


def value_of(cell: str, scale: Scale) -> float | None:
    """The value of the scale that a cell means, as cleaning reads it; None: no value of the scale."""
    return read_answer(cell, scale)[0]


def reaches(scale: Scale, cells: Iterable[str]) -> bool:
    """Whether numeric answers fit the scale and reach its maximum, as in all but the smallest exports."""
    numbers = {float(cell) for cell in cells}
    return bool(numbers) and scale.min <= min(numbers) and max(numbers) == scale.max


def fitting_labels(scales: Iterable[Scale], cells: Iterable[str]) -> list[Scale]:
    """The scales with labels and three or more values for which every cell is a value or label."""
    answers = list(cells)
    return [
        scale
        for scale in scales
        if scale.max - scale.min > 1
        and len(scale.by_label) > 1
        and all(value_of(cell, scale) is not None for cell in answers)
    ]


def look_like_scores(cells: list[str], scales: Iterable[Scale]) -> bool:
    """Whether nearly all answers are integers from 0 to 10, or all are labels of one scale."""
    cells = [cell for cell in cells if not is_no_answer(cell)]
    distinct = set(cells)
    if not 2 <= len(distinct) <= _MOST_VALUES:
        return False
    numbers = [cell for cell in cells if is_number(cell) and 0 <= float(cell) <= 10]
    if len(numbers) >= 0.8 * len(cells):
        return len({float(cell) for cell in numbers}) >= 3
    return bool(fitting_labels(scales, distinct))
