"""`mart.fix_impact` and `mart.fix_ticket_impact`: effort and tickets before and after a fix, by three methods."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.schemas.mart.improvements import FIX_IMPACT, FIX_TICKET_IMPACT
from ces_pipeline.schemas.table import Table
from ces_pipeline.statistics.changes import (
    FEWEST_STEPS,
    UNKNOWN,
    Change,
    adjusted_levels,
    step_change,
    steps_to_show,
)

IN_DIFFERENCES = "difference in differences"
INTERRUPTED = "interrupted series"
PLAIN = "plain before and after"
MOST_COMPARED = 5
"""Number of comparison categories if fixes.yaml names none: those with the most similar effort before."""
BEFORE_TRIGGER, EARLIER, MATCHED, NONE = (
    "time before the trigger",
    "earlier weeks agree",
    "comparison categories alone",
    "none",
)


def fix_impact(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per fix and method: effort before and after, the change with its interval, a verdict and why.

    The evidence has one row per fix, category, week and channel (channel null: a week without answers; period null:
    the data cover no week of the fix).
    """
    return _rows(evidence, _effort, FIX_IMPACT)


def fix_ticket_impact(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per fix and method, like `fix_impact`: weekly tickets per active customer before and after.

    The evidence has one row per fix, week and side (the categories of the fix, or the comparison categories).
    """
    return _rows(evidence, _tickets, FIX_TICKET_IMPACT)


def _rows(
    evidence: pd.DataFrame, of_fix: Callable[[pd.DataFrame], Iterator[dict[str, Any]]], table: Table
) -> pd.DataFrame:
    rows = [
        {"fix_id": fix_id, **row}
        for fix_id, found in evidence.groupby("fix_id", sort=True)
        for row in of_fix(found.reset_index(drop=True))
    ]
    return pd.DataFrame(rows, columns=list(table.columns))


def _verdict(change: Change, missing: str | None, guarded: Change | None) -> dict[str, Any]:
    """`verdict` and `why` of a change in a figure that should fall.

    missing: what is missing, or None. guarded: the same change against the earlier weeks, which must show it too.
    """
    if missing is not None or np.isnan(change.low):
        return {"verdict": "not enough data", "why": missing or "the weeks of each side are equal"}
    if not change.is_shown:
        return {"verdict": "no change shown", "why": "the interval holds zero"}
    if guarded is not None and not (guarded.is_shown and np.sign(guarded.value) == np.sign(change.value)):
        return {
            "verdict": "no change shown",
            "why": "the weeks just before were unlike those before them: it may only have come back to its level",
        }
    return {"verdict": "improved" if change.value < 0 else "worsened", "why": None}


def _needed(smallest: float, change: Change, weekly_n: float) -> dict[str, float]:
    """`weeks_needed` on each side to detect the smallest effect that matters; `n_needed`: the rows of so many weeks.

    The noise is that of the weeks at hand, with their serial correlation: more rows in the same weeks do not reduce it.
    """
    weeks = steps_to_show(smallest, change.step_variance)
    return {"weeks_needed": weeks, "n_needed": float(np.ceil(weeks * weekly_n))}


def _guard(has_trigger: bool, guarded: Change | None, method: str) -> str:
    if has_trigger:
        return BEFORE_TRIGGER
    if guarded is not None:
        return EARLIER
    return MATCHED if method == IN_DIFFERENCES else NONE


# Effort ---------------------------------------------------------------------------------------------------------


def _effort(found: pd.DataFrame) -> Iterator[dict[str, Any]]:
    facts = found.iloc[0]
    scored = found.loc[found["n"] > 0].assign(is_comparison=lambda rows: rows["is_comparison"].astype(bool))
    treated = scored.loc[~scored["is_comparison"]]
    compared = _comparison(scored, bool(facts["has_named_comparison"]), int(facts["minimum_n"]))
    weeks = _Weeks.of(pd.concat([treated, compared]))
    sides = {side: treated.loc[treated["period"] == side] for side in ("before", "after")}
    means = {side: rows["effort_sum"].sum() / rows["n"].sum() for side, rows in sides.items() if len(rows)}
    n = {side: int(rows["n"].sum()) for side, rows in sides.items()}
    common = {
        "n_before": n["before"],
        "n_after": n["after"],
        "weeks_before": int(sides["before"]["week_number"].nunique()),
        "weeks_after": int(sides["after"]["week_number"].nunique()),
        "is_complete": sides["after"]["week_number"].max() == facts["fix_window_weeks"] - 1,
        "overlapping_fixes": facts["overlapping_fixes"],
    }
    weekly_n = (n["before"] + n["after"]) / max(common["weeks_before"] + common["weeks_after"], 1)
    lacking = _lacking(common, int(facts["minimum_n"]))
    shown = min(n.values()) >= int(facts["minimum_n"])
    common |= {f"{side}_effort_0_100": means[side] if shown else np.nan for side in sides}
    adjusted = weeks.treated_change()
    mix = means["after"] - means["before"] - adjusted if shown and np.isfinite(adjusted) else np.nan
    for method in (IN_DIFFERENCES, INTERRUPTED, PLAIN):
        change, guarded, names = UNKNOWN, None, None
        missing = lacking
        if method == IN_DIFFERENCES:
            names = ", ".join(sorted(compared["category"].unique())) or None
            missing = missing or (
                None if names else "no category to compare with has answers before and after"
            )
            if missing is None:
                change = weeks.in_differences("before")
                guarded = None if facts["has_trigger"] else weeks.in_differences("earlier")
        elif missing is None:
            change = weeks.interrupted() if method == INTERRUPTED else _plain(treated)
        if guarded is not None and np.isnan(guarded.low):
            guarded = None
        if method == INTERRUPTED and missing is None and np.isnan(change.low):
            missing = f"fewer than {2 * FEWEST_STEPS} weeks with answers before to tell a trend"
        has_trigger = bool(facts["has_trigger"])
        yield {
            "method": method,
            **common,
            **_needed(float(facts["smallest_effect_0_100"]), change, weekly_n),
            "comparison_categories": names,
            "change_effort_0_100": change.value,
            "change_low_0_100": change.low,
            "change_high_0_100": change.high,
            "p_value": change.p_value,
            "mix_part_0_100": np.nan if method == PLAIN else mix,
            "regression_guard": _guard(has_trigger, guarded, method),
            **_verdict(change, missing, guarded),
        }


def _lacking(common: dict[str, Any], minimum_n: int) -> str | None:
    for side in ("before", "after"):
        if common[f"n_{side}"] < minimum_n:
            return f"{common[f'n_{side}']} {side}: fewer than the minimum n"
        if common[f"weeks_{side}"] < FEWEST_STEPS:
            return f"fewer than {FEWEST_STEPS} whole weeks {side}"
    return None


def _comparison(scored: pd.DataFrame, is_named: bool, minimum_n: int) -> pd.DataFrame:
    """Answers of the comparison categories: the named ones, else the few with the most similar effort before.

    Categories of similar effort show the same regression to the mean as the fixed one.
    """
    candidates = scored.loc[scored["is_comparison"]]
    n, effort_sum = (
        candidates.pivot_table(values=name, index="category", columns="period", aggfunc="sum", fill_value=0)
        .reindex(columns=["before", "after"], fill_value=0)
        .astype(float)
        for name in ("n", "effort_sum")
    )
    chosen = n.index[(n >= (1 if is_named else minimum_n)).all(axis=1)]
    treated = scored.loc[~scored["is_comparison"] & (scored["period"] == "before")]
    if not is_named and len(treated):
        level = treated["effort_sum"].sum() / treated["n"].sum()
        away = (effort_sum.loc[chosen, "before"] / n.loc[chosen, "before"] - level).abs()
        chosen = away.sort_values(kind="stable").index[:MOST_COMPARED]
    return candidates.loc[candidates["category"].isin(chosen)]


def _plain(treated: pd.DataFrame) -> Change:
    """Mean of the weekly means after minus that before, unadjusted."""
    used = treated.loc[treated["period"].isin(["before", "after"])]
    weeks = used.groupby("week_number", sort=True).agg(
        {"period": "first", "weeks_from_live": "first", "n": "sum", "effort_sum": "sum"}
    )
    means = (weeks["effort_sum"] / weeks["n"]).to_numpy(dtype=float)
    return step_change(means, (weeks["period"] == "after").to_numpy(), weeks["weeks_from_live"].to_numpy())


class _Weeks:
    """Weekly levels of effort at a constant mix of channels and categories: of the fix, and of the comparison."""

    def __init__(self, levels: pd.DataFrame):
        """levels: index (is_comparison, week_number); columns period, weeks_from_live, level."""
        self._levels = levels

    @classmethod
    def of(cls, scored: pd.DataFrame) -> "_Weeks":
        facts = scored.groupby(["is_comparison", "week_number"], sort=True)[
            ["period", "weeks_from_live"]
        ].first()
        if scored.empty:
            return cls(facts.assign(level=np.zeros(0)))
        codes = [
            scored.groupby(keys, sort=True).ngroup().to_numpy(dtype=int)
            for keys in (["is_comparison", "week_number"], ["category"], ["channel"])
        ]
        levels, _ = adjusted_levels(
            scored["effort_sum"].to_numpy(dtype=float), scored["n"].to_numpy(dtype=float), codes[0], codes[1:]
        )
        return cls(facts.assign(level=levels))

    def _side(self, is_comparison: bool) -> pd.DataFrame:
        return self._levels.loc[self._levels.index.get_level_values(0) == is_comparison].droplevel(0)

    def treated_change(self) -> float:
        """Mean level after minus mean level before."""
        side = self._side(False).groupby("period")["level"].mean()
        return float(side.get("after", np.nan) - side.get("before", np.nan))

    def in_differences(self, reference: str) -> Change:
        """Weekly differences to the comparison categories, after compared with `before` or `earlier`."""
        joined = self._side(False).join(self._side(True)["level"].rename("compared"), how="inner")
        joined = joined.loc[joined["period"].isin([reference, "after"])]
        difference = (joined["level"] - joined["compared"]).to_numpy(dtype=float)
        return step_change(
            difference, (joined["period"] == "after").to_numpy(), joined["weeks_from_live"].to_numpy()
        )

    def interrupted(self) -> Change:
        """Level after compared with the trend of all weeks before."""
        side = self._side(False)
        return step_change(
            side["level"].to_numpy(dtype=float),
            (side["period"] == "after").to_numpy(),
            side["weeks_from_live"].to_numpy(dtype=float),
            has_trend=True,
        )


# Tickets --------------------------------------------------------------------------------------------------------


def _tickets(found: pd.DataFrame) -> Iterator[dict[str, Any]]:
    facts = found.iloc[0]
    known = found.loc[found["period"].notna()].assign(
        is_comparison=lambda rows: rows["is_comparison"].astype(bool)
    )
    treated = known.loc[~known["is_comparison"]].set_index("week_number")
    compared = known.loc[known["is_comparison"]].set_index("week_number")["tickets"]
    treated = treated.assign(
        compared=compared.reindex(treated.index).astype(float),
        customers=treated["active_customers"].astype(float),
    )
    sides = {side: treated.loc[treated["period"] == side] for side in ("before", "after")}
    common: dict[str, Any] = {
        "overlapping_fixes": facts["overlapping_fixes"],
        "customers_basis": facts["customers_basis"],
    }
    for side, rows in sides.items():
        common |= {
            f"n_{side}": int(rows["tickets"].sum()),
            f"weeks_{side}": len(rows),
            f"{side}_tickets_per_1000_customers": 1000
            * (rows["tickets"] / rows["customers"]).astype(float).mean(),
        }
    common["is_complete"] = common["weeks_after"] == facts["fix_window_weeks"]
    lacking = _lacking(common, int(facts["minimum_n"]))
    smallest = abs(np.log1p(-float(facts["smallest_ticket_change"])))
    weekly_n = (common["n_before"] + common["n_after"]) / max(
        common["weeks_before"] + common["weeks_after"], 1
    )
    # Half a ticket is added, so that a week without tickets has a logarithm.
    ticket_log = np.log(treated["tickets"].astype(float) + 0.5)
    by_method = {
        IN_DIFFERENCES: ticket_log - np.log(treated["compared"] + 0.5),
        INTERRUPTED: ticket_log - np.log(treated["customers"]),
        PLAIN: ticket_log - np.log(treated["customers"]),
    }
    missing_by_method = {
        IN_DIFFERENCES: "no category to compare with" if (compared == 0).all() else None,
        INTERRUPTED: "the active customers of these weeks are not known"
        if treated["customers"].isna().all()
        else None,
    }
    missing_by_method[PLAIN] = missing_by_method[INTERRUPTED]
    has_trigger = bool(facts["has_trigger"])
    for method, series in by_method.items():
        missing, change, guarded = lacking or missing_by_method[method], UNKNOWN, None
        if missing is None:
            change = _log_change(treated, series, "before", method)
            if method == IN_DIFFERENCES and not has_trigger:
                earlier = _log_change(treated, series, "earlier", method)
                guarded = None if np.isnan(earlier.low) else earlier
        verdict = _verdict(change, missing, guarded)
        if missing is None and np.isnan(change.low):
            verdict["why"] = "too few weeks with known customers, or the weeks of each side are equal"
        yield {
            "method": method,
            **common,
            **_needed(smallest, change, weekly_n),
            "change_share": np.expm1(change.value),
            "change_low_share": np.expm1(change.low),
            "change_high_share": np.expm1(change.high),
            "p_value": change.p_value,
            "regression_guard": _guard(has_trigger, guarded, method),
            **verdict,
        }


def _log_change(treated: pd.DataFrame, series: pd.Series, reference: str, method: str) -> Change:
    used = treated["period"].isin(
        ["before", "earlier", "after"] if method == INTERRUPTED else [reference, "after"]
    )
    return step_change(
        series[used].to_numpy(dtype=float),
        (treated.loc[used, "period"] == "after").to_numpy(),
        treated.loc[used, "weeks_from_live"].to_numpy(dtype=float),
        has_trend=method == INTERRUPTED,
    )
