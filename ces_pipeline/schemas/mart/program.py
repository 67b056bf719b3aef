"""Columns of the marts on the programme itself: its metrics and its objectives."""

import pandera.pandas as pa

from ces_pipeline.schemas.mart.segments import IS_MIXED_SCALES
from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "how_the_programme_does"

PROGRAM_METRICS = Table(
    "mart.program_metrics",
    "One row per metric, segment and day: how well the programme itself works.",
    ("metric", "segment", "day"),
    {
        "metric_id": column(TEXT, "Group of the metric, from M1 (data) to M11 (closing the loop)."),
        "metric": column(TEXT, "Name of the metric; it ends with the unit."),
        "segment": column(
            TEXT,
            "`all`; for variance the dimension, for latency the step, for ease `process: stage`, for a fix its id.",
        ),
        "day": column(
            DAY,
            "Business-zone date; for a weekly metric the Monday, for a fix the day on which it went live.",
        ),
        "value": column(NUMBER, "The figure, in `unit`; null: see why_null.", nullable=True),
        "value_low": column(
            NUMBER,
            "Lower end of its 95 % interval; null: no estimate, or a count of all there is.",
            nullable=True,
        ),
        "value_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
        "n": column(
            INTEGER,
            "Number of answers, tickets, rows or calls that it is computed from; null: none.",
            nullable=True,
        ),
        "counted": column(
            INTEGER,
            "Numerator of a share, to sum days; null: not a share of n, or no n.",
            nullable=True,
        ),
        "state": column(
            TEXT,
            "`measured`, `suppressed` (n below the minimum n) or `not measurable yet`.",
            checks=pa.Check.isin(["measured", "suppressed", "not measurable yet"]),
        ),
        "why_null": column(TEXT, "Why there is no value; null: there is a value.", nullable=True),
        "unit": column(TEXT, "`share` (0 to 1), `minutes`, `points 0 to 100` ..."),
        "definition": column(TEXT, "Numerator, denominator and the method of the interval."),
    },
    sort=("metric_id", "metric", "segment", "day"),
)

OBJECTIVES = Table(
    "mart.objectives",
    "One row per registered objective: its progress.",
    ("objective_id",),
    {
        "objective_id": column(TEXT, "The entry of objectives.yaml."),
        "title": column(TEXT, "Display name."),
        "figure": column(TEXT, "The figure of answers, or the metric of the programme."),
        "dimension": column(TEXT, "What splits the answers; `programme` for a metric."),
        "segment": column(TEXT, "Value of the dimension, or segment of the metric."),
        "unit": column(TEXT, "Unit of value, baseline and target."),
        "owner": column(TEXT, "Who is responsible for it; null: not given.", nullable=True),
        "sponsor": column(TEXT, "Who supports and funds it; null: not given.", nullable=True),
        "first_day": column(
            DAY,
            "First day of the data of the value, after the baseline; null: no value.",
            nullable=True,
        ),
        "last_day": column(DAY, "Last day of the data of the value; null: no value.", nullable=True),
        "n": column(
            INTEGER, "Number of answers, tickets or rows that it is computed from; null: none.", nullable=True
        ),
        "is_mixed_scales": IS_MIXED_SCALES,
        "value": column(NUMBER, "Current value; null: see why_null.", nullable=True),
        "value_low": column(
            NUMBER,
            "Lower end of its 95 % interval (by the method of its mart); null: no estimate, or the metric has none.",
            nullable=True,
        ),
        "value_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
        "baseline": column(NUMBER, "Value at the start."),
        "baseline_day": column(DAY, "Last day of the data that the baseline was measured on."),
        "target": column(NUMBER, "Value to reach."),
        "target_day": column(DAY, "Day by which to reach it."),
        "way_share": column(
            NUMBER,
            "(value - baseline) / (target - baseline); below 0: farther away than at the start, above 1: "
            "beyond the target; null: no value.",
            nullable=True,
        ),
        "time_share": column(
            NUMBER,
            "Share of the time from baseline to target that is over on last_day, 0 to 1; null: no last_day.",
            nullable=True,
        ),
        "state": column(
            TEXT,
            "`reached`, `on track` (way_share is at least time_share), `behind`, `suppressed` (n below the minimum n) "
            "or `not measurable yet`.",
            checks=pa.Check.isin(["reached", "on track", "behind", "suppressed", "not measurable yet"]),
        ),
        "why_null": column(TEXT, "Why there is no value; null: there is a value.", nullable=True),
    },
    sort=("objective_id",),
)
