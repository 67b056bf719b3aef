"""Qualtrics: every response once, with any export jobs, windows and failures of the line."""

import csv
import io
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, PullError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.land.pull import pull
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.qualtrics import connector as qualtrics
from ces_pipeline.vendors.qualtrics.connector import Qualtrics
from ces_pipeline.vendors.qualtrics.fake_server import (
    FAILED_AT_100,
    GONE,
    LABELS,
    RUNNING,
    RUNNING_AT_100,
    SURVEY,
    TOKEN,
    FakeQualtrics,
    QualtricsAnswer,
)
from ces_pipeline_tests.builders import inbox_home
from ces_pipeline_tests.pulled import FAULT_SEEDS
from ces_pipeline_tests.unit.vendors.survey_pulls import Kept, Pulls, pull_through, rows_of

SINCE = datetime(2026, 3, 10, tzinfo=UTC)
NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)
READER = "qualtrics_csv"
VARIABLE = "QUALTRICS_TOKEN"


def entry(url: str, **options: Any) -> dict[str, Any]:
    return {
        "id": "chat_survey",
        "kind": "survey",
        "reader": READER,
        "survey": "after_chat",
        "columns": {"score": "Q3", "comment": "Q4"},
        "api": {
            "connector": "qualtrics",
            "base_url": url,
            "auth": {"kind": "header_key", "header": "X-API-TOKEN", "key": VARIABLE},
            "since": SINCE.date(),
            "options": {"survey": SURVEY, **options},
        },
    }


def served(*answers: QualtricsAnswer) -> Iterator[FakeQualtrics]:
    with FakeQualtrics(list(answers)) as vendor:
        yield vendor


@pytest.fixture
def vendor() -> Iterator[FakeQualtrics]:
    yield from served(
        QualtricsAnswer("R_1", NOON),
        QualtricsAnswer("R_2", NOON + timedelta(hours=1), "1", "line\nbreak, and comma"),
    )


def pulls_of(vendor: FakeQualtrics, **options: Any) -> Pulls:
    return Pulls(Source.model_validate(entry(vendor.url, **options)), vendor, {VARIABLE: TOKEN})


def ids(pulls: Pulls) -> list[str]:
    return [name for page in pulls.pages() for name in rows_of(READER, page.body)]


@FAULT_SEEDS
def test_any_plan_of_faults_and_kills_gives_every_answer_once(seeds: range) -> None:
    with FakeQualtrics([]) as vendor:
        for seed in seeds:
            chance = random.Random(seed)
            vendor.restart_plan(FaultPlan(), VirtualClock())
            vendor.jobs, vendor.starts = {}, []
            span = int((vendor.clock.now() - SINCE).total_seconds())
            vendor.answers = [
                QualtricsAnswer(f"R_{number}", SINCE + timedelta(seconds=chance.randrange(span)))
                for number in range(20)
            ]
            kept = Kept(READER)
            pulls = pulls_of(vendor, window_days=5)
            pull_through(pulls, kept, seed, FaultPlan.seeded(seed))
            assert set(kept.rows) == {answer.id for answer in vendor.answers}, seed
            assert all(len(contents) == 1 for contents in kept.contents.values()), seed
            untils = [state["until"] for state in pulls.states]
            assert untils == sorted(untils), seed


def test_a_pull_lands(vendor: FakeQualtrics, tmp_path: Path) -> None:
    home = inbox_home(tmp_path, entry(vendor.url))
    registry = home.registry
    source = registry.sources["chat_survey"]
    outcome = pull(home.home, registry, source, clock=vendor.clock, environment={VARIABLE: TOKEN})
    assert (outcome.failures, outcome.rows_landed) == ((), 2)
    first, second = home.rows("chat_survey")
    assert (first["response_id"], first["score"], first["recorded_at"]) == ("R_1", "4", NOON)
    assert second["comment"] == "line\nbreak, and comma"
    vendor.answers.append(QualtricsAnswer("R_3", vendor.clock.now()))
    vendor.clock.sleep(7200)
    again = pull(home.home, registry, source, clock=vendor.clock, environment={VARIABLE: TOKEN})
    assert (again.failures, again.rows_landed) == ((), 1)
    assert home.find(TOKEN) == []


def test_a_notice_in_a_response_is_reported_and_holds_no_address(
    vendor: FakeQualtrics, tmp_path: Path
) -> None:
    vendor.notice = "This survey will be moved; ask ann@example.org"
    home = inbox_home(tmp_path, entry(vendor.url))
    registry = home.registry
    outcome = pull(
        home.home,
        registry,
        registry.sources["chat_survey"],
        clock=vendor.clock,
        environment={VARIABLE: TOKEN},
    )
    (notice,) = [note for note in outcome.notes if "Qualtrics says" in note]
    assert notice == "chat_survey: Qualtrics says: This survey will be moved; ask [email]"


class TestJobs:
    def test_a_failed_job_at_100_percent_is_no_result(self, vendor: FakeQualtrics) -> None:
        vendor.before_complete = [[RUNNING, FAILED_AT_100]]
        assert ids(pulls_of(vendor)) == ["R_1", "R_2"]
        assert len(vendor.starts) == 2

    def test_100_percent_and_in_progress_still_runs(self, vendor: FakeQualtrics) -> None:
        vendor.before_complete = [[RUNNING, RUNNING_AT_100, RUNNING_AT_100]]
        assert ids(pulls_of(vendor)) == ["R_1", "R_2"]
        assert len(vendor.starts) == 1

    def test_an_unknown_job_is_started_anew(self, vendor: FakeQualtrics) -> None:
        vendor.before_complete = [[GONE]]
        assert ids(pulls_of(vendor)) == ["R_1", "R_2"]
        assert len(vendor.starts) == 2

    def test_a_job_that_always_fails_gives_up_and_saves_nothing(self, vendor: FakeQualtrics) -> None:
        vendor.before_complete = [[FAILED_AT_100]] * 50
        pulls = pulls_of(vendor)
        with pytest.raises(UnavailableError, match=r"failed .* times"):
            pulls.into(Kept(READER))
        assert pulls.state == {}

    def test_a_job_without_end_meets_its_deadline(self, vendor: FakeQualtrics) -> None:
        vendor.before_complete = [[RUNNING] * 10_000]
        with pytest.raises(UnavailableError, match=r"60 minutes.*api\.options\.window_days"):
            pulls_of(vendor).pages()
        assert sum(vendor.clock.slept) < 2 * 3600

    def test_polling_slows_down_to_15_seconds(self, vendor: FakeQualtrics) -> None:
        vendor.before_complete = [[RUNNING] * 6]
        pulls_of(vendor).pages()
        assert vendor.clock.slept[:7] == [1, 2, 4, 8, 15, 15, 15]

    def test_exports_do_not_start_in_a_rush(self, vendor: FakeQualtrics) -> None:
        pulls_of(vendor, window_days=1).pages()
        times = vendor.start_times
        assert len(times) > 5
        assert all(later - earlier >= 5 for earlier, later in pairwise(times))


class TestDownload:
    def test_half_a_zip_is_fetched_again(self, vendor: FakeQualtrics) -> None:
        vendor.plan = FaultPlan({3: "repeated_page", 4: "html", 5: "truncated"})
        assert ids(pulls_of(vendor)) == ["R_1", "R_2"]
        assert [asked.path.endswith("/file") for asked in vendor.asked] == [False] * 3 + [True] * 4

    def test_the_members_name_is_never_a_path(
        self, vendor: FakeQualtrics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        below = tmp_path / "below"
        below.mkdir()
        monkeypatch.chdir(below)
        assert ids(pulls_of(vendor)) == ["R_1", "R_2"]
        assert list(tmp_path.rglob("*")) == [below]

    def test_an_export_beyond_the_bound_is_halved(
        self, vendor: FakeQualtrics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vendor.answers = [QualtricsAnswer(f"R_{hour}", NOON + timedelta(hours=hour)) for hour in range(24)]
        content = pulls_of(vendor).pages()[0].body
        monkeypatch.setattr(qualtrics, "_UNPACKED_BYTES", len(content) // 3)
        pulls = pulls_of(vendor)
        kept = Kept(READER)
        assert pulls.into(kept)
        assert set(kept.rows) == {answer.id for answer in vendor.answers}
        untils = [state["until"] for state in pulls.states]
        assert untils == sorted(untils)
        assert len(set(untils)) > 2

    def test_an_hour_beyond_the_bound_is_reported(
        self, vendor: FakeQualtrics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(qualtrics, "_UNPACKED_BYTES", 10)
        with pytest.raises(BadResponseError, match="deliver this span as a file"):
            pulls_of(vendor).pages()


class TestWindows:
    def test_an_answer_on_the_edge_of_two_windows_comes_once(self, vendor: FakeQualtrics) -> None:
        edge = SINCE + timedelta(days=2)
        vendor.answers = [
            QualtricsAnswer("R_before", edge - timedelta(seconds=5)),
            QualtricsAnswer("R_on", edge),
        ]
        # With almost no overlap, a window that includes its end, or a gap after it, would show.
        pulls = pulls_of(vendor, window_days=2, overlap_days=1e-9)
        assert [list(rows_of(READER, page.body)) for page in pulls.pages() if page.records] == [
            ["R_before"],
            ["R_on"],
        ]

    def test_windows_end_ten_minutes_before_the_pull_and_are_chained(self, vendor: FakeQualtrics) -> None:
        start = vendor.clock.now()
        pulls_of(vendor, window_days=7).pages()
        assert [(body["startDate"], body["endDate"]) for body in vendor.starts] == [
            ("2026-03-09T00:00:00Z", "2026-03-17T00:00:00Z"),
            ("2026-03-16T00:00:00Z", f"{start - timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"),
        ]

    def test_an_unfinished_answer_recorded_late_is_found(self, vendor: FakeQualtrics) -> None:
        kept, pulls = Kept(READER), pulls_of(vendor)
        assert pulls.into(kept)
        # Started a week ago and recorded with a time in the last window: its session timed out only now.
        late = QualtricsAnswer(
            "R_partial", vendor.clock.now() - timedelta(hours=20), started=NOON - timedelta(days=7)
        )
        vendor.answers.append(late)
        vendor.clock.sleep(3600)
        assert pulls.into(kept)
        assert "R_partial" in kept.rows

    def test_times_are_asked_for_in_utc(self, vendor: FakeQualtrics) -> None:
        row = rows_of(READER, pulls_of(vendor).pages()[0].body)["R_1"]
        assert row["RecordedDate"] == f"{NOON:%Y-%m-%d %H:%M:%S}"

    def test_an_unknown_zone_is_refused_for_good(self, vendor: FakeQualtrics) -> None:
        with pytest.raises(RefusedError) as caught:
            pulls_of(vendor, time_zone="Mars/Olympus").pages()
        assert (caught.value.status, caught.value.is_transient) == (400, False)

    def test_a_window_without_answers_moves_on_and_lands_nothing(self, vendor: FakeQualtrics) -> None:
        vendor.answers = []
        (page,) = pulls_of(vendor).pages()
        assert (page.body, page.records) == (b"", 0)
        assert page.state["until"] > "2026-03-19"


class TestLabels:
    def test_codes_are_recodes_in_any_order_on_the_screen(self, vendor: FakeQualtrics) -> None:
        """The choices are listed from last to first: by their place, code 1 would be the wrong end."""
        rows = rows_of(READER, pulls_of(vendor, labels=["Q3"]).pages()[0].body)
        assert [rows[name]["Q3"] for name in ("R_1", "R_2")] == [LABELS["4"], LABELS["1"]]
        assert rows["R_2"]["Q4"] == "line\nbreak, and comma"
        assert [body["useLabels"] for body in vendor.starts] == [False]

    def test_all_labels_are_left_to_the_vendor(self, vendor: FakeQualtrics) -> None:
        rows = rows_of(READER, pulls_of(vendor, labels=True).pages()[0].body)
        assert rows["R_1"]["Q3"] == LABELS["4"]
        assert not [asked for asked in vendor.asked if asked.path.endswith(SURVEY)]

    def test_codes_without_a_label_stay(self, vendor: FakeQualtrics) -> None:
        vendor.answers = [QualtricsAnswer("R_1", NOON, "99")]
        assert rows_of(READER, pulls_of(vendor, labels=["QID3"]).pages()[0].body)["R_1"]["Q3"] == "99"

    def test_rows_wider_than_the_header_pass_as_they_are(self) -> None:
        head = [
            "ResponseId,Q3",
            "Response ID,Easy",
            '"{""ImportId"":""_recordId""}","{""ImportId"":""QID3""}"',
        ]
        labels = qualtrics._Labels({"QID3": {"1": "Hard"}}, frozenset({"Q3"}))
        labelled = labels.replace_codes("\n".join([*head, "R_1,1", "R_2,1,stray", "R_3"]).encode())
        assert list(csv.reader(io.StringIO(labelled.decode())))[3:] == [
            ["R_1", "Hard"],
            ["R_2", "Hard", "stray"],
            ["R_3"],
        ]

    @pytest.mark.parametrize("name", ["Q99", "Q4"])
    def test_a_question_without_choices_is_reported(self, vendor: FakeQualtrics, name: str) -> None:
        with pytest.raises(PullError, match=f"no single-choice question called {name}"):
            pulls_of(vendor, labels=[name]).pages()
        assert vendor.starts == []


class TestContinuation:
    def test_a_token_brings_only_what_is_new(self, vendor: FakeQualtrics) -> None:
        pulls, kept = pulls_of(vendor, continuation=True), Kept(READER)
        assert pulls.into(kept)
        vendor.answers.append(QualtricsAnswer("R_3", vendor.clock.now()))
        vendor.clock.sleep(7200)
        (page,) = pulls.pages()
        assert list(rows_of(READER, page.body)) == ["R_3"]
        assert "startDate" not in vendor.starts[-1]

    def test_the_export_that_gives_the_token_has_no_end(self, vendor: FakeQualtrics) -> None:
        pulls_of(vendor, continuation=True, window_days=7).pages()
        assert [("endDate" in body, "allowContinuation" in body) for body in vendor.starts] == [
            (True, False),
            (False, True),
        ]

    def test_dates_take_over_where_the_token_is_refused(self, vendor: FakeQualtrics) -> None:
        pulls, kept = pulls_of(vendor, continuation=True), Kept(READER)
        assert pulls.into(kept)
        vendor.answers.append(QualtricsAnswer("R_3", vendor.clock.now()))
        vendor.clock.sleep(7200)
        vendor.refuses_tokens = True
        assert pulls.into(kept)
        assert set(kept.rows) == {"R_1", "R_2", "R_3"}
        assert "startDate" in vendor.starts[-1]


def test_a_wrong_token_is_refused_by_the_variables_name(vendor: FakeQualtrics) -> None:
    pulls = pulls_of(vendor)
    pulls.environment = {VARIABLE: "wrong-canary"}
    with pytest.raises(RefusedError, match=VARIABLE) as caught:
        pulls.pages()
    assert "wrong-canary" not in str(caught.value)


def test_a_removed_parameter_is_never_sent(vendor: FakeQualtrics) -> None:
    pulls_of(vendor).pages()
    assert all("lastResponseId" not in body for body in vendor.starts)


def test_the_probe_reports_what_is_missing(vendor: FakeQualtrics) -> None:
    pulls = pulls_of(vendor, labels=["Q3", "Q99"])
    assert pulls.source.api is not None
    with closing(pulls.client()) as http:
        findings = list(Qualtrics().probe(http, pulls.source.api))
    assert [finding.is_well for finding in findings] == [True, True, False]
    assert "Q99" in findings[-1].text
    assert "Q3" not in findings[-1].text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "options.survey"),
        ({"survey": "../whoami"}, "options.survey"),
        ({"survey": SURVEY, "labels": "Q3"}, "options.labels"),
        ({"survey": SURVEY, "window_days": 0}, "options.window_days"),
        ({"survey": SURVEY, "overlap_days": True}, "options.overlap_days"),
    ],
)
def test_mistaken_options_are_reported_before_any_request(options: dict[str, Any], message: str) -> None:
    api = Api(connector="qualtrics", base_url="https://x.example", since=SINCE.date(), options=options)
    with pytest.raises(ValueError, match=message):
        Qualtrics().check(api)
