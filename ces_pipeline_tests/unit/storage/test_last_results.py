"""Protects what `ces doctor` knows of the last run: what failed stays known until the same step does it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.last_results import last_results, record, recorded, results_file


def test_a_step_that_did_everything_leaves_no_file(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    record(lake, "publish", [""], {})
    assert last_results(lake) == []
    assert list(tmp_path.iterdir()) == []


def test_a_failure_stays_until_the_same_subject_is_done(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    before = datetime.now(UTC)
    record(
        lake, "clean-survey", ["2026-03-01", "2026-03-02"], {"2026-03-01": ["lost"], "2026-03-02": ["lost"]}
    )
    record(lake, "land-web", [""], {"": ["web: a.csv: cut off"]})
    # The first of March is not cleaned again: its failure stays.
    record(lake, "clean-survey", ["2026-03-02", "2026-03-03"], {})
    survey, web = last_results(lake)
    assert (survey.step, survey.failures) == ("clean-survey", {"2026-03-01": ["lost"]})
    assert (web.step, web.failures) == ("land-web", {"": ["web: a.csv: cut off"]})
    assert before <= web.at <= datetime.now(UTC)
    record(lake, "clean-survey", ["2026-03-01"], {})
    assert [result.step for result in last_results(lake)] == ["land-web"]


def test_an_error_is_recorded_and_raised_and_only_its_kind_if_it_is_internal(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(HomeError), recorded(lake, "publish"):
        raise HomeError("the disk is full")
    with pytest.raises(KeyError), recorded(lake, "land-web"):
        raise KeyError("ann@example.org")
    web, publish = last_results(lake)
    assert publish.failures == {"": ["the disk is full"]}
    (line,) = web.failures[""]
    assert "KeyError" in line
    assert "example.org" not in line


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"at": "soon", "failures": {}}', b"\xff\xfe"])
def test_a_damaged_file_is_named_and_the_next_run_replaces_it(tmp_path: Path, content: bytes) -> None:
    lake = Lake(tmp_path)
    lake.write_bytes(results_file("publish"), content)
    with pytest.raises(CesError, match=r"results/publish\.json"):
        last_results(lake)
    record(lake, "publish", [""], {"": ["blocked"]})
    assert last_results(lake)[0].failures == {"": ["blocked"]}


def test_a_folder_in_its_place_is_named_and_the_next_run_replaces_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    (tmp_path / results_file("publish")).mkdir(parents=True)
    with pytest.raises(CesError, match=r"results/publish\.json"):
        last_results(lake)
    record(lake, "publish", [""], {"": ["blocked"]})
    assert last_results(lake)[0].failures == {"": ["blocked"]}
