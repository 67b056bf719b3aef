"""Google Forms responses as CSV: a `Timestamp` (in the form's language) first, then the questions, no response id."""

import re

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
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
    "타임스탬프",
    "时间戳记",
    "時間戳記",
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


def read_google_forms(file: DeliveredFile, source: Source | None) -> Export:
    """A Google Forms export. A response has no id and is identified by its content."""
    head = read_head(file, source)
    export = table_export(head)
    columns = export.columns
    export.mapping = map_columns(columns, _FIELDS)
    export.notes.append(
        "no response id: a response is identified by its content, so an edit counts as a new response"
    )
    if folded(columns[0]) != folded(_STAMPS[0]):
        # Only an English form may write the month first.
        export.date_order = "day"
    return export


_IDS = frozenset(
    {"id", "responseid", "submissionid", "answerid", "recordid", "respondentid", "uuid", "ticketid"}
)
# 2026/11/02 9:15:00 AM GMT+1 in the form's download; in the linked sheet the sheet's locale, always with seconds.
_STAMP = re.compile(
    r"^\d{4}/\d{1,2}/\d{1,2} \d"
    r"|^\d{1,2}[/.-]\d{1,2}[/.-]\d{4},? \d{1,2}[:.]\d\d[:.]\d\d"
    r"|^\d{4}(-\d\d-\d\d \d\d:|[.年/])"
)


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    if not rows or folded(rows[0][0]) not in map(folded, _STAMPS):
        return 0
    # A form has no id and no time but its first column, and the form itself writes how the time looks.
    has_own_id = any(folded(name) in _IDS for name in rows[0][1:])
    stamps = [row[0] for row in rows[1:] if row and row[0].strip()]
    return 85 if not has_own_id and all(map(_STAMP.match, stamps)) else 0


GOOGLE_FORMS_CSV = Reader(
    name="google_forms_csv",
    title="Google Forms responses",
    kind="survey",
    read=read_google_forms,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
