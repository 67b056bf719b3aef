"""The rows of one delivery without people, batch by batch, before any query sees them.

People in columns of their own become keyed hashes, also in another column of the same row. All other texts are
redacted. Names of the delivery's own people are marked in its comments, so the columns of people are read first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.formats.contract import ROW_NUMBER, Export
from ces_pipeline.land.landing_sql import ColumnMapping, marked_of
from ces_pipeline.land.trim import as_cells
from ces_pipeline.privacy.hashing import with_keys, with_same_people, without_listed_people
from ces_pipeline.privacy.names import are_people, may_hold_names
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.privacy.redaction import Redaction
from ces_pipeline.privacy.shown import shown_columns
from ces_pipeline.schemas.fields import Field, field_table

_HELD_BYTES = 64 << 20
"""Most bytes of rows that are held to know the people of a delivery: a larger one is read twice."""
_SAMPLE_ROWS = 1_000
_NO_NAMES = frozenset({"device", "ip_address", "account", "external_id"})
"""Fields of people that hold no name of a person."""


@dataclass(frozen=True)
class WithoutPeople:
    """A delivery's rows without people.

    mapping: the delivery's mapping, with the columns whose cells are people. redaction: how its texts are redacted.
    """

    mapping: ColumnMapping
    redaction: Redaction
    pseudonyms: Pseudonyms
    _batches: Iterator[pa.RecordBatch]

    @classmethod
    def of(
        cls,
        export: Export,
        mapping: ColumnMapping,
        regions: tuple[str, ...],
        pseudonyms: Pseudonyms,
        again: Callable[[], Export],
    ) -> "WithoutPeople":
        """Read the start of the export. again: opens it a second time, if it is too large to hold.

        Raises what the export's batches raise.
        """
        held: list[pa.RecordBatch] = []
        size, is_complete = 0, False
        batches = iter(export.batches)
        while size < _HELD_BYTES and not is_complete:
            batch = next(batches, None)
            is_complete = batch is None
            if batch is not None:
                held.append(batch)
                size += batch.nbytes
        mapping = _with_people_by_cells(mapping, held)
        redaction = Redaction(regions)
        columns = [column for column in _columns_of_names(mapping) if column in export.columns]
        if columns and _texts(mapping):
            for batch in held if is_complete else again().batches:
                cells = as_cells(batch.select([*columns]), mapping.missing)
                for column in columns:
                    redaction.names.add(cells[column])
        shown = shown_columns(mapping.columns, redaction.names.in_column)
        mapping = replace(mapping, shown=shown, marks_names=bool(_texts(mapping)))

        def rest() -> Iterator[pa.RecordBatch]:
            while held:
                yield held.pop(0)
            yield from batches

        return cls(mapping, redaction, pseudonyms, rest())

    @property
    def schema(self) -> pa.Schema:
        """The columns of `batches`: those of the export, keyed hashes, marked texts and the row's number."""
        marked = map(marked_of, _texts(self.mapping))
        texts = [*self.mapping.columns, *self.mapping.people_cells, *marked]
        return pa.schema([*((name, pa.string()) for name in texts), (ROW_NUMBER, pa.int64())])

    def batches(self, keep: Callable[[pa.RecordBatch], None]) -> Iterator[pa.RecordBatch]:
        """The batches without people. keep: is shown each batch as it was read."""
        for batch in self._batches:
            keep(batch)
            yield self._without(batch)

    def as_written(self, times: pa.Array) -> pa.Array:
        """The texts of times that could not be read (`times_as_written`), without people: cells may have shifted."""
        return self.redaction.redacted(times, sentence=False)

    def _without(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        mapping = self.mapping
        kept = mapping.to_redact
        cells = without_listed_people(as_cells(batch, mapping.missing), kept)
        cells = with_keys(cells, mapping.people_cells, self.pseudonyms)
        keys = {name: people.column for name, people in mapping.people_cells.items()}
        columns = {name: cells[name] for name in cells.schema.names}
        columns |= with_same_people(columns, kept, keys)
        for field in field_table(mapping.kind):
            if field.name not in mapping.column_of or field.treatment in ("person", "time"):
                continue
            for column in mapping.columns_of(field.name):
                if field.treatment == "free_text" or field.answer:
                    is_prose = field.treatment == "free_text"
                    columns[column] = self.redaction.redacted(columns[column], sentence=is_prose)
                else:
                    columns[column] = self.redaction.without_addresses(columns[column], self.pseudonyms)
        for column in kept:
            columns[column] = self.redaction.redacted(columns[column], sentence=False)
        marked = {
            marked_of(column): self.redaction.names_marked(columns[column]) for column in _texts(mapping)
        }
        found = columns | marked
        return pa.RecordBatch.from_arrays([found[name] for name in self.schema.names], schema=self.schema)


def _mapped(mapping: ColumnMapping, treatment: str) -> list[Field]:
    fields = field_table(mapping.kind)
    return [field for field in fields if field.treatment == treatment and field.name in mapping.column_of]


def _texts(mapping: ColumnMapping) -> list[str]:
    """The columns that may hold prose: comments, and the columns that no one mapped."""
    comments = [name for field in _mapped(mapping, "free_text") for name in mapping.columns_of(field.name)]
    return [*comments, *mapping.to_redact]


def _columns_of_names(mapping: ColumnMapping) -> list[str]:
    mapped = [
        mapping.column_of[field.name] for field in _mapped(mapping, "person") if field.name not in _NO_NAMES
    ]
    return list(dict.fromkeys([*mapped, *(name for name in mapping.people if may_hold_names(name))]))


def _with_people_by_cells(mapping: ColumnMapping, held: list[pa.RecordBatch]) -> ColumnMapping:
    """The mapping with the unmapped columns whose first cells are people."""
    if not held:
        return mapping
    start = as_cells(held[0].slice(0, _SAMPLE_ROWS), mapping.missing)
    found = {
        name
        for name in mapping.to_redact
        if pc.any(pc.match_substring(start[name], "@")).as_py()
        and are_people(pc.drop_null(start[name]).to_pylist())
    }
    return replace(mapping, people=mapping.people | found) if found else mapping
