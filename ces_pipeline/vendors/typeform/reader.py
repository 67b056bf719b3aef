"""Typeform CSV exports: a token under `#`, the questions, then times in UTC and a hashed network id."""

from ces_pipeline.formats.contract import Export, Reader, folded, map_columns
from ces_pipeline.formats.delimited import TABLE_OPTIONS, header, read_head, table_export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.registry.sources import Source

_FIELDS = {
    "response_id": ("#", "Token", "Response ID"),
    "device": ("Network ID",),
    "started_at": ("Start Date (UTC)",),
    "submitted_at": ("Submit Date (UTC)",),
    "finished": ("Response Type",),
}
_FINISHED = {"completed": "true", "partial": "false", "started": "false"}


def read_typeform(file: DeliveredFile, source: Source | None) -> Export:
    """A Typeform export. Its times are UTC, as their names say."""
    head = read_head(file, source)
    export = table_export(head)
    columns = export.columns
    export.mapping = map_columns(columns, _FIELDS)
    export.values = {"finished": _FINISHED} if "finished" in export.mapping else {}
    export.time_zone = "UTC"
    return export


def _recognises(file: DeliveredFile) -> int:
    rows = header(file)
    names = set(map(folded, rows[0])) if rows else set()
    if "submitdateutc" not in names:
        return 0
    return 98 if "#" in names else 90


TYPEFORM_CSV = Reader(
    name="typeform_csv",
    title="Typeform export",
    kind="survey",
    read=read_typeform,
    recognises=_recognises,
    options=TABLE_OPTIONS,
)
