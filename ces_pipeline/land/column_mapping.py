"""How one export is to be read: the reader's own knowledge with the registry's over it."""

import re

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.folding import fold
from ces_pipeline.formats.contract import Export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.land.landing_sql import ColumnMapping
from ces_pipeline.privacy.names import looks_like_people
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.kinds import KINDS

_VALUE = re.compile(r"@|^\W*\d[\d\s:.,/+TZ-]*$")
"""What stands in the first row of a table without a header, and hardly ever in one."""


def column_mapping_of(source: Source, export: Export, file: DeliveredFile, notes: list[str]) -> ColumnMapping:
    """The reader's mapping with the registry's over it; every registry column must be in the export."""
    by_folded = {fold(name): name for name in reversed(export.columns)}
    mapping = {name: column for name, column in export.mapping.items() if column in export.columns}
    wanted = dict(source.columns)
    if source.survey_column:
        wanted["survey"] = source.survey_column
    absent = []
    for name, column in wanted.items():
        mapping.pop(name, None)
        if column in export.columns:
            mapping[name] = column
        elif fold(column) in by_folded:
            mapping[name] = by_folded[fold(column)]
        elif name in KINDS[source.kind].essential:
            listed = _listed(export.columns)
            hint = (
                " (one column only: a wrong delimiter? set options.delimiter)"
                if len(export.columns) == 1
                else ""
            )
            raise UnreadableFileError(
                f"{file.name}: there is no column {column!r}, which sources.yaml entry {source.id} maps to "
                f"{name}{hint}; "
                f"columns in the file: {listed}. Correct columns.{name} or deliver the file with that column"
            )
        else:
            absent.append(column)
    if absent:
        notes.append(f"{source.id}: {file.name}: mapped but not in this file: {', '.join(absent)}")
    values = {name: dict(found) for name, found in export.values.items()}
    for name, found in source.values.items():
        values[name] = {**values.get(name, {}), **{old.strip().lower(): new for old, new in found.items()}}
    people = {*export.people, *source.people} | {name for name in export.columns if looks_like_people(name)}
    return ColumnMapping(
        kind=source.kind,
        source_id=source.id,
        columns=export.columns,
        mapping=mapping,
        values=values,
        time_formats=source.time_formats or export.time_formats,
        people=frozenset(people),
        ignored=frozenset(source.ignore),
        missing=source.missing,
        hashed=frozenset(source.hashed),
    )


def _listed(columns: tuple[str, ...]) -> str:
    """The columns as a message may name them: where the header is missing, answers stand in its place."""
    if any(_VALUE.search(name) for name in columns):
        return "not shown, since the first row looks like an answer and not like a header"
    return ", ".join(columns[:40]) + (" ..." if len(columns) > 40 else "")
