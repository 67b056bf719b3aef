"""Google Forms responses as CSV: a `Timestamp` (in the form's language) first, then the questions, no response id."""

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.slash_dates import ROWS_TO_SCAN, first_in_dates
from ces_pipeline.registry.sources import Source

_STAMPS = (
    "Timestamp",
    "Zeitstempel",
    "Horodateur",
    "Marca temporal",
    "Carimbo de data/hora",
    "Informazioni cronologiche",
    "Tijdstempel",
    "Tidstämpel",
    "Tidsstempel",
    "Sygnatura czasowa",
    "Zaman damgası",
    "Отметка времени",
    "タイムスタンプ",
)
_FIELDS = {
    "submitted_at": _STAMPS,
    "respondent": (
        "Email Address",
        "Email",
        "Username",
        "E-Mail-Adresse",
        "Adresse e-mail",
        "Dirección de correo electrónico",
        "Endereço de e-mail",
        "Indirizzo email",
        "E-mailadres",
    ),
}
# The form's own download has a 12-hour clock with the name of a zone; the linked sheet follows the sheet's locale.
_DOWNLOADED = ("%Y/%m/%d %I:%M:%S %p %Z", "%Y/%m/%d %I:%M:%S %p")
_MONTH_FIRST = ("%m/%d/%Y %H:%M:%S",)
_DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H.%M.%S")
_OTHER_LOCALES = ("%d.%m.%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S")


def read_google_forms(file: DeliveredFile, source: Source | None) -> Export:
    """A Google Forms export. A response has no id and is identified by its content."""
    head = read_head(file, source, rows=ROWS_TO_SCAN)
    export = table_export(head)
    columns = export.columns
    export.mapping = map_columns(columns, _FIELDS)
    export.notes.append(
        "no response id: a response is identified by its content, so an edit counts as a new response"
    )
    first = first_in_dates(row[0] for row in head.rows[1:] if row)
    if first == "either" and folded(columns[0]) != folded(_STAMPS[0]):
        # Only an English form may write the month first.
        first = "day"
    if first == "either":
        export.notes.append(
            "the times do not show whether the day or the month comes first: the month is read first; if that is "
            "wrong, set time_formats of the source"
        )
    order = {"day": _DAY_FIRST, "month": _MONTH_FIRST}.get(first or "", _MONTH_FIRST + _DAY_FIRST)
    export.time_formats = (*_DOWNLOADED, *order, *_OTHER_LOCALES)
    return export


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    return 85 if rows and folded(rows[0][0]) in map(folded, _STAMPS) else 0


GOOGLE_FORMS_CSV = Reader(
    name="google_forms_csv",
    title="Google Forms responses",
    kind="survey",
    read=read_google_forms,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
