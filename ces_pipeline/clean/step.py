"""Cleans many days: one after the other, or in parallel through a standard executor if there is much to do."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from ces_pipeline.clean.context import SpeedLimit
from ces_pipeline.clean.day import DayResult, clean_days
from ces_pipeline.clean.day import changed_verdicts as verdicts_of_days
from ces_pipeline.clean.day import would_change as changes_of_days
from ces_pipeline.clean.inputs import INCOMPLETE, Planner
from ces_pipeline.clean.plan import DayPlan
from ces_pipeline.clean.raw_files import damaged_files
from ces_pipeline.clean.speed import speed_limits
from ces_pipeline.clean.verdict_changes import VERDICT_COLUMNS
from ces_pipeline.clean.workers import ROWS_WORTH_WORKERS, worker_pool
from ces_pipeline.home import Home
from ces_pipeline.registry.registry import Registry
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.storage.machine import machine, use_machine
from ces_pipeline.storage.memory import give_memory_back

# Small days are cleaned together: a pass over a frame costs a few milliseconds, for one row or for many.
_ROWS_TOGETHER, _DAYS_TOGETHER = 110_000, 60


def clean(
    home: Home,
    registry: Registry,
    kind: str,
    days: Sequence[date],
    *,
    run_id: str,
    executor: Executor | None = None,
) -> Iterator[DayResult]:
    """Clean these days of a kind; yields the result of each day as it is written, in order.

    executor: runs the days; by default worker processes if there is enough work, else this process.
    """
    lake = Lake(home.lake)
    give_memory_back()
    with exclusive(home.lake / f".cleaning-{kind}.lock"):
        planner = Planner(lake, registry, kind)
        plans = [planner.plan(day) for day in sorted(set(days))]
        reached = {plan.day for plan in plans} | {file.day for plan in plans for file in plan.lookback}
        limits, incomplete = _speed_limits(lake, planner, sorted(reached))
        plans = [replace(plan, inputs=INCOMPLETE) if plan.day in incomplete else plan for plan in plans]
        batches = list(_batches(plans))
        workers = registry.settings.workers or machine().workers(len(batches))
        if executor is not None:
            yield from _fan_out(executor, home.lake, batches, registry, limits, run_id)
        elif workers > 1 and sum(plan.rows for plan in plans) >= ROWS_WORTH_WORKERS:
            with worker_pool(workers) as pool:
                yield from _fan_out(pool, home.lake, batches, registry, limits, run_id)
        else:
            for batch in batches:
                yield from clean_days(lake, batch, registry, limits, run_id)


def changed_verdicts(home: Home, registry: Registry, days: Sequence[date]) -> pd.DataFrame:
    """The responses of these days that would be judged otherwise than they are; writes nothing.

    Columns: response_key, delivery_id, source_id, survey_id, day, verdict_before, verdict_now, reasons_before,
    reasons_now. Raises an error of UNREADABLE if a raw file is missing or damaged.
    """
    lake = Lake(home.lake)
    planner = Planner(lake, registry, "survey")
    plans = [planner.plan(day) for day in sorted(set(days))]
    reached = {plan.day for plan in plans} | {file.day for plan in plans for file in plan.lookback}
    limits, _ = _speed_limits(lake, planner, sorted(reached))
    found = [verdicts_of_days(lake, batch, registry, limits) for batch in _batches(plans)]
    return pd.concat([pd.DataFrame(columns=list(VERDICT_COLUMNS)), *found], ignore_index=True)


def would_change(
    home: Home, registry: Registry, kind: str, days: Sequence[date]
) -> Iterator[tuple[DayPlan, dict[str, int]]]:
    """What cleaning these days of a kind again would change, in words with the number of rows; writes nothing.

    Cleaning waits until the last day is done: a day that is cleaned meanwhile would look changed.
    """
    lake = Lake(home.lake)
    with exclusive(home.lake / f".cleaning-{kind}.lock"):
        planner = Planner(lake, registry, kind)
        plans = [planner.plan(day) for day in sorted(set(days))]
        reached = {plan.day for plan in plans} | {file.day for plan in plans for file in plan.lookback}
        limits, _ = _speed_limits(lake, planner, sorted(reached))
        for batch in _batches(plans):
            found = changes_of_days(lake, batch, registry, limits)
            yield from ((plan, found[plan.day]) for plan in batch)
            give_memory_back()


def _speed_limits(
    lake: Lake, planner: Planner, days: list[date]
) -> tuple[dict[date, dict[str, SpeedLimit]], set[date]]:
    """The speed limits of these days, and the days whose limits lack responses because a raw file is unreadable."""
    if planner.kind != "survey":
        return {}, set()
    files = planner.speed_files(days)
    try:
        return speed_limits(lake, planner.registry, files, days), set()
    except (*UNREADABLE, duckdb.Error):
        lost = damaged_files(lake, files)
        if not lost:
            raise
    readable = [file for file in files if file.path not in lost]
    window = planner.registry.settings.speed_window_days
    lost_days = {file.day for file in files if file.path in lost}
    incomplete = {day + timedelta(step) for day in lost_days for step in range(1, window + 1)}
    return speed_limits(lake, planner.registry, readable, days), incomplete


def _batches(plans: list[DayPlan]) -> Iterator[list[DayPlan]]:
    batch: list[DayPlan] = []
    rows = 0
    for plan in plans:
        if batch and (rows + plan.rows > _ROWS_TOGETHER or len(batch) == _DAYS_TOGETHER):
            yield batch
            batch, rows = [], 0
        batch.append(plan)
        rows += plan.rows
    if batch:
        yield batch


def _fan_out(
    executor: Executor,
    lake_root: Path,
    batches: list[list[DayPlan]],
    registry: Registry,
    limits: dict[date, dict[str, SpeedLimit]],
    run_id: str,
) -> Iterator[DayResult]:
    futures = []
    for batch in batches:
        reached = {plan.day for plan in batch} | {file.day for plan in batch for file in plan.lookback}
        needed = {day: limits[day] for day in reached if day in limits}
        futures.append(executor.submit(_clean_in_worker, lake_root, batch, registry, needed, run_id))
    for future in futures:
        yield from future.result()


def _clean_in_worker(
    lake_root: Path,
    batch: list[DayPlan],
    registry: Registry,
    limits: dict[date, dict[str, SpeedLimit]],
    run_id: str,
) -> list[DayResult]:
    use_machine(registry.settings.machine.threads, registry.settings.machine.memory_mb)
    return clean_days(Lake(lake_root), batch, registry, limits, run_id)
