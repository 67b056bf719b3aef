"""The people in a batch of an export's rows: as keyed hashes beside its columns, and gone from lists in other cells.

All before any query sees a row. Which columns hold people is said by the `ColumnMapping`; where the hashes go, in
`statement.py`.
"""

import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.land.landing_sql import ColumnMapping, PeopleCells
from ces_pipeline.land.unreadable_rows import members_without_people
from ces_pipeline.privacy.names import without_people
from ces_pipeline.privacy.pseudonyms import Pseudonyms

_OUR_HASH = re.compile("[0-9a-f]{64}")
_OBJECT = r'\{\s*"'
_OBJECT_IN_BYTES = re.compile(_OBJECT.encode())


def with_keys(batch: pa.RecordBatch, reading: ColumnMapping, pseudonyms: Pseudonyms) -> pa.RecordBatch:
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


def without_listed_people(batch: pa.RecordBatch, reading: ColumnMapping) -> pa.RecordBatch:
    """The batch with `[person]` where JSON in a cell that nothing maps has members whose names speak of people."""
    names = [name for name in reading.rest if name not in reading.people]
    for name in names:
        texts = batch[name]
        data = texts.buffers()[2]
        if data is None or not _OBJECT_IN_BYTES.search(memoryview(data)):
            continue
        told = texts.dictionary_encode()
        listed = pc.match_substring_regex(told.dictionary, _OBJECT).to_pylist()
        shown = [
            _without_people(text, name) if is_listed else text
            for text, is_listed in zip(told.dictionary.to_pylist(), listed, strict=True)
        ]
        place = batch.schema.get_field_index(name)
        batch = batch.set_column(place, name, pa.array(shown, pa.string()).take(told.indices))
    return batch


def _without_people(text: str, name: str) -> str:
    try:
        value = json.loads(text)
        shown = without_people(value, name)
        return text if shown == value else json.dumps(shown, ensure_ascii=False)
    except (ValueError, RecursionError):
        # Cut off, say, or nested too deep.
        return members_without_people(text)


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
