"""The people in a batch of an export's rows, as keyed hashes: put beside its columns before any query sees a row.

Which columns hold people is said by the `Reading`; where the hashes go, in `statement.py`.
"""

import re

import pyarrow as pa

from ces_pipeline.landing.pseudonyms import Pseudonyms
from ces_pipeline.landing.statement import PeopleCells, Reading

_OUR_HASH = re.compile("[0-9a-f]{64}")


def with_keys(batch: pa.RecordBatch, reading: Reading, pseudonyms: Pseudonyms) -> pa.RecordBatch:
    """The batch with the keys of the reading's `people_cells` before its last column; null where the cell is.

    Whoever comes again, in the same column or another, is hashed once a batch.
    """
    people = reading.people_cells
    plain = [name for name, cells in people.items() if not cells.values and not cells.may_be_hashed]
    keys: dict[str, pa.Array] = {}
    for names in (plain, *([name] for name in people if name not in plain)):
        if not names:
            continue
        told = pa.concat_arrays([batch[people[name].column] for name in names]).dictionary_encode()
        found = _keys(told.dictionary.to_pylist(), people[names[0]], pseudonyms).take(told.indices)
        rows = batch.num_rows
        keys |= {name: found.slice(place * rows, rows) for place, name in enumerate(names)}
    *columns, numbers = batch.columns
    *texts, number = batch.schema.names
    return pa.RecordBatch.from_arrays(
        [*columns, *(keys[name] for name in people), numbers], names=[*texts, *people, number]
    )


def _keys(texts: list[str], cells: PeopleCells, pseudonyms: Pseudonyms) -> pa.Array:
    """The keyed hash of each text in such cells. Whatever is no hash of ours may be a person in the clear."""
    if cells.values:
        texts = [cells.values.get(text.lower(), text) for text in texts]
    keys = pseudonyms.of_all(texts)
    if cells.may_be_hashed:
        keys = [
            text.lower() if _OUR_HASH.fullmatch(text.lower()) else key
            for text, key in zip(texts, keys, strict=True)
        ]
    return pa.array(keys, pa.string())
