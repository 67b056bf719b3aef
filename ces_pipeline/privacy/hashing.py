"""Replaces the people in a batch of an export's rows, before any query sees the rows.

A person in a column becomes a keyed hash in a column of its own. A person in JSON in another cell becomes `[person]`.
Which columns hold people is decided by `land/column_mapping.py`; what becomes of the hashes, by `land/landing_sql.py`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.privacy.names import members_without_people, without_people
from ces_pipeline.privacy.pseudonyms import Pseudonyms

_OUR_HASH = re.compile("[0-9a-f]{64}")
_OBJECT = r'\{\s*"'
_OBJECT_IN_BYTES = re.compile(_OBJECT.encode())


@dataclass(frozen=True)
class PeopleCells:
    """A column of an export that names people.

    values: the export's value in lower case -> the value to hash in its place. may_be_hashed: whether its cells may be
    our own keyed hashes already.
    """

    column: str
    values: Mapping[str, str] = field(default_factory=dict)
    may_be_hashed: bool = False


def with_keys(
    batch: pa.RecordBatch, people: Mapping[str, PeopleCells], pseudonyms: Pseudonyms
) -> pa.RecordBatch:
    """The batch with keyed hashes of its people, in new columns before its last one; null where the cell is null.

    people: name of the new column -> the cells to hash. A value is hashed once a batch, also if several plain columns
    hold it.
    """
    plain = [name for name, cells in people.items() if not cells.values and not cells.may_be_hashed]
    keys: dict[str, pa.Array] = {}
    for names in (plain, *([name] for name in people if name not in plain)):
        if not names:
            continue
        texts = pa.concat_arrays([batch[people[name].column] for name in names]).dictionary_encode()
        hashes = _keys(texts.dictionary.to_pylist(), people[names[0]], pseudonyms).take(texts.indices)
        rows = batch.num_rows
        keys |= {name: hashes.slice(position * rows, rows) for position, name in enumerate(names)}
    *columns, numbers = batch.columns
    *column_names, number = batch.schema.names
    return pa.RecordBatch.from_arrays(
        [*columns, *(keys[name] for name in people), numbers], names=[*column_names, *people, number]
    )


def with_same_people(
    columns: Mapping[str, pa.Array], others: Iterable[str], people: Mapping[str, str]
) -> dict[str, pa.Array]:
    """The `others` among the columns in which a cell is the person of the same row, with the keyed hash in its place.

    people: column of keyed hashes -> the column of the people. Cells such as `yes` or `42` are in many columns by
    chance: only a cell that can be no more than a person counts (`is_person_like`).
    """
    found: dict[str, pa.Array] = {}
    for name in dict.fromkeys(others):
        for key, column in people.items():
            cells = found.get(name, columns[name])
            if column == name:
                continue
            same = pc.fill_null(pc.equal(cells, columns[column]), False)
            if not pc.any(same).as_py():
                continue
            texts = cells.filter(same).dictionary_encode()
            counts = pa.array([is_person_like(text) for text in texts.dictionary.to_pylist()], pa.bool_())
            sure = pc.replace_with_mask(same, same, counts.take(texts.indices))
            found[name] = pc.if_else(sure, columns[key], cells)
    return found


def is_person_like(text: str) -> bool:
    """Whether a text of a column of people is a person in any column: an address, a full name, an id or a long number.

    A short word or number (`Sales`, `yes`, `42`) may be in another column by chance.
    """
    words = text.split()
    if "@" in text or (len(words) > 1 and any(word.isalpha() for word in words)):
        return True
    return len(text) > 5 and any(letter.isdigit() for letter in text)


def without_listed_people(batch: pa.RecordBatch, columns: Iterable[str]) -> pa.RecordBatch:
    """The batch with `[person]` in place of people in JSON in these columns: members whose names mean people."""
    for name in columns:
        cells = batch[name]
        data = cells.buffers()[2]
        if data is None or not _OBJECT_IN_BYTES.search(memoryview(data)):
            continue
        texts = cells.dictionary_encode()
        may_hold_people = pc.match_substring_regex(texts.dictionary, _OBJECT).to_pylist()
        shown = [
            _without_people(text, name) if is_json else text
            for text, is_json in zip(texts.dictionary.to_pylist(), may_hold_people, strict=True)
        ]
        position = batch.schema.get_field_index(name)
        batch = batch.set_column(position, name, pa.array(shown, pa.string()).take(texts.indices))
    return batch


def _without_people(text: str, name: str) -> str:
    try:
        value = json.loads(text)
        shown = without_people(value, name)
        return text if shown == value else json.dumps(shown, ensure_ascii=False)
    except (ValueError, RecursionError):
        # Not valid JSON: cut off, or nested too deep.
        return members_without_people(text)


def _keys(texts: list[str], cells: PeopleCells, pseudonyms: Pseudonyms) -> pa.Array:
    """The keyed hash of each text. A text that is not one of our hashes may be a person in the clear."""
    if cells.values:
        texts = [cells.values.get(text.lower(), text) for text in texts]
    keys = pseudonyms.of_all(texts)
    if cells.may_be_hashed:
        keys = [
            text.lower() if _OUR_HASH.fullmatch(text.lower()) else key
            for text, key in zip(texts, keys, strict=True)
        ]
    return pa.array(keys, pa.string())
