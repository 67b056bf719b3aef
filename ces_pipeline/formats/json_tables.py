"""JSON documents as columns of text, by DuckDB: for exports with many large records.

`json_records.py` does the same with Python objects, for exports whose records are pivoted or renamed. If records are
only listed and joined, it is ten times as fast not to build the objects. The readers decide what the columns mean.

In the queries here, `place` is the number of a document, `item` the position in a list of that document, and `entry`
the value at that position.
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
from ces_pipeline.storage.machine import machine
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

_CHUNK_BYTES = 16 << 20
_BATCH_BYTES = 1 << 18
_BATCH_TEXTS = 5_000
_DOCS = pa.schema([("place", pa.int64()), ("doc", pa.string())])
_DEPTH = 200
_EMPTY = pa.array(["", "[]", "{}"])


def workspace() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A connection to a database in memory, with memory for the largest single document and its columns."""
    return scratch(machine().document_mb, may_spill=False)


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """The table can be queried by this name within the context."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def chunks(json_file: JsonFile) -> Iterator[pa.Table]:
    """The file's documents in parts of about 16 MB: place, and text without white space around it, also if not JSON.

    Places count documents from 0 over the full file.
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
    """Whether each document begins as an object or a list does. Parsing shows whether it is valid."""
    starts = pc.unique(pc.binary_slice(docs["doc"].cast(pa.binary()), 0, 1)).to_pylist()
    return set(starts) <= {b"{", b"["}


def repaired(connection: duckdb.DuckDBPyConnection, docs: pa.Table) -> tuple[pa.Table, dict[int, str]]:
    """(The documents that are JSON; place -> text of the others).

    Documents that DuckDB cannot parse but Python can (NaN, half an emoji) are rewritten.
    """
    with registered(connection, "texts", docs):
        odd = connection.execute(
            "SELECT place, doc FROM texts WHERE NOT (json_valid(doc) AND doc[1] IN ('{', '[')) ORDER BY place"
        ).fetchall()
    rewritten: dict[int, str] = {}
    broken: dict[int, str] = {}
    for place, text in odd:
        document = parsed(text.encode())
        if isinstance(document, Broken):
            broken[place] = document.text
        else:
            rewritten[place] = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()
    rows = zip(docs["place"].to_pylist(), docs["doc"].to_pylist(), strict=True)
    kept = [(place, rewritten.get(place, text)) for place, text in rows if place not in broken]
    columns = [
        pa.array([place for place, _ in kept], pa.int64()),
        pa.array([doc for _, doc in kept], pa.string()),
    ]
    return parted(pa.table(columns, schema=_DOCS)), broken


def parted(docs: pa.Table) -> pa.Table:
    """The documents in batches of about 250 kB (a larger document alone): DuckDB gives each of its threads a batch."""
    rows = max(1, docs.num_rows * _BATCH_BYTES // max(1, docs.nbytes))
    return pa.Table.from_batches(docs.to_batches(max_chunksize=rows), docs.schema)


@dataclass(frozen=True)
class TextColumns:
    """The values in JSON objects, as columns of text with a row for each object.

    texts: key -> its values: strings unchanged, everything else as JSON; null if the key is missing or the value is
    null or an empty text, list or object. objects: the keys that hold objects that are not empty. others: the keys
    that hold other values.
    """

    texts: dict[str, pa.ChunkedArray]
    objects: frozenset[str]
    others: frozenset[str]

    def __len__(self) -> int:
        return max(map(len, self.texts.values()), default=0)

    @property
    def nested(self) -> frozenset[str]:
        """The keys that hold only objects."""
        return self.objects - self.others

    def taken(self, places: pa.Array) -> "TextColumns":
        """The rows at these places, in this order; nulls for a null."""
        taken = {key: column.take(places) for key, column in self.texts.items()}
        return TextColumns(taken, self.objects, self.others)

    def without(self, keys: Container[str]) -> "TextColumns":
        kept = {key: column for key, column in self.texts.items() if key not in keys}
        return TextColumns(kept, self.objects, self.others)


def opened_as(text: str, shape: Any) -> str:
    """SQL that parses a JSON text into the given shape (of `from_json`)."""
    return f"from_json({text}, {quote_text(json.dumps(shape, ensure_ascii=False))})"


def listed(name: str, shape: Any) -> str:
    """SQL for place, item and entry of the list `name` in each document of `docs`; entries have the given shape."""
    return _unnested(f"{opened_as('doc', {name: [shape]})}.{name}")


def _unnested(lists: str) -> str:
    """SQL for place, item and entry of a list in each document of `docs`. lists: SQL for that list."""
    return f"""
        SELECT place, unnest(range(len(listed))) AS item, unnest(listed) AS entry
        FROM (SELECT place, {lists} AS listed FROM docs)
    """


def listed_keys(connection: duckdb.DuckDBPyConnection, name: str) -> list[list[str]]:
    """The distinct key lists of the entries in the list `name` of all `docs`, in order of first appearance.

    An entry that is not an object has the key list [].
    """
    return _key_lists(connection, _unnested(f"json_keys(doc, '$.{name}[*]')"))


def _key_lists(connection: duckdb.DuckDBPyConnection, query: str) -> list[list[str]]:
    """query: gives place, item and entry, a list of keys."""
    found = connection.execute(
        f"SELECT entry FROM ({query}) GROUP BY entry ORDER BY min((place, item))"
    ).fetchall()
    return [keys for (keys,) in found]


def open_listed(
    connection: duckdb.DuckDBPyConnection, name: str, key_lists: Iterable[Sequence[str]]
) -> tuple[TextColumns, np.ndarray, np.ndarray]:
    """(The values of the objects in the list `name` of each document of `docs`; their places; their items).

    key_lists: from `listed_keys`; at least one key.
    """
    first = connection.execute(
        f"SELECT json_extract(doc, '$.{name}[0]')::VARCHAR FROM docs LIMIT 1"
    ).fetchall()
    columns, (places, items) = _opened(
        connection, partial(listed, name), key_lists, first[0][0] if first else None, ("place", "item")
    )
    return columns, places.to_numpy(), items.to_numpy()


def open_texts(connection: duckdb.DuckDBPyConnection, texts: pa.ChunkedArray) -> TextColumns:
    """The values of the objects in a column of JSON texts; null for a null."""
    encoded = texts.combine_chunks().dictionary_encode()
    if 0 < 2 * len(encoded.dictionary) <= len(texts):
        # Thousands of tickets hold the same object, such as a channel: each is parsed once.
        return _open_texts(connection, pa.chunked_array([encoded.dictionary])).taken(encoded.indices)
    return _open_texts(connection, texts)


def _open_texts(connection: duckdb.DuckDBPyConnection, texts: pa.ChunkedArray) -> TextColumns:
    places = pa.array(np.arange(len(texts)))
    batches = pa.table({"place": places, "text": texts}).to_batches(max_chunksize=_BATCH_TEXTS)
    first = texts.drop_null().slice(0, 1).to_pylist()
    with registered(connection, "texts", pa.Table.from_batches(batches)):
        key_lists = _key_lists(
            connection, "SELECT place, 0 AS item, json_keys(text) AS entry FROM texts WHERE text IS NOT NULL"
        )
        columns, _ = _opened(connection, _opened_texts, key_lists, first[0] if first else None)
    return columns


def _opened_texts(shape: Any) -> str:
    return f"SELECT {opened_as('text', shape)} AS entry FROM texts"


def _opened(
    connection: duckdb.DuckDBPyConnection,
    rows: Callable[[Any], str],
    key_lists: Iterable[Sequence[str]],
    first: str | None,
    other_columns: Sequence[str] = (),
) -> tuple[TextColumns, list[pa.ChunkedArray]]:
    """(The values under all keys; the query's other columns). rows: shape -> query that has the objects as `entry`.

    first: the text of an object that most others are like.
    """
    keys = list(dict.fromkeys(key for key_list in key_lists for key in key_list))
    example = parsed(first.encode()) if first else None
    values = example.items() if isinstance(example, dict) else ()
    likely = {key for key, value in values if value and isinstance(value, dict)}
    opened = [
        _opened_group(connection, rows if "" not in group else _unnamed(rows), group, likely, other_columns)
        for group in _openable_groups(keys)
    ]
    groups = [columns for columns, _ in opened]
    texts = {key: text for columns in groups for key, text in columns.texts.items()}
    all_columns = TextColumns(
        {key: texts[key] for key in keys},
        frozenset().union(*(columns.objects for columns in groups)),
        frozenset().union(*(columns.others for columns in groups)),
    )
    return all_columns, opened[0][1] if opened else []


def _opened_group(
    connection: duckdb.DuckDBPyConnection,
    rows: Callable[[Any], str],
    keys: Sequence[str],
    likely: Container[str],
    other_columns: Sequence[str],
) -> tuple[TextColumns, list[pa.ChunkedArray]]:
    """As `_opened`, for keys that can be names in one struct. likely: the keys that are expected to hold objects."""
    kinds = {key: "JSON" if key in likely else "VARCHAR" for key in keys}
    selected = ", ".join([*other_columns, "entry"])
    table = connection.sql(f"SELECT {selected} FROM ({rows(kinds)})").to_arrow_table()
    columns = dict(zip(keys, map(_filled, table["entry"].flatten()), strict=True))
    expected = [key for key, kind in kinds.items() if kind == "JSON"]
    if not all(pc.all(pc.starts_with(columns[key], "{")).as_py() for key in expected):
        # As JSON a string keeps its quotes, so it must be read again as VARCHAR.
        return _opened_group(connection, rows, keys, (), other_columns)
    # Only JSON shows whether a value is an object or a text that looks like an object.
    unclear = [
        key for key in keys if key not in expected and pc.any(pc.starts_with(columns[key], "{")).as_py()
    ]
    others = {key for key in keys if columns[key].null_count < len(columns[key])} - {*expected, *unclear}
    objects = {*expected}
    if unclear:
        values = [f"struct_extract_at(entry, {at})::VARCHAR" for at in range(1, len(unclear) + 1)]
        tests = ", ".join(
            f"coalesce(bool_or({test}) FILTER ({value} NOT IN ('{{}}', '[]', '\"\"')), false)"
            for value in values
            for test in (f"starts_with({value}, '{{')", f"NOT starts_with({value}, '{{')")
        )
        query = rows(dict.fromkeys(unclear, "JSON"))
        [results] = connection.execute(f"SELECT {tests} FROM ({query})").fetchall()
        objects |= {key for key, is_held in zip(unclear, results[::2], strict=True) if is_held}
        others |= {key for key, is_held in zip(unclear, results[1::2], strict=True) if is_held}
    return TextColumns(columns, frozenset(objects), frozenset(others)), table.columns[: len(other_columns)]


def _unnamed(rows: Callable[[Any], str]) -> Callable[[Any], str]:
    """As `rows`, for the values under an empty key, which `from_json` cannot open."""

    def query(shape: dict[str, str]) -> str:
        extract = "json_extract" if shape[""] == "JSON" else "json_extract_string"
        opened = f"struct_pack(unnamed := {extract}(entry, '/'))"
        return f"SELECT * REPLACE ({opened} AS entry) FROM ({rows('JSON')})"

    return query


def _filled(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts; null for an empty text, list or object."""
    if not pc.any(pc.less_equal(pc.binary_length(texts), 2)).as_py():
        return texts
    is_empty = pc.is_in(texts, _EMPTY)
    return pc.if_else(is_empty, None, texts) if pc.any(is_empty).as_py() else texts


def _openable_groups(keys: Sequence[str]) -> list[list[str]]:
    """The keys in groups that DuckDB can open together: names must not differ in case only, or be empty."""
    groups: list[dict[str, str]] = []
    for key in filter(None, keys):
        folded = key.lower()
        group = next((candidate for candidate in groups if folded not in candidate), None)
        if group is None:
            groups.append(group := {})
        group[folded] = key
    return [[*group.values()] for group in groups] + [[key] for key in keys if not key]


def concatenated(parts: Sequence[TextColumns]) -> TextColumns:
    """The rows of all parts, in order. A key that a part lacks is null in its rows."""
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
    """Dotted name -> texts; nested objects are opened too. A column of objects and other values stays text.

    A key may contain a dot, so two values can have the same name: the first that is not null counts. name: the file's,
    for the message. Raises UnreadableFileError if there are more than MAX_COLUMNS names.
    """
    flat: dict[str, pa.ChunkedArray] = {}
    for key, texts in columns.texts.items():
        path = prefix + key
        found = {path: texts}
        if key in columns.nested and path.count(".") < _DEPTH:
            found = flattened(connection, open_texts(connection, texts), name, f"{path}.")
        for dotted, values in found.items():
            flat[dotted] = pc.coalesce(flat[dotted], values) if dotted in flat else values
        if len(flat) > MAX_COLUMNS:
            raise UnreadableFileError(
                f"{name}: more than {MAX_COLUMNS:,} different names in its records, so ids are probably used as "
                "names: change the export and deliver it again"
            )
    return flat
