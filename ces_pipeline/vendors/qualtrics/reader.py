"""Reads Qualtrics CSV and TSV exports, in every layout that the product has had.

Current exports have three header rows: names, question texts, and an ImportId per column (JSON; in an older layout with
single quotes). Legacy exports have two: V1 to V10 and question names, then texts. Files that other tools have rewritten
may have only the row of names.
"""

import re
from zoneinfo import available_timezones

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns, pick_columns
from ces_pipeline.formats.delimited import (
    TABLE_OPTIONS,
    DelimitedHead,
    export_rows,
    header,
    read_head,
    unique_names,
)
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

_IMPORT_ID = re.compile(r"""^\s*\{.*["']ImportId["']\s*:\s*["']([^"']*)["']""", re.DOTALL)
_TIME_ZONE = re.compile(r"""["']timeZone["']\s*:\s*["']([^"']+)["']""")
_LEGACY_NAME = re.compile(r"^V\d{1,2}$")

_FIELDS = {
    "response_id": ("_recordId", "ResponseId"),
    "respondent": ("RecipientEmail", "EmailAddress"),
    "ip_address": ("IPAddress",),
    "external_id": ("ExternalReference", "ExternalDataReference"),
    "language": ("UserLanguage",),
    "status": ("Status", "Response Type"),
    "finished": ("Finished",),
    "progress": ("Progress",),
    "duration_seconds": ("duration", "Duration (in seconds)"),
    "started_at": ("StartDate",),
    "submitted_at": ("EndDate",),
    "recorded_at": ("RecordedDate",),
}
"""Our field -> its ImportIds and column names. ImportIds are the same in all languages of an export."""

_PEOPLE = ("RecipientLastName", "RecipientFirstName", "Name", "LocationLatitude", "LocationLongitude")
_NATIVE = {"startdate", "enddate", "recordeddate", "status", "finished", "ipaddress", "progress"}

_FEWEST_NATIVE = 3
_OWN = frozenset(
    [
        *("recordeddate", "recipientemail", "recipientlastname", "recipientfirstname", "externalreference"),
        *(
            "externaldatareference",
            "locationlatitude",
            "distributionchannel",
            "userlanguage",
            "durationinseconds",
        ),
    ]
)
"""Names that only Qualtrics writes next to its ids and times."""

# Status codes are bit flags: 1 preview, 2 test, 4 imported, 8 spam, 16 offline, 32 employee survey.
_STATUS = {str(code): "test" if code & (1 | 2 | 8) else "normal" for code in range(64)} | {
    "ip address": "normal",
    "imported": "normal",
    "offline": "normal",
    "survey preview": "test",
    "survey test": "test",
    "spam": "test",
    "survey preview spam": "test",
    "imported spam": "test",
    "offline survey preview": "test",
}
_VALUES = {"status": _STATUS, "finished": {"1": "true", "0": "false", "true": "true", "false": "false"}}


def read_qualtrics(file: DeliveredFile, source: Source | None) -> Export:
    """A Qualtrics export, numeric or with labels. Its ImportId row states the zone of its times."""
    head = read_head(file, source)
    header_rows, names, import_ids = _layout(head)
    columns = unique_names(names)
    export = export_rows(head, header_rows, columns)
    # Each column is looked up by its ImportId, then by its name.
    by_id = {id_: column for id_, column in zip(import_ids, columns, strict=False) if id_}
    mapping = {name: by_id[column] for name, column in map_columns(by_id, _FIELDS).items()}
    for name, column in map_columns(columns, _FIELDS).items():
        if name not in mapping and column not in mapping.values():
            mapping[name] = column
    export.mapping = mapping
    export.values = {name: codes for name, codes in _VALUES.items() if name in mapping}
    people = {*pick_columns(columns, _PEOPLE), *(by_id[id_] for id_ in pick_columns(by_id, _PEOPLE))}
    export.people = tuple(column for column in columns if column in people and column not in mapping.values())
    if header_rows > 1:
        texts = (" ".join(text.split()) for text in head.rows[1])
        export.questions = {column: text for column, text in zip(columns, texts, strict=False) if text}
    export.time_zone = _stated_zone(head, import_ids, export.notes)
    return export


def _layout(head: DelimitedHead) -> tuple[int, list[str], list[str]]:
    """(number of header rows, column names, ImportIds or [])."""
    rows = head.rows
    for place, row in enumerate(rows[:4]):
        ids = [_IMPORT_ID.match(cell) for cell in row]
        if any(ids):
            found = [match.group(1).removeprefix("panel-") if match else "" for match in ids]
            return place + 1, rows[0], found
    if len(rows) > 1 and _is_legacy(rows[0]):
        # V1 to V10 have no meaning; the second row names these ten columns.
        names = [
            text if _LEGACY_NAME.match(name) else name
            for name, text in zip(rows[0], rows[1] + [""] * len(rows[0]), strict=False)
        ]
        return 2, names, []
    if len(rows) > 1 and _repeats_names(rows[0], rows[1]):
        return 2, rows[0], []
    return 1, rows[0], []


def _is_legacy(names: list[str]) -> bool:
    return names[0] == "V1" and sum(bool(_LEGACY_NAME.match(name)) for name in names) >= 5


def _repeats_names(names: list[str], texts: list[str]) -> bool:
    """Whether the second row is the question texts of an export whose ImportId row was deleted."""
    return any(
        folded(name) in ("startdate", "enddate", "recordeddate") and folded(text) == folded(name)
        for name, text in zip(names, texts, strict=False)
    )


def _stated_zone(head: DelimitedHead, import_ids: list[str], notes: list[str]) -> str | None:
    if not import_ids:
        return None
    row = next(row for row in head.rows if any(_IMPORT_ID.match(cell) for cell in row))
    zones = {match.group(1) for cell in row if (match := _TIME_ZONE.search(cell))}
    if not zones:
        return None
    zone = sorted(zones)[0]
    if len(zones) > 1 or zone not in available_timezones():
        notes.append(
            f"the time zone in the header ({', '.join(sorted(zones))}) is not used: it is unknown, or not the only one"
        )
        return None
    return zone


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    if not rows:
        return 0
    if any(_IMPORT_ID.match(cell) for row in rows[:4] for cell in row):
        return 100
    if len(rows) > 1 and _is_legacy(rows[0]) and "responseid" in map(folded, rows[1]):
        return 98
    names = set(map(folded, rows[0]))
    # `Status`, `Finished` and `Progress` are anybody's words: one of Qualtrics' own must be there.
    is_native = "responseid" in names and len(names & _NATIVE) >= _FEWEST_NATIVE
    return 90 if is_native and names & _OWN else 0


QUALTRICS_CSV = Reader(
    name="qualtrics_csv",
    title="Qualtrics export",
    kind="survey",
    read=read_qualtrics,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
