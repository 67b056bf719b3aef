"""Reads CSV, TSV, workbooks, JSON or JSON Lines of any system, with the columns mapped in the registry."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.answer_lists import ANSWERS_OPTION, answer_list_option, find_answer_list
from ces_pipeline.formats.contract import Export, Reader, option
from ces_pipeline.formats.delimited import (
    ENCODING_OPTION,
    SHEET_OPTION,
    TABLE_OPTIONS,
    encoding_option,
    header,
    read_head,
    table_export,
)
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import (
    Extract,
    JsonFile,
    cell_text,
    json_export,
    names_in_head,
    numbered_records,
)
from ces_pipeline.formats.long_tables import PIVOT_OPTION, pivot_option, pivoted, propose_pivot
from ces_pipeline.registry.sources import Source

_ENVELOPES = {"data", "items", "records", "responses", "result", "results", "rows"}
_WRAPPERS = {*_ENVELOPES, "_embedded", "embedded", "body", "payload", "response"}
"""Keys whose object may hold the list of records one level down."""

_SAMPLE = 200
_NAMED = 5


def read_csv(file: DeliveredFile, source: Source | None) -> Export:
    """A delimited table, with one row per answer or, by the option `pivot`, per question."""
    pivot = pivot_option(source)
    head = read_head(file, source)
    export = table_export(head)
    if pivot:
        return pivoted(export, pivot, file)
    propose_pivot(export, head.rows[1:], source)
    return export


def read_xlsx(file: DeliveredFile, source: Source | None) -> Export:
    """A sheet of an Excel workbook: the option `sheet`, else the first that is a table."""
    if not file.is_spreadsheet:
        raise UnreadableFileError(f"{file.name}: not an Excel workbook (.xlsx): check the file in the inbox")
    return read_csv(file, source)


def read_json(file: DeliveredFile, source: Source | None) -> Export:
    """A list of objects, an object with one list of objects in it (`{"records": [...]}`), or JSON Lines.

    Option `record_path` names the list by its keys (`data.items`), if a document holds several. Nested objects become
    dotted names, lists stay JSON text; by the option `answers`, a list of answers also becomes columns. By the option
    `pivot`, the records of a response become one row.
    """
    file = file.encoded_as(encoding_option(source))
    path = str(option(source, "record_path") or "")
    answers, pivot = answer_list_option(source), pivot_option(source)
    extract = _records_at(path, file.name)
    if answers is not None:
        return json_export(file, lambda: lambda document: map(answers.opened, extract(document)))
    export = json_export(file, lambda: extract)
    if pivot:
        return pivoted(export, pivot, file)
    sample = list(islice(_sampled(file, extract), _SAMPLE))
    propose_pivot(export, [[cell_text(row.get(name)) for name in export.columns] for row in sample], source)
    found = find_answer_list(sample) if option(source, "answers") is None else None
    if found:
        export.options_found["answers"] = found[0].as_option()
        export.notes.append(
            f"each record holds a list of answers ({found[0].as_option()['list']}: {', '.join(found[1][:_NAMED])}): to "
            "read them as columns, set options.answers of the source"
        )
    return export


def _sampled(file: DeliveredFile, extract: Extract) -> Iterator[dict[str, Any]]:
    return (record for _, record in numbered_records(JsonFile(file), extract, []))


def _records_at(path: str, name: str) -> Extract:
    def at_path(document: Any) -> list[Any]:
        found = document
        for key in path.split("."):
            if not isinstance(found, dict) or key not in found:
                raise UnreadableFileError(
                    f"{name}: no {path!r} in the document: correct options.record_path of the source"
                )
            found = found[key]
        return found if isinstance(found, list) else [found]

    return at_path if path else lambda document: _found_records(document, name)


def _found_records(document: Any, name: str) -> list[Any]:
    """The records of a document: its items, those of the only list of objects in it, or the document itself."""
    if isinstance(document, list):
        return document
    # A record may itself hold lists of objects; an envelope is recognised by having no id.
    if {"id", "_id"} & set(document):
        return [document]
    lists = {key: value for key, value in document.items() if _holds_records(value)}
    wrappers = {
        key: value
        for key, value in document.items()
        if isinstance(value, dict) and value and (key in _WRAPPERS or len(document) == 1)
    }
    if not lists:
        lists = {
            f"{key}.{inner}": value
            for key, wrapper in wrappers.items()
            if not {"id", "_id"} & set(wrapper)
            for inner, value in wrapper.items()
            if _holds_records(value)
        }
    if len(lists) > 1:
        raise UnreadableFileError(
            f"{name}: several lists of records ({', '.join(sorted(lists))}): "
            "name one with options.record_path of the source"
        )
    if lists:
        return next(iter(lists.values()))
    is_empty_page = any(
        all(value == [] for value in wrapper.values())
        for key, wrapper in wrappers.items()
        if key in _WRAPPERS
    )
    has_none = set(document) & _ENVELOPES and not any(document.get(key) for key in _ENVELOPES)
    return [] if has_none or is_empty_page else [document]


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _recognises_csv(file: DeliveredFile) -> int:
    return 30 if header(file) else 0


def _recognises_json(file: DeliveredFile) -> int:
    return 30 if names_in_head(file) or file.head_text.strip() == "[]" else 0


GENERIC_CSV = Reader(
    name="csv",
    title="CSV or TSV table",
    kind="any",
    read=read_csv,
    recognises=_recognises_csv,
    options={**TABLE_OPTIONS, **PIVOT_OPTION},
)
GENERIC_JSON = Reader(
    name="json",
    title="JSON or JSON Lines",
    kind="any",
    read=read_json,
    recognises=_recognises_json,
    options={
        "record_path": "keys that lead to the list of records, such as data.items",
        **ANSWERS_OPTION,
        **PIVOT_OPTION,
        **ENCODING_OPTION,
    },
    reads_json_lines=True,
)
XLSX = Reader(
    name="xlsx",
    title="Excel workbook",
    kind="any",
    read=read_xlsx,
    # Below the scores of the vendors' own tables, which come as workbooks too.
    recognises=lambda file: 40 if file.is_spreadsheet else 0,
    options={**SHEET_OPTION, **PIVOT_OPTION},
)
