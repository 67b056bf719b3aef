"""Effort after a backend measure: unrelated series that are called related, planted lags that are found.

`python -m ces_pipeline_tests.simulations.lags [--series 200]` prints a row per kind of series and number of days.
"""

import argparse
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from ces_pipeline.statistics.lags import event_effort_lag
from ces_pipeline_tests.simulations.changes import correlated

MOST_LAGS = 7
_MEASURE_WEEK = np.array([0.0, 0.4, 0.2, 0.0, -0.4, 3.0, 3.4])
_EFFORT_WEEK = np.array([1.2, 0.4, 0.0, 0.0, -0.2, -1.8, -2.2])

Series = tuple[np.ndarray, np.ndarray]


def _drift(random: np.random.Generator, days: int, correlation: float) -> np.ndarray:
    return correlated(random, (1, days), correlation)[0]


def _weekdays(random: np.random.Generator, days: int) -> Series:
    return random.normal(size=days) + _MEASURE_WEEK[np.arange(days) % 7], random.normal(
        size=days
    ) + _EFFORT_WEEK[np.arange(days) % 7]


def _drifts_with_weekdays(random: np.random.Generator, days: int) -> Series:
    measure, effort = _weekdays(random, days)
    return measure + 2 * _drift(random, days, 0.9), effort + 2 * _drift(random, days, 0.9)


def _walks(random: np.random.Generator, days: int) -> Series:
    measure, effort = random.normal(size=(2, days)).cumsum(axis=1)
    return measure, effort


def _gaps(random: np.random.Generator, days: int) -> Series:
    measure, effort = _drifts_with_weekdays(random, days)
    effort[random.uniform(size=days) < 0.2] = np.nan
    return measure, effort


def _next_day(measure: np.ndarray, noise: np.ndarray, strength: float) -> Series:
    return measure, strength * np.append(0, measure[:-1]) + noise


def _next_day_white(random: np.random.Generator, days: int) -> Series:
    measure, effort = _weekdays(random, days)
    return measure, effort + np.append(0, (measure - _MEASURE_WEEK[np.arange(days) % 7])[:-1])


def _next_day_drift(random: np.random.Generator, days: int) -> Series:
    return _next_day(_drift(random, days, 0.8), random.normal(size=days), 1.0)


def _next_day_weak(random: np.random.Generator, days: int) -> Series:
    return _next_day(_drift(random, days, 0.5), random.normal(size=days), 0.5)


UNRELATED: dict[str, Callable[[np.random.Generator, int], Series]] = {
    "weekdays": _weekdays,
    "weekdays and drifts (.9)": _drifts_with_weekdays,
    "the same, a fifth missing": _gaps,
    "random walks": _walks,
}
NEXT_DAY: dict[str, Callable[[np.random.Generator, int], Series]] = {
    "next day, weekdays": _next_day_white,
    "next day, drift (.8)": _next_day_drift,
    "next day, weak, drift (.5)": _next_day_weak,
}
"""Effort follows the measure one day later, positively, and nothing else."""


def table(
    series: int, kinds: Iterable[str] = (*UNRELATED, *NEXT_DAY), lengths: Iterable[int] = (60, 112, 180)
) -> pd.DataFrame:
    """One row per kind and number of days: shares of series that are related, at lag 1, and with a negative sign."""
    rows = []
    for kind in kinds:
        make = (UNRELATED | NEXT_DAY)[kind]
        for days in lengths:
            random = np.random.default_rng([len(kind), days])
            found = pd.concat([_judged(*make(random, days)) for _ in range(series)])
            rows.append(
                {
                    "series": kind, "days": days, "related": len(found) / series,
                    "related_at_lag_1": (found["lag_days"] == 1).sum() / series,
                    "related_negatively": (found["correlation"] < 0).sum() / series,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _judged(measured: np.ndarray, effort: np.ndarray) -> pd.DataFrame:
    rows = event_effort_lag(
        pd.DataFrame(
            {"measure": "m", "category": "c", "measured": measured, "effort": effort, "most_lag_days": MOST_LAGS, "minimum_n": 30}
        )
    )  # fmt: skip
    return rows.loc[rows["verdict"] == "related"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200, help="series a row")
    print(table(parser.parse_args().series).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
