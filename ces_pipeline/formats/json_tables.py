"""JSON documents as columns of text, by DuckDB: for exports whose records are many and large.

`json_records.py` does the same a Python object at a time, which is what exports need whose records are pivoted or
renamed; where they are only listed and joined, not building the objects is ten times as fast. What the columns mean
is left to the readers.
"""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.json_records import MAX_COLUMNS, Broken, JsonFile, parsed
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

_MEMORY = "2GB"
_CHUNK_BYTES = 16 << 20
_BATCH_BYTES = 1 << 18
_BATCH_TEXTS = 5_000
_DOCS = pa.schema([("place", pa.int64()), ("doc", pa.string())])
_DEPTH = 200
_EMPTY = pa.array(["", "[]", "{}"])


def workspace() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A connection to a database in memory, large enough for the largest single document and what is made of it."""
    return scratch(_MEMORY, may_spill=False)


@contextmanager
def at_hand(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """The table under this name for queries meanwhile."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def chunks(json_file: JsonFile) -> Iterator[pa.Table]:
    """The file's documents in parts of some 16 MB: place, text without white space around it, be it JSON or not.

    Places count documents from 0 over the whole file.
    """
    texts: list[bytes] = []
    size, first = 0, 0
    for text in json_file.texts():
        texts.append(text.strip())
        size += len(text)
        if size >= _CHUNK_BYTES:
            yield _docs(texts, first)
            first += len(texts)
            texts, size = [], 0
    if texts:
        yield _docs(texts, first)


def _docs(texts: list[bytes], first: int) -> pa.Table:
    try:
        docs = pa.array(texts, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        docs = pa.array([text.decode("utf-8", "replace") for text in texts], pa.string())
    return parted(pa.table([pa.array(range(first, first + len(texts)), pa.int64()), docs], schema=_DOCS))


def look_like_json(docs: pa.Table) -> bool:
    """Whether each document begins as an object or a list does. The rest shows when it is parsed."""
    starts = pc.unique(pc.binary_slice(docs["doc"].cast(pa.binary()), 0, 1)).to_pylist()
    return set(starts) <= {b"{", b"["}


def mended(connection: duckdb.DuckDBPyConnection, docs: pa.Table) -> tuple[pa.Table, dict[int, str]]:
    """(The documents that are JSON, place -> text of those that are none).

    What DuckDB cannot parse but Python can (NaN, half an emoji) is written anew; the rest is broken.
    """
    with at_hand(connection, "texts", docs):
        odd = connection.execute(
            "SELECT place, doc FROM texts WHERE NOT (json_valid(doc) AND doc[1] IN ('{', '[')) ORDER BY place"
        ).fetchall()
    again: dict[int, str] = {}
    broken: dict[int, str] = {}
    for place, text in odd:
        document = parsed(text.encode())
        if isinstance(document, Broken):
            broken[place] = document.text
        else:
            again[place] = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()
    rows = zip(docs["place"].to_pylist(), docs["doc"].to_pylist(), strict=True)
    kept = [(place, again.get(place, text)) for place, text in rows if place not in broken]
    columns = [
        pa.array([place for place, _ in kept], pa.int64()),
        pa.array([doc for _, doc in kept], pa.string()),
    ]
    return parted(pa.table(columns, schema=_DOCS)), broken


def parted(docs: pa.Table) -> pa.Table:
    """The documents in batches of some 250 kB, or of one larger one: DuckDB gives each of its threads a batch."""
    rows = max(1, docs.num_rows * _BATCH_BYTES // max(1, docs.nbytes))
    return pa.Table.from_batches(docs.to_batches(max_chunksize=rows), docs.schema)


@dataclass(frozen=True)
class TextColumns:
    """What stands in JSON objects, as columns of text with a row for each object.

    texts: key -> what stands under it: strings as they are, all else as JSON; null for nothing, and for an empty
    text, list or object. objects, others: the keys under which objects that are not empty stand, and anything else.
    """

    texts: dict[str, pa.ChunkedArray]
    objects: frozenset[str]
    others: frozenset[str]

    def __len__(self) -> int:
        return max(map(len, self.texts.values()), default=0)

    @property
    def nested(self) -> frozenset[str]:
        """The keys that hold objects and nothing else."""
        return self.objects - self.others

    def taken(self, places: pa.Array) -> "TextColumns":
        """Its rows at these places, in their order; nothing for a null."""
        taken = {key: column.take(places) for key, column in self.texts.items()}
        return TextColumns(taken, self.objects, self.others)

    def without(self, keys: Container[str]) -> "TextColumns":
        kept = {key: column for key, column in self.texts.items() if key not in keys}
        return TextColumns(kept, self.objects, self.others)


def opened_as(text: str, shape: Any) -> str:
    """SQL that opens a JSON text as the shape says."""
    return f"from_json({text}, {quote_text(json.dumps(shape, ensure_ascii=False))})"


def listed(name: str, shape: Any) -> str:
    """SQL for place, item and `one`, opened as the shape says, of what is in the list `name` of each of `docs`."""
    return _unnested(f"{opened_as('doc', {name: [shape]})}.{name}")


def _unnested(lists: str) -> str:
    """SQL for place, item and `one` of what is in the list that `lists` is of each of `docs`."""
    return f"""
        SELECT place, unnest(range(len(listed))) AS item, unnest(listed) AS one
        FROM (SELECT place, {lists} AS listed FROM docs)
    """


def listed_keys(connection: duckdb.DuckDBPyConnection, name: str) -> list[list[str]]:
    """The different lists of keys in the list `name` of each of `docs`, by first appearance; [] is of no object."""
    return _key_lists(connection, _unnested(f"json_keys(doc, '$.{name}[*]')"))


def _key_lists(connection: duckdb.DuckDBPyConnection, query: str) -> list[list[str]]:
    """query: gives place, item and `one`, a list of keys."""
    found = connection.execute(
        f"SELECT one FROM ({query}) GROUP BY one ORDER BY min((place, item))"
    ).fetchall()
    return [keys for (keys,) in found]


def open_listed(
    connection: duckdb.DuckDBPyConnection, name: str, key_lists: Iterable[Sequence[str]]
) -> tuple[TextColumns, np.ndarray, np.ndarray]:
    """(What stands in the objects in the list `name` of each of `docs`, their places, their items).

    key_lists: what `listed_keys` tells of them; at least one key.
    """
    first = connection.execute(
        f"SELECT json_extract(doc, '$.{name}[0]')::VARCHAR FROM docs LIMIT 1"
    ).fetchall()
    columns, (places, items) = _opened(
        connection, partial(listed, name), key_lists, first[0][0] if first else None, ("place", "item")
    )
    return columns, places.to_numpy(), items.to_numpy()


def open_texts(connection: duckdb.DuckDBPyConnection, texts: pa.ChunkedArray) -> TextColumns:
    """What stands in the objects of a column of JSON texts; null for a null."""
    told = texts.combine_chunks().dictionary_encode()
    if 0 < 2 * len(told.dictionary) <= len(texts):
        # A channel, say, stands in thousands of tickets word for word.
        return _open_texts(connection, pa.chunked_array([told.dictionary])).taken(told.indices)
    return _open_texts(connection, texts)


def _open_texts(connection: duckdb.DuckDBPyConnection, texts: pa.ChunkedArray) -> TextColumns:
    places = pa.array(np.arange(len(texts)))
    batches = pa.table({"place": places, "text": texts}).to_batches(max_chunksize=_BATCH_TEXTS)
    first = texts.drop_null().slice(0, 1).to_pylist()
    with at_hand(connection, "texts", pa.Table.from_batches(batches)):
        key_lists = _key_lists(
            connection, "SELECT place, 0 AS item, json_keys(text) AS one FROM texts WHERE text IS NOT NULL"
        )
        columns, _ = _opened(connection, _opened_texts, key_lists, first[0] if first else None)
    return columns


def _opened_texts(shape: Any) -> str:
    return f"SELECT {opened_as('text', shape)} AS one FROM texts"


def _opened(
    connection: duckdb.DuckDBPyConnection,
    rows: Callable[[Any], str],
    key_lists: Iterable[Sequence[str]],
    first: str | None,
    beside: Sequence[str] = (),
) -> tuple[TextColumns, list[pa.ChunkedArray]]:
    """(What stands under all of the keys, the columns beside `one`). rows: shape -> query of the objects as `one`.

    first: one of the objects; most are like it.
    """
    keys = list(dict.fromkeys(key for one in key_lists for key in one))
    held = parsed(first.encode()) if first else None
    values = held.items() if isinstance(held, dict) else ()
    likely = {key for key, value in values if value and isinstance(value, dict)}
    opened = [
        _opened_group(connection, rows if "" not in group else _unnamed(rows), group, likely, beside)
        for group in _side_by_side(keys)
    ]
    columns = [one for one, _ in opened]
    texts = {key: text for one in columns for key, text in one.texts.items()}
    told = TextColumns(
        {key: texts[key] for key in keys},
        frozenset().union(*(one.objects for one in columns)),
        frozenset().union(*(one.others for one in columns)),
    )
    return told, opened[0][1] if opened else []


def _opened_group(
    connection: duckdb.DuckDBPyConnection,
    rows: Callable[[Any], str],
    keys: Sequence[str],
    likely: Container[str],
    beside: Sequence[str],
) -> tuple[TextColumns, list[pa.ChunkedArray]]:
    """As `_opened`, of keys that can be names side by side. likely: keys under which objects are expected."""
    kinds = {key: "JSON" if key in likely else "VARCHAR" for key in keys}
    table = connection.sql(f"SELECT {', '.join([*beside, 'one'])} FROM ({rows(kinds)})").to_arrow_table()
    columns = dict(zip(keys, map(_filled, table["one"].flatten()), strict=True))
    expected = [key for key, kind in kinds.items() if kind == "JSON"]
    if not all(pc.all(pc.starts_with(columns[key], "{")).as_py() for key in expected):
        # In JSON a text stands in quotes.
        return _opened_group(connection, rows, keys, (), beside)
    # Only as JSON an object can be told from a text that looks like one.
    unclear = [
        key for key in keys if key not in expected and pc.any(pc.starts_with(columns[key], "{")).as_py()
    ]
    others = {key for key in keys if columns[key].null_count < len(columns[key])} - {*expected, *unclear}
    objects = {*expected}
    if unclear:
        values = [f"struct_extract_at(one, {at})::VARCHAR" for at in range(1, len(unclear) + 1)]
        asked = ", ".join(
            f"coalesce(bool_or({test}) FILTER ({value} NOT IN ('{{}}', '[]', '\"\"')), false)"
            for value in values
            for test in (f"starts_with({value}, '{{')", f"NOT starts_with({value}, '{{')")
        )
        query = rows(dict.fromkeys(unclear, "JSON"))
        [told] = connection.execute(f"SELECT {asked} FROM ({query})").fetchall()
        objects |= {key for key, holds in zip(unclear, told[::2], strict=True) if holds}
        others |= {key for key, holds in zip(unclear, told[1::2], strict=True) if holds}
    return TextColumns(columns, frozenset(objects), frozenset(others)), table.columns[: len(beside)]


def _unnamed(rows: Callable[[Any], str]) -> Callable[[Any], str]:
    """As `rows`, for what stands under an empty key, which `from_json` cannot open."""

    def query(shape: dict[str, str]) -> str:
        extract = "json_extract" if shape[""] == "JSON" else "json_extract_string"
        opened = f"struct_pack(unnamed := {extract}(one, '/'))"
        return f"SELECT * REPLACE ({opened} AS one) FROM ({rows('JSON')})"

    return query


def _filled(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts, empty ones and those of empty lists and objects as null."""
    if not pc.any(pc.less_equal(pc.binary_length(texts), 2)).as_py():
        return texts
    is_empty = pc.is_in(texts, _EMPTY)
    return pc.if_else(is_empty, None, texts) if pc.any(is_empty).as_py() else texts


def _side_by_side(keys: Sequence[str]) -> list[list[str]]:
    """The keys in groups of names that DuckDB tells apart: it does not by case alone, and cannot open an empty one."""
    groups: list[dict[str, str]] = []
    for key in filter(None, keys):
        folded = key.lower()
        group = next((one for one in groups if folded not in one), None)
        if group is None:
            groups.append(group := {})
        group[folded] = key
    return [[*group.values()] for group in groups] + [[key] for key in keys if not key]


def together(parts: Sequence[TextColumns]) -> TextColumns:
    """Parts one below the other. A key that a part lacks is null in it."""
    keys = dict.fromkeys(key for part in parts for key in part.texts)
    texts = {
        key: pa.chunked_array(
            [
                chunk
                for part in parts
                for chunk in (
                    part.texts[key].chunks if key in part.texts else [pa.nulls(len(part), pa.string())]
                )
            ],
            pa.string(),
        )
        for key in keys
    }
    return TextColumns(
        texts,
        frozenset().union(*(part.objects for part in parts)),
        frozenset().union(*(part.others for part in parts)),
    )


def flattened(
    connection: duckdb.DuckDBPyConnection, columns: TextColumns, name: str, prefix: str = ""
) -> dict[str, pa.ChunkedArray]:
    """Dotted name -> texts, with the objects in them opened too; a column of objects and other values stays text.

    A key may hold a dot, so that two values may have one name: the first that is none counts. Raises
    UnreadableFileError, naming the file, where there are more names than a table has columns.
    """
    flat: dict[str, pa.ChunkedArray] = {}
    for key, texts in columns.texts.items():
        path = prefix + key
        found = {path: texts}
        if key in columns.nested and path.count(".") < _DEPTH:
            found = flattened(connection, open_texts(connection, texts), name, f"{path}.")
        for one, values in found.items():
            flat[one] = pc.coalesce(flat[one], values) if one in flat else values
        if len(flat) > MAX_COLUMNS:
            raise UnreadableFileError(
                f"{name}: more than {MAX_COLUMNS:,} different names in its records: ids are used as names somewhere"
            )
    return flat
