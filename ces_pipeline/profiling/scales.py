"""Checks which registered scales the answers of a column fit."""

import re
from collections.abc import Collection, Iterable, Mapping

from ces_pipeline.clean.answers import FITS, OFF_SCALE, read_answer
from ces_pipeline.registry.scales import Scale

_NUMBER = re.compile(r"^[+-]?\d{1,3}(\.0+)?$")
_DECIMAL = re.compile(r"^\d{1,3}[.,]\d+$")
_MOST_VALUES = 33
"""Most different cells of a score column: three spellings of eleven values."""
_MOST_ANSWER = 10
"""The highest answer of the usual scales; sliders must be named by their scale."""
_SURE_LABELS = 2
"""A scale with all its labels in use is taken if every other scale that fits has so many unused labels."""
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


def as_number(cell: str) -> float | None:
    """The integer or decimal in a cell; None if it is no plain number."""
    text = cell.strip()
    return float(text.replace(",", ".")) if is_number(text) or _DECIMAL.match(text) else None


def value_of(cell: str, scale: Scale) -> float | None:
    """The value of the scale that a cell means, as cleaning reads it; None: no value of the scale."""
    return read_answer(cell, scale)[0]


def off_scale(answers: Mapping[str, int], scale: Scale) -> tuple[int, int]:
    """(Answers that are numbers beyond the scale, answers that fit) of answers with their counts."""
    outcomes = [(read_answer(cell, scale)[1], n) for cell, n in answers.items()]
    return sum(n for outcome, n in outcomes if outcome == OFF_SCALE), sum(
        n for outcome, n in outcomes if outcome == FITS
    )


def holds_numbers(scale: Scale, cells: Iterable[str]) -> bool:
    """Whether the numbers among the answers all lie on the scale. Nobody may have chosen its ends."""
    numbers = [number for cell in cells if (number := as_number(cell)) is not None]
    return bool(numbers) and all(
        scale.min <= number <= scale.max and (number.is_integer() or scale.has_decimals) for number in numbers
    )


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


def unused_labels(scale: Scale, labels: Collection[str]) -> int:
    """How many of the scale's values have a label that none of the answers means."""
    used = {value_of(label, scale) for label in labels}
    return len({*scale.by_label.values()} - used)


def best_by_labels(fitting: list[Scale], labels: Collection[str]) -> Scale | None:
    """The only scale that fits, or the one whose labels are all in use while every other has at least two unused.

    Five agreement labels are a scale of five, although a scale of seven has each of them too. Four of five labels show
    nothing: the fifth may just not have been chosen yet.
    """
    if len(fitting) == 1:
        return fitting[0]
    unused = {scale.id: unused_labels(scale, labels) for scale in fitting}
    complete = [scale for scale in fitting if unused[scale.id] == 0]
    others = [n for n in unused.values() if n]
    return complete[0] if len(complete) == 1 and min(others, default=0) >= _SURE_LABELS else None


def look_like_scores(cells: list[str], scales: Iterable[Scale], *, fewest: int = 3) -> bool:
    """Whether nearly all answers are integers from 0 to 10, or all are labels of one scale.

    fewest: different numbers that a column needs. A column whose name asks for effort needs one: people may agree.
    """
    cells = [cell for cell in cells if not is_no_answer(cell)]
    distinct = set(cells)
    if not cells or len(distinct) > _MOST_VALUES:
        return False
    numbers = [cell for cell in cells if is_number(cell) and 0 <= float(cell) <= _MOST_ANSWER]
    if len(numbers) >= 0.8 * len(cells):
        return len({float(cell) for cell in numbers}) >= fewest
    return len(distinct) >= min(2, fewest) and bool(fitting_labels(scales, distinct))


def shown_values(cells: Mapping[str, int]) -> str:
    """The answers of a column in a few words: its values, and their mean if they are numbers."""
    numbers = {cell: number for cell in cells if (number := as_number(cell)) is not None}
    if numbers and len(numbers) == len(cells):
        total = sum(cells.values())
        mean = sum(number * cells[cell] for cell, number in numbers.items()) / total
        listed = sorted({f"{number:g}" for number in numbers.values()}, key=float)
        return f"values {' '.join(listed[:11])}, mean {mean:.2f}"
    listed = sorted(cells, key=lambda cell: (-cells[cell], cell))[:5]
    return f"values {', '.join(map(repr, listed))}" if listed else "no values"


def described(scale: Scale) -> str:
    """A scale as a person chooses it: its id, its ends, and what a higher answer means."""
    return f"{scale.id}: {scale.title}, higher is {scale.higher_means}"
