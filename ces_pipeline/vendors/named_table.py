"""A reader for survey tools whose export is one plain table: it is known by several column names together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns, pick_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

_SURE = 92
FINISHED = "finished (by its submit date)"
"""Column that a reader adds where only a filled submit date shows that the survey was finished."""


@dataclass(frozen=True)
class NamedTable:
    """An export as a table with fixed columns next to the questions.

    marks: groups of spellings of column names; the file is this export if it has a column of every group. One common
    name says nothing, so a format needs several. unless: names that only other products' exports have.
    fields: our field -> its column names. endings: our field -> the end of the name of its only column.
    people: unmapped columns of people. values: as in `Export`.
    finished_if_filled: the field whose filled cell shows that the survey was finished; None if a column says so.
    """

    name: str
    title: str
    marks: tuple[tuple[str, ...], ...]
    fields: Mapping[str, tuple[str, ...]]
    endings: Mapping[str, str] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time_zone: str | None = None
    time_formats: tuple[str, ...] = ()
    finished_if_filled: str | None = None

    def reader(self) -> Reader:
        """The reader of this export."""
        return Reader(
            name=self.name,
            title=self.title,
            kind="survey",
            read=self.read,
            recognises=self.recognises,
            options=TABLE_OPTIONS,
            has_customer_columns=True,
        )

    def recognises(self, file: DeliveredFile) -> int:
        rows = header(file)
        names = set(map(folded, rows[0])) if rows else set()
        has_marks = all(names & set(map(folded, group)) for group in self.marks)
        return _SURE if has_marks and not names & set(map(folded, self.unless)) else 0

    def read(self, file: DeliveredFile, source: Source | None) -> Export:
        """The export's rows. Raises UnreadableFileError if the file is not a table."""
        head = read_head(file, source)
        export = table_export(head)
        columns = export.columns
        export.mapping = map_columns(columns, self.fields)
        for name, ending in self.endings.items():
            found = [column for column in columns if column.endswith(ending)]
            if len(found) == 1:
                export.mapping.setdefault(name, found[0])
        export.values = {name: dict(words) for name, words in self.values.items() if name in export.mapping}
        export.time_zone = self.time_zone
        export.time_formats = self.time_formats
        taken = {*export.mapping.values()}
        export.people = tuple(name for name in pick_columns(columns, self.people) if name not in taken)
        submitted = export.mapping.get(self.finished_if_filled or "")
        if submitted is not None:
            export.columns = (*columns, FINISHED)
            export.batches = _with_finished(export.batches, submitted)
            export.mapping["finished"] = FINISHED
        return export


def _with_finished(batches: Iterator[pa.RecordBatch], submitted: str) -> Iterator[pa.RecordBatch]:
    """The batches with the column FINISHED before the row numbers: `true` where the submit date is filled."""
    for batch in batches:
        flags = pc.if_else(pc.is_valid(batch.column(submitted)), "true", "false")
        place = batch.num_columns - 1
        yield batch.add_column(place, pa.field(FINISHED, pa.string()), flags.cast(pa.string()))
