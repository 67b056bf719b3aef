"""ServiceNow incidents and other tasks: CSV, Table API JSON, and the enriched event log with one row per update.

A request, its items, a case and a plain task are tickets too, with other codes of state. A change request, a problem
and a survey are not.
"""

import re
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, folded, map_columns, pick_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, encoding_option, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import json_export, names_in_head
from ces_pipeline.formats.ticket_states import INCIDENT_CODES
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
    "status": INCIDENT_CODES,
    "priority": {
        f"{code}{spelling}": word
        for code, word in enumerate(("critical", "high", "moderate", "low", "planning"), start=1)
        for spelling in ("", f" - {word}")
    },
}
# A task's codes of state mean other things than an incident's.
_TASK_STATES = {
    "-5": "pending",
    "1": "open",
    "2": "work in progress",
    "3": "closed complete",
    "4": "closed incomplete",
    "7": "closed skipped",
}
_CASE_STATES = {
    "1": "new",
    "10": "open",
    "18": "awaiting info",
    "6": "resolved",
    "3": "closed",
    "7": "cancelled",
}
_STATES_BY_CLASS = {"incident": INCIDENT_CODES, "task": _TASK_STATES, "case": _CASE_STATES}
_CLASSES = {
    "incident": "incident",
    **dict.fromkeys(("task", "sc_task", "sc_request", "sc_req_item", "incident_task", "ticket"), "task"),
    **dict.fromkeys(("sn_customerservice_case", "sn_hr_core_case"), "case"),
}
_PREFIXES = {"INC": "incident", "TASK": "task", "SCTASK": "task", "REQ": "task", "RITM": "task", "CS": "case",
             "CSC": "case", "HRC": "case", "TKT": "task"}  # fmt: skip
_PREFIX = re.compile(r"^([A-Z]+)\d+$")
# Columns and numbers of tables that hold no tickets.
_OTHER_TABLES = {
    "change requests": {"cabrequired", "chgmodel", "backoutplan", "phasestate", "cabdate", "testplan"},
    "problems": {"knownerror", "problemstate", "relatedincidents", "majorproblem"},
    "survey answers": {"metrictype", "percentanswered", "taken_on", "takenon", "asmtmetrictype", "triggerid"},
}
_OTHER_NUMBERS = {
    "CHG": "change requests",
    "PRB": "problems",
    "AINST": "survey answers",
    "ASMT": "survey answers",
}
_SAMPLE = 200
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
    found = _first_cells(export, (export.mapping.get("ticket_id"), _named(export, "sys_class_name")))
    _refuse_other_table(export, found[0], file)
    states = _states_of(*found)
    if states is None:
        export.doubts.append(
            "several kinds of task with different codes of state: a code without a word is unknown"
        )
        export.notes += export.doubts[-1:]
    known = {**_VALUES, "status": states or {}}
    export.values = {name: codes for name, codes in known.items() if name in export.mapping and codes}
    export.people = tuple(
        column for column in pick_columns(export.columns, _PEOPLE) if column not in export.mapping.values()
    )
    return export


def _named(export: Export, name: str) -> str | None:
    return next((column for column in export.columns if folded(column) == folded(name)), None)


def _first_cells(export: Export, columns: Sequence[str | None]) -> list[set[str]]:
    """The distinct cells of columns in the first rows; the batches still begin with the first."""
    first = next(export.batches, None)
    if first is None:
        return [set() for _ in columns]
    export.batches = chain([first], export.batches)
    return [
        {str(cell) for cell in first.column(export.columns.index(name))[:_SAMPLE].to_pylist() if cell}
        if name
        else set()
        for name in columns
    ]


def _prefixes(numbers: set[str]) -> set[str]:
    return {match[1] for number in numbers if (match := _PREFIX.match(number.strip().upper()))}


def _refuse_other_table(export: Export, numbers: set[str], file: DeliveredFile) -> None:
    """Raise UnreadableFileError for a table of changes, problems or surveys, by its numbers, else by its columns."""
    prefixes = _prefixes(numbers)
    other = {_OTHER_NUMBERS[prefix] for prefix in prefixes & _OTHER_NUMBERS.keys()}
    if prefixes and not prefixes <= _OTHER_NUMBERS.keys():
        return
    other = other or _other_tables(set(map(folded, export.columns)))
    if other:
        raise UnreadableFileError(
            f"{file.name}: it holds {min(other)}, not incidents: deliver it to another source, or remove it from the "
            "inbox"
        )


def _other_tables(names: Collection[str]) -> set[str]:
    """What the columns show instead of tickets: two columns that only such a table has."""
    return {table for table, own in _OTHER_TABLES.items() if len(own & set(names)) > 1}


def _states_of(numbers: set[str], classes: set[str]) -> dict[str, str] | None:
    """What the codes of state mean, by the class or the number of the rows; None for classes that differ."""
    named = {_CLASSES.get(_stored_class(name)) for name in classes}
    named = (named or {_PREFIXES.get(prefix) for prefix in _prefixes(numbers)}) - {None}
    if len(named) > 1:
        return None
    return _STATES_BY_CLASS[str(next(iter(named), "incident"))]


def _stored_class(name: str) -> str:
    """The name of a table as it is stored: `Catalog Task` is `sc_task`."""
    plain = name.strip().lower().replace(" ", "_")
    shown = {
        "catalog_task": "sc_task",
        "requested_item": "sc_req_item",
        "request": "sc_request",
        "case": "sn_customerservice_case",
    }
    return shown.get(plain, plain)


def _recognises(file: DeliveredFile) -> int:
    names = set(map(folded, names_in_head(file)))
    if not names:
        rows = header(file)
        names = set(map(folded, rows[0])) if rows else set()
    if _other_tables(names):
        return 0
    return 95 if "number" in names and len(names & _NATIVE) >= 2 else 0


SERVICENOW = Reader(
    name="servicenow",
    title="ServiceNow incidents (CSV, Table API JSON, event log)",
    kind="tickets",
    read=read_servicenow,
    recognises=_recognises,
    options=TABLE_OPTIONS,
    reads_json_lines=True,
)
