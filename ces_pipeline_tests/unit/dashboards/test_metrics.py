"""Protects the metrics: what Prometheus parses is what the marts say, and what is suppressed has no series."""

import math
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ces_pipeline import pipeline
from ces_pipeline.dashboards.metrics import Family, families, metrics_text, write_metrics
from ces_pipeline.errors import HomeError, RegistryError
from ces_pipeline.home import Home
from ces_pipeline.publish.checks import POISONED_ROWS_CAUGHT, CheckResult
from ces_pipeline.storage import last_results
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import answer, inbox_home
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.lake_days import DAY, SmallHome, days_from, rejected, response, small_home

PROMTOOL = shutil.which("promtool")
Samples = dict[str, dict[tuple[str, ...], float]]


def samples(text: str) -> Samples:
    """Metric -> values of its labels, in the order of their names -> value, by the standard parser."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        for sample in family.samples:
            assert sample.timestamp is None
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {})
            found[sample.name][labels] = sample.value
    return found


def of_home(home: Home) -> Samples:
    return samples(metrics_text(families(home)))


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Complete weeks from 2 March: three answers a day, then one; minimum n 20. Received on 20 March."""
    inbox = inbox_home(tmp_path_factory.mktemp("weeks"), settings={"minimum_n": 20})
    rows = [
        answer(f"{day:%d}-{number}", score=(5, 4, 1)[number], recorded=f"{day}T12:00:00Z")
        for week, day in enumerate(days_from(DAY, 15))
        for number in range(3 if week < 7 else 1)
    ]
    inbox.drop("a.csv", rows)
    run(inbox.home)
    return inbox.home


@pytest.fixture(scope="module")
def one_week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The first of these weeks, and a day of the next."""
    inbox = inbox_home(tmp_path_factory.mktemp("week"), settings={"minimum_n": 20})
    rows = [
        answer(f"{day:%d}-{number}", score=(5, 4, 1)[number], recorded=f"{day}T12:00:00Z")
        for day in days_from(DAY, 8)
        for number in range(3)
    ]
    inbox.drop("a.csv", rows)
    run(inbox.home)
    return inbox.home


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """33 accepted answers, one rejected, two superseded, four delivered again."""
    small = small_home(tmp_path_factory.mktemp("home"))
    answers = [response(f"a{number}") for number in range(33)]
    small.clean("survey", answers, [rejected("x")], superseded=2, redelivered=4)
    assert small.publish().published
    return small


def test_a_suppressed_week_has_its_n_and_no_series_of_a_figure(two_weeks: Home) -> None:
    found = of_home(two_weeks)
    assert found["ces_week_responses"] == {("after_chat",): 7}
    assert [name for name in found if name.startswith("ces_week_") and name.endswith("_ratio")] == []


def test_the_newest_complete_week_equals_the_mart(one_week: Home) -> None:
    found = of_home(one_week)
    with open_published(one_week.published) as connection:
        ((n, ease, low, high, difficult),) = connection.execute(
            "SELECT n, mean_ease_0_100, ease_low_0_100, ease_high_0_100, difficult_share FROM mart.week_changes "
            "WHERE is_whole_week"
        ).fetchall()
    # Each day has the scores 5, 4 and 1 of five: ease 100, 75 and 0.
    assert (n, difficult) == (21, pytest.approx(1 / 3))
    assert ease == pytest.approx(175 / 3)
    assert found["ces_week_start_timestamp_seconds"] == {
        ("after_chat",): 86_400 * (DAY - date(1970, 1, 1)).days
    }
    assert found["ces_week_responses"] == {("after_chat",): 21}
    assert found["ces_week_ease_ratio"] == {("after_chat",): ease / 100}
    assert found["ces_week_ease_low_ratio"] == {("after_chat",): low / 100}
    assert found["ces_week_ease_high_ratio"] == {("after_chat",): high / 100}
    assert found["ces_week_difficult_ratio"] == {("after_chat",): difficult}


def test_rows_of_a_source_by_outcome_add_up_to_what_landed(small: SmallHome) -> None:
    rows = {
        outcome: n
        for (outcome, source), n in of_home(small.home)["ces_source_rows"].items()
        if source == "web"
    }
    assert rows == {
        "accepted": 33,
        "rejected": 1,
        "redelivered": 4,
        "superseded": 2,
        "unlanded": 0,
        "erased": 0,
    }


def test_every_name_and_unit_is_one_that_prometheus_asks_for(one_week: Home) -> None:
    found = of_home(one_week)
    assert {name for name in found if not name.startswith("ces_")} == set()
    assert {name for name in found if name.endswith(("_total", "_minutes", "_days", "_percent"))} == set()
    assert all(0 <= value <= 1 for name in found if name.endswith("_ratio") for value in found[name].values())
    assert not any(math.isnan(value) for values in found.values() for value in values.values())


@pytest.mark.skipif(PROMTOOL is None, reason="needs promtool, of Debian's package prometheus")
def test_promtool_finds_nothing_to_say(one_week: Home) -> None:
    checked = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=metrics_text(families(one_week)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_run_whose_gate_fails_writes_the_file_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_home(tmp_path, exports={"metrics_file": "exports/ces.prom"})
    small.clean("survey", [response("a")])
    file = tmp_path / "exports" / "ces.prom"
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "prove", lambda: CheckResult(POISONED_ROWS_CAUGHT, 1, "one missed"))
        assert not pipeline.publish(small.home, small.registry, run_id="blocked").published
    found = samples(file.read_text())
    assert found["ces_last_run_success"] == {(): 0}
    assert found["ces_check_passed"][("poisoned_rows_caught", "blocking")] == 0
    assert "ces_published_timestamp_seconds" not in found
    assert pipeline.publish(small.home, small.registry, run_id="good").published
    found = samples(file.read_text())
    assert found["ces_last_run_success"] == {(): 1}
    assert found["ces_check_passed"][("poisoned_rows_caught", "blocking")] == 1
    assert found["ces_published_timestamp_seconds"][()] <= found["ces_last_run_timestamp_seconds"][()]
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_publish_that_raises_an_error_is_in_the_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_home(tmp_path, exports={"metrics_file": "ces.prom"})

    def damaged(*_given: object) -> None:
        raise HomeError("the disk is full")

    monkeypatch.setattr(pipeline, "publish_inputs", damaged)
    with pytest.raises(HomeError):
        pipeline.publish(small.home, small.registry, run_id="r")
    assert samples((tmp_path / "ces.prom").read_text())["ces_last_run_success"] == {(): 0}


def test_a_metrics_file_that_cannot_be_written_fails_no_publish_and_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "in_the_way").parent.mkdir(exist_ok=True)
    (tmp_path / "in_the_way").write_text("a file, no folder")
    small = small_home(tmp_path, exports={"metrics_file": "in_the_way/ces.prom"})
    small.clean("survey", [response("a")])
    assert pipeline.publish(small.home, small.registry, run_id="r").published
    (kept,) = last_results.last_results(small.lake)
    assert kept.step == "export-metrics"
    assert "exports.metrics_file" in kept.failures[""][0]
    (tmp_path / "in_the_way").unlink()
    assert pipeline.write_metrics_file(small.home, small.registry) == []
    assert last_results.last_results(small.lake) == []


def test_a_file_is_replaced_by_a_rename(tmp_path: Path, small: SmallHome) -> None:
    path = tmp_path / "ces.prom"
    path.write_text("old")
    with path.open() as reader:
        write_metrics(small.home, path)
        assert reader.read() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["ces.prom"]


def test_labels_and_help_are_escaped() -> None:
    text = metrics_text(
        [Family("x", "a\nb \\ c", [((("source", 'say "hi"\\\n'),), 1.5)]), Family("y", "none", [])]
    )
    assert samples(text) == {"ces_x": {('say "hi"\\\n',): 1.5}}
    assert "ces_y" not in text


def test_a_new_home_has_no_series_of_a_published_file(tmp_path: Path) -> None:
    found = of_home(Home(tmp_path).make())
    assert "ces_build_info" in found
    assert "ces_published_timestamp_seconds" not in found
    assert "ces_last_run_success" not in found


def test_only_a_file_that_is_collected_can_be_set(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"\.prom"):
        small_home(tmp_path, exports={"metrics_file": "metrics.txt"})


def test_a_bug_in_the_metrics_fails_no_publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = small_home(tmp_path, exports={"metrics_file": "ces.prom"})
    small.clean("survey", [response("a")])

    def wrong(*_given: object) -> None:
        raise ZeroDivisionError("person@example.org")

    monkeypatch.setattr(pipeline, "write_metrics", wrong)
    assert pipeline.publish(small.home, small.registry, run_id="r").published
    (kept,) = last_results.last_results(small.lake)
    assert "ZeroDivisionError" in kept.failures[""][0]
    assert "person" not in kept.failures[""][0]
