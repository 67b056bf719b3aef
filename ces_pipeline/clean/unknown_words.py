"""Words of closed vocabularies that no list knows: which rows hold them, and how often each word occurs.

A word that is not known never counts as the harmless value. Its row is marked; the commit marker of the day keeps the
words, which the check `unknown_words` and `ces doctor` list. `values` of a source's entry says what a word means.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.formats.flags import FINISHED, RESPONSE_STATUS, read_word
from ces_pipeline.privacy.redaction import redact_text

Words = Mapping[str, Callable[[str], bool]]
"""Field -> whether a text is a word that its list knows."""

UnknownWords = dict[tuple[date, str], dict[str, dict[str, int]]]
"""Day and source -> field -> unknown word -> number of rows."""

UNKNOWN_VALUE = "unknown_value"
_MOST_WORDS = 20
_LONGEST_WORD = 40
_OTHER = "(other texts)"


def is_in(words: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether a text is in a list of words."""
    return lambda text: read_word(text, words) is not None


RESPONSE_WORDS: Words = {"finished": is_in(FINISHED), "status": is_in(RESPONSE_STATUS)}


def unknown_flags(rows: pd.DataFrame, words: Words) -> np.ndarray:
    """Rows x fields: True if the field holds a word that its list does not know. A blank is no word."""
    flags = np.zeros((len(rows), len(words)), dtype=bool)
    for place, (name, is_known) in enumerate(words.items()):
        codes, distinct = pd.factorize(rows[name])
        unknown = np.array(
            [*(bool(str(text).strip()) and not is_known(str(text)) for text in distinct), False]
        )
        flags[:, place] = unknown[codes]
    return flags


def unknown_words(rows: pd.DataFrame, fields: Collection[str], flags: np.ndarray) -> UnknownWords:
    """Unknown words of rows by day and source, redacted. Of many or long texts, such as a person's, only the number.

    flags: rows x fields, as of `unknown_flags`.
    """
    found: UnknownWords = {}
    own = ~rows["is_lookback"].to_numpy(dtype=bool)
    for place, name in enumerate(fields):
        chosen = rows[flags[:, place] & own]
        for (day, source_id, text), n in (
            chosen.groupby(["day", "source_id", name], observed=True).size().items()
        ):
            counted = found.setdefault((day, str(source_id)), {}).setdefault(name, {})
            word = redact_text(str(text).strip())
            if len(word) > _LONGEST_WORD or (word not in counted and len(counted) >= _MOST_WORDS):
                word = _OTHER
            counted[word] = counted.get(word, 0) + int(n)
    return found


def counted_words(load_audit: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str, str]]:
    """(Source, field, unknown word) -> its rows, of the latest cleaning of days. load_audit: rows of that table."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for row in load_audit:
        if row["is_current"] and row["unknown_words"]:
            for field, words in json.loads(row["unknown_words"]).items():
                counted.update({(row["source_id"], field, word): n for word, n in words.items()})
    return counted
