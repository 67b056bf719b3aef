"""SurveyGizmo (now Alchemer) CSV exports: `Time Started`, `Date Submitted`, `Status`, then the questions."""

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns, pick_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

_FIELDS = {
    "response_id": ("Response ID", "ResponseID"),
    "respondent": ("Email", "Email Address", "Contact ID"),
    "ip_address": ("IP Address",),
    "language": ("Language",),
    "finished": ("Status",),
    "duration_seconds": ("Response Time (in seconds)",),
    "started_at": ("Time Started", "Date Started"),
    "submitted_at": ("Date Submitted",),
}
_PEOPLE = ("Contact ID", "Longitude", "Latitude", "SessionID", "Session ID")
# A disqualified respondent reached the survey's end; missing answers are judged separately.
_FINISHED = {"complete": "true", "disqualified": "true", "partial": "false", "abandoned": "false"}


def read_surveygizmo(file: DeliveredFile, source: Source | None) -> Export:
    """A SurveyGizmo export. `Status` shows whether the survey was finished."""
    head = read_head(file, source)
    export = table_export(head)
    columns = export.columns
    export.mapping = map_columns(columns, _FIELDS)
    export.values = {"finished": _FINISHED}
    export.people = tuple(
        column for column in pick_columns(columns, _PEOPLE) if column not in export.mapping.values()
    )
    if "response_id" not in export.mapping:
        export.notes.append(
            "no response id: a response is identified by its content, so an edit counts as a new response"
        )
    return export


_BESIDE = frozenset(
    {
        "responseid", "contactid", "legacycomments", "comments", "language", "referer", "sessionid", "useragent",
        "extendedreferer", "longitude", "latitude", "country", "city", "stateregion", "postal", "ipaddress",
    }
)  # fmt: skip
"""Columns that SurveyGizmo writes before the questions."""
_FEWEST_BESIDE = 3


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    names = set(map(folded, rows[0])) if rows else set()
    # Other products write a submit date too; none of them has the rest.
    if not {"datesubmitted", "status"} <= names or not names & {"timestarted", "datestarted"}:
        return 0
    place = next(place for place, name in enumerate(rows[0]) if folded(name) == "status")
    states = {row[place].strip().lower() for row in rows[1:] if place < len(row)} - {""}
    has_states = bool(states) and states <= _FINISHED.keys()
    has_more = len(names & _BESIDE) >= _FEWEST_BESIDE
    return 95 if has_more or (has_states and "timestarted" in names) else 0


SURVEYGIZMO_CSV = Reader(
    name="surveygizmo_csv",
    title="SurveyGizmo (Alchemer) export",
    kind="survey",
    read=read_surveygizmo,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
