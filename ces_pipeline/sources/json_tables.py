"""JSON documents as columns of text, by DuckDB: for exports whose records are many and large.

`json_records.py` does the same a Python object at a time, which is what exports need whose records are pivoted or
renamed; where they are only listed and joined, not building the objects is ten times as fast. What the columns mean
is left to the readers.
"""

import atexit
import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.sources.json_records import MAX_COLUMNS, Broken, JsonFile, parsed
from ces_pipeline.storage.quote import quote_text

_CHUNK_BYTES = 16 << 20
_BATCH_BYTES = 1 << 18
_DOCS = pa.schema([("place", pa.int64()), ("doc", pa.string())])

Structure = dict[str, Any]
"""What `json_group_structure` tells of objects: key -> structure, type name, or list of one of them."""


@cache
def _database() -> duckdb.DuckDBPyConnection:
    # Opened once a process, since opening costs as much as reading a page or two.
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    atexit.register(connection.close)
    return connection


@contextmanager
def workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database in memory, large enough for the largest single document and what is made of it.

    Tables made in it must be temporary: only those are the connection's own.
    """
    connection = _database().cursor()
    try:
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


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
    return _parted(pa.table([pa.array(range(first, first + len(texts)), pa.int64()), docs], schema=_DOCS))


def look_like_json(docs: pa.Table) -> bool:
    """Whether each document begins as an object or a list does. The rest shows when it is parsed."""
    starts = pc.unique(pc.binary_slice(docs["doc"].cast(pa.binary()), 0, 1)).to_pylist()
    return set(starts) <= {b"{", b"["}


def mended(connection: duckdb.DuckDBPyConnection, docs: pa.Table) -> tuple[pa.Table, dict[int, str]]:
    """(The documents that are JSON, place -> text of those that are none).

    What DuckDB cannot parse but Python can (NaN, half an emoji) is written anew; the rest is broken.
    """
    connection.register("texts", docs)
    odd = connection.execute(
        "SELECT place, doc FROM texts WHERE NOT (json_valid(doc) AND doc[1] IN ('{', '[')) ORDER BY place"
    ).fetchall()
    connection.unregister("texts")
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
    return _parted(pa.table(columns, schema=_DOCS)), broken


def _parted(docs: pa.Table) -> pa.Table:
    """The documents in batches of some 250 kB, or of one larger one: DuckDB gives each of its threads a batch."""
    rows = max(1, docs.num_rows * _BATCH_BYTES // max(1, docs.nbytes))
    return pa.Table.from_batches(docs.to_batches(max_chunksize=rows), docs.schema)


def structure_of(connection: duckdb.DuckDBPyConnection, query: str, lists: str) -> Structure:
    """The merged structure of the objects in JSON lists; empty without any.

    query: gives (place, what `json_structure` says of a list). lists: gives (place, list), for the rare case in which
    that does not suffice. Keys are in the order of their first appearance, by place: it becomes that of the columns.
    """
    found = connection.execute(
        f"SELECT structure FROM ({query}) AS told(place, structure) GROUP BY structure ORDER BY min(place)"
    ).fetchall()
    try:
        told = reduce(_merged, (json.loads(one)[0] for (one,) in found), "NULL")
    except _AmbiguousError:
        [(whole,)] = connection.execute(
            f"""
            SELECT json_structure('[' || string_agg(listed, ',' ORDER BY place) || ']')
            FROM ({lists}) AS told(place, listed)
            """
        ).fetchall()
        [[told]] = json.loads(whole)
    return told if isinstance(told, dict) else {}


class _AmbiguousError(Exception):
    """JSON, as the structure of a value, says that its types differ, or that it is an empty object."""


def _merged(one: Any, other: Any) -> Any:
    """What `json_structure` tells of two values together, from what it tells of each."""
    if one == other or other == "NULL":
        return one
    if one == "NULL":
        return other
    if isinstance(one, list) and isinstance(other, list):
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        keys = dict.fromkeys([*one, *other])
        return {key: _merged(one.get(key, "NULL"), other.get(key, "NULL")) for key in keys}
    if (isinstance(one, dict) and other == "JSON") or (isinstance(other, dict) and one == "JSON"):
        raise _AmbiguousError
    return "JSON"


@dataclass(frozen=True)
class _Leaf:
    """Where one value stands in an opened object. pointer: the rest of the way, inside what was left as JSON."""

    keys: tuple[str, ...]
    pointer: str
    kind: Any

    def text(self, opened: str) -> str:
        """SQL for the value as text, null where it is an empty text, list or object."""
        place = opened
        for key in self.keys:
            place = f"struct_extract({place}, {quote_text(key)})"
        if self.pointer:
            return _filled(f"json_extract_string({place}, {quote_text(self.pointer)})")
        if self.kind in _PLAIN:
            return place
        if _opens_as(self.kind) == "JSON":
            return _filled(f"CASE WHEN {place}::VARCHAR <> '{{}}' THEN {place} ->> '$' END")
        return _filled(place)


@dataclass(frozen=True)
class Leaves:
    """The values in JSON objects of one structure.

    shape: what `from_json` is to open such an object as. places: dotted name -> where its values are (a key may hold
    a dot, so that there may be several).
    """

    shape: Any
    places: dict[str, list[_Leaf]]

    @classmethod
    def of(cls, structure: Structure, name: str, without: Container[str] = ()) -> "Leaves":
        """Raises UnreadableFileError, naming the file, where there are more names than a table has columns."""
        kept = {key: told for key, told in structure.items() if key not in without}
        places: dict[str, list[_Leaf]] = {}
        for path, leaf in _leaves(kept) if kept else ():
            places.setdefault(".".join(path), []).append(leaf)
        if len(places) > MAX_COLUMNS:
            raise UnreadableFileError(
                f"{name}: more than {MAX_COLUMNS:,} different names in its records: ids are used as names somewhere"
            )
        return cls(_opens_as(kept), places)

    def opened(self, text: str, *, in_list: bool = False) -> str:
        """SQL that opens a JSON text: one object, or a list of them. It is parsed once for all values in it."""
        shape = [self.shape] if in_list else self.shape
        return f"from_json({text}, {quote_text(json.dumps(shape, ensure_ascii=False))})"

    def columns(self, opened: str, prefix: str = "") -> dict[str, str]:
        """Name -> SQL for its text, out of one opened object; empty texts, lists and objects are null."""
        columns = {}
        for name, leaves in self.places.items():
            texts = [leaf.text(opened) for leaf in leaves]
            columns[prefix + name] = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
        return columns


# Values whose text needs no second look: they are never empty, and DuckDB writes them as JSON does.
_PLAIN = ("UBIGINT", "BIGINT", "BOOLEAN", "NULL")
_DEPTH = 30


def _filled(text: str) -> str:
    return f"CASE WHEN {text} NOT IN ('', '[]', '{{}}') THEN {text} END"


def _opens_as(told: Any, depth: int = 0) -> Any:
    """What `from_json` opens a value of this structure as: an object by its keys, texts and lists as text.

    JSON it stays where a value's text is not to be had otherwise (numbers with a fraction, values of several types),
    and where the keys cannot be names side by side (told apart by case alone, or empty).
    """
    if isinstance(told, dict) and told:
        names = {key.lower() for key in told}
        if len(names) < len(told) or "" in names or depth == _DEPTH:
            return "JSON"
        return {key: _opens_as(one, depth + 1) for key, one in told.items()}
    return "VARCHAR" if isinstance(told, list) or told in ("VARCHAR", *_PLAIN) else "JSON"


def _leaves(
    told: Any, path: tuple[str, ...] = (), opened: tuple[str, ...] = (), pointer: str = ""
) -> Iterator[tuple[tuple[str, ...], _Leaf]]:
    """The leaves of a structure, with the keys that lead to each."""
    if not (isinstance(told, dict) and told):
        yield path, _Leaf(opened, pointer, told)
        return
    stays_json = bool(pointer) or _opens_as(told, len(path)) == "JSON"
    for key, one in told.items():
        if stays_json:
            step = "/" + key.replace("~", "~0").replace("/", "~1")
            yield from _leaves(one, (*path, key), opened, pointer + step)
        else:
            yield from _leaves(one, (*path, key), (*opened, key))
