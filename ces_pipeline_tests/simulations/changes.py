"""Changes over time: how often a series without a change is claimed to have one, and how often a planted one is found.

`python -m ces_pipeline_tests.simulations.changes [--series 2000] [--marts 200]` prints one table for the estimate of a
step, and one for the marts that use it, by the correlation of neighbouring weeks or days.
"""

import argparse
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ces_pipeline.statistics.changes import step_change, steps_to_show
from ces_pipeline.statistics.fixes import IN_DIFFERENCES, PLAIN, fix_impact, fix_ticket_impact
from ces_pipeline.statistics.outcomes import CLAIMS, outcomes
from ces_pipeline.statistics.releases import release_windows

CORRELATIONS = (0.0, 0.3, 0.5)
WINDOWS = {
    "4+4 weeks": (4, 4, False),
    "8+8 weeks": (8, 8, False),
    "8+3 weeks": (8, 3, False),
    "14+14 days": (14, 14, True),
}
"""Name -> steps before, steps after, and whether weekdays are in the model (and in the series)."""
WEEKDAYS = np.array([0.6, 0.2, 0.0, 0.0, -0.1, -0.9, -1.1]) * 3
LIVE = date(2026, 3, 2)


def correlated(random: np.random.Generator, shape: tuple[int, int], correlation: float) -> np.ndarray:
    """Series (one a row) of variance 1, each value correlated so much with the one before."""
    series = random.standard_normal(shape)
    for step in range(1, shape[1]):
        series[:, step] = correlation * series[:, step - 1] + np.sqrt(1 - correlation**2) * series[:, step]
    return series


def steps(series: int) -> pd.DataFrame:
    """One row per window and correlation: claims without a change, claims of 1, 1.5 and 2 standard deviations.

    power_at_needed: claims of a change of 0.75 standard deviations in windows of as many steps as `steps_to_show` wants
    for it (for days without weekdays, and for an interval that counts the true correlation).
    """
    rows = []
    for name, (before, after, has_weekdays) in WINDOWS.items():
        for correlation in CORRELATIONS:
            random = np.random.default_rng([before, after, int(10 * correlation)])
            is_after = np.arange(before + after) >= before
            weekday = np.arange(before + after) % 7 if has_weekdays else None
            noise = correlated(random, (series, before + after), correlation)
            if weekday is not None:
                noise = noise + WEEKDAYS[weekday]
            row: dict[str, object] = {"window": name, "correlation": correlation}
            for effect in (0.0, 1.0, 1.5, 2.0):
                found = [
                    step_change(values + effect * is_after, is_after, weekday=weekday) for values in noise
                ]
                row["claimed" if effect == 0 else f"found_{effect:g}_sd"] = np.mean(
                    [change.is_shown for change in found]
                )
            rows.append(row)
    return pd.DataFrame(rows)


def power_at_needed(series: int, correlation: float, effect: float = 0.75, pilot: int = 8) -> float:
    """Share of changes of so many standard deviations that are found in windows of `steps_to_show` steps.

    The number of steps is that of the median of series of `pilot` + `pilot` steps.
    """
    random = np.random.default_rng([pilot, int(10 * correlation)])
    is_after = np.arange(2 * pilot) >= pilot
    wanted = [
        steps_to_show(effect, step_change(values, is_after).step_variance)
        for values in correlated(random, (series, 2 * pilot), correlation)
    ]
    needed = int(np.median(wanted))
    is_after = np.arange(2 * needed) >= needed
    longer = correlated(random, (series, 2 * needed), correlation) + effect * is_after
    return float(np.mean([step_change(values, is_after).is_shown for values in longer]))


def fix_evidence(random: np.random.Generator, weeks: int, correlation: float, effect: float) -> pd.DataFrame:
    """Answers of four categories by two channels over windows of so many weeks; the weeks of each category resemble.

    The level of a category's week has a standard deviation of 4 points. effect: added to the first category after.
    """
    numbers = np.arange(-weeks, weeks)
    level = 4 * correlated(random, (4, len(numbers)), correlation)
    level[0, numbers >= 0] += effect
    n = random.poisson(40, (4, len(numbers), 2)) + 1
    means = (
        50 + level[..., None] + np.array([10.0, -10.0]) + 25 * random.standard_normal(n.shape) / np.sqrt(n)
    )
    category, at, channel = (axis.ravel() for axis in np.indices(n.shape))
    return pd.DataFrame(
        {
            "fix_id": "f", "has_trigger": True, "overlapping_fixes": None, "fix_window_weeks": weeks,
            "smallest_effect_0_100": 5.0, "minimum_n": 30, "has_named_comparison": True, "category": category.astype(str),
            "is_comparison": category > 0, "period": np.where(numbers < 0, "before", "after")[at],
            "week_number": numbers[at], "weeks_from_live": numbers[at].astype(float), "channel": channel.astype(str),
            "n": n.ravel(), "effort_sum": (n * means).ravel(),
        }
    )  # fmt: skip


def ticket_evidence(
    random: np.random.Generator, weeks: int, correlation: float, change: float
) -> pd.DataFrame:
    """Weekly tickets of a fix's categories and of others; the weeks differ by 15 % more than Poisson counts, and resemble."""
    numbers = np.arange(-weeks, weeks)
    level = 0.15 * correlated(random, (2, len(numbers)), correlation)
    level[0, numbers >= 0] += np.log1p(change)
    tickets = random.poisson(np.array([[200.0], [800.0]]) * np.exp(level))
    side, at = (axis.ravel() for axis in np.indices(tickets.shape))
    return pd.DataFrame(
        {
            "fix_id": "f", "has_trigger": True, "overlapping_fixes": None, "smallest_ticket_change": 0.1,
            "fix_window_weeks": weeks, "minimum_n": 30, "period": np.where(numbers < 0, "before", "after")[at],
            "week_number": numbers[at], "weeks_from_live": numbers[at].astype(float), "is_comparison": side == 1,
            "tickets": tickets.ravel(), "active_customers": 5_000, "customers_basis": "accounts",
        }
    )  # fmt: skip


def release_evidence(
    random: np.random.Generator, days: int, correlation: float, effect: float
) -> pd.DataFrame:
    """Answers by two channels on the days around a release, with weekdays; days resemble, with a deviation of 4 points."""
    offsets = np.arange(-days, days)
    level = (
        4 * correlated(random, (1, len(offsets)), correlation)[0]
        + 4 * WEEKDAYS[offsets % 7]
        + effect * (offsets >= 0)
    )
    n = random.poisson(60, (len(offsets), 2)) + 1
    means = 50 + level[:, None] + np.array([10.0, -10.0]) + 25 * random.standard_normal(n.shape) / np.sqrt(n)
    at, channel = (axis.ravel() for axis in np.indices(n.shape))
    return pd.DataFrame(
        {
            "release_id": "r", "release_day": LIVE, "release_window_days": days, "minimum_n": 30, "survey_id": "s",
            "overlapping_releases": None, "day": [LIVE + timedelta(days=int(offsets[place])) for place in at],
            "is_after": offsets[at] >= 0, "product": "unknown", "channel": channel.astype(str), "n": n.ravel(),
            "effort_sum": (means * n).ravel(),
        }
    )  # fmt: skip


TICKETS_A_WEEK = 60


def outcome_evidence(
    random: np.random.Generator, outcome: str, weeks: int, correlation: float, ratio: float
) -> pd.DataFrame:
    """Weekly figures of an outcome in the first and the newest weeks, multiplied by `ratio`; the others are not covered."""
    week = np.arange(-weeks, weeks)
    level = np.exp(0.1 * correlated(random, (1, len(week)), correlation)[0]) * np.where(week >= 0, ratio, 1)
    n, total, minutes = {
        "less effort": (np.full(len(week), 200.0), 200 * 40 * level, np.nan),
        "fewer tickets": (np.round(5_000 * level), np.full(len(week), 1_000.0), np.nan),
        "faster resolution": (np.ones(len(week)), np.ones(len(week)), 100 * level),
    }[outcome]
    found = pd.DataFrame({"week_number": week, "n": n, "total": total, "log_minutes": minutes})
    if outcome == "faster resolution":
        # A row per ticket, all of them resolved.
        found = found.loc[found.index.repeat(TICKETS_A_WEEK)]
        found["log_minutes"] = np.log1p(found["log_minutes"] * random.lognormal(0, 1, len(found)))
    found = found.assign(
        outcome=outcome, is_after=found["week_number"] >= 0, is_covered=True, is_resolved=True
    )
    others = [found.iloc[:1].assign(outcome=name, is_covered=False) for name in CLAIMS if name != outcome]
    return pd.concat([found, *others], ignore_index=True).assign(
        first_day=LIVE, last_day=LIVE, days_covered=14 * weeks, window_days=7 * weeks, minimum_n=30,
        stratum="s", other_stratum="s",
    )  # fmt: skip


def marts(draws: int) -> pd.DataFrame:
    """One row per mart, window and correlation: verdicts of a change without one, and with the planted one."""
    rows = []
    for correlation in CORRELATIONS:
        for weeks in (4, 8):
            random = np.random.default_rng([weeks, int(10 * correlation)])
            none, improved = (
                pd.concat(
                    [fix_impact(fix_evidence(random, weeks, correlation, effect)) for _ in range(draws)]
                )
                for effect in (0, -10)
            )
            for method in (IN_DIFFERENCES, PLAIN):
                claimed, found = (_verdicts(of.loc[of["method"] == method]) for of in (none, improved))
                rows.append(
                    {"mart": f"fix_impact, {method}", "window": f"{weeks}+{weeks} weeks", "correlation": correlation,
                     "claimed": claimed, "planted": "10 points", "found": found}
                )  # fmt: skip
            rows.append(
                {
                    "mart": "fix_ticket_impact", "window": f"{weeks}+{weeks} weeks", "correlation": correlation,
                    "claimed": np.mean([_ticket(random, weeks, correlation, 0) for _ in range(draws)]), "planted": "-30 %",
                    "found": np.mean([_ticket(random, weeks, correlation, -0.3) for _ in range(draws)]),
                }
            )  # fmt: skip
        random = np.random.default_rng([14, int(10 * correlation)])
        rows.append(
            {
                "mart": "release_windows", "window": "14+14 days", "correlation": correlation,
                "claimed": np.mean([_release(random, correlation, 0) for _ in range(draws)]), "planted": "8 points",
                "found": np.mean([_release(random, correlation, 8) for _ in range(draws)]),
            }
        )  # fmt: skip
        for number, outcome in enumerate(("less effort", "fewer tickets", "faster resolution")):
            random = np.random.default_rng([12, number, int(10 * correlation)])
            # The jackknife of the resolution takes a hundred times as long.
            repeats = draws if outcome == "faster resolution" else 2 * draws
            claimed, found = (
                np.mean([_outcome(random, outcome, correlation, ratio) for _ in range(repeats)])
                for ratio in (1.0, 0.8)
            )
            rows.append(
                {"mart": f"outcomes, {outcome}", "window": "12+12 weeks", "correlation": correlation, "claimed": claimed,
                 "planted": "20 %", "found": found}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _verdicts(rows: pd.DataFrame) -> float:
    return float(rows["verdict"].isin(["improved", "worsened"]).mean())


def _ticket(random: np.random.Generator, weeks: int, correlation: float, change: float) -> bool:
    rows = fix_ticket_impact(ticket_evidence(random, weeks, correlation, change))
    return _verdicts(rows.loc[rows["method"] == IN_DIFFERENCES]) > 0


def _outcome(random: np.random.Generator, outcome: str, correlation: float, ratio: float) -> bool:
    rows = outcomes(outcome_evidence(random, outcome, 12, correlation, ratio))
    [row] = rows.loc[rows["outcome"] == outcome].to_dict("records")
    return bool(row["measured_ratio_low"] > 1 or row["measured_ratio_high"] < 1)


def _release(random: np.random.Generator, correlation: float, effect: float) -> bool:
    return (
        release_windows(release_evidence(random, 14, correlation, effect))["verdict"]
        .isin(["harder", "easier"])
        .any()
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=2_000, help="series a row of the first table")
    parser.add_argument("--marts", type=int, default=200, help="draws a row of the second table")
    arguments = parser.parse_args()
    print(steps(arguments.series).round(3).to_string(index=False), "\n")
    for correlation in CORRELATIONS:
        power = power_at_needed(arguments.series, correlation)
        print(f"found in windows of weeks_needed weeks, correlation {correlation}: {power:.3f}")
    print("\n", marts(arguments.marts).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
