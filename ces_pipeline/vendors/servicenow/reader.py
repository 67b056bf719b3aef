"""ServiceNow incidents: CSV exports, Table API JSON, and the enriched event log with one row per update."""

from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, folded, map_columns, pick_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, encoding_option, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import json_export, names_in_head
from ces_pipeline.registry.sources import Source

_FIELDS = {
    "ticket_id": ("number",),
    "external_id": ("correlation_id",),
    "status": ("state.display_value", "incident_state.display_value", "state", "incident_state"),
    "priority": ("priority.display_value", "priority"),
    "category": ("category.display_value", "category"),
    "channel": ("contact_type.display_value", "contact_type"),
    "product": ("business_service.display_value", "business_service"),
    "requester": ("caller_id", "caller"),
    "group_name": ("assignment_group.display_value", "assignment_group"),
    "created_at": ("opened_at", "opened", "sys_created_on", "sys_created_at"),
    "solved_at": ("resolved_at", "resolved"),
    "closed_at": ("closed_at", "closed"),
    "updated_at": ("sys_updated_on", "sys_updated_at", "updated"),
    # A pull adds `version` and `csat` to an incident: an assessment does not change sys_mod_count.
    "version": ("version", "sys_mod_count"),
    "csat": ("csat",),
    "reopens": ("reopen_count",),
    "handoffs": ("reassignment_count",),
}
_VALUES = {
    "status": {
        "1": "new",
        "2": "in progress",
        "3": "on hold",
        "6": "resolved",
        "7": "closed",
        "8": "canceled",
    },
    "priority": {
        f"{code}{spelling}": word
        for code, word in enumerate(("critical", "high", "moderate", "low", "planning"), start=1)
        for spelling in ("", f" - {word}")
    },
}
_PEOPLE = tuple(
    name + shown
    for name in (
        "caller_id",
        "caller",
        "opened_by",
        "opened_for",
        "assigned_to",
        "resolved_by",
        "closed_by",
        "sys_created_by",
        "sys_updated_by",
        "watch_list",
        "work_notes_list",
        "additional_assignee_list",
        "reopened_by",
        "user_input",
    )
    for shown in ("", ".display_value")
)
_NATIVE = set(
    map(
        folded,
        (
            "sys_updated_on",
            "sys_updated_at",
            "sys_id",
            "incident_state",
            "caller_id",
            "opened_at",
            "sys_created_by",
            "reassignment_count",
            "assignment_group",
            "contact_type",
        ),
    )
)


def read_servicenow(file: DeliveredFile, source: Source | None) -> Export:
    """Incidents as CSV, or as JSON `{"result": [...]}` with plain values or `{display_value, value}`.

    In the latter case the column holds the stored value, and `<column>.display_value` what people see. The event log
    writes `?` for a missing value, and dates with the day first.
    """
    file = file.encoded_as(encoding_option(source))
    if file.head_text.lstrip()[:1] in ("{", "["):
        return _read_json(file)
    head = read_head(file, source)
    is_event_log = "sys_updated_at" in map(str.strip, head.rows[0])
    export = table_export(head, ("", "?") if is_event_log else ("",))
    if is_event_log:
        export.date_order = "day"
        export.notes.append("event log: one row per update; `?` means missing; dates are day first")
    return _mapped(export, file)


def _read_json(file: DeliveredFile) -> Export:
    both_values = False

    def incidents(document: Any) -> list[Any]:
        nonlocal both_values
        found = document.get("result", document) if isinstance(document, dict) else document
        listed = found if isinstance(found, list) else [found]
        both_values = both_values or any(
            isinstance(value, dict) and "display_value" in value and "value" in value
            for record in listed[:1]
            if isinstance(record, dict)
            for value in record.values()
        )
        return [_stored(record) for record in listed]

    export = json_export(file, lambda: incidents)
    if both_values:
        # Stored times are UTC; plain values may be stored or displayed values, depending on the request.
        export.time_zone = "UTC"
    return _mapped(export, file)


def _stored(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    plain: dict[str, Any] = {}
    for key, value in record.items():
        if not isinstance(value, dict):
            plain[key] = value
            continue
        shown = value.get("display_value")
        plain[key] = value.get("value", shown)
        if shown not in (None, plain[key]):
            plain[f"{key}.display_value"] = shown
    return plain


def _mapped(export: Export, file: DeliveredFile) -> Export:
    export.mapping = map_columns(export.columns, _FIELDS)
    if export.columns and "ticket_id" not in export.mapping:
        raise UnreadableFileError(
            f"{file.name}: no column `number`, so this is not an export of ServiceNow incidents: "
            "check the file in the inbox"
        )
    export.values = {name: codes for name, codes in _VALUES.items() if name in export.mapping}
    export.people = tuple(
        column for column in pick_columns(export.columns, _PEOPLE) if column not in export.mapping.values()
    )
    return export


def _recognises(file: DeliveredFile) -> int:
    names = set(map(folded, names_in_head(file)))
    if not names:
        rows = header(file)
        names = set(map(folded, rows[0])) if rows else set()
    return 95 if "number" in names and len(names & _NATIVE) >= 2 else 0


SERVICENOW = Reader(
    name="servicenow",
    title="ServiceNow incidents (CSV, Table API JSON, event log)",
    kind="tickets",
    read=read_servicenow,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
