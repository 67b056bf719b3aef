"""What was unusual: columns of the mart of anomalies."""

from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column
from ces_pipeline.schemas.vocabularies import SERIES_DIMENSIONS, SERIES_DIRECTIONS, SERIES_KINDS

QUESTION = "what_was_unusual"

_MAYBE = {"nullable": True}
_NO_VERDICT = "null: no verdict."


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


ANOMALIES_DAILY = Table(
    "mart.anomalies_daily",
    "One row per watched figure and day (or week, where a day brings too little) that was judged, and its newest one.",
    ("series_kind", "dimension", "segment", "grain", "day"),
    {
        "series_kind": column(
            TEXT,
            f"The figure: {_listed(SERIES_KINDS)}; `arrival_minutes` is from answer to receipt.",
        ),
        "dimension": column(
            TEXT,
            f"What it is split by: {_listed(SERIES_DIMENSIONS)}; `all`: nothing.",
        ),
        "segment": column(TEXT, "Value of the dimension; of reason_share, source and reason; `all`."),
        "grain": column(TEXT, "`day`, or `week` for a figure of which a day brings too little."),
        "day": column(DAY, "The day; of a week, its Sunday."),
        "observed": column(
            NUMBER,
            "The figure: a number of rows, a share, mean effort, or geometric mean of a time; null: fewer than the "
            "minimum n.",
            **_MAYBE,
        ),
        "expected": column(NUMBER, f"What earlier days lead to expect; {_NO_VERDICT}", **_MAYBE),
        "expected_low": column(NUMBER, f"Below it, the figure is a spike; {_NO_VERDICT}", **_MAYBE),
        "expected_high": column(NUMBER, f"Above it, the figure is a spike; {_NO_VERDICT}", **_MAYBE),
        "n": column(INTEGER, "Rows behind the figure."),
        "z": column(
            NUMBER, f"Difference of observed and expected, in standard deviations; {_NO_VERDICT}", **_MAYBE
        ),
        "cusum_up": column(
            NUMBER, "Sum of the differences above what chance explains; starts again after an alarm."
        ),
        "cusum_down": column(NUMBER, "The same below."),
        "state": column(
            TEXT,
            "`usual`, `spike up` or `spike down`, `drift up` or `drift down`, `in an incident` (after an alarm), "
            "`new level` (the incident's level is the usual one from now on), `holiday`, `too little history`, "
            "`too few rows`.",
        ),
        "direction": column(
            TEXT,
            f"Of its incident: {_listed(SERIES_DIRECTIONS)}; null: none.",
            **_MAYBE,
        ),
        "incident_first_day": column(
            DAY, "First affected day of the incident that the day belongs to; null: none.", **_MAYBE
        ),
        "baseline_first_day": column(DAY, "First of the earlier days that it was compared with."),
        "baseline_steps": column(INTEGER, "Number of these days or weeks."),
        "method_version": column(INTEGER, "Version of the method."),
    },
    sort=("series_kind", "dimension", "segment", "grain", "day"),
)
