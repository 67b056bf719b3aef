"""JSON documents as columns of text, by DuckDB: for exports whose records are many and large.

`json_records.py` does the same a Python object at a time, which is what exports need whose records are pivoted or
renamed; where they are only listed and joined, not building the objects is ten times as fast. What the columns mean
is left to the readers.
"""

import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.sources.json_records import MAX_COLUMNS, Broken, JsonFile, parsed
from ces_pipeline.storage.quote import quote_text

_CHUNK_BYTES = 8 << 20
_DOCS = pa.schema([("place", pa.int64()), ("doc", pa.string())])

Structure = dict[str, Any]
"""What `json_group_structure` tells of objects: key -> structure, type name, or list of one of them."""


@contextmanager
def workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own in memory, large enough for the largest single document and what is made of it."""
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield connection


def chunks(
    connection: duckdb.DuckDBPyConnection, json_file: JsonFile
) -> Iterator[tuple[pa.Table, dict[int, str]]]:
    """The file's documents in parts of some 8 MB: (table of place and valid JSON text, place -> broken text).

    Places count documents from 0 over the whole file.
    """
    texts: list[bytes] = []
    size, first = 0, 0
    for text in json_file.texts():
        texts.append(text)
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
    decoded = [text.decode("utf-8", "replace") for text in texts]
    connection.register("texts", pa.table({"text": pa.array(decoded, pa.string())}))
    valid = [is_valid for (is_valid,) in connection.execute("SELECT json_valid(text) FROM texts").fetchall()]
    connection.unregister("texts")
    rows: list[dict[str, Any]] = []
    broken: dict[int, str] = {}
    for place, (text, is_valid) in enumerate(zip(decoded, valid, strict=True), start=first):
        if is_valid and text.lstrip()[:1] in "{[":
            rows.append({"place": place, "doc": text.strip()})
            continue
        document = parsed(text.encode())
        if isinstance(document, Broken):
            broken[place] = document.text
        else:
            again = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()
            rows.append({"place": place, "doc": again})
    return pa.Table.from_pylist(rows, schema=_DOCS), broken


def structure_of(connection: duckdb.DuckDBPyConnection, query: str) -> Structure:
    """The merged structure of the JSON objects in the one column of `query`; empty where there are none."""
    [(found,)] = connection.execute(
        f"SELECT json_group_structure(record::JSON) FROM ({query}) AS told(record)"
    ).fetchall()
    told = json.loads(found) if found else {}
    return told if isinstance(told, dict) else {}


@dataclass(frozen=True)
class Leaves:
    """The values in JSON objects of one structure. places: dotted name -> its JSON pointers (a key may hold a dot)."""

    places: dict[str, list[str]]

    @classmethod
    def of(cls, structure: Structure, name: str, without: Container[str] = ()) -> "Leaves":
        """Raises UnreadableFileError, naming the file, where there are more names than a table has columns."""
        places: dict[str, list[str]] = {}
        for path in _paths({key: told for key, told in structure.items() if key not in without}):
            pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)
            places.setdefault(".".join(path), []).append(pointer)
        if len(places) > MAX_COLUMNS:
            raise UnreadableFileError(
                f"{name}: more than {MAX_COLUMNS:,} different names in its records: ids are used as names somewhere"
            )
        return cls(places)

    def values(self, record: str) -> str:
        """SQL for the list of texts of all values in the JSON that `record` gives: parsed once for all of them."""
        listed = ", ".join(quote_text(one) for pointers in self.places.values() for one in pointers)
        return f"json_extract_string({record}, [{listed}]::VARCHAR[])"

    def columns(self, values: str, prefix: str = "") -> dict[str, str]:
        """Name -> SQL for its text, out of the list `values`; empty texts, lists and objects are null."""
        columns, place = {}, 0
        for name, pointers in self.places.items():
            texts = []
            for _ in pointers:
                place += 1
                texts.append(
                    f"CASE WHEN {values}[{place}] NOT IN ('', '[]', '{{}}') THEN {values}[{place}] END"
                )
            columns[prefix + name] = texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
        return columns


def _paths(structure: Structure, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, told in structure.items():
        if isinstance(told, dict) and told:
            yield from _paths(told, (*above, key))
        else:
            yield (*above, key)
