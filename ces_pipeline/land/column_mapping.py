"""The column mapping of one export: the reader's own mapping, overridden by the source's entry in sources.yaml."""

import re

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.folding import fold
from ces_pipeline.formats.contract import Export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.land.landing_sql import ColumnMapping
from ces_pipeline.privacy.names import is_people_column
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.kinds import KINDS

_VALUE = re.compile(r"@|^\W*\d[\d\s:.,/+TZ-]*$")
"""A typical value of a data row. Headers almost never look like this."""


def column_mapping_of(source: Source, export: Export, file: DeliveredFile, notes: list[str]) -> ColumnMapping:
    """The reader's mapping, overridden by the source's entry.

    Raises UnreadableFileError if the entry maps an essential field to a column that the export lacks. Other missing
    columns are reported in `notes`.
    """
    by_folded = {fold(name): name for name in reversed(export.columns)}
    mapping = {name: column for name, column in export.mapping.items() if column in export.columns}
    wanted = source.columns_of
    if source.survey_column:
        wanted["survey"] = (source.survey_column,)
    absent: list[str] = []
    otherwise: dict[str, tuple[str, ...]] = {}
    for name, columns in wanted.items():
        mapping.pop(name, None)
        found = [column if column in export.columns else by_folded.get(fold(column)) for column in columns]
        present = [column for column in found if column is not None]
        if present:
            mapping[name], otherwise[name] = present[0], tuple(present[1:])
            absent += [column for column, place in zip(columns, found, strict=True) if place is None]
        elif name in KINDS[source.kind].essential:
            column = " and ".join(repr(shown_name(lacking)) for lacking in columns)
            listed = _listed(export.columns)
            hint = (
                " (the file has only one column: if the delimiter is wrong, set options.delimiter)"
                if len(export.columns) == 1
                else ""
            )
            raise UnreadableFileError(
                f"{file.name}: column {column} is missing, and entry {source.id} of sources.yaml maps it to "
                f"{name}{hint}. Columns in the file: {listed}. Correct columns.{name} in sources.yaml, or deliver "
                f"the file with that column"
            )
        else:
            absent += columns
    if absent:
        listed = ", ".join(map(shown_name, absent))
        notes.append(f"{source.id}: {file.name}: mapped in sources.yaml but not in this file: {listed}")
    values = {name: dict(words) for name, words in export.values.items()}
    for name, words in source.values.items():
        values[name] = {**values.get(name, {}), **{old.strip().lower(): new for old, new in words.items()}}
    people = {*export.people, *source.people} | {
        name for name in export.columns if is_people_column(name, export.questions.get(name, ""))
    }
    return ColumnMapping(
        kind=source.kind,
        source_id=source.id,
        columns=export.columns,
        column_of=mapping,
        values=values,
        time_formats=tuple(dict.fromkeys((*source.time_formats, *export.time_formats))),
        people=frozenset(people),
        ignored=frozenset(source.ignore),
        missing=source.missing,
        hashed=frozenset(source.hashed),
        otherwise={name: columns for name, columns in otherwise.items() if columns},
        day=source.day,
    )


def _listed(columns: tuple[str, ...]) -> str:
    """The columns as a message may show them. Without a header the first row holds answers, so it is hidden."""
    if any(_VALUE.search(name) for name in columns):
        return "not shown, because the first row looks like answers, not like a header"
    return ", ".join(map(shown_name, columns[:40])) + (" ..." if len(columns) > 40 else "")
