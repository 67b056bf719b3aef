"""Reads CSV, TSV, workbooks, JSON or JSON Lines of any system, with the columns mapped in the registry."""

from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, option
from ces_pipeline.formats.delimited import (
    SHEET_OPTION,
    TABLE_OPTIONS,
    header,
    read_head,
    table_export,
)
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import Extract, json_export, names_in_head
from ces_pipeline.registry.sources import Source

_ENVELOPES = {"data", "items", "records", "responses", "result", "results", "rows"}


def read_csv(file: DeliveredFile, source: Source | None) -> Export:
    """A delimited table with one header row. Set the option `delimiter` if it cannot be detected."""
    head = read_head(file, source)
    return table_export(head)


def read_xlsx(file: DeliveredFile, source: Source | None) -> Export:
    """A sheet of an Excel workbook: the option `sheet`, else the first. Its first filled row is the header."""
    if not file.is_spreadsheet:
        raise UnreadableFileError(f"{file.name}: not an Excel workbook (.xlsx): check the file in the inbox")
    return read_csv(file, source)


def read_json(file: DeliveredFile, source: Source | None) -> Export:
    """A list of objects, an object with one list of objects in it (`{"records": [...]}`), or JSON Lines.

    Option `record_path` names the list by its keys (`data.items`), if a document holds several. Nested objects become
    dotted names, lists stay JSON text.
    """
    path = str(option(source, "record_path") or "")
    return json_export(file, lambda: _records_at(path, file.name))


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

    def find(document: Any) -> list[Any]:
        if isinstance(document, list):
            return document
        # A record may itself hold lists of objects; an envelope is recognised by having no id.
        if {"id", "_id"} & set(document):
            return [document]
        lists = {key: value for key, value in document.items() if _holds_records(value)}
        if len(lists) > 1:
            raise UnreadableFileError(
                f"{name}: several lists of records ({', '.join(sorted(lists))}): "
                "name one with options.record_path of the source"
            )
        if lists:
            return next(iter(lists.values()))
        return (
            []
            if set(document) & _ENVELOPES and not any(document.get(key) for key in _ENVELOPES)
            else [document]
        )

    return at_path if path else find


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
    options=TABLE_OPTIONS,
)
GENERIC_JSON = Reader(
    name="json",
    title="JSON or JSON Lines",
    kind="any",
    read=read_json,
    recognises=_recognises_json,
    options={"record_path": "keys that lead to the list of records, such as data.items"},
)
XLSX = Reader(
    name="xlsx",
    title="Excel workbook",
    kind="any",
    read=read_xlsx,
    # Below the scores of the vendors' own tables, which come as workbooks too.
    recognises=lambda file: 40 if file.is_spreadsheet else 0,
    options=SHEET_OPTION,
)
