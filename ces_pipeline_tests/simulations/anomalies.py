"""How often the detector of `mart.anomalies_daily` sees an incident where nothing happened, and how late it sees one.

`python -m ces_pipeline_tests.simulations.anomalies [--series 150]` prints both tables.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ces_pipeline.statistics.detector import Findings, Grain, examine, stabilised

WEEKDAYS = np.array([1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.85])
"""Share of an average day's rows, from Monday."""
MEAN_EFFORT, SD_EFFORT = 40.0, 30.0
DAYS, CHANGE_DAY = 365, 203


@dataclass(frozen=True)
class Noise:
    """What moves days apart from chance. relative_sd, points: standard deviation of the effect of a day on a count (relative)
    and on mean effort. autocorrelation: of the effects of neighbouring days."""

    relative_sd: float = 0.0
    points: float = 0.0
    autocorrelation: float = 0.0


class Delay(NamedTuple):
    """median_days from a change to the alarm (inf: most never raise it), share of series with the alarm within 14 days,
    and of those with an alarm, the share with one incident within 60 days."""

    median_days: float
    within_14_days: float
    one_incident: float


def counts(
    rng: np.random.Generator, series: int, a_day: float, grain: Grain, noise: Noise, factor: float = 1.0
) -> Findings:
    """Days with so many rows on average; from CHANGE_DAY on, `factor` times as many."""
    mean = (
        a_day
        * WEEKDAYS[np.arange(DAYS) % 7][:, None]
        * np.exp(noise.relative_sd * _effects(rng, series, noise.autocorrelation))
    )
    mean[CHANGE_DAY:] *= factor
    rows = rng.poisson(mean).astype(float)
    if grain == "week":
        rows = _weeks(rows)
    return _examined(stabilised(rows), np.ones(rows.shape), np.ones(rows.shape), grain, is_count=True)


def efforts(
    rng: np.random.Generator, series: int, a_day: float, grain: Grain, noise: Noise, points: float = 0.0
) -> Findings:
    """Mean effort of so many answers a day; from CHANGE_DAY on, `points` higher."""
    n = rng.poisson(a_day, (DAYS, series)).astype(float)
    total = n * (MEAN_EFFORT + noise.points * _effects(rng, series, noise.autocorrelation))
    total += SD_EFFORT * np.sqrt(n) * rng.normal(size=n.shape)
    total[CHANGE_DAY:] += points * n[CHANGE_DAY:]
    if grain == "week":
        n, total = _weeks(n), _weeks(total)
    with np.errstate(invalid="ignore"):
        return _examined(total / n, n, np.full(n.shape, SD_EFFORT**2), grain)


def false_incidents_a_year(found: Findings, grain: Grain) -> float:
    """Incidents per series and year of steps with a verdict."""
    years = np.isfinite(found.z).sum() / (365 if grain == "day" else 365 / 7)
    return float(found.incident.max(axis=0).sum() / years)


def delay(found: Findings, grain: Grain) -> Delay:
    """How late the change on CHANGE_DAY raises an alarm."""
    length = 1 if grain == "day" else 7
    begin, end = CHANGE_DAY // length, (CHANGE_DAY + 60) // length
    alarm = (found.spike | found.drift)[begin:]
    raised = alarm.any(axis=0)
    days = np.where(raised, (alarm.argmax(axis=0) + 1) * length, np.inf)
    # An incident that a false alarm opened before the change goes on into it.
    opened = (
        found.incident[:end].max(axis=0)
        - found.incident[:begin].max(axis=0)
        + (found.incident[begin - 1] > 0)
    )
    seen = days <= 60
    return Delay(float(np.median(days)), float((days <= 14).mean()), float((opened[seen] <= 1).mean()))


def _effects(rng: np.random.Generator, series: int, autocorrelation: float) -> np.ndarray:
    """Effects of days with variance 1, autoregressive of order 1."""
    effects = rng.normal(size=(DAYS, series))
    for day in range(1, DAYS):
        effects[day] = autocorrelation * effects[day - 1] + np.sqrt(1 - autocorrelation**2) * effects[day]
    return effects


def _weeks(rows: np.ndarray) -> np.ndarray:
    return rows[: len(rows) // 7 * 7].reshape(-1, 7, rows.shape[1]).sum(axis=1)


def _examined(
    values: np.ndarray, weights: np.ndarray, least: np.ndarray, grain: Grain, *, is_count: bool = False
) -> Findings:
    days = pd.date_range("2024-01-01", periods=len(values), freq="D" if grain == "day" else "7D")
    month_days = np.stack([days.day, days.day - days.days_in_month - 1], axis=1)
    everywhere = np.ones(values.shape, dtype=bool)
    return examine(
        values, weights, least, everywhere, everywhere, month_days, grain, is_proportional=is_count
    )


NOISES = {
    "chance alone": Noise(),
    "days differ": Noise(0.17, 1.4),
    "autocorrelation .3": Noise(0.17, 1.4, 0.3),
    "autocorrelation .5": Noise(0.17, 1.4, 0.5),
}
RATES: tuple[tuple[float, Grain], ...] = ((10, "day"), (30, "day"), (100, "day"), (400, "day"), (3, "week"))
ANSWERS: tuple[tuple[float, Grain], ...] = ((50, "day"), (200, "day"), (15, "week"))


def false_table(series: int, seed: int = 20240101) -> Iterator[tuple[str, str, float]]:
    """Series, noise, false incidents per series and year."""
    rng = np.random.default_rng(seed)
    for name, noise in NOISES.items():
        for rate, grain in RATES:
            found = counts(rng, series, rate, grain, noise)
            yield f"{rate:g} rows a day, by {grain}", name, false_incidents_a_year(found, grain)
        for answers, grain in ANSWERS:
            found = efforts(rng, series, answers, grain, noise)
            yield (
                f"effort of {answers:g} answers a day, by {grain}",
                name,
                false_incidents_a_year(found, grain),
            )


def delay_table(series: int, seed: int = 20240102) -> Iterator[tuple[str, str, str, Delay]]:
    """Series, change, noise, delay."""
    rng = np.random.default_rng(seed)
    for name in ("chance alone", "days differ"):
        for rate, grain in RATES:
            for change, factor in (("half", 0.5), ("-30 %", 0.7), ("double", 2.0)):
                found = counts(rng, series, rate, grain, NOISES[name], factor)
                yield f"{rate:g} rows a day, by {grain}", change, name, delay(found, grain)
        for answers, grain in ANSWERS:
            for points in (5, 10):
                found = efforts(rng, series, answers, grain, NOISES[name], points)
                yield (
                    f"effort of {answers:g} answers a day, by {grain}",
                    f"+{points}",
                    name,
                    delay(found, grain),
                )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=150)
    series = parser.parse_args(arguments).series
    print(f"{'figure':<38}{'noise':<20}{'false incidents per series and year':>36}")
    for figure, noise, rate in false_table(series):
        print(f"{figure:<38}{noise:<20}{rate:>36.2f}")
    print(
        f"\n{'figure':<38}{'change':<10}{'noise':<16}{'median days':>12}{'in 14 days':>12}{'one incident':>14}"
    )
    for figure, change, noise, found in delay_table(series):
        print(
            f"{figure:<38}{change:<10}{noise:<16}{found.median_days:>12.0f}{found.within_14_days:>12.2f}"
            f"{found.one_incident:>14.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
