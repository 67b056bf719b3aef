"""Reads Medallia feedback: nodes of its query API as JSON, and CSV exports.

Every company has its own field ids; only the few that all instances have are mapped here.
"""

from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, map_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import json_export, names_in_head
from ces_pipeline.registry.sources import Source

_FIELDS = {
    "response_id": ("a_surveyid", "surveyid", "survey_id", "Survey ID", "id"),
    "survey": ("a_survey_type", "e_survey_type", "e_program", "Survey Program"),
    "respondent": ("e_email", "e_responder_email", "email", "Email"),
    "status": ("e_status", "status"),
    "language": ("e_language", "language"),
    "submitted_at": ("e_responsedate", "responsedate", "Response Date"),
}
_SYSTEM_FIELDS = {
    "e_responsedate",
    "e_creationdate",
    "e_lastupdated",
    "a_surveyid",
    "a_unit_identifier",
    "e_status",
}


_NODE_KEYS = frozenset(spelling for spellings in _FIELDS.values() for spelling in spellings) | _SYSTEM_FIELDS
"""Keys of which a node has one; `e_...` fields of a company lie in objects with `values`."""


def read_medallia_json(file: DeliveredFile, _source: Source | None) -> Export:
    """Query responses (`data.feedback.nodes`), a list of nodes, or JSON Lines of either.

    A field's `{"values": [...]}` becomes its value; several values stay a JSON list.
    Raises UnreadableFileError if the response holds errors and no data.
    """

    def nodes(document: Any) -> list[Any]:
        found = document
        for key in ("data", "feedback"):
            found = found.get(key, found) if isinstance(found, dict) else found
        if isinstance(found, dict) and isinstance(found.get("nodes"), list):
            found = found["nodes"]
        if found is None or (isinstance(found, dict) and "errors" in found):
            raise UnreadableFileError(
                f"{file.name}: the query's response holds errors and no data: run the query again"
            )
        if isinstance(found, dict) and not (found.keys() & _NODE_KEYS or any(map(_is_field, found.values()))):
            # An envelope with another name: taken for a node, it would be one record that holds all of them.
            raise UnreadableFileError(
                f"{file.name}: no feedback at data.feedback.nodes, and the document is no node: run the query again"
            )
        return [_plain(node) for node in (found if isinstance(found, list) else [found])]

    return _mapped(json_export(file, lambda: nodes))


def read_medallia_csv(file: DeliveredFile, source: Source | None) -> Export:
    """A Medallia export with one header row of field ids or names."""
    head = read_head(file, source)
    return _mapped(table_export(head))


def _mapped(export: Export) -> Export:
    export.mapping = map_columns(export.columns, _FIELDS)
    return export


def _plain(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    return {key: _only(value["values"]) if _is_field(value) else value for key, value in node.items()}


def _is_field(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("values"), list)


def _only(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _recognises_json(file: DeliveredFile) -> int:
    names = names_in_head(file)
    if "nodes" in names and "values" in names:
        return 95
    return 80 if len(names & _SYSTEM_FIELDS) >= 2 else 60 if {"id", "values"} <= names else 0


def _recognises_csv(file: DeliveredFile) -> int:
    rows = header(file)
    return 90 if rows and len(_SYSTEM_FIELDS & {name.strip().lower() for name in rows[0]}) >= 2 else 0


MEDALLIA_JSON = Reader(
    name="medallia_json",
    title="Medallia query responses",
    kind="survey",
    read=read_medallia_json,
    recognises=_recognises_json,
    has_customer_columns=True,
    reads_json_lines=True,
)
MEDALLIA_CSV = Reader(
    name="medallia_csv",
    title="Medallia CSV export",
    kind="survey",
    read=read_medallia_csv,
    recognises=_recognises_csv,
    options=TABLE_OPTIONS,
    has_customer_columns=True,
)
