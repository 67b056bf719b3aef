"""Reads the text of an answer on its registered scale. Each distinct text is read once."""

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

from ces_pipeline.folding import fold
from ces_pipeline.registry.scales import Scale

FITS, BLANK, OFF_SCALE, UNKNOWN = 0, 1, 2, 3
"""Outcomes of reading an answer."""

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_NUMBER_WITH_LABEL = re.compile(r"\(?(\d+)\)?\s*(?:[-–—:.)=]\s*|\s|(?=\())\(?([^\W\d_][^\d]*)")
"""A number, then a label that begins with a letter and holds no digit: another digit may be another answer."""
_OUT_OF = re.compile(r"(\d+)\s*(?:/|of|out of|von|sur|de|su|van)\s*(\d+)", re.IGNORECASE)
_NO_LABELS = frozenset(
    {
        "or", "to", "and", "of", "out", "oder", "bis", "und", "von", "ou", "à", "et", "sur", "o", "a", "y", "de", "e",
        "su", "tot", "en", "van",
    }
)  # fmt: skip
"""First words of what follows a number but is no label of it, such as in `4 or more`."""

NPS_SCALE = Scale(
    id="nps_0_10",
    title="Likelihood to recommend",
    min=0,
    max=10,
    higher_means="easier",
    easy=(9, 10),
    difficult=(0, 1, 2, 3, 4, 5, 6),
)


def read_answer(text: str | None, scale: Scale) -> tuple[float | None, int]:
    """(value, outcome) of one answer. Digits of any script, `7.0`, `7 - Very easy`, `7 (Easy)` and `7/7` are numbers.

    A number with a label of another number is refused, because either could be meant, and so is a text that may hold
    several numbers (`4 or 5`, `3 (changed from 5)`), a part of another scale (`5 out of 10`) or a percentage (`6 %`).
    A decimal is an answer only on a continuous scale.
    """
    plain = unicodedata.normalize("NFKC", text or "").strip()
    if not plain:
        return None, BLANK
    if _NUMBER.fullmatch(plain):
        number = float(plain.replace(",", "."))
        if (number.is_integer() or scale.has_decimals) and scale.min <= number <= scale.max:
            return number, FITS
        return None, OFF_SCALE
    if (labelled := scale.by_label.get(fold(plain))) is not None:
        return labelled, FITS
    if (match := _OUT_OF.fullmatch(plain)) and int(match[2]) == scale.max:
        return read_answer(match[1], scale)
    if match := _NUMBER_WITH_LABEL.fullmatch(plain):
        label = fold(match[2]).rstrip(")").strip()
        if label.split()[0] in _NO_LABELS:
            return None, UNKNOWN
        value, outcome = read_answer(match[1], scale)
        contradicted = scale.by_label.get(label, value) != value
        return (None, UNKNOWN) if contradicted else (value, outcome)
    return None, UNKNOWN


def read_answers(
    texts: pd.Series, scales: list[Scale | None], which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(values as float with NaN, outcome codes) of a column of texts.

    Row i uses `scales[which[i]]`; None: its survey does not ask this question.
    """
    codes, distinct = pd.factorize(texts, use_na_sentinel=True)
    values = np.full(len(texts), np.nan)
    outcomes = np.full(len(texts), BLANK, dtype=np.int8)
    written = [str(text) for text in distinct]
    for position, scale in enumerate(scales):
        if scale is None:
            continue
        rows = which == position
        if not rows.any():
            continue
        # Code -1 (null) selects the last entry, the blank answer.
        read = [read_answer(text, scale) for text in written] + [(None, BLANK)]
        values[rows] = np.array([np.nan if value is None else value for value, _ in read])[codes[rows]]
        outcomes[rows] = np.array([outcome for _, outcome in read], dtype=np.int8)[codes[rows]]
    return values, outcomes


def by_scale(
    values: np.ndarray,
    scales: list[Scale | None],
    which: np.ndarray,
    value_of: Callable[[Scale, float], float],
) -> np.ndarray:
    """`value_of(scale, value)` of each answer, NaN for NaN; row i uses `scales[which[i]]`."""
    result = np.full(len(values), np.nan)
    answered = ~np.isnan(values)
    for position, scale in enumerate(scales):
        if scale is None:
            continue
        rows = answered & (which == position)
        if rows.any():
            codes, distinct = pd.factorize(values[rows])
            result[rows] = np.array([value_of(scale, value) for value in distinct.tolist()])[codes]
    return result
