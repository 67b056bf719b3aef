"""Columns with few different texts: what is done to a text is then done once for each of them."""

import pyarrow as pa

_SAMPLE = 1_000


def few_distinct(cells: pa.Array) -> pa.DictionaryArray | None:
    """The cells as their distinct texts and an index for each cell; None if most of the first cells differ.

    A cell that is null has a null index.
    """
    sample = cells.slice(0, _SAMPLE).dictionary_encode()
    return cells.dictionary_encode() if 2 * len(sample.dictionary) <= len(sample) else None
