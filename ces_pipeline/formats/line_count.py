"""Counts a text's lines and records apart from the parser of its rows, so that no row is lost unseen.

Each line break of a delimited text either ends a record or lies in a cell. So the line breaks of the bytes must be
those of the cells and one for each record. Only if they are not, the records are counted one by one.
"""

import csv
import io
import re
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.storage.arrow_text import text_bytes

_CHUNK = 1 << 20
_BREAK = re.compile(r"\r\n|\r|\n")


class CountedLines:
    """A stream of bytes that counts the lines that have passed. It is what Arrow reads from.

    has_quotes, has_returns: whether any quote, any \\r has passed.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._breaks = 0
        self._last = b""
        self.has_quotes = False
        self.has_returns = False
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        if chunk:
            # numpy counts a frequent byte twice as fast as `bytes.count`.
            self._breaks += int(np.count_nonzero(np.frombuffer(chunk, dtype=np.uint8) == 10))
            if b"\r" in chunk:
                self.has_returns = True
                self._breaks += chunk.count(b"\r") - chunk.count(b"\r\n")
            if self._last == b"\r" and chunk[:1] == b"\n":
                self._breaks -= 1
            self.has_quotes = self.has_quotes or b'"' in chunk
            self._last = chunk[-1:]
        return chunk

    @property
    def lines(self) -> int:
        """Lines that have passed, with the last one also if no line break ends it."""
        return self._breaks + (self._last not in (b"\n", b"\r", b""))

    @property
    def is_ended(self) -> bool:
        """Whether a line break ends the last line."""
        return self._last in (b"\n", b"\r", b"")

    def close(self) -> None:
        self.closed = True


def has_stray_quotes_in(file: DeliveredFile, delimiter: str) -> bool:
    """Whether a quote of the text neither stands at an end of its cell nor is doubled, or the text ends within quotes.

    Then a cell may have swallowed the rows below it.
    """
    may_stand_at = np.zeros(256, dtype=bool)
    may_stand_at[[*(delimiter + '\n\r"').encode()]] = True
    is_open, last = False, b""
    with file.open_utf8() as stream:
        while chunk := stream.read(_CHUNK):
            letters = np.frombuffer(last + chunk, dtype=np.uint8)
            quotes = np.flatnonzero(letters == 34)
            # The last byte of the chunk before was counted with that chunk; here it is what stands before.
            quotes = quotes[quotes >= len(last)]
            if last == b'"' and not is_open and not may_stand_at[letters[1]]:
                return True
            opening, closing = quotes[is_open::2], quotes[not is_open :: 2]
            before = letters[opening[opening > 0] - 1]
            after = letters[closing[closing < len(letters) - 1] + 1]
            if not (may_stand_at[before].all() and may_stand_at[after].all()):
                return True
            is_open ^= bool(len(quotes) % 2)
            last = chunk[-1:]
    return is_open


def breaks_in(text: str) -> int:
    """The line breaks of a text: \\r\\n, \\n or \\r."""
    return len(_BREAK.findall(text)) if "\n" in text or "\r" in text else 0


def breaks_in_cells(texts: pa.Array, has_returns: bool) -> int:
    """The line breaks in all cells of a string column. has_returns: whether there may be any \\r."""
    bytes_of_cells = text_bytes(texts)
    if bytes_of_cells is None:
        return 0
    ends, data = bytes_of_cells
    letters: np.ndarray[Any, Any] = np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]]
    found = int(np.count_nonzero(letters == 10))
    if has_returns:
        returns = letters == 13
        found += int(np.count_nonzero(returns)) - int(np.count_nonzero(returns[:-1] & (letters[1:] == 10)))
    return found


def records_in(file: DeliveredFile, delimiter: str, quote: str | None) -> int | None:
    """The records of a delimited text, blank ones too, counted by Python's csv; None if it cannot read them all."""
    try:
        with file.open_utf8() as stream, io.TextIOWrapper(stream, "utf-8", "replace", newline="") as text:
            if quote is None:
                return sum(1 for _ in csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE))
            return sum(1 for _ in csv.reader(text, delimiter=delimiter))
    except csv.Error:
        return None
