"""What `mart.outcomes` says about the time to resolution if it never changes, and if it doubles.

`python -m ces_pipeline_tests.simulations.resolution_time [--seeds 60]` prints one line per case. Tickets are opened
evenly over 196 days, with lognormal times to resolution (log standard deviation 1.2). The export begins with the tickets
opened since the first day, and tickets that are not resolved on the last day are open. The two windows have 84 days.
"""

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry
from ces_pipeline_tests.sql.snapshots import derived

DAYS, WINDOW, TICKETS_A_DAY, LOG_SD = 196, 84, 24, 1.2
MEDIAN_DAYS = (0.25, 1.0, 2.0, 5.0, 10.0)
_FIRST = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)


class Found(NamedTuple):
    """Over the seeds: the mean measured share, its error, and the share of intervals that exclude the planted one."""

    mean_share: float
    error: float
    missed_share: float


def tickets(seed: int, median_days: float, factor: float) -> list[dict[str, object]]:
    """Rows of mart.ticket_effort. factor: the tickets of the second half take so many times as long."""
    chance = np.random.default_rng([seed, round(100 * median_days)])
    opened = np.arange(TICKETS_A_DAY * DAYS) / TICKETS_A_DAY
    waits = median_days * np.exp(LOG_SD * chance.normal(size=len(opened)))
    waits = np.where(opened >= DAYS / 2, factor * waits, waits)
    rows = []
    for number, (day, wait) in enumerate(zip(opened, waits, strict=True)):
        created, solved = _FIRST + timedelta(days=day), _FIRST + timedelta(days=day + wait)
        is_resolved = day + wait < DAYS
        rows.append(
            {
                "ticket_key": f"t{number}",
                "source_id": "desk",
                "category": "billing",
                "priority": "normal",
                "is_deleted": False,
                "created_at": created,
                "created_day": created.date(),
                "resolved_day": solved.date() if is_resolved else None,
                "resolution_minutes": wait * 1440 if is_resolved else None,
            }
        )
    return rows


def measured(here: Registry, seed: int, median_days: float, factor: float) -> tuple[float, float, float]:
    """The share of `faster resolution` with the ends of its interval, from the ratio: a share has no values below -1."""
    with derived(
        here, ["mart.outcomes"], {"mart.ticket_effort": tickets(seed, median_days, factor)}
    ) as snapshot:
        row = snapshot.row("FROM mart.outcomes WHERE outcome = 'faster resolution'")
    assert row["state"] == "measured", row["why"]
    return 1 - row["measured_ratio"], 1 - row["measured_ratio_high"], 1 - row["measured_ratio_low"]


def simulate(median_days: float, factor: float, seeds: int) -> Found:
    """Seeds 0, 1, ..."""
    with tempfile.TemporaryDirectory() as folder:
        here = registry(Path(folder), outcome_window_days=WINDOW, minimum_n=30)
        rows = np.array([measured(here, seed, median_days, factor) for seed in range(seeds)])
    share, low, high = rows.T
    planted = 1 - factor
    return Found(
        float(share.mean()),
        float(share.std(ddof=1) / np.sqrt(seeds)),
        float(np.mean((planted < low) | (planted > high))),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", type=int, default=60)
    seeds = options.parse_args().seeds
    print(
        f"{seeds} seeds\nmedian days  times as long  mean share  (error)  intervals without the planted share"
    )
    for factor in (1.0, 2.0):
        for median_days in MEDIAN_DAYS:
            found = simulate(median_days, factor, seeds)
            print(
                f"{median_days:11}  {factor:13}  {found.mean_share:10.3f}  {found.error:7.3f}  {found.missed_share:.2f}"
            )


if __name__ == "__main__":
    main()
