"""Weeks compared with the week before: surveys without any change, with and without days that resemble themselves.

`python -m ces_pipeline_tests.simulations.period_changes [--families 1000]` prints a row per correlation within days, share
of the best answer (top box) and n of a week.
"""

import argparse
from collections.abc import Iterable

import numpy as np
import pandas as pd

from ces_pipeline.statistics.period_changes import period_changes
from ces_pipeline_tests.simulations.segments import EASES, answers, shifted

CORRELATIONS = (0.0, 0.02, 0.05)
TOP_BOXES = (0.35, 0.6, 0.9)
SIZES = (30, 100, 300)
SURVEYS, WEEKS, DAYS = 6, 9, 7


def compared(
    random: np.random.Generator,
    chances: np.ndarray,
    harder: float,
    n: int,
    correlation: float,
    families: int,
    *,
    as_independent: bool = False,
) -> pd.DataFrame:
    """Rows of `period_changes` for the newest week: SURVEYS surveys a family, the first `harder` by so many points.

    Every survey has WEEKS weeks of n answers, spread over the days. A day's answers are drawn from chances of its own
    (Dirichlet), under which two of them correlate by `correlation`. as_independent: the evidence says that days do not
    differ.
    """
    shape = (families, SURVEYS, WEEKS, DAYS)
    sizes = random.multinomial(n, np.full(DAYS, 1 / DAYS), shape[:3])
    of_survey = np.broadcast_to(chances, (*shape, 7)).copy()
    if harder:
        of_survey[:, 0, -1] = shifted(chances, harder)
    if correlation:
        of_survey = random.standard_gamma(of_survey * (1 / correlation - 1))
        of_survey /= of_survey.sum(axis=-1, keepdims=True)
    counts = random.multinomial(sizes, of_survey)
    sums = {
        "n": counts.sum(axis=-1),
        "ease_sum_0_100": counts @ EASES,
        "ease_square_sum_0_100": counts @ EASES**2,
        "ease_cube_sum": counts @ EASES**3,
    }
    weekly = {name: day.sum(axis=-1) for name, day in sums.items()}
    weekly["day_n_square_sum"] = (sums["n"] ** 2).sum(axis=-1)
    weekly["days"] = (sums["n"] > 0).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        means = np.where(sums["n"] > 0, sums["ease_sum_0_100"] ** 2 / sums["n"], 0)
    weekly["day_ease_square_sum"] = (
        weekly["ease_sum_0_100"] ** 2 / n if as_independent else means.sum(axis=-1)
    )
    family, survey, week = (axis.ravel() for axis in np.indices(shape[:3]))
    rows = pd.DataFrame({name: values.ravel() for name, values in weekly.items()})
    rows = rows.assign(survey_id=family * SURVEYS + survey, period_start=family * WEEKS + week)
    before = rows.groupby("survey_id")[[*sums, "day_n_square_sum"]].shift(1).add_suffix("_before")
    rows = pd.concat([rows, before], axis=1)
    rows["why_null"] = np.where(week == 0, "no week before", None)
    found = period_changes(rows)
    return found.loc[found["period_start"] % WEEKS == WEEKS - 1].assign(
        survey=lambda newest: newest["survey_id"] % SURVEYS
    )


def table(
    families: int,
    correlations: Iterable[float] = CORRELATIONS,
    top_boxes: Iterable[float] = TOP_BOXES,
    sizes: Iterable[int] = SIZES,
) -> pd.DataFrame:
    """One row per correlation, top box and n.

    any_of_6: families without any change that have a verdict; as_independent: with answers taken as independent. covered: intervals that hold the true change, without a
    change and 15 points harder. found_15, found_25: that survey is called harder.
    """
    rows = []
    for correlation in correlations:
        for top_box in top_boxes:
            for n in sizes:
                random = np.random.default_rng([int(1000 * correlation), int(100 * top_box), n])
                chances = answers("falling", top_box)
                null = compared(random, chances, 0, n, correlation, families)
                row: dict[str, object] = {"correlation": correlation, "top_box": top_box, "n": n}
                row["any_of_6"] = _claimed(null)
                row["as_independent"] = _claimed(
                    compared(random, chances, 0, n, correlation, families, as_independent=True)
                )
                row["covered_same"] = _covered(null, 0.0)
                for points in (15, 25):
                    found = compared(random, chances, points, n, correlation, families)
                    first = found.loc[found["survey"] == 0]
                    if points == 15:
                        row["covered_15"] = _covered(first, -15.0)
                    row[f"found_{points}"] = (first["verdict"] == "harder").mean()
                rows.append(row)
    return pd.DataFrame(rows)


def _claimed(rows: pd.DataFrame) -> float:
    claimed = rows["verdict"].isin(["easier", "harder"])
    return float(claimed.groupby(rows["period_start"]).any().mean())


def _covered(rows: pd.DataFrame, true: float) -> float:
    return float(((rows["change_low_0_100"] <= true) & (true <= rows["change_high_0_100"])).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=1_000, help="families a row")
    print(table(parser.parse_args().families).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
