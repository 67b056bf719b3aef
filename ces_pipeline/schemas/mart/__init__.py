"""The marts: what analysts and reports read. The queries are in `sql/mart/`, one file per table.

One module per family of marts; each ends with its `TABLES`.
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
