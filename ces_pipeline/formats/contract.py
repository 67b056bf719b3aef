"""The contract of a reader: bytes of an export in, rows of text with row numbers out.

Readers know formats and nothing else: they do not judge, parse times, drop answers, or write. A reader holds no more of
a large export in memory than it must; delimited files and JSON Lines are streamed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pyarrow as pa

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

ROW_NUMBER = "row_number"


@dataclass(frozen=True)
class UnreadableRow:
    """A row that does not fit its own export: its number, what is wrong, and its unchanged text.

    The text may hold a person's values: it is redacted before it is written, and it is never logged.
    """

    row_number: int
    problem: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", encodable(self.text))


@dataclass
class Export:
    """One export as rows of text.

    columns: the export's own column names, made unique (`Other`, `Other_2` ...), in order.
    batches: record batches with those columns as `string` (an empty cell is null, never '') and ROW_NUMBER as int64.
        A row number counts records as a spreadsheet shows them: the header is row 1 of a delimited file;
        the first record of a JSON export is row 1.
    mapping: our field -> the export's column, as far as the format itself decides it.
    time_zone: the IANA zone that the file itself states for its naive times, if it does.
    time_formats: strptime formats that the format itself decides.
    date_order: what comes first in its dates such as 02/11/2026, if the format itself decides it.
    values: our field -> the export's value (lower case) -> our value, if the vendor uses codes.
    people: columns that hold people by the format's definition, in addition to the mapped ones.
    questions: column -> the question's text, if the export has one in addition to the column's name.
    unreadable: rows that did not fit; complete once `batches` is exhausted.
    skipped: how many records are not rows of this format and were left out; a doubt says so.
    repairs: how many rows were repaired (short, long, quotes, swallowed); complete once `batches` is exhausted.
    notes: what a person should know about this export (shown by `ces inspect`).
    doubts: those of the notes that landing shows too: the reader took what is likely, and it is not sure.
    options_found: options of the source that the reader found out by itself, such as `encoding` or `header_row`, and
        those that would open a list of answers or turn a table with a row per question. `ces inspect` proposes them.
    """

    columns: tuple[str, ...]
    batches: Iterator[pa.RecordBatch]
    mapping: dict[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    time_formats: tuple[str, ...] = ()
    date_order: Literal["day", "month"] | None = None
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    questions: dict[str, str] = field(default_factory=dict)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    skipped: int = 0
    repairs: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    options_found: dict[str, Any] = field(default_factory=dict)


MOST_COLUMNS = 2_500
"""More columns need more memory than a landing may take."""


def within_bounds(export: Export, file: DeliveredFile) -> Export:
    """The export, if it can be landed in bounded time and memory. Raises UnreadableFileError for too many columns."""
    if len(export.columns) > MOST_COLUMNS:
        raise UnreadableFileError(
            f"{file.name}: it has {len(export.columns):,} columns, more than the {MOST_COLUMNS:,} that are read: "
            "deliver one row per answer, or leave out columns in the export"
        )
    return export


class Read(Protocol):
    def __call__(self, file: DeliveredFile, source: Source | None, /) -> Export:
        """Open an export. `source` is its entry in the registry; None when `ces inspect` reads an unregistered file.

        Raises UnreadableFileError, which says what to do, if the bytes are not this format.
        """


@dataclass(frozen=True)
class Reader:
    """A format: its name in `sources.yaml`, what it reads, and how to recognise it.

    recognises: a score from 0 (no) to 100 (certain), from the head of a file only.
    options: the keys of the source's `options` that it uses, and what each decides.
    has_customer_columns: whether each customer names the export's columns, so that their meaning must be guessed.
    reads_json_lines: whether JSON Lines, one record on each line, is one of its layouts.
    """

    name: str
    title: str
    kind: Literal["survey", "tickets", "any"]
    read: Read
    recognises: Callable[[DeliveredFile], int] = lambda _file: 0
    options: dict[str, str] = field(default_factory=dict)
    has_customer_columns: bool = False
    reads_json_lines: bool = False


def encodable(text: str) -> str:
    """The text with `?` for each half of a surrogate pair (a cut-off emoji) and without zero bytes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def text_column(values: list[str | None]) -> pa.Array:
    """A string column: '' becomes null, half a surrogate pair (a cut-off emoji) becomes `?`."""
    cells = [value or None for value in values] if "" in values else values
    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:
        return pa.array(
            [cell and cell.encode("utf-8", "replace").decode("utf-8") for cell in cells], pa.string()
        )


def option(source: Source | None, name: str) -> Any:
    """The source's value for a reader's option; None if it has none."""
    return source.options.get(name) if source else None


def folded(name: str) -> str:
    """A column name in the form in which spellings are compared: lower case, only letters, digits and `#`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum() or letter == "#")


def map_columns(columns: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Our field -> the column with the first of the field's spellings that is present (compared folded).

    A column is used for one field only: the first that matches it.
    """
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    mapping: dict[str, str] = {}
    for name, spellings in known.items():
        for spelling in spellings:
            found = by_name.get(folded(spelling))
            if found is not None and found not in mapping.values():
                mapping[name] = found
                break
    return mapping


def pick_columns(columns: Iterable[str], spellings: Iterable[str]) -> tuple[str, ...]:
    """The columns whose folded name is one of `spellings`."""
    wanted = {folded(spelling) for spelling in spellings}
    return tuple(column for column in columns if folded(column) in wanted)
