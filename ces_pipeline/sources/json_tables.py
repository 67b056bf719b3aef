"""JSON documents as columns of text, by DuckDB: for exports whose records are many and large.

`json_records.py` does the same a Python object at a time, which is what exports need whose records are pivoted or
renamed; where they are only listed and joined, not building the objects is ten times as fast. What the columns mean
is left to the readers.
"""

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

_CHUNK_BYTES = 8 << 20
_DOCS = pa.schema([("place", pa.int64()), ("doc", pa.string())])

Structure = dict[str, Any]
"""What `json_group_structure` tells of objects: key -> structure, type name, or list of one of them."""


@cache
def _database() -> duckdb.DuckDBPyConnection:
    # Opened once a process, since opening costs as much as reading a page or two.
    return duckdb.connect(":memory:ces-json", config={"threads": 2, "memory_limit": "2GB"})


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


def chunks(
    connection: duckdb.DuckDBPyConnection, json_file: JsonFile
) -> Iterator[tuple[pa.Table, dict[int, str]]]:
    """The file's documents in parts of some 8 MB: (table of place and valid JSON text, place -> broken text).

    Places count documents from 0 over the whole file.
    """
    texts: list[bytes] = []
    size, first = 0, 0
    for text in json_file.texts():
        texts.append(text.strip())
        size += len(text)
        if size >= _CHUNK_BYTES:
            yield _valid(connection, texts, first)
            first += len(texts)
            texts, size = [], 0
    if texts:
        yield _valid(connection, texts, first)


def _valid(
    connection: duckdb.DuckDBPyConnection, texts: list[bytes], first: int
) -> tuple[pa.Table, dict[int, str]]:
    """What DuckDB cannot parse but Python can (NaN, half an emoji) is written anew; the rest is broken."""
    try:
        docs = pa.array(texts, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        docs = pa.array([text.decode("utf-8", "replace") for text in texts], pa.string())
    table = pa.table([pa.array(range(first, first + len(texts)), pa.int64()), docs], schema=_DOCS)
    connection.register("texts", table)
    odd = connection.execute(
        "SELECT place FROM texts WHERE NOT (json_valid(doc) AND doc[1] IN ('{', '[')) ORDER BY place"
    ).fetchall()
    connection.unregister("texts")
    if not odd:
        return table, {}
    again = docs.to_pylist()
    broken: dict[int, str] = {}
    for (place,) in odd:
        document = parsed(texts[place - first])
        if isinstance(document, Broken):
            broken[place], again[place - first] = document.text, None
        else:
            text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()
            again[place - first] = text
    mended = pa.table([table["place"], pa.array(again, pa.string())], schema=_DOCS)
    return mended.filter(pc.is_valid(mended["doc"])), broken


def structure_of(connection: duckdb.DuckDBPyConnection, query: str) -> Structure:
    """The merged structure of the objects in JSON lists, which `query` gives as (place, list); empty without any.

    Keys are in the order of their first appearance, by place: it becomes the order of the columns.
    """
    found = connection.execute(
        f"""
        SELECT json_structure(listed) AS structure FROM ({query}) AS told(place, listed)
        GROUP BY structure ORDER BY min(place)
        """
    ).fetchall()
    try:
        told = reduce(_merged, (json.loads(one)[0] for (one,) in found), "NULL")
    except _AmbiguousError:
        [(whole,)] = connection.execute(
            f"""
            SELECT json_structure('[' || string_agg(listed, ',' ORDER BY place) || ']')
            FROM ({query}) AS told(place, listed)
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
        for path, leaf in _leaves(kept):
            places.setdefault(".".join(path), []).append(leaf)
        if len(places) > MAX_COLUMNS:
            raise UnreadableFileError(
                f"{name}: more than {MAX_COLUMNS:,} different names in its records: ids are used as names somewhere"
            )
        return cls(_opens_as(kept), places)

    def opened(self, listed: str) -> str:
        """SQL that opens a text that is a JSON list of the objects: parsed once for all values."""
        return f"from_json({listed}, {quote_text(json.dumps([self.shape], ensure_ascii=False))})"

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
