"""Google Forms responses as CSV: a `Timestamp` (in the form's language) first, then the questions, no response id."""

import re
from collections.abc import Iterable

from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import Export, Reader, folded, map_columns
from ces_pipeline.sources.delimited import DELIMITER_OPTION, export_rows, header, read_head, unique_names
from ces_pipeline.sources.files import DeliveredFile

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
# The form's own download writes a 12-hour clock with a zone's name; the linked sheet follows the sheet's
# locale.
_DOWNLOADED = ("%Y/%m/%d %I:%M:%S %p %Z", "%Y/%m/%d %I:%M:%S %p")
_MONTH_FIRST = ("%m/%d/%Y %H:%M:%S",)
_DAY_FIRST = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H.%M.%S")
_OTHER_LOCALES = ("%d.%m.%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b")
_ROWS = 2_000
"""How many rows are looked at, as far as the head of the file goes, to tell days from months."""


def read_google_forms(file: DeliveredFile, source: Source | None) -> Export:
    """A Google Forms export. Without an id, a response is known by its content."""
    head = read_head(file, source, rows=_ROWS)
    columns = unique_names(head.rows[0])
    export = export_rows(file, head, 1, columns)
    export.mapping = map_columns(columns, _FIELDS)
    export.notes.append(
        "no response id: a response is known by its content, so an edit counts as a new response"
    )
    order, is_told = _order(row[0] for row in head.rows[1:] if row)
    if not is_told and folded(columns[0]) != folded(_STAMPS[0]):
        # Only in English the month may come first.
        order, is_told = _DAY_FIRST, True
    export.time_formats = (*_DOWNLOADED, *order, *_OTHER_LOCALES)
    if not is_told:
        export.notes.append(
            "the times do not tell whether day or month comes first: read month first, unless time_formats of the feed "
            "says otherwise"
        )
    return export


def _order(stamps: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """(Formats of dates with slashes, whether the times tell them), by numbers that can be no month."""
    found = [(int(told[1]), int(told[2])) for told in map(_SLASHES.match, stamps) if told]
    day_first = any(first > 12 for first, _ in found)
    month_first = any(second > 12 for _, second in found)
    if day_first == month_first:
        return _MONTH_FIRST + _DAY_FIRST, not found
    return (_DAY_FIRST if day_first else _MONTH_FIRST), True


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    return 85 if rows and folded(rows[0][0]) in map(folded, _STAMPS) else 0


GOOGLE_FORMS_CSV = Reader(
    name="google_forms_csv",
    title="Google Forms responses",
    kind="survey",
    read=read_google_forms,
    recognises=_recognises,
    options=DELIMITER_OPTION,
)
