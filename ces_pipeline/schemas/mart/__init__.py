"""The marts, which analysts and reports read. Their queries are in `sql/mart/`, one file per table.

Each module holds the tables of one subject, and ends with `TABLES`.
"""

from ces_pipeline.schemas.mart import (
    capture,
    coverage,
    follow_ups,
    funnel,
    improvements,
    journey,
    kpis,
    program,
    quality,
    segments,
    tickets,
)
from ces_pipeline.schemas.table import Table

MARTS: tuple[Table, ...] = (
    *segments.TABLES,
    *tickets.TABLES,
    *quality.TABLES,
    *capture.TABLES,
    *coverage.TABLES,
    *funnel.TABLES,
    *follow_ups.TABLES,
    *journey.TABLES,
    *kpis.TABLES,
    *improvements.TABLES,
    *program.TABLES,
)

__all__ = ["MARTS"]
