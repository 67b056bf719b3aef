"""Google Forms responses as CSV: a `Timestamp` first, the questions after it, no response id."""

from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import Export, Reader, folded, map_columns
from ces_pipeline.sources.delimited import DELIMITER_OPTION, export_rows, header, read_head, unique_names
from ces_pipeline.sources.files import DeliveredFile

_FIELDS = {
    "submitted_at": ("Timestamp",),
    "respondent": ("Email Address", "Email", "Username"),
}
# The form's own download writes a 12-hour clock with a zone's name; the linked sheet follows the sheet's
# locale.
_TIME_FORMATS = ("%Y/%m/%d %I:%M:%S %p %Z", "%Y/%m/%d %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S")


def read_google_forms(file: DeliveredFile, source: Source | None) -> Export:
    """A Google Forms export. Without an id, a response is known by its content."""
    head = read_head(file, source)
    columns = unique_names(head.rows[0])
    export = export_rows(file, head, 1, columns)
    export.mapping = map_columns(columns, _FIELDS)
    export.time_formats = _TIME_FORMATS
    export.notes.append(
        "no response id: a response is known by its content, so an edit counts as a new response"
    )
    return export


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    return 85 if rows and folded(rows[0][0]) == "timestamp" else 0


GOOGLE_FORMS_CSV = Reader(
    name="google_forms_csv",
    title="Google Forms responses",
    kind="survey",
    read=read_google_forms,
    recognises=_recognises,
    options=DELIMITER_OPTION,
)
