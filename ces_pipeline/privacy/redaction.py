"""Redaction of texts: e-mail addresses, numbers of people and names become marks before a text is written.

Most cells hold none of them. A regular expression finds the others in Arrow, and only their distinct texts reach
Python. People in columns of their own become keyed hashes instead (`hashing.py`).
"""

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.privacy.distinct import few_distinct
from ces_pipeline.privacy.known_names import KnownNames
from ces_pipeline.privacy.numbers import without_numbers
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.storage.arrow_text import text_bytes

_LOCAL, _DOMAIN = re.compile(r"[\w.%+'’-]+"), re.compile(r"[\w-]+(?:\.[\w-]+)+")
EMAIL = re.compile(f"{_LOCAL.pattern}@{_DOMAIN.pattern}")
_SEPARATOR = r"[\s().\-/\x{00a0}\x{202f}\x{2010}-\x{2015}\x{2212}\x{00b7}]{0,3}"
_MAY_BE_PERSON = rf"@|(?:\p{{Nd}}{_SEPARATOR}){{6}}\p{{Nd}}"
# In a table a number of a person starts a word, so that ids such as `INC0010001` and `A-12345678` stay in Arrow.
_MAY_BE_PERSON_IN_CELL = (
    rf"@|(?:^|[^\w/\-.,]|[^\w]-|[^\d][.,])(?:\p{{Nd}}{_SEPARATOR}){{6}}\p{{Nd}}"
    r"|\b[A-Za-z]{2}\d\d[ .\-]?[A-Za-z0-9]{4}[ .\-]?\d{3}"
)
_DAY, _ZONE = "(?:0?[1-9]|[12]\\d|3[01])", "(?: ?(?:Z|UTC|[+-]\\d\\d:?\\d\\d))?"
_NO_PERSON = (
    # Times, plain numbers and ids in letters and digits: most of the cells that the expression above finds.
    rf"^(?:(?:(?:19|20)\d\d[-/.]{_DAY}[-/.]{_DAY}|{_DAY}[-/.]{_DAY}[-/.](?:19|20)\d\d)"
    rf"(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d{{1,9}})?)?(?: ?[AaPp][Mm])?{_ZONE})?"
    r"|[1-9]\d{0,12}|-?\d+\.\d+"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$"
)
_AT = re.compile(b"@")
_SHORTEST = 6
"""The shortest text with a person in it, in bytes: `a@b.cd`."""


def redact_text(text: str, regions: tuple[str, ...] = (), *, sentence: bool = True) -> str:
    """One text without e-mail addresses and numbers of people."""
    return without_numbers(_without_addresses(text), regions, sentence=sentence)


def _without_addresses(text: str) -> str:
    """The text with `[email]` in place of addresses. (`EMAIL.sub` takes time by the square of a text's length.)"""
    parts, start, after = [], 0, 0
    for at in re.finditer("@", text):
        before, after = text[max(start, after) : at.start()], at.end()
        local = _LOCAL.match(before[::-1])
        domain = _DOMAIN.match(text, after) if local and at.start() >= start else None
        if local and domain:
            parts += [text[start : at.start() - len(local[0])], "[email]"]
            start = domain.end()
    return "".join([*parts, text[start:]]) if parts else text


@dataclass(frozen=True)
class Redaction:
    """What texts of a delivery are redacted with: the regions of plain phone numbers, and the names of its people."""

    regions: tuple[str, ...]
    names: KnownNames = field(default_factory=KnownNames)

    def redacted(self, cells: pa.Array, *, sentence: bool) -> pa.Array:
        """The cells without e-mail addresses and numbers of people. The same array if no cell holds any.

        sentence: also without bare runs of 9 to 15 digits, which in prose are account, order or phone numbers.
        """
        if not _may_hold_people(cells):
            return cells
        distinct = few_distinct(cells)
        if distinct is None:
            return self._redacted(cells, sentence=sentence)
        shown = self._redacted(distinct.dictionary, sentence=sentence)
        return cells if shown is distinct.dictionary else shown.take(distinct.indices)

    def _redacted(self, cells: pa.Array, *, sentence: bool) -> pa.Array:
        found = pc.match_substring_regex(cells, _MAY_BE_PERSON if sentence else _MAY_BE_PERSON_IN_CELL)
        if not sentence and pc.any(found).as_py():
            found = pc.and_(found, pc.invert(pc.match_substring_regex(cells, _NO_PERSON)))
        rows = np.flatnonzero(pc.fill_null(found, False).to_numpy(zero_copy_only=False))
        if not len(rows):
            return cells
        texts = cells.take(pa.array(rows)).dictionary_encode()
        shown = [redact_text(text, self.regions, sentence=sentence) for text in texts.dictionary.to_pylist()]
        mask = np.zeros(len(cells), dtype=bool)
        mask[rows] = True
        return pc.replace_with_mask(cells, pa.array(mask), pa.array(shown, pa.string()).take(texts.indices))

    def without_addresses(self, cells: pa.Array, pseudonyms: Pseudonyms) -> pa.Array:
        """The cells of ids and other facts: an e-mail address alone becomes its keyed hash, in a text `[email]`."""
        data = cells.buffers()[2]
        if data is None or not _AT.search(memoryview(data)):
            return cells
        texts = cells.dictionary_encode()
        shown = [
            text
            if "@" not in text
            else pseudonyms.of(text)
            if EMAIL.fullmatch(text)
            else _without_addresses(text)
            for text in texts.dictionary.to_pylist()
        ]
        return pa.array(shown, pa.string()).take(texts.indices)

    def of_text(self, text: str) -> str:
        """One text without e-mail addresses, numbers and names of people."""
        return self.names.in_text(redact_text(text, self.regions))

    def names_marked(self, cells: pa.Array) -> pa.Array:
        """Each text with `[name]` in place of names; null where a text names no one, or is null itself."""
        return self.names.marked(cells)


def _may_hold_people(cells: pa.Array) -> bool:
    """Whether any cell is long enough to hold a person: columns of flags and scores are done with a glance."""
    found = text_bytes(cells)
    if found is None:
        return False
    ends, _ = found
    return bool((ends[1:] - ends[:-1] >= _SHORTEST).any())
