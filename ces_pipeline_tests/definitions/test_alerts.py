"""Protects the job and the sensor of alerts: asked for when something is due, after a failed run too, and not again."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs.alerts import ALERT
from ces_pipeline.defs.failed_runs import failed_runs
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.defs.jobs import LAND
from ces_pipeline.storage import last_results
from ces_pipeline.watch import log
from ces_pipeline.watch.incidents import fold
from ces_pipeline_tests.lake_days import SmallHome, small_home
from ces_pipeline_tests.unit.watch.test_channels import KEY, Hook

RULES = [
    {"id": "source", "owner": "me", "severity": "critical", "channels": ["hook"], "sources": "all"},
    {"id": "run", "owner": "me", "severity": "critical", "channels": ["hook"], "runs": "all"},
]


class NowHook(Hook):
    """A receiver by the machine's clock."""

    @property
    def now_s(self) -> float:
        return datetime.now(UTC).timestamp()


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    found = small_home(tmp_path)
    channel = {"id": "hook", "kind": "webhook", "url": "HOOK_URL", "secret": "HOOK_SECRET"}
    (tmp_path / "registry" / "alerts.yaml").write_text(
        yaml.safe_dump({"channels": [channel], "rules": RULES}), encoding="utf-8"
    )
    return found


@pytest.fixture
def instance(small: SmallHome) -> Iterator[dg.DagsterInstance]:
    with open_instance(small.home) as opened:
        yield opened


def tick(small: SmallHome, instance: dg.DagsterInstance) -> list[str | None]:
    """The keys of the runs that the sensor requests."""
    repository = build_definitions(small.home).get_repository_def()
    context = dg.build_sensor_context(instance=instance, repository_def=repository)  # type: ignore[arg-type]
    data = repository.get_sensor_def("alerts_sensor").evaluate_tick(context)
    return [request.run_key for request in data.run_requests or []]


def run(small: SmallHome, instance: dg.DagsterInstance) -> bool:
    job = build_definitions(small.home).resolve_job_def(ALERT)
    return job.execute_in_process(instance=instance, raise_on_error=False).success


def test_a_failed_source_is_reported_once_and_its_recovery_once(
    small: SmallHome, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tick(small, instance) == []
    last_results.record(small.lake, "land-web", [""], {"": ["export.csv: no header"]})
    asked = tick(small, instance)
    assert len(asked) == 1
    assert tick(small, instance) == asked
    with NowHook() as hook:
        monkeypatch.setenv("HOOK_URL", f"{hook.url}/in")
        monkeypatch.setenv("HOOK_SECRET", base64.b64encode(KEY).decode())
        assert run(small, instance)
        assert tick(small, instance) == []
        last_results.record(small.lake, "land-web", [""], {})
        assert len(tick(small, instance)) == 1
        assert run(small, instance)
        assert [sent.json["type"] for sent in hook.asked] == ["incident.opened", "incident.recovered"]


def test_a_channel_that_fails_makes_the_run_red_and_keeps_the_incident(
    small: SmallHome, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_URL", raising=False)
    last_results.record(small.lake, "land-web", [""], {"": ["export.csv: no header"]})
    assert not run(small, instance)
    (incident,) = fold(log.read_events(small.lake)).values()
    assert incident.is_open
    assert len(tick(small, instance)) == 1


def test_a_run_that_failed_without_a_failed_step_is_an_incident_until_one_succeeds(
    small: SmallHome, instance: dg.DagsterInstance
) -> None:
    land = build_definitions(small.home).resolve_job_def(LAND)
    died = instance.create_run_for_job(land)
    instance.report_run_failed(died)
    assert {job: found and found.status for job, found in failed_runs(small.home.dagster).items()} == {
        LAND: "FAILURE"
    }
    assert len(tick(small, instance)) == 1
    run(small, instance)
    (incident,) = fold(log.read_events(small.lake)).values()
    assert (incident.series.dimension, incident.series.segment) == ("job", LAND)


def test_a_run_in_progress_is_waited_for(small: SmallHome, instance: dg.DagsterInstance) -> None:
    last_results.record(small.lake, "land-web", [""], {"": ["export.csv: no header"]})
    land = build_definitions(small.home).resolve_job_def(LAND)
    instance.create_run_for_job(land, status=dg.DagsterRunStatus.STARTED)
    assert tick(small, instance) == []


def test_a_failed_run_after_which_a_publish_ended_well_is_no_incident(
    small: SmallHome, instance: dg.DagsterInstance
) -> None:
    instance.report_run_failed(
        instance.create_run_for_job(build_definitions(small.home).resolve_job_def(LAND))
    )
    assert len(tick(small, instance)) == 1
    log.note_published(small.lake)
    assert tick(small, instance) == []
