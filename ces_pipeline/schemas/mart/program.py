"""How the programme itself is doing: columns of its mart."""

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

PROGRAM_METRICS = Table(
    "mart.program_metrics",
    "One row per metric, segment and day: how well the programme itself is doing.",
    ("metric", "segment", "day"),
    {
        "metric_id": column(TEXT, "What the metric belongs to, from M1 (data) to M11 (closing the loop)."),
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
        "counted": column(
            INTEGER,
            "Of these, what a share counts, to add days up; null: it is no share of n, or nothing.",
            nullable=True,
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

OBJECTIVES = Table(
    "mart.objectives",
    "One row per registered objective: how far it has come.",
    ("objective_id",),
    {
        "objective_id": column(TEXT, "The entry of objectives.yaml."),
        "title": column(TEXT, "Its name for people."),
        "figure": column(TEXT, "The figure of answers, or the metric of the programme."),
        "dimension": column(TEXT, "By what the answers are split; of a metric `programme`."),
        "segment": column(TEXT, "Which part of them, or the metric's segment."),
        "unit": column(TEXT, "Unit of value, baseline and target."),
        "owner": column(TEXT, "Who answers for it; null: not said.", nullable=True),
        "sponsor": column(TEXT, "Who stands behind it; null: not said.", nullable=True),
        "first_day": column(
            DAY,
            "First day that the value is of, later than the baseline; null: there is none.",
            nullable=True,
        ),
        "last_day": column(DAY, "Its last day; null as it.", nullable=True),
        "n": column(
            INTEGER, "What it is counted over: answers, tickets, rows ...; null: nothing.", nullable=True
        ),
        "value": column(NUMBER, "Where it stands; null: see why_null.", nullable=True),
        "value_low": column(
            NUMBER,
            "Lower end of its 95 % interval (by the method of its mart); null as it, or the metric has none.",
            nullable=True,
        ),
        "value_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
        "baseline": column(NUMBER, "Where it stood."),
        "baseline_day": column(DAY, "Last day of the figures that the baseline was read from."),
        "target": column(NUMBER, "Where it shall be."),
        "target_day": column(DAY, "By when."),
        "way_share": column(
            NUMBER,
            "Share of the way from baseline to target that is done; below 0: farther away than it was, above 1: "
            "beyond the target; null as the value.",
            nullable=True,
        ),
        "time_share": column(
            NUMBER,
            "Share of the time from baseline to target that is over on last_day, 0 to 1; null as it.",
            nullable=True,
        ),
        "state": column(
            TEXT,
            "`reached`, `on track` (way_share is at least time_share), `behind`, `suppressed` (n below the minimum n) "
            "or `not measurable yet`.",
            checks=pa.Check.isin(["reached", "on track", "behind", "suppressed", "not measurable yet"]),
        ),
        "why_null": column(TEXT, "Why there is no value; null: there is one.", nullable=True),
    },
    sort=("objective_id",),
)

TABLES = (PROGRAM_METRICS, OBJECTIVES)
