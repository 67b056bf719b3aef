"""Protects the copies of the published figures in Dagster: assets after the file, whose failure is their own."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ces_pipeline import pipeline
from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs.exports import export_keys
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.defs.snapshot import PUBLISHED_FILE, snapshot_keys
from ces_pipeline.publish.checks import POISONED_ROWS_CAUGHT, CheckResult
from ces_pipeline.storage import last_results
from ces_pipeline_tests.lake_days import SmallHome, response, small_home

POSTGRES, BI = dg.AssetKey(["exports", "postgres"]), dg.AssetKey(["exports", "bi"])


def exporting(folder: Path, **exports: Any) -> SmallHome:
    small = small_home(folder, exports=exports)
    small.clean("survey", [response("a")])
    return small


def published_and_copied(small: SmallHome) -> dg.ExecuteInProcessResult:
    """A run as the sensor requests it: the file, then its copies."""
    with open_instance(small.home) as instance:
        return (
            build_definitions(small.home)
            .resolve_job_def("clean_and_publish")
            .execute_in_process(
                instance=instance,
                asset_selection=[*snapshot_keys(), *export_keys(small.registry)],
                raise_on_error=False,
            )
        )


def materialised(result: dg.ExecuteInProcessResult) -> set[dg.AssetKey]:
    return {
        event.asset_key for event in result.all_events if event.is_step_materialization and event.asset_key
    }


def test_only_the_copies_of_the_settings_are_assets_and_follow_the_file(tmp_path: Path) -> None:
    none = exporting(tmp_path / "none")
    assert export_keys(none.registry) == []
    both = exporting(tmp_path / "both", postgres={"url": "CES_PG"}, bi_files=True)
    definitions = build_definitions(both.home)
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    assert graph.get(POSTGRES).parent_keys == graph.get(BI).parent_keys == {PUBLISHED_FILE}


def test_a_copy_that_fails_leaves_the_published_file_and_the_other_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = exporting(tmp_path, postgres={"url": "CES_PG"}, bi_files=True, metrics_file="ces.prom")
    monkeypatch.setenv("CES_PG", "postgresql://owner:s3cret@127.0.0.1:1/ces")
    result = published_and_copied(small)
    assert not result.success
    assert {PUBLISHED_FILE, BI} <= materialised(result)
    assert POSTGRES not in materialised(result)
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_key == "exports__postgres"
    data = failed.step_failure_data.user_failure_data
    assert data is not None
    assert "no connection" in str(data.description)
    assert "s3cret" not in str(data.description)
    assert "s3cret" not in "".join(map(str, result.all_events))
    assert small.home.published.is_file()
    assert [kept.step for kept in last_results.last_results(small.lake)] == ["export-postgres"]
    assert "ces_failed_steps 1.0" in (tmp_path / "ces.prom").read_text()


def test_a_publish_that_is_refused_makes_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = exporting(tmp_path, bi_files=True)
    monkeypatch.setattr(pipeline, "prove", lambda: CheckResult(POISONED_ROWS_CAUGHT, 1, "one missed"))
    assert BI not in materialised(published_and_copied(small))
    assert not (tmp_path / "exports").exists()
