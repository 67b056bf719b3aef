"""Delimited text (CSV, TSV, a workbook's sheet) as a stream of record batches, with any number of header rows.

All readers of delimited exports use it. Quoted cells may hold line breaks. Rows that have not as many cells as the
header are repaired where it is clear how (`row_repair.py`), else set aside with their number. The records of the file
are counted apart from the parser (`line_count.py`). Nothing is guessed about what the columns mean.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.cell_kinds import column_kinds, kind_of
from ces_pipeline.formats.contract import ROW_NUMBER, Export, UnreadableRow, encodable, folded, option
from ces_pipeline.formats.encodings import known_encoding
from ces_pipeline.formats.files import DeliveredFile, SheetAsText
from ces_pipeline.formats.header_rows import header_rows as count_header_rows
from ces_pipeline.formats.header_rows import names_at
from ces_pipeline.formats.line_count import (
    CountedLines,
    breaks_in,
    breaks_in_cells,
    has_stray_quotes_in,
    records_in,
)
from ces_pipeline.formats.row_repair import Repaired, RowRepair, has_stray_quotes
from ces_pipeline.registry.sources import Source

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENCODING_OPTION = {"encoding": "the encoding of the text, such as windows-1250, if it cannot be detected"}
SHEET_OPTION = {
    "sheet": "which sheet of a workbook holds the rows; the first by default",
    "header_row": "the number of the row that holds the columns' names, if there are title lines above it",
}
TABLE_OPTIONS = {
    "delimiter": "the character between cells (or `tab`), if it cannot be detected",
    **ENCODING_OPTION,
    "quote": "`none` if cells are never quoted, so that a quote is a character like others",
    "row_names": "`true` if each row begins with a name for which the header has no cell",
    **SHEET_OPTION,
}
_BLOCK = 8 << 20
_UNREADABLE_LIMIT = 100_000
_TEXT_LIMIT = 10_000
_ROWS_TO_JUDGE = 80
_SHORT_HEAD = 1 << 16
"""Letters that hold enough rows of most tables."""

_SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?[,;\t|]*\r?(\n|\Z)', re.IGNORECASE)
_ROW_NAME = "row_name"
_BLANK = " \t\r\n\x1a\ufeff"


def unique_names(names: list[str]) -> tuple[str, ...]:
    """Header cells as distinct names: blanks become `column_<n>`, repeats get `_2`, `_3` ..."""
    taken: set[str] = set()
    result = []
    for position, raw in enumerate(names, start=1):
        base = " ".join(encodable(raw).split()) or f"column_{position}"
        name, copy = base, 1
        while name in taken or name == ROW_NUMBER:
            copy += 1
            name = f"{base}_{copy}"
        taken.add(name)
        result.append(name)
    return tuple(result)


@dataclass(frozen=True)
class DelimitedHead:
    """The first records of a delimited file from its names on, parsed with its dialect.

    file: the text in its encoding; of a workbook, its sheet. rows: the records that are not blank. positions: the
    number of each in the file, from 1. line_breaks: how many line breaks the records up to each of them hold in cells.
    quote: the character around cells; None if there is none. has_titles: whether title lines above were left out.
    notes, doubts, options_found: as in Export.
    """

    file: DeliveredFile
    delimiter: str
    rows: list[list[str]]
    positions: list[int]
    line_breaks: list[int]
    quote: str | None = '"'
    has_titles: bool = False
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    options_found: dict[str, object] = field(default_factory=dict)


@dataclass
class _Records:
    """Records that are not blank, the number of each, and how many line breaks in cells there are up to each.

    has_titles: whether filled records above them were left out.
    """

    rows: list[list[str]] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    line_breaks: list[int] = field(default_factory=list)
    has_titles: bool = False

    def below(self, start: int, are_titles: bool = False) -> "_Records":
        return _Records(
            self.rows[start:], self.positions[start:], self.line_breaks[start:], are_titles and start > 0
        )


def read_head(file: DeliveredFile, source: Source | None = None, rows: int = 8) -> DelimitedHead:
    """The first records from the names on, at least `rows` of them if the file has so many.

    Options of the source: `encoding`, `delimiter` (else the one of , ; tab | that fits best), `quote`, `header_row`,
    `row_names`, and `sheet` of a workbook. A line `sep=;` names the delimiter. Title lines above the names
    are left out.
    Raises UnreadableFileError for an empty or binary file, for text that is not a table at that delimiter, and if
    every row has a cell more than the header and it is not clear why.
    """
    if file.is_spreadsheet:
        return _sheet_head(
            file if isinstance(file, SheetAsText) else file.sheet(option(source, "sheet")), rows, source
        )
    file = file.encoded_as(encoding_option(source))
    file.refuse_binary()
    text = file.head_text
    if not text.strip():
        raise UnreadableFileError(f"{file.name}: the file is empty: deliver it again, or remove it")
    count = max(rows, _ROWS_TO_JUDGE)
    quote = _quote_option(source)
    separator = _SEPARATOR_LINE.match(text)
    chosen = _chosen_delimiter(source) or (separator.group(1) if separator else None)
    asked = dict.fromkeys([*DELIMITERS, *([chosen] if chosen else [])])
    tried = {
        delimiter: _table(
            _records(text, delimiter, quote, count, file.head_is_all), bool(separator), file, source
        )
        for delimiter in asked
    }
    best = max(DELIMITERS, key=lambda delimiter: _fit(tried[delimiter]))
    records = tried[chosen or best]
    _refuse_no_records(file, records.rows)
    if len(records.rows[0]) == 1:
        _refuse_one_column(file, chosen, best, tried[best].rows)
    head = DelimitedHead(
        file, chosen or best, records.rows, records.positions, records.line_breaks, quote, records.has_titles
    )
    notes, doubts = file.text_notes()
    head.notes.extend(notes)
    head.doubts.extend(doubts)
    if file.found_encoding:
        head.options_found["encoding"] = file.found_encoding
    if separator and not option(source, "delimiter") and chosen not in DELIMITERS:
        head.options_found["delimiter"] = chosen
    _note_title_lines(head, source)
    _name_rows(head, source, text)
    return head


def encoding_option(source: Source | None) -> str | None:
    """The encoding that the source's options name, as Python writes it. Raises RegistryError for an unknown one."""
    given = option(source, "encoding")
    if given is None:
        return None
    known = known_encoding(given)
    if known is None:
        raise RegistryError(
            f"sources.yaml: entry {source.id if source else ''}: options.encoding: no encoding {given!r} is known: "
            "write it like utf-8, windows-1250, shift_jis or gb18030"
        )
    return known


def _sheet_head(sheet: SheetAsText, rows: int, source: Source | None = None) -> DelimitedHead:
    records = _records(sheet.head_text, ",", '"', max(rows, _ROWS_TO_JUDGE), sheet.head_is_all)
    records = _table(records, False, sheet, source)
    _refuse_no_records(sheet, records.rows)
    head = DelimitedHead(
        sheet, ",", records.rows, records.positions, records.line_breaks, '"', records.has_titles
    )
    if sheet.passed_over is not None:
        head.notes.append(
            f"read the sheet {sheet.sheet_name}: the first, {sheet.passed_over}, is no table; "
            "choose another with options.sheet"
        )
        head.options_found["sheet"] = sheet.sheet_name
    elif sheet.others:
        others = ", ".join(sheet.others)
        head.notes.append(
            f"read the first of {len(sheet.others) + 1} sheets, {sheet.sheet_name} (the others: {others}); "
            "choose another with options.sheet"
        )
    _note_title_lines(head, source)
    return head


def _table(records: _Records, has_separator: bool, file: DeliveredFile, source: Source | None) -> _Records:
    """The records from the names on."""
    if has_separator and records.rows:
        records = records.below(1)
    row = option(source, "header_row")
    if row is None:
        return records.below(names_at(records.rows), are_titles=True)
    if not str(row).isdigit() or int(row) < 1:
        raise RegistryError(
            f"sources.yaml: entry {source.id if source else ''}: options.header_row: must be a row's number, from 1"
        )
    start = next((place for place, number in enumerate(records.positions) if number >= int(row)), None)
    if start is None or records.positions[start] != int(row):
        raise UnreadableFileError(
            f"{file.name}: row {row} holds no names, although options.header_row of the source says so: "
            "correct the option or the export"
        )
    return records.below(start)


def _note_title_lines(head: DelimitedHead, source: Source | None) -> None:
    """Say where the names are, if there are filled rows above them and the source's options do not say it."""
    if option(source, "header_row") is not None or not head.has_titles:
        return
    head.notes.append(
        f"the columns' names are in row {head.positions[0]}: the lines above it are titles, not rows"
    )
    head.options_found["header_row"] = head.positions[0]


def _name_rows(head: DelimitedHead, source: Source | None, text: str) -> None:
    """Give the first column a name if each row begins with a name for which the header has no cell."""
    width, below = len(head.rows[0]), head.rows[1:]
    given = option(source, "row_names")
    longer = [row for row in below if len(row) == width + 1]
    if not longer or given is False or len(longer) * 2 <= len(below):
        return
    has_all = len(longer) == len(below) and len(below) > 1 and any(row[-1].strip() for row in longer)
    if given is not True and not has_all:
        return
    if given is not True:
        # R quotes the names of rows and of columns, and not numbers.
        lines = [line for line in text.splitlines() if line.strip()]
        names = {row[0] for row in longer}
        is_quoted = all(line.startswith('"') for line in lines[: len(below)]) and len(names) == len(longer)
        if not is_quoted:
            raise UnreadableFileError(
                f"{head.file.name}: every row has one cell more than the {width} names in row {head.positions[0]}: "
                "if rows begin with a name of their own, set options.row_names of the source to true; if numbers are "
                "written with a comma, export them with a point or choose another delimiter"
            )
        head.notes.append(
            f"rows begin with a name for which the header has no cell: it is in the column {_ROW_NAME}"
        )
        head.options_found["row_names"] = True
    head.rows[0].insert(0, _ROW_NAME)


def _refuse_no_records(file: DeliveredFile, records: list[list[str]]) -> None:
    if not records:
        raise UnreadableFileError(
            f"{file.name}: no table: the first line is too long, or a quote in it is never closed: "
            "check the export and deliver it again"
        )


def _refuse_one_column(
    file: DeliveredFile, chosen: str | None, best: str, best_rows: list[list[str]]
) -> None:
    """Raise UnreadableFileError, because the header has one cell."""
    if chosen and best_rows and len(best_rows[0]) > 1:
        raise UnreadableFileError(
            f"{file.name}: split at {DELIMITERS.get(chosen, chosen)} the header is one cell, but at "
            f"{DELIMITERS[best]} it has {len(best_rows[0])}: correct options.delimiter of the source"
        )
    raise UnreadableFileError(
        f"{file.name}: no table: the first line has no comma, semicolon, tab or bar: check the file in the inbox, "
        "or set options.delimiter of the source (options.header_row, if there are lines above the names)"
    )


def _quote_option(source: Source | None) -> str | None:
    given = option(source, "quote")
    if given in (None, '"'):
        return '"'
    if given in ("none", False):
        return None
    raise RegistryError(
        f"sources.yaml: entry {source.id if source else ''}: options.quote: must be `none` or left out"
    )


def _chosen_delimiter(source: Source | None) -> str | None:
    given = option(source, "delimiter")
    if given is None:
        return None
    chosen = {"tab": "\t", "\\t": "\t"}.get(str(given), str(given))
    if len(chosen) != 1 or not chosen.isascii():
        raise RegistryError(
            f"sources.yaml: entry {source.id if source else ''}: options.delimiter: "
            "must be one ASCII character or `tab`"
        )
    return chosen


def _records(text: str, delimiter: str, quote: str | None, rows: int, is_all: bool) -> _Records:
    """The first `rows` records that are not blank. The last record of a cut head is left out."""
    if len(text) > _SHORT_HEAD:
        found = _records(text[:_SHORT_HEAD], delimiter, quote, rows, is_all=False)
        if len(found.rows) == rows:
            return found
    found = _Records()
    cut = False
    line_breaks = 0
    try:
        for position, record in enumerate(parsed_records(text, delimiter, quote), start=1):
            if len(found.rows) == rows:
                cut = True
                break
            line_breaks += sum(breaks_in(cell) for cell in record)
            if record:
                found.rows.append(record)
                found.positions.append(position)
                found.line_breaks.append(line_breaks)
    except csv.Error:
        # A cell beyond csv's size limit: its record is not complete.
        cut = True
    if not is_all and not cut:
        del found.rows[-1:], found.positions[-1:], found.line_breaks[-1:]
    return found


def parsed_records(text: str, delimiter: str, quote: str | None) -> Iterator[list[str]]:
    """The records of a text, split as the parser of the rows splits them."""
    if quote is None:
        return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _fit(found: _Records) -> tuple[float, bool, int]:
    """How well the records fit their header: the share of rows with as many cells, no titles above, the cells."""
    records = found.rows
    if not records or len(records[0]) == 1:
        return (-1.0, False, 0)
    width, below = len(records[0]), records[1:]
    agree = sum(len(record) == width for record in below) / len(below) if below else 1.0
    return (1.0 if agree >= 0.5 else agree, not found.has_titles, width)


def table_export(head: DelimitedHead, null_values: tuple[str, ...] = ("",)) -> Export:
    """An Export of a table whose names are in the first row. Further header rows are no rows; they name questions."""
    count = count_header_rows(head.rows)
    names = list(head.rows[0])
    texts = [row for row in head.rows[1:count] if not any(cell.strip().startswith("{") for cell in row)]
    for place, name in enumerate(names):
        if not name.strip():
            names[place] = next((row[place] for row in texts if place < len(row)), "")
    columns = unique_names(names)
    export = export_rows(head, count, columns, null_values)
    for row in texts:
        for column, name, cell in zip(columns, head.rows[0], row, strict=False):
            if cell.strip() and folded(cell) != folded(name):
                export.questions.setdefault(column, " ".join(cell.split()))
    if count > 1:
        export.notes.append(f"{count} header rows: the {count - 1} below the names are no answers")
    return export


def export_rows(
    head: DelimitedHead,
    header_rows: int,
    columns: tuple[str, ...],
    null_values: tuple[str, ...] = ("",),
) -> Export:
    """An Export of the rows below the header (the first `header_rows` records of `head`)."""
    _refuse_open_header(head, header_rows)
    below = [len(row) for row in head.rows[header_rows:]]
    if (
        len(below) > 1
        and max(below) < len(columns)
        and any(kind_of(cell) in ("number", "time") for cell in head.rows[0][max(below) :])
    ):
        raise UnreadableFileError(
            f"{head.file.name}: the header has {len(columns)} cells, some of them numbers or times, and no row has "
            f"more than {max(below)}: a line break is missing below the header: correct the export"
        )
    for row, position in zip(head.rows[1:header_rows], head.positions[1:], strict=False):
        if any(cell.strip() for cell in row[len(columns) :]):
            raise UnreadableFileError(
                f"{head.file.name}: row {position} belongs to the header, but has {len(row)} cells where the first has "
                f"{len(columns)}: a line break is missing below it, or its quotes are wrong: correct the export"
            )
    export = Export(columns=columns, batches=iter(()))
    export.batches = _Rows(head, header_rows, columns, export, null_values).batches()
    if head.file.head_is_all and len(head.rows) <= header_rows:
        export.notes.append("only a header: no rows")
    export.notes += [*head.notes, *head.doubts]
    export.doubts += head.doubts
    export.options_found.update(head.options_found)
    return export


def _refuse_open_header(head: DelimitedHead, header_rows: int) -> None:
    """Raise UnreadableFileError if a header row has swallowed the lines below it by a quote that is not closed."""
    broken = [cell for row in head.rows[:header_rows] for cell in row if breaks_in(cell)]
    if head.quote is None or not broken:
        return
    width = len(head.rows[0])
    repair = RowRepair(head.delimiter, head.quote, column_kinds(head.rows[header_rows:], width))
    holds_rows = any(repair.holds_rows(cell, is_suspect=True) for cell in broken)
    lines = head.positions[header_rows - 1] + head.line_breaks[header_rows - 1]
    texts = head.file.head_text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:lines]
    if holds_rows or has_stray_quotes("\n".join(texts), head.delimiter):
        raise UnreadableFileError(
            f"{head.file.name}: a quote in the header is not closed, so rows below it would be taken for names: "
            "correct the export and deliver it again"
        )


class _Rows:
    """The rows of one table below its header, as record batches. Every column is `string`, plus ROW_NUMBER.

    A row number counts the file's records, blank ones too. If a record turns out to be several rows, those after it
    have higher numbers. Cells that are one of `null_values` are null.
    """

    def __init__(
        self,
        head: DelimitedHead,
        header_rows: int,
        columns: tuple[str, ...],
        export: Export,
        null_values: tuple[str, ...],
    ):
        self._head, self._columns, self._export, self._null_values = head, columns, export, null_values
        self._skip = head.positions[header_rows - 1]
        self._header_breaks = head.line_breaks[header_rows - 1]
        kinds = column_kinds(head.rows[header_rows:], len(columns))
        self._repair = RowRepair(head.delimiter, head.quote, kinds)
        # Numbers here are the parser's: a record is one number, however many rows it holds.
        self._set_aside: list[int] = []
        self._repaired: list[tuple[int, list[Repaired]]] = []
        self._unfit: list[tuple[int, int, str, str]] = []
        self._extra: list[tuple[int, int]] = []
        self._good = self._records = self._breaks = 0
        self._short_widths: set[int] = set()
        self._counts = {"short": 0, "long": 0, "quotes": 0, "swallowed": 0}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows. Rows that do not fit are in the export's `unreadable` at the end.

        Raises UnreadableFileError if the text cannot be split further (a quote never closed, a line longer than a
        block), if more than 100,000 rows, and more than fit, do not fit the header, and if the records of the file,
        counted apart, are not those that were read.
        """
        next_number = self._skip + 1
        try:
            with self._head.file.open_utf8() as stream:
                counted = CountedLines(stream)
                with self._reader(counted) as reader:
                    for batch in reader:
                        numbers, next_number = _numbers(next_number, batch.num_rows, self._set_aside)
                        yield from self._checked(batch, numbers, next_number, counted)
        except pa.ArrowInvalid as problem:
            # Arrow does not find the rows below a header if there are none.
            is_all_header = not self._records and counted.lines <= self._skip + self._header_breaks
            if "Empty CSV" not in str(problem) and not is_all_header:
                raise self._refusal(next_number) from problem
        yield from self._rest(counted)
        self._refuse_lost(counted)
        self._finish()

    def _reader(self, stream: CountedLines) -> pa_csv.CSVStreamingReader:
        read = pa_csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK,
            column_names=list(self._columns),
            skip_rows_after_names=self._skip,
        )
        # Blank lines are read as rows of nulls: if they were ignored, later row numbers would be wrong.
        parse = pa_csv.ParseOptions(
            delimiter=self._head.delimiter,
            quote_char=self._head.quote or False,
            newlines_in_values=self._head.quote is not None,
            invalid_row_handler=self._set_row_aside,
            ignore_empty_lines=False,
        )
        convert = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(self._columns, pa.string()),
            strings_can_be_null=True,
            null_values=list(self._null_values),
            quoted_strings_can_be_null=True,
        )
        return pa_csv.open_csv(stream, read, parse, convert)

    def _set_row_aside(self, row: pa_csv.InvalidRow) -> str:
        self._set_aside.append(row.number)
        self._records += 1
        self._breaks += breaks_in(row.text)
        if not row.text.strip(_BLANK):
            return "skip"
        found = self._repair.rows_of(row.text)
        if found is not None:
            self._keep(row.number, found)
            return "skip"
        problem = f"{row.actual_columns} cells where the header has {row.expected_columns}"
        self._unfit.append((row.number, 0, problem, row.text[:_TEXT_LIMIT]))
        # Arrow cannot carry an exception out of here: "error" ends the stream, which is reported below.
        return "skip" if len(self._unfit) <= max(_UNREADABLE_LIMIT, self._good) else "error"

    def _keep(self, number: int, found: list[Repaired]) -> None:
        self._repaired.append((number, found))
        width = len(self._columns)
        if len(found) > 1:
            self._extra.append((number, len(found) - 1))
            self._counts["swallowed"] += 1
        elif found[0].width == width:
            self._counts["quotes"] += 1
        else:
            self._counts["short" if found[0].width < width else "long"] += 1

    def _checked(
        self, batch: pa.RecordBatch, numbers: pa.Array, following: int, counted: CountedLines
    ) -> Iterator[pa.RecordBatch]:
        """The batch and the repaired rows that belong among its rows."""
        self._records += batch.num_rows
        if counted.has_quotes:
            breaks = [breaks_in_cells(column, counted.has_returns) for column in batch.columns]
            if any(breaks):
                self._breaks += sum(breaks)
                batch, numbers = self._without_swallowing(batch, numbers, breaks)
        aside = set(self._set_aside)
        while following in aside:
            following += 1
        # The highest number of all may be the file's last row, which may have been cut off: it waits.
        last = max((number for number, _ in self._repaired), default=0)
        ready = [entry for entry in self._repaired if entry[0] < following and entry[0] != last]
        if last and last < following and numbers and last < numbers[-1].as_py():
            ready = [entry for entry in self._repaired if entry[0] < following]
        self._good += batch.num_rows
        numbered = pa.RecordBatch.from_arrays(
            [*batch.columns, self._final(numbers)], names=[*self._columns, ROW_NUMBER]
        )
        filled = _without_blank_rows(numbered)
        if not ready:
            yield filled
            return
        taken = {number for number, _ in ready}
        self._repaired = [entry for entry in self._repaired if entry[0] not in taken]
        yield from _in_order(filled, self._as_batch(ready))

    @cached_property
    def _is_suspect(self) -> bool:
        """Whether quotes of the file are wrong: asked only if a cell holds a line break and a delimiter."""
        return has_stray_quotes_in(self._head.file, self._head.delimiter)

    def _without_swallowing(
        self, batch: pa.RecordBatch, numbers: pa.Array, breaks: list[int]
    ) -> tuple[pa.RecordBatch, pa.Array]:
        """The batch without the rows of which a cell holds other rows; those are kept as several rows."""
        rows: dict[int, int] = {}
        for place, (column, found) in enumerate(zip(batch.columns, breaks, strict=True)):
            if not found:
                continue
            has_cells = pc.match_substring(column, self._head.delimiter)
            broken = pc.and_(has_cells, pc.match_substring_regex(column, "[\r\n]"))
            for row in pc.indices_nonzero(broken).to_pylist():
                text = column[row].as_py()
                if (
                    self._repair.holds_rows(text)
                    or self._repair.ends_row(text, place)
                    or (self._is_suspect and self._repair.holds_rows(text, is_suspect=True))
                ):
                    rows.setdefault(row, place)
        if not rows:
            return batch, numbers
        for row, place in sorted(rows.items()):
            text = self._repair.as_text([column[row].as_py() for column in batch.columns], place)
            self._keep(numbers[row].as_py(), self._repair.lines_of(text))
        kept = np.ones(batch.num_rows, dtype=bool)
        kept[list(rows)] = False
        return batch.filter(pa.array(kept)), numbers.filter(pa.array(kept))

    def _rest(self, counted: CountedLines) -> Iterator[pa.RecordBatch]:
        """The repaired rows that have not been given out."""
        if not self._repaired:
            return
        self._repaired.sort(key=lambda entry: entry[0])
        number, found = self._repaired[-1]
        is_last = number == self._skip + self._records
        width, is_short = found[0].width, len(found) == 1 and found[0].width < len(self._columns)
        others = self._short_widths | {other[0].width for _, other in self._repaired[:-1]}
        if is_short and is_last and not counted.is_ended and width not in others:
            self._repaired.pop()
            self._counts["short"] -= 1
            problem = f"{width} cells where the header has {len(self._columns)}, at the end: it was cut off"
            self._unfit.append((number, 0, problem, found[0].text[:_TEXT_LIMIT]))
        if self._repaired:
            yield self._as_batch(self._repaired)

    def _as_batch(self, entries: list[tuple[int, list[Repaired]]]) -> pa.RecordBatch:
        numbers: list[int] = []
        rows: list[list[str | None]] = []
        entries = sorted(entries, key=lambda entry: entry[0])
        shifts = self._shifts([number for number, _ in entries])
        for (number, found), shift in zip(entries, shifts, strict=True):
            for place, row in enumerate(found):
                if row.cells is None:
                    if row.text.strip(_BLANK):
                        problem = "a line inside a quote that is never closed"
                        self._unfit.append((number, place, problem, row.text[:_TEXT_LIMIT]))
                    continue
                self._short_widths.add(row.width)
                numbers.append(number + shift + place)
                rows.append([None if cell in self._null_values else cell for cell in row.cells])
        columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(self._columns))]
        batch = pa.RecordBatch.from_arrays(
            [*columns, pa.array(numbers, pa.int64())], names=[*self._columns, ROW_NUMBER]
        )
        return _without_blank_rows(batch)

    def _shifts(self, numbers: Sequence[int] | np.ndarray) -> list[int]:
        """How many rows more than records there are before each of these records."""
        extra = sorted(self._extra)
        shifts = np.concatenate([[0], np.cumsum([count for _, count in extra], dtype=np.int64)])
        before = np.searchsorted(np.array([number for number, _ in extra], dtype=np.int64), numbers)
        found: list[int] = shifts[before].tolist()
        return found

    def _final(self, numbers: pa.Array) -> pa.Array:
        if not self._extra:
            return numbers
        plain = numbers.to_numpy()
        return pa.array(plain + np.array(self._shifts(plain), dtype=np.int64), pa.int64())

    def _refuse_lost(self, counted: CountedLines) -> None:
        """Raise UnreadableFileError if the file holds other records than were read."""
        expected = self._skip + self._header_breaks + self._records + self._breaks
        if counted.lines == expected:
            return
        records = records_in(self._head.file, self._head.delimiter, self._head.quote)
        if records != self._skip + self._records:
            raise UnreadableFileError(
                f"{self._head.file.name}: {self._skip + self._records:,} records were read, but the file holds "
                f"{'an unknown number' if records is None else f'{records:,}'}: a quote in it is not closed where it "
                "should be: correct the export and deliver it again, or set options.quote of the source to none if "
                "the export does not quote its cells"
            )

    def _finish(self) -> None:
        unfit = sorted(self._unfit)
        shifts = self._shifts([number for number, *_ in unfit])
        self._export.unreadable += [
            UnreadableRow(number + shift + place, problem, text)
            for (number, place, problem, text), shift in zip(unfit, shifts, strict=True)
        ]
        said = {
            "short": "rows had fewer cells than the header: the missing ones are empty",
            "long": "rows had empty cells beyond the header's: those were left out",
            "quotes": "rows had quotes inside a quoted cell that were not doubled: they were read as part of it",
            "swallowed": "quotes were not closed in their line: the lines below were read as rows of their own",
        }
        self._export.repairs.update({name: count for name, count in self._counts.items() if count})
        self._export.notes += [f"{count:,} {said[name]}" for name, count in self._counts.items() if count]

    def _refusal(self, next_number: int) -> UnreadableFileError:
        name, delimiter = self._head.file.name, DELIMITERS.get(self._head.delimiter, self._head.delimiter)
        if len(self._unfit) > _UNREADABLE_LIMIT:
            return UnreadableFileError(
                f"{name}: more than {_UNREADABLE_LIMIT:,} rows do not have the header's {len(self._columns)} "
                f"cells when split at {delimiter}: check the export's delimiter and quotes "
                "(options.delimiter of the source)"
            )
        return UnreadableFileError(
            f"{name}: after row {next_number - 1} the text is no longer readable as rows split at "
            f"{delimiter} (a quote left open, or a line longer than {_BLOCK >> 20} MB): "
            "correct the export and deliver it again"
        )


def _in_order(batch: pa.RecordBatch, others: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The rows of both in the order of their numbers."""
    table = pa.Table.from_batches([batch, others]).combine_chunks()
    yield from table.take(pc.sort_indices(table, [(ROW_NUMBER, "ascending")])).combine_chunks().to_batches()


def _numbers(first: int, count: int, set_aside: list[int]) -> tuple[pa.Array, int]:
    """Row numbers of `count` good rows from `first` on. Numbers set aside are skipped and removed from the list."""
    gaps = np.array(set_aside, dtype=np.int64)
    numbers = np.setdiff1d(
        np.arange(first, first + count + len(gaps), dtype=np.int64), gaps, assume_unique=True
    )
    numbers = numbers[:count]
    following = int(numbers[-1]) + 1 if count else first
    set_aside[:] = [number for number in set_aside if number >= following]
    return pa.array(numbers), following


def _without_blank_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch without its blank rows; the same batch object if there are none."""
    columns = [column for column in batch.columns[:-1] if column.null_count < batch.num_rows]
    if any(column.null_count == 0 for column in columns) or batch.num_rows == 0:
        return batch
    filled = pa.array(np.zeros(batch.num_rows, dtype=bool))
    for column in columns:
        filled = pc.or_(filled, pc.is_valid(column))
    return batch.filter(filled)


def header(file: DeliveredFile) -> list[list[str]]:
    """The first records, to recognise a format; none if the file is neither delimited text nor a workbook."""
    if file.is_spreadsheet:
        return _sheet_head(file.sheet_head, rows=8).rows
    if file.head_text.lstrip()[:1] in ("{", "["):
        return []
    return read_head(file).rows
