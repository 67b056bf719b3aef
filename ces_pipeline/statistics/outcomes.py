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
        0.30, 0.30, f"geometric mean of resolution minutes at one mix of categories and priorities, {_WEEKS}"
    ),
}
"""Outcome -> claim. The publications give no data, so a claim is shown for comparison, never as a promise."""


def outcomes(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per claim: the measured share in the claimed direction with its interval, or the reason for none.

    The evidence has one row per outcome, week and stratum with `n` and `total` (is_after null: no figures).
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
        change = _retained(sides) if outcome == "better retention" else _weekly(outcome, there)
        if np.isnan(change.low):
            why = (
                "no account of the feed ever ended: who left is not known"
                if outcome == "better retention"
                else "too few weeks with known figures, or all are equal"
            )
    direction = 1 if outcome == "better retention" else -1
    ends = sorted((direction * np.expm1(change.low), direction * np.expm1(change.high)))
    is_measured = why is None
    return {
        "outcome": outcome,
        "claimed_low_share": claim.low,
        "claimed_high_share": claim.high,
        "state": "measured" if is_measured else "not measurable yet",
        "measured_share": direction * np.expm1(change.value) if is_measured else np.nan,
        "measured_low_share": ends[0] if is_measured else np.nan,
        "measured_high_share": ends[1] if is_measured else np.nan,
        "n_before": n[0],
        "n_after": n[1],
        "first_day": facts["first_day"],
        "last_day": facts["last_day"],
        "window_days": facts["window_days"],
        "method": claim.method,
        "why": why,
    }


def _lacking(outcome: str, facts: pd.Series, n: list[int], sides: list[pd.DataFrame]) -> str | None:
    if facts["days_covered"] == 0:
        return {
            "less effort": "no scored answers",
            "better retention": "no accounts feed says which customers there are",
            "fewer tickets": "no tickets",
            "faster resolution": "no resolved tickets with a resolution time",
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


def _retained(sides: list[pd.DataFrame]) -> Change:
    """Logarithm of the ratio of the two retained shares (Katz 1978)."""
    (n_before, kept_before), (n_after, kept_after) = (
        (float(side["n"].sum()), float(side["total"].sum())) for side in sides
    )
    if min(kept_before, kept_after) == 0 or (kept_before == n_before and kept_after == n_after):
        return UNKNOWN
    value = np.log(kept_after / n_after) - np.log(kept_before / n_before)
    half = Z_975 * np.sqrt(1 / kept_before - 1 / n_before + 1 / kept_after - 1 / n_after)
    return Change(float(value), float(value - half), float(value + half), float("nan"))
