"""Any tool's table: CSV, TSV, JSON, JSON Lines, Parquet or XLSX, with the columns mapped in the registry."""

from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import Export, Reader
from ces_pipeline.sources.delimited import read_head, stream_rows, unique_names
from ces_pipeline.sources.files import DeliveredFile


def read_csv(file: DeliveredFile, source: Source | None) -> Export:
    """A delimited table with one header row. Option `delimiter` settles what cannot be seen."""
    options = source.options if source else {}
    head = read_head(file, options.get("delimiter"))
    columns = unique_names(head.rows[0])
    export = Export(columns=columns, batches=iter(()))
    export.batches = stream_rows(file, head, 1, columns, export.unreadable)
    return export


GENERIC_CSV = Reader(name="csv", title="CSV or TSV table", kind="any", read=read_csv, options={"delimiter": "cell separator"})
