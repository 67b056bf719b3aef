"""Protects a publish from what happens during it: a day that is cleaned again, a delivery that lands."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.publish import inputs as inputs_of
from ces_pipeline.publish import step
from ces_pipeline.publish.step import ChangedDayError, publish
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.builders import answer, inbox_home
from ces_pipeline_tests.drills.homes import clean, land
from ces_pipeline_tests.lake_days import DAY, SmallHome, proved, response, small_home


@pytest.fixture
def small(tmp_path: Path) -> SmallHome:
    small = small_home(tmp_path / "home")
    small.clean("survey", [response("a", DAY)])
    return small


@pytest.mark.parametrize("moment", ["before the files are checked", "while they are loaded"])
def test_a_day_that_is_cleaned_again_during_a_publish_is_published_as_it_is_now(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    name = {"before the files are checked": "_verify", "while they are loaded": "create_tables"}[moment]
    step_before = getattr(step, name)
    cleanings = 0

    def interrupted(*given: Any) -> None:
        nonlocal cleanings
        cleanings += 1
        if cleanings == 1:
            small.clean("survey", [response("a", DAY), response("b", DAY)])
        step_before(*given)

    monkeypatch.setattr(step, name, interrupted)
    result = publish(small.home, small.registry, small.state, run_id="run-1", prove=proved)
    assert cleanings == 2
    assert result.rows["core.responses"] == 2
    assert small.rows("SELECT rejected + accepted FROM audit.load_audit WHERE is_current") == [(2,)]


def test_a_file_that_no_cleaning_changed_is_refused(small: SmallHome) -> None:
    path = small.home.lake / small.lake.day_file("core.responses", DAY)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ChangedDayError, match=str(DAY)):
        publish(small.home, small.registry, small.state, run_id="run-1", prove=proved)


def test_a_delivery_that_lands_while_the_inputs_are_read_does_not_unbalance_the_books(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = inbox_home(tmp_path / "home")
    small.drop("1.csv", [answer(1)])
    land(small.home)
    clean(small.home)
    small.drop("2.csv", [answer(2)])
    read = inputs_of.read_load_audit
    readings = 0

    def interrupted(lake: Any) -> Any:
        nonlocal readings
        readings += 1
        if readings == 1:
            land(small.home)
        return read(lake)

    monkeypatch.setattr(inputs_of, "read_load_audit", interrupted)
    result = pipeline.publish(small.home, load_registry(small.home.registry), run_id="run-1")
    assert readings == 2
    assert result.published, result.blocking_failures
