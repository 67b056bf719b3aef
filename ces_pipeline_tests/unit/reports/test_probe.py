"""Protects the probes: a file that opens and answers in time counts as read, every other one says why it did not."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ces_pipeline.definitions import build_definitions
from ces_pipeline.defs.instance import open_instance
from ces_pipeline.pipeline import publish_inputs
from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.reports import probe as probing
from ces_pipeline.reports.probe import QUESTIONS, probe
from ces_pipeline.schemas.audit import PROBES
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import NOON, SmallHome, response, small_home


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("published") / "home", probe_limit_seconds=60.0)
    small.clean("survey", [response("a")])
    assert small.publish().published
    return small


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    return published.copied(tmp_path / "home")


def test_a_readable_file_answers_five_questions_and_the_log_has_a_row_for_each(small: SmallHome) -> None:
    at = datetime(2026, 3, 5, 9, tzinfo=UTC)
    found = probe(small.home, 60, at)
    assert [one.question for one in found] == list(QUESTIONS)
    assert len(set(QUESTIONS)) == 5
    assert all(one.failure is None and 0 < one.seconds < 60 for one in found)
    rows = stored_rows(small.lake, PROBES).to_pylist()
    assert {row["question"] for row in rows} == set(QUESTIONS)
    assert {row["probe_id"] for row in rows} == {rows[0]["probe_id"]}
    assert all(
        (row["is_in_time"], row["failure"], row["newest_response_at"], row["probed_at"])
        == (True, None, NOON, at)
        for row in rows
    )


@pytest.mark.parametrize(
    ("how", "failure"), [("missing", "there is no published file"), ("cut", "the file cannot be read")]
)
def test_a_missing_and_a_damaged_file_fail_every_question(small: SmallHome, how: str, failure: str) -> None:
    if how == "missing":
        small.home.published.unlink()
    else:
        small.home.published.write_bytes(small.home.published.read_bytes()[:1_000])
    found = probe(small.home, 60)
    assert all((one.failure or "").startswith(failure) for one in found)
    rows = stored_rows(small.lake, PROBES).to_pylist()
    assert [row["is_in_time"] for row in rows] == [False] * 5
    assert {row["newest_response_at"] for row in rows} == {None}


def test_a_question_that_takes_too_long_is_stopped(small: SmallHome, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 7"
    queries = {query.name: query for query in sql_files("queries")}
    monkeypatch.setattr(probing, "QUESTIONS", ("why_rejected",))
    slow = replace(queries["why_rejected"], text=f"-- Endless?\n{endless}")
    monkeypatch.setattr(probing, "sql_files", lambda _folder: [slow])
    began = time.monotonic()
    (found,) = probe(small.home, 0.5)
    assert found.failure == "no answer within 0.5 s"
    assert time.monotonic() - began < 30


def test_probes_are_published_when_their_day_is_over(small: SmallHome) -> None:
    now = datetime.now(UTC)
    probe(small.home, 60, now - timedelta(days=1))
    before = publish_inputs(small.home, small.registry).logs["audit.probes"]
    assert before.num_rows == 5
    # Otherwise each probe would cause a publish.
    probe(small.home, 60, now)
    assert publish_inputs(small.home, small.registry).logs["audit.probes"].equals(before)


def test_the_job_fails_with_what_the_probe_found(small: SmallHome) -> None:
    with open_instance(small.home) as instance:
        job = build_definitions(small.home).resolve_job_def("probe")
        assert job.execute_in_process(instance=instance).success
        small.home.published.unlink()
        with pytest.raises(dg.Failure, match="effort_by_week: there is no published file"):
            job.execute_in_process(instance=instance)
