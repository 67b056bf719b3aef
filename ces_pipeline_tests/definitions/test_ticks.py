"""Protects the ticks of a home that lands every few minutes: one run at a time, and a tick that is skipped is recorded."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.load_target import ModuleTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.defs.jobs import LAND
from ces_pipeline.defs.probe import PROBE
from ces_pipeline_tests.lake_days import SmallHome, small_home

EVERY = timedelta(minutes=5)
START = datetime(2026, 3, 20, 12, 1, tzinfo=UTC)


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    return small_home(tmp_path, land_every_minutes=5, probe_every_minutes=None)


@pytest.fixture
def instance(small: SmallHome) -> Iterator[dg.DagsterInstance]:
    with open_instance(small.home) as opened:
        yield opened


def at_work(instance: dg.DagsterInstance, job: str) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED))


def test_a_tick_lands_unless_a_run_is_at_work(small: SmallHome, instance: dg.DagsterInstance) -> None:
    schedule = build_definitions(small.home).resolve_schedule_def("every_few_minutes")

    def tick() -> tuple[int, str | None]:
        """(Runs that a tick requests, why it was skipped)."""
        with dg.build_schedule_context(instance=instance, scheduled_execution_time=START) as context:
            found = schedule.evaluate_tick(context)
        return len(found.run_requests or ()), found.skip_message

    assert tick() == (1, None)
    at_work(instance, PROBE)
    assert tick() == (1, None)
    run = at_work(instance, "clean_and_publish")
    requested, why = tick()
    assert requested == 0
    assert run.run_id in (why or "")
    instance.report_run_canceled(run)
    assert tick() == (1, None)


@pytest.mark.slow
def test_dagsters_scheduler_keeps_one_run_at_work_and_records_the_skipped_ticks(
    small: SmallHome, instance: dg.DagsterInstance
) -> None:
    target = ModuleTarget("ces_pipeline.definitions", None, None, "ces_pipeline")
    with create_test_daemon_workspace_context(target, instance) as workspace:

        def ticked(now: datetime) -> list[TickStatus]:
            """The ticks so far, the oldest first, after the scheduler has looked at this moment."""
            with freeze_time(now):
                list(launch_scheduled_runs(workspace, logging.getLogger("test"), now, {}))
            (state,) = [
                found
                for found in instance.all_instigator_state()
                if found.instigator_name == "every_few_minutes"
            ]
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id)
            return [found.status for found in reversed(ticks)]

        assert ticked(START) == []
        # The run that it requests waits in the queue, since nothing takes it from there.
        done = [TickStatus.SUCCESS]
        assert ticked(START + EVERY) == done
        assert ticked(START + 2 * EVERY) == [*done, TickStatus.SKIPPED]
        (run,) = instance.get_runs(dg.RunsFilter(job_name=LAND))
        instance.report_run_canceled(run)
        assert ticked(START + 3 * EVERY) == [*done, TickStatus.SKIPPED, TickStatus.SUCCESS]
        assert instance.get_runs_count(dg.RunsFilter(job_name=LAND)) == 2
