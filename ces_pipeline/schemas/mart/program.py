"""How the programme itself is doing: columns of its mart."""

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

PROGRAM_METRICS = Table(
    "mart.program_metrics",
    "One row per metric, segment and day: how well the programme itself is doing.",
    ("metric", "segment", "day"),
    {
        "metric_id": column(TEXT, "What the metric belongs to, from M1 (data) to M10 (effect of fixes)."),
        "metric": column(TEXT, "Its name, which ends in its unit."),
        "segment": column(
            TEXT,
            "`all`; of the variance its dimension, of the latency its step, of ease `process: stage`, of a fix its id.",
        ),
        "day": column(
            DAY, "Business-zone date; of a weekly metric the Monday, of a fix the day it went live."
        ),
        "value": column(NUMBER, "The figure, in `unit`; null: see why_null.", nullable=True),
        "value_low": column(
            NUMBER, "Lower end of its 95 % interval; null as it, or a count of all there is.", nullable=True
        ),
        "value_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
        "n": column(
            INTEGER, "What it is counted over: answers, tickets, rows, calls; null: nothing.", nullable=True
        ),
        "state": column(
            TEXT,
            "`measured`, `suppressed` (n below the minimum n) or `not measurable yet`.",
            checks=pa.Check.isin(["measured", "suppressed", "not measurable yet"]),
        ),
        "why_null": column(TEXT, "Why there is no value; null: there is one.", nullable=True),
        "unit": column(TEXT, "`share` (0 to 1), `minutes`, `points 0 to 100` ..."),
        "definition": column(TEXT, "What is divided by what, and the method of the interval."),
    },
    sort=("metric_id", "metric", "segment", "day"),
)

TABLES = (PROGRAM_METRICS,)
