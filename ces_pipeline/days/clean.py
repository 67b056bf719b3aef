"""Cleaning many days: one after the other, or side by side through a standard executor when there is much to do."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import date
from pathlib import Path

from ces_pipeline.cleaning.evidence import SpeedLimit
from ces_pipeline.days.plan import DayPlan, Planner
from ces_pipeline.days.raw import speed_limits
from ces_pipeline.days.work import DayResult, clean_day
from ces_pipeline.registry.models import Registry
from ces_pipeline.settings import Home
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

# Below this many rows the start of worker processes costs more than they save.
_ROWS_WORTH_WORKERS = 200_000


def clean(
    home: Home, registry: Registry, kind: str, days: Sequence[date], *, run_id: str, executor: Executor | None = None
) -> Iterator[DayResult]:
    """Clean these days of a kind (`survey` or `tickets`), yielding each as it is written, in order.

    executor: where days are fanned out to; by default worker processes when the work is worth them, else none.
    """
    lake = Lake(home.lake)
    with exclusive(home.lake / f".cleaning-{kind}.lock"):
        planner = Planner(lake, registry, kind)
        chosen = sorted(set(days))
        limits = speed_limits(lake, planner, chosen)
        plans = [planner.plan(day) for day in chosen]
        workers = registry.settings.workers or min(len(plans), os.cpu_count() or 1)
        if executor is not None:
            yield from _fan_out(executor, home.lake, plans, registry, limits, run_id)
        elif workers > 1 and sum(plan.rows for plan in plans) >= _ROWS_WORTH_WORKERS:
            with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
                yield from _fan_out(pool, home.lake, plans, registry, limits, run_id)
        else:
            for plan in plans:
                yield clean_day(lake, plan, registry, limits.get(plan.day, {}), run_id)


def _fan_out(
    executor: Executor,
    lake_root: Path,
    plans: list[DayPlan],
    registry: Registry,
    limits: dict[date, dict[str, SpeedLimit]],
    run_id: str,
) -> Iterator[DayResult]:
    futures = [
        executor.submit(_clean_in_worker, lake_root, plan, registry, limits.get(plan.day, {}), run_id) for plan in plans
    ]
    for future in futures:
        yield future.result()


def _clean_in_worker(
    lake_root: Path, plan: DayPlan, registry: Registry, limits: dict[str, SpeedLimit], run_id: str
) -> DayResult:
    return clean_day(Lake(lake_root), plan, registry, limits, run_id)
