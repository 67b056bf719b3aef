"""`mart.release_windows`: effort in the days before and after each release."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.schemas.mart.improvements import RELEASE_WINDOWS
from ces_pipeline.statistics.changes import FEWEST_STEPS, UNKNOWN, adjusted_levels, step_change
from ces_pipeline.statistics.estimates import FALSE_DISCOVERY_RATE, false_discovery_adjusted

ALL_SURVEYS = "all surveys"


def release_windows(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per release and survey, and `all surveys`: means, adjusted change with interval, verdict.

    The evidence has one row per release, survey, day, channel and product (day null: no answer).
    """
    rows = pd.DataFrame(_rows(evidence), columns=list(RELEASE_WINDOWS.columns))
    if rows.empty:
        return rows
    rows["q_value"] = false_discovery_adjusted(rows["p_value"].to_numpy(dtype=float))
    rows["verdict"] = np.select(
        [rows["p_value"].isna(), rows["q_value"] > FALSE_DISCOVERY_RATE, rows["change_effort_0_100"] > 0],
        ["not enough data", "no change shown", "harder"],
        "easier",
    )
    return rows.sort_values(["release_id", "series"], ignore_index=True)


def _rows(evidence: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for release_id, found in evidence.groupby("release_id", sort=True):
        yield _row(str(release_id), ALL_SURVEYS, found)
        for survey_id, of_survey in found.groupby("survey_id", sort=True):
            yield _row(str(release_id), str(survey_id), of_survey)


def _row(release_id: str, series: str, found: pd.DataFrame) -> dict[str, Any]:
    facts = found.iloc[0]
    scored = found.loc[found["n"] > 0]
    is_after = scored["is_after"].astype(bool)
    n = [int(scored.loc[side, "n"].sum()) for side in (~is_after, is_after)]
    minimum_n = int(facts["minimum_n"])
    days, change = [0, 0], UNKNOWN
    if len(scored):
        by_day = is_after.groupby(scored["day"], sort=True).first().to_numpy()
        days = [int((~by_day).sum()), int(by_day.sum())]
    why = None
    for side, count, of_days in zip(("before", "after"), n, days, strict=True):
        if why is None and count < minimum_n:
            why = f"{count} {side}: fewer than the minimum n"
        elif why is None and of_days < FEWEST_STEPS:
            why = f"fewer than {FEWEST_STEPS} days with answers {side}"
    if why is None:
        codes = [
            scored.groupby(name, sort=True).ngroup().to_numpy(dtype=int)
            for name in ("day", "survey_id", "channel", "product")
        ]
        sums, counts = (scored[name].to_numpy(dtype=float) for name in ("effort_sum", "n"))
        at = pd.to_datetime(pd.Series(sorted(scored["day"].unique())))
        change = step_change(
            adjusted_levels(sums, counts, codes[0], codes[1:])[0],
            by_day,
            (at - at.iloc[0]).dt.days.to_numpy(),
            weekday=at.dt.day_of_week.to_numpy(),
        )
        if np.isnan(change.low):
            why = "too few days of the same weekdays before and after, or the days of each side are equal"
    shown = min(n) >= minimum_n
    means = [
        scored.loc[side, "effort_sum"].sum() / max(count, 1)
        for side, count in zip((~is_after, is_after), n, strict=True)
    ]
    before, after = means if shown else (np.nan, np.nan)
    return {
        "release_id": release_id,
        "series": series,
        "release_day": facts["release_day"],
        "n_before": n[0],
        "n_after": n[1],
        "days_before": days[0],
        "days_after": days[1],
        "before_effort_0_100": before,
        "after_effort_0_100": after,
        "change_effort_0_100": change.value,
        "change_low_0_100": change.low,
        "change_high_0_100": change.high,
        "mix_part_0_100": after - before - change.value,
        "p_value": change.p_value,
        "why": why,
        "overlapping_releases": facts["overlapping_releases"],
    }
