"""JSON documents and JSON Lines as record batches of text, for all readers of JSON.

A reader decides which records a document holds. This module finds the documents, sets broken ones aside, flattens
nested objects to dotted names and collects the columns. JSON Lines are streamed twice: for the columns and for the
rows. A single document must fit in memory; a larger one is refused.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import duckdb
import numpy as np
import pyarrow as pa

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import ROW_NUMBER, Export, UnreadableRow, encodable, text_column
from ces_pipeline.formats.delimited import unique_names
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.storage.scratch import scratch

BATCH_ROWS = 20_000
MAX_DOCUMENT_BYTES = 256 << 20
MAX_LINE_BYTES = 64 << 20
MAX_COLUMNS = 5_000
TEXT_LIMIT = 10_000
_LARGE_BYTES = 1 << 16
_KEY = re.compile(r'"([^"\\]{1,80})"\s*:')

# NaN and Infinity are not JSON, yet some tools write them for a missing number.
_DECODER = json.JSONDecoder(parse_constant=lambda _name: None)

Extract = Callable[[Any], Iterable[Any]]
"""A document -> its records. An item that is not a dict is set aside as unreadable."""


class Broken:
    """A line that is not JSON."""

    def __init__(self, text: str):
        self.text = text


class JsonFile:
    """A delivered file's JSON documents, in order: the lines of JSON Lines, or the single document."""

    def __init__(self, file: DeliveredFile):
        file.refuse_binary()
        self._file = file
        self._document: Any = None
        self.is_lines = self._find_layout()

    @property
    def name(self) -> str:
        return self._file.name

    def documents(self) -> Iterator[Any]:
        """Each document; a line that is not JSON as a `Broken`. May be called again.

        Raises UnreadableFileError for a line longer than 64 MB.
        """
        if self.is_lines:
            yield from map(parsed, self.texts())
        else:
            yield self._document

    def texts(self) -> Iterator[bytes]:
        """Each document's text, also if it is not JSON; otherwise as `documents`."""
        with self._file.open_utf8() as stream:
            if not self.is_lines:
                yield stream.read()
                return
            for number, line in enumerate(_lines(stream), start=1):
                if len(line) > MAX_LINE_BYTES:
                    raise UnreadableFileError(
                        f"{self._file.name}: line {number} is longer than {MAX_LINE_BYTES >> 20} MB: "
                        "deliver JSON Lines with one record per line"
                    )
                if not line.isspace():
                    yield line

    def _find_layout(self) -> bool:
        """Whether the file is JSON Lines. A single document is parsed here, once.

        Raises UnreadableFileError if it is neither, or if a single document is too large.
        """
        name = self._file.name
        with self._file.open_utf8() as stream:
            first: list[bytes] = []
            for line in _lines(stream):
                if not line.isspace():
                    first.append(line)
                if len(first) == 5 or len(line) > MAX_LINE_BYTES:
                    break
        if not first:
            raise UnreadableFileError(f"{name}: the file is empty: deliver it again, or remove it")
        if first[0].lstrip()[:1] not in (b"{", b"["):
            raise UnreadableFileError(
                f"{name}: not JSON: it starts with neither {{ nor [: check the source's `reader`"
            )
        if len(first[0]) <= MAX_LINE_BYTES and (
            is_json(first[0]) or not isinstance(parsed(first[0]), Broken)
        ):
            return True
        later_lines = any(isinstance(parsed(line), dict) for line in first[1:] if len(line) <= MAX_LINE_BYTES)
        if self._file.size > MAX_DOCUMENT_BYTES:
            if later_lines:
                return True
            raise UnreadableFileError(
                f"{name}: a single JSON document of {self._file.size >> 20} MB, more than the limit of "
                f"{MAX_DOCUMENT_BYTES >> 20} MB: export it as JSON Lines (one record per line), "
                "which has no limit, or in parts"
            )
        with self._file.open_utf8() as stream:
            content = stream.read()
        try:
            self._document = _loads(content)
        except json.JSONDecodeError as problem:
            if later_lines:
                return True
            cut = problem.pos >= len(problem.doc.rstrip()) - 1 or problem.msg.startswith("Unterminated")
            raise UnreadableFileError(
                f"{name}: {'the JSON was cut off' if cut else 'not valid JSON'} at line {problem.lineno}, "
                f"column {problem.colno}: deliver it again"
            ) from None
        except (ValueError, RecursionError):
            raise UnreadableFileError(
                f"{name}: the JSON cannot be read (a number is too long, or the nesting too deep): "
                "correct the export and deliver it again"
            ) from None
        return False


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines, cut just above the limit, so that a huge line is never fully in memory."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line


def _loads(content: bytes) -> Any:
    text = content.decode("utf-8", "replace").strip()
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def is_json(text: bytes) -> bool:
    """Whether the text is one JSON value. DuckDB checks large texts, since it builds no objects."""
    if len(text) > _LARGE_BYTES:
        with scratch() as connection, suppress(pa.ArrowInvalid, duckdb.Error):
            connection.register("document", as_document(text))
            [(is_valid,)] = connection.execute("SELECT json_valid(doc) FROM document").fetchall()
            if is_valid:
                return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def as_document(text: bytes) -> pa.Table:
    """The text as a table with one row and the column `doc`. (DuckDB would scan a parameter longer than it parses it.)

    Raises pa.ArrowInvalid if the text is not UTF-8.
    """
    return pa.table({"doc": pa.array([text], pa.binary()).cast(pa.string())})


def parsed(line: bytes) -> Any:
    """The object or list in a text; a `Broken` if it holds neither."""
    try:
        document = _loads(line)
    except (ValueError, RecursionError):
        return Broken(line.decode("utf-8", "replace").strip()[:TEXT_LIMIT])
    return document if isinstance(document, dict | list) else Broken(str(document)[:TEXT_LIMIT])


def flatten(record: dict[str, Any]) -> dict[str, Any]:
    """The record with nested objects as dotted names (`via.channel`); an empty object or list is None."""
    if not any(type(value) in (dict, list) for value in record.values()):
        return record
    flat: dict[str, Any] = {}
    _flatten_into(flat, record, "")
    return flat


def _flatten_into(flat: dict[str, Any], record: dict[str, Any], prefix: str) -> None:
    for key, value in record.items():
        if value and type(value) is dict:
            _flatten_into(flat, value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if value or type(value) not in (dict, list) else None


def cell_text(value: Any) -> str | None:
    """A JSON value as the text of a cell: text unchanged, null as None, everything else as JSON writes it."""
    if value is None or isinstance(value, str):
        return value
    # isinstance counts a bool as an int, so exact types are compared.
    if type(value) in (int, float):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def numbered_records(
    json_file: JsonFile, extract: Extract, unreadable: list[UnreadableRow]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each record and its number from 1; broken lines are numbered too, and go to `unreadable`.

    Raises UnreadableFileError for half a character in a record that is not an object: then the text was cut.
    """
    number = 0
    for document in json_file.documents():
        for record in (document,) if isinstance(document, Broken) else extract(document):
            number += 1
            if isinstance(record, dict):
                yield number, record
            elif isinstance(record, Broken):
                unreadable.append(UnreadableRow(number, "this line is not a JSON object", record.text))
            else:
                text = (cell_text(record) or "")[:TEXT_LIMIT]
                if encodable(text) != text:
                    raise UnreadableFileError(
                        f"{json_file.name}: record {number} is not a JSON object and holds half a character: "
                        "the file is damaged: export it again"
                    )
                unreadable.append(UnreadableRow(number, "a record that is not a JSON object", text))


def json_export(file: DeliveredFile, new_extract: Callable[[], Extract]) -> Export:
    """An Export of the records that the extract finds in each document. `new_extract` is called for each pass.

    Raises UnreadableFileError as JsonFile and the extract do, before the first row is given out.
    """
    json_file = JsonFile(file)

    def rows(unreadable: list[UnreadableRow]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, record in numbered_records(json_file, new_extract(), unreadable):
            yield number, flatten(record)

    return export_records(rows, file.name)


Rows = Callable[[list[UnreadableRow]], Iterable[tuple[int, dict[str, Any]]]]
"""Returns numbered flat records each time it is called; unreadable ones go to the list."""


def export_records(rows: Rows, name: str) -> Export:
    """An Export of flat records, in batches. They are read twice: for the columns, then for the rows."""
    keys = _keys(rows, name)
    export = Export(columns=unique_names(keys), batches=iter(()))
    export.batches = _batches(rows, keys, export)
    if not keys:
        export.notes.append("no records: no rows")
    return export


def _keys(rows: Rows, name: str) -> list[str]:
    """The flat names of all records, in order of first appearance.

    A name that holds only nulls is left out if nested names of it exist (`via` next to `via.channel`).
    """
    keys: dict[str, None] = {}
    shapes: set[tuple[str, ...]] = set()
    for _, record in rows([]):
        shape = tuple(record)
        if shape in shapes:
            continue
        if len(shapes) < 10_000:
            shapes.add(shape)
        keys.update(dict.fromkeys(shape))
        if any(encodable(key) != key for key in shape):
            raise UnreadableFileError(
                f"{name}: a name in its records holds half a character or a zero byte: the file is damaged: "
                "export it again"
            )
        if len(keys) > MAX_COLUMNS:
            raise UnreadableFileError(
                f"{name}: more than {MAX_COLUMNS:,} different names in its records, so ids are probably used as "
                "names: name the list of records with options.record_path of the source"
            )
    parents = {key[:place] for key in keys for place, letter in enumerate(key) if letter == "."} & set(keys)
    if parents:
        for _, record in rows([]):
            parents -= {key for key in parents if record.get(key) is not None}
    return [key for key in keys if key not in parents]


def _batches(rows: Rows, keys: list[str], export: Export) -> Iterator[pa.RecordBatch]:
    records: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, record in rows(export.unreadable):
        records.append(record)
        numbers.append(number)
        if len(records) == BATCH_ROWS:
            yield record_batch(records, numbers, keys, export.columns)
            records, numbers = [], []
    if records:
        yield record_batch(records, numbers, keys, export.columns)


def record_batch(
    rows: list[dict[str, Any]], numbers: list[int], keys: list[str], columns: tuple[str, ...]
) -> pa.RecordBatch:
    """Flat records as a batch: the value under `keys[i]` in `columns[i]`."""
    arrays = [
        text_column([value if type(value := row.get(key)) is str else cell_text(value) for row in rows])
        for key in keys
    ]
    return pa.RecordBatch.from_arrays(
        [*arrays, pa.array(np.array(numbers, dtype=np.int64))], names=[*columns, ROW_NUMBER]
    )


def names_in_head(file: DeliveredFile) -> frozenset[str]:
    """The object keys in the head of a JSON file; empty if the head does not start as JSON does."""
    if file.head_text.lstrip()[:1] not in ("{", "["):
        return frozenset()
    return frozenset(_KEY.findall(file.head_text))
