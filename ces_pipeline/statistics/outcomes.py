"""`mart.outcomes`: outcomes that are often claimed for such programmes, and what the data of this home show."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ces_pipeline.schemas.mart.improvements import OUTCOMES
from ces_pipeline.statistics.changes import FEWEST_STEPS, UNKNOWN, Change, adjusted_levels, step_change
from ces_pipeline.statistics.estimates import Z_975


class _Claim(NamedTuple):
    """A published claim as a share. method: how the outcome is measured here; a value of the mart."""

    low: float
    high: float
    method: str


_WEEKS = "newest against first weeks, their serial correlation counted"
CLAIMS = {
    "less effort": _Claim(0.20, 0.40, f"mean effort at one mix of touchpoints and channels, {_WEEKS}"),
    "better retention": _Claim(
        0.10,
        0.15,
        "share of accounts still held at the end of a window, newest against first window, log ratio",
    ),
    "fewer tickets": _Claim(0.15, 0.25, f"tickets per active customer, {_WEEKS}"),
    "faster resolution": _Claim(
        0.30,
        0.30,
        "median minutes to resolution (Kaplan-Meier) of the tickets opened in the first and the newest window, at one "
        "mix of categories and priorities; jackknife over weeks",
    ),
}
"""Outcome -> claim. The publications give no data, so a claim is shown for comparison, never as a promise."""


def outcomes(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per claim: the measured ratio and share in the claimed direction with intervals, or the reason for none.

    The evidence has one row per outcome, week and stratum with `n` and `total` (is_after null: no figures). For the
    resolution of tickets it has one row per week and time instead: log_minutes, the logarithm of 1 + minutes to the
    solve, or so far if not is_resolved; total is the number of tickets weighted to one mix.
    """
    rows = [_row(outcome, evidence.loc[evidence["outcome"] == outcome]) for outcome in sorted(CLAIMS)]
    return pd.DataFrame(rows, columns=list(OUTCOMES.columns))


def _row(outcome: str, found: pd.DataFrame) -> dict[str, Any]:
    claim, facts = CLAIMS[outcome], found.iloc[0]
    there = found.loc[found["n"] > 0]
    sides = [there.loc[there["is_after"].astype("boolean").fillna(False) == side] for side in (False, True)]
    n = [int(side["n"].sum()) for side in sides]
    why, change = _lacking(outcome, facts, n, sides), UNKNOWN
    if why is None:
        change = _MEASURED.get(outcome, _weekly)(outcome, there)
        if np.isnan(change.low):
            why = _UNDEFINED.get(outcome, "too few weeks with known figures, or all are equal")
    ratio = np.exp([change.value, change.low, change.high] if why is None else [np.nan] * 3)
    direction = 1 if outcome == "better retention" else -1
    share, *ends = direction * (ratio - 1)
    return {
        "outcome": outcome,
        "claimed_low_share": claim.low,
        "claimed_high_share": claim.high,
        "state": "measured" if why is None else "not measurable yet",
        "measured_share": _as_share(share),
        "measured_low_share": _as_share(min(ends)),
        "measured_high_share": _as_share(max(ends)),
        "measured_ratio": ratio[0],
        "measured_ratio_low": ratio[1],
        "measured_ratio_high": ratio[2],
        "n_before": n[0],
        "n_after": n[1],
        "first_day": facts["first_day"],
        "last_day": facts["last_day"],
        "window_days": facts["window_days"],
        "method": claim.method,
        "why": why,
    }


def _as_share(change: float) -> float:
    """NaN below -1: more than twice as much as before is a ratio, and no share of what was before."""
    return change if change >= -1 else np.nan


def _lacking(outcome: str, facts: pd.Series, n: list[int], sides: list[pd.DataFrame]) -> str | None:
    if facts["days_covered"] == 0:
        return {
            "less effort": "no scored answers",
            "better retention": "no accounts feed says which customers there are",
            "fewer tickets": "no tickets",
            "faster resolution": "no resolved tickets with an opening and a resolution time",
        }[outcome]
    if not facts["is_covered"]:
        return f"the data cover {facts['days_covered']} days: two windows take {2 * facts['window_days']}"
    for name, count, side in zip(("first", "newest"), n, sides, strict=True):
        if count < facts["minimum_n"]:
            return f"{count} in the {name} window: fewer than the minimum n"
        if outcome != "better retention" and side["week_number"].nunique() < FEWEST_STEPS:
            return f"fewer than {FEWEST_STEPS} weeks with figures in the {name} window"
    return None


def _weekly(outcome: str, there: pd.DataFrame) -> Change:
    """Change of the logarithm of the weekly figure."""
    by_week = there.groupby("week_number", sort=True)
    facts = there.iloc[0]
    weeks_between = facts["days_covered"] / 7 - 2 * facts["window_days"] / 7
    is_after = by_week["is_after"].first().to_numpy(dtype=bool)
    at = by_week["is_after"].first().index.to_numpy(dtype=float) + weeks_between * is_after
    if outcome == "fewer tickets":
        figures = by_week[["n", "total"]].sum(min_count=1).astype(float)
        return step_change(np.log((figures["n"] / figures["total"]).to_numpy()), is_after, at)
    codes = [
        there.groupby(name, sort=True).ngroup().to_numpy(dtype=int)
        for name in ("week_number", "stratum", "other_stratum")
    ]
    levels, _ = adjusted_levels(
        there["total"].to_numpy(dtype=float), there["n"].to_numpy(dtype=float), codes[0], codes[1:]
    )
    if outcome == "less effort":
        # A level of zero effort has no ratio.
        levels = np.log(np.where(levels > 0, levels, np.nan))
    return step_change(levels, is_after, at)


def _resolved(_: str, there: pd.DataFrame) -> Change:
    """Change of the logarithm of the median time to resolution, which open tickets enter as open so far.

    Kaplan and Meier's estimate of each window. The jackknife over weeks gives each week a pseudo-value, so that its
    error is that of a comparison of weeks. Undefined if half of the tickets of a window are not resolved yet.
    """
    medians, pseudo_values, is_after = [], [], []
    for side in (False, True):
        rows = there.loc[there["is_after"].astype(bool) == side]
        weeks = sorted(rows["week_number"].unique())
        median = _median_time(rows)
        medians.append(median)
        for week in weeks:
            others = _median_time(rows.loc[rows["week_number"] != week])
            pseudo_values.append(len(weeks) * median - (len(weeks) - 1) * others)
            is_after.append(side)
    if not np.isfinite(pseudo_values).all():
        return UNKNOWN
    change = step_change(np.array(pseudo_values), np.array(is_after))
    value = medians[1] - medians[0]
    return Change(
        value, change.low - change.value + value, change.high - change.value + value, change.p_value
    )


def _median_time(rows: pd.DataFrame) -> float:
    """Median of log_minutes; NaN if half of the tickets are not resolved yet."""
    # Imported here: the import takes a second, and a home without tickets never needs it.
    from statsmodels.duration.survfunc import SurvfuncRight

    if not rows["is_resolved"].any():
        return float("nan")
    curve = SurvfuncRight(
        rows["log_minutes"].to_numpy(dtype=float),
        rows["is_resolved"].to_numpy(dtype=int),
        freq_weights=rows["total"].to_numpy(dtype=float),
    )
    return float(curve.quantile(0.5))


def _retained(_: str, there: pd.DataFrame) -> Change:
    """Logarithm of the ratio of the two retained shares (Katz 1978)."""
    held = there.groupby("is_after", sort=True)[["n", "total"]].sum().astype(float)
    (n_before, kept_before), (n_after, kept_after) = held.itertuples(index=False)
    if min(kept_before, kept_after) == 0 or (kept_before == n_before and kept_after == n_after):
        return UNKNOWN
    value = np.log(kept_after / n_after) - np.log(kept_before / n_before)
    half = Z_975 * np.sqrt(1 / kept_before - 1 / n_before + 1 / kept_after - 1 / n_after)
    return Change(float(value), float(value - half), float(value + half), float("nan"))


_MEASURED = {"better retention": _retained, "faster resolution": _resolved}
"""Outcome -> its comparison, for those that are not levels of weeks."""
_UNDEFINED = {
    "better retention": "no account of the feed ever ended: who left is not known",
    "faster resolution": "half of the tickets of a window are not resolved yet, or all times are equal",
}
"""Outcome -> why its comparison is not defined."""
