"""Zendesk from its API to the lake and on: nothing lost by a kill, no secret anywhere, the same tickets as by file."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ces_pipeline import pipeline
from ces_pipeline.cli import runs
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.raw import raw_assets
from ces_pipeline.doctor import examine
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.land.pull import pull, read_pull_state
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE
from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.zendesk.fake_server import EMAIL, TOKEN, FakeZendesk, ticket
from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.pulled import entry
from ces_pipeline_tests.real_data import real_data

ENVIRONMENT = {"ZD_EMAIL": EMAIL, "ZD_TOKEN": TOKEN}
CANARIES = ("canary", EMAIL)
PEOPLE = ("person0@example.org", "person1@example.org", "person2@example.org")


def desk(vendor: FakeZendesk, **api: Any) -> dict[str, Any]:
    auth = {"kind": "basic_token", "user": "ZD_EMAIL", "password": "ZD_TOKEN"}
    settings = {"connector": "zendesk", "auth": auth, **api}
    return entry("desk", vendor, settings, kind="tickets", reader="zendesk_json")


@pytest.fixture(autouse=True)
def secrets_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def vendor() -> Iterator[FakeZendesk]:
    with FakeZendesk([ticket(number) for number in range(1, 24)]) as vendor:
        yield vendor  # type: ignore[misc]


def versions(home: InboxHome) -> list[tuple[str, str]]:
    return sorted((row["ticket_id"], row["version"]) for row in home.rows("desk"))


def served(vendor: FakeZendesk) -> list[tuple[str, str]]:
    return sorted((str(ticket["id"]), str(ticket["generated_timestamp"])) for ticket in vendor.tickets)


def pulled(home: InboxHome, vendor: FakeZendesk) -> Any:
    registry = home.registry
    return pull(home.home, registry, registry.sources["desk"], clock=vendor.clock)


class TestLanding:
    def test_tickets_land_with_their_people_hashed_and_their_side_loads_joined(
        self, tmp_path: Path, vendor: FakeZendesk
    ) -> None:
        home = inbox_home(tmp_path, desk(vendor, page_size=5))
        vendor.metrics[1] = {"ticket_id": 1, "reopens": 2, "solved_at": "2026-03-02T10:00:00Z"}
        outcome = pulled(home, vendor)
        assert outcome.failures == ()
        assert (outcome.records_pulled, outcome.rows_landed) == (23, 23)
        assert [request.path for request in vendor.asked].count("/api/v2/incremental/tickets/cursor") == 5
        assert versions(home) == served(vendor)
        (first,) = [row for row in home.rows("desk") if row["ticket_id"] == "1"]
        assert (first["reopens"], first["group_name"]) == ("2", "Care")
        assert home.find(*PEOPLE) == []

    def test_half_an_emoji_in_a_subject_stops_nothing(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        home = inbox_home(tmp_path, desk(vendor, page_size=5))
        vendor.tickets[0]["subject"] = "cut in half: \ud83d"
        assert pulled(home, vendor).failures == ()
        (first,) = [row for row in home.rows("desk") if row["ticket_id"] == "1"]
        assert first["extra"]["subject"] == "cut in half: ?"
        assert versions(home) == served(vendor)

    def test_a_second_pull_lands_only_what_is_new(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        home = inbox_home(tmp_path, desk(vendor))
        pulled(home, vendor)
        before = home.state("desk")
        assert pulled(home, vendor).rows_read == 0
        assert home.state("desk") == before
        vendor.tickets.append(ticket(1, generated=1_773_000_000, status="open"))
        assert pulled(home, vendor).rows_landed == 1

    def test_every_fault_at_once_lands_every_ticket_once(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        for seed in (3, 14):
            home = inbox_home(tmp_path / str(seed), desk(vendor, page_size=3))
            vendor.restart_plan(FaultPlan.seeded(seed), vendor.clock)
            vendor.served = []
            assert pulled(home, vendor).failures == ()
            assert versions(home) == sorted({(str(number), str(at)) for number, at in vendor.served})

    def test_what_came_before_a_failure_stays_and_the_next_pull_goes_on_there(
        self, tmp_path: Path, vendor: FakeZendesk
    ) -> None:
        home = inbox_home(tmp_path, desk(vendor, page_size=5))
        vendor.restart_plan(FaultPlan(dict.fromkeys(range(2, 30), "error")), vendor.clock)
        outcome = pulled(home, vendor)
        assert outcome.rows_landed == 10
        assert outcome.is_transient
        (failure,) = outcome.failures
        assert "/api/v2/incremental/tickets/cursor" in failure
        vendor.restart_plan(FaultPlan(), vendor.clock)
        assert pulled(home, vendor).rows_landed == 13
        assert "start_time" not in vendor.asked[0].query
        assert versions(home) == served(vendor)

    def test_asking_for_an_earlier_day_begins_anew(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        home = inbox_home(tmp_path, desk(vendor, since="2026-03-02"))
        pulled(home, vendor)
        home.write_registry(desk(vendor, since="2026-03-01"))
        pulled(home, vendor)
        assert versions(home) == served(vendor)


_KILLED = """
import os, signal, sys
from ces_pipeline.land import pull as pulling
from ces_pipeline.registry import load_registry
from ces_pipeline.home import Home
from pathlib import Path

home, when, count = Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
pulling._JOINED_RECORDS = 1
save, saves = pulling.write_pull_state, 0

def write_pull_state(*arguments):
    global saves
    saves += 1
    if saves == count and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    save(*arguments)
    if saves == count and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

pulling.write_pull_state = write_pull_state
registry = load_registry(home.registry)
pulling.pull(home, registry, registry.sources["desk"])
"""


@pytest.mark.parametrize(("when", "count"), [("before", 1), ("after", 1), ("before", 3), ("after", 4)])
def test_a_kill_at_the_edge_of_a_page_loses_and_doubles_nothing(
    tmp_path: Path, vendor: FakeZendesk, when: str, count: int
) -> None:
    home = inbox_home(tmp_path, desk(vendor, page_size=5))
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), when, str(count)], check=False)
    assert killed.returncode == -signal.SIGKILL
    landed_before = len(home.rows("desk"))
    assert landed_before == 5 * count
    vendor.asked.clear()
    outcome = pulled(home, vendor)
    assert versions(home) == served(vendor)
    # That page had landed, but its state was not saved: it is fetched again, and its rows are dropped.
    again = 5 if when == "before" else 0
    assert outcome.records_pulled == 23 - landed_before + again
    assert outcome.rows_landed == 23 - landed_before


class TestSecrets:
    @pytest.mark.slow
    def test_a_failing_run_leaves_none_anywhere(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        class Talkative(FakeZendesk):
            """Sends back what it received, and names people."""

            def answer(self, asked: FakeRequest) -> FakeResponse:
                if len(self.asked) == 1:
                    return super().answer(asked)
                quoted = f"{asked.basic} {PEOPLE}"
                return FakeResponse(401, {"error": TOKEN, "description": quoted}, headers={"X-Echo": TOKEN})

        monkeypatch.setenv("ZD_TOKEN", TOKEN)
        with Talkative([ticket(number) for number in range(1, 9)]) as vendor, caplog.at_level("DEBUG"):
            home = inbox_home(tmp_path, desk(vendor, page_size=5))
            assert runs.run(home.home) is False
            findings = [finding.text for finding in examine(home.home)]
        shown = capfd.readouterr()
        texts = "\n".join([shown.out, shown.err, caplog.text, *findings])
        assert "refused GET /api/v2/incremental/tickets/cursor with 401" in texts
        assert len(home.rows("desk")) == 5
        for canary in (*CANARIES, *PEOPLE):
            assert canary not in texts
        assert home.find(*CANARIES, *PEOPLE) == []

    def test_a_missing_variable_fails_only_its_source_and_before_any_request(
        self, tmp_path: Path, vendor: FakeZendesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ZD_TOKEN")
        other = {**desk(vendor), "id": "other"}
        other["api"] = {**other["api"], "auth": {**other["api"]["auth"], "password": "ZD_OTHER"}}
        monkeypatch.setenv("ZD_OTHER", TOKEN)
        home = inbox_home(tmp_path, desk(vendor), other)
        failed, fine = pipeline.land(home.home, home.registry)
        (failure,) = failed.failures
        assert failure.startswith("desk: ZD_TOKEN not set: ")
        assert "api.auth in sources.yaml" in failure
        assert (failed.requests, failed.is_transient) == (0, False)
        assert fine.rows_landed == 23


class TestRun:
    @pytest.mark.slow
    def test_tickets_are_published_with_every_request(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        home = inbox_home(tmp_path, desk(vendor, page_size=10))
        assert runs.run(home.home) is True
        with open_published(home.home.published) as connection:
            assert connection.execute("SELECT count(*) FROM core.tickets").fetchall() == [(23,)]
            requests = connection.execute(
                "SELECT source_id, method, path, status, outcome, attempt, size_bytes > 0 FROM audit.requests "
                "WHERE path <> '/api/v2/search'"
            ).fetchall()
        row = ("desk", "GET", "/api/v2/incremental/tickets/cursor", 200, "ok", 1, True)
        assert requests == [row] * 3

    @pytest.mark.slow
    def test_a_night_without_new_tickets_is_still_in_the_request_log(
        self, tmp_path: Path, vendor: FakeZendesk
    ) -> None:
        home = inbox_home(tmp_path, desk(vendor))
        for nights in (1, 2):
            assert runs.run(home.home) is True
            with open_published(home.home.published) as connection:
                pulls = connection.execute("SELECT count(DISTINCT pull_id) FROM audit.requests").fetchall()
            assert pulls == [(nights,)]


class TestDagster:
    def test_pulls_of_a_host_queue_and_report_their_counts(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        home = inbox_home(tmp_path, desk(vendor, page_size=10))
        (asset,) = raw_assets(home.registry)
        assert (
            asset.op.pool == f"api_{vendor.url.removeprefix('http://').replace('.', '_').replace(':', '_')}"
        )
        result = dg.materialize([asset], resources=here(home))
        (materialization,) = result.asset_materializations_for_node("raw__desk")
        counts = {name: value.value for name, value in materialization.metadata.items()}
        assert (counts["requests"], counts["records_pulled"]) == (len(vendor.asked), 23)
        assert (counts["rows_landed"], counts["records_expected"]) == (23, 23)

    @pytest.mark.parametrize(("fault", "tries"), [("error", 2), (None, 1)])
    def test_only_transient_failures_are_retried(
        self,
        tmp_path: Path,
        vendor: FakeZendesk,
        monkeypatch: pytest.MonkeyPatch,
        fault: str | None,
        tries: int,
    ) -> None:
        monkeypatch.setattr("ces_pipeline.http.clock.SystemClock.sleep", lambda _self, _seconds: None)
        monkeypatch.setattr("ces_pipeline.defs.raw._RETRY", dg.RetryPolicy(max_retries=1, delay=0))
        if fault:
            vendor.restart_plan(FaultPlan(dict.fromkeys(range(99), fault)), vendor.clock)
        else:
            monkeypatch.setenv("ZD_TOKEN", "expired")
        home = inbox_home(tmp_path, desk(vendor))
        result = dg.materialize(raw_assets(home.registry), resources=here(home), raise_on_error=False)
        assert not result.success
        assert len({row["pull_id"] for row in requests_of(home)}) == tries


def here(home: InboxHome) -> dict[str, Any]:
    """The home as a resource of Dagster."""
    return {"home": HomeResource(root=str(home.home.root))}


def requests_of(home: InboxHome) -> list[dict[str, Any]]:
    return stored_rows(home.lake, TABLES["audit.requests"]).to_pylist()


class TestDoctor:
    def findings(self, home: InboxHome) -> list[str]:
        return [
            f"{finding.is_well} {finding.text}"
            for finding in examine(home.home)
            if finding.text.startswith("api")
        ]

    def test_a_source_that_works(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        assert (
            self.findings(inbox_home(tmp_path, desk(vendor)))[0]
            == "True api of desk: the ticket export may be read"
        )

    def test_a_user_who_is_no_administrator(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        vendor.forbidden = {"/api/v2/incremental/tickets/sample"}
        (finding, *_) = self.findings(inbox_home(tmp_path, desk(vendor)))
        assert finding.startswith("False api of desk: 127.0.0.1 refused")
        assert "only administrators" in finding

    def of_field(self, tmp_path: Path, vendor: FakeZendesk, **more: Any) -> list[str]:
        source = desk(vendor, connector="zendesk_field", options={"field_id": 4711})
        source |= {"kind": "survey", "reader": "json", "survey": "after_chat", **more}
        # The vendor's clock is virtual.
        return [
            finding for finding in self.findings(inbox_home(tmp_path, source))[1:] if "clock" not in finding
        ]

    def test_a_field_that_does_not_exist(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        finding = self.of_field(tmp_path, vendor)[0]
        assert finding.startswith("False api of desk: ")
        assert "ticket field 4711" in finding
        assert "api.options.field_id" in finding

    def test_a_field_of_a_type_that_holds_no_score(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        vendor.fields = {4711: {"id": 4711, "type": "checkbox", "active": True}}
        finding = self.of_field(tmp_path, vendor)[0]
        assert finding.startswith("False api of desk: ticket field 4711 ")
        assert "checkbox" in finding
        assert "api.options.field_id" in finding

    def test_options_of_a_field_are_held_to_the_scale(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        options = [
            {"id": n, "name": f"{n}", "value": value} for n, value in enumerate(("1", "5", "ces_easy"))
        ]
        vendor.fields = {4711: {"id": 4711, "type": "tagger", "custom_field_options": options}}
        well, off = self.of_field(tmp_path / "a", vendor)
        assert well == "True api of desk: ticket field 4711 exists"
        assert off.startswith(
            "False api of desk: its field offers ces_easy, but scale ease_1_5 does not have these answers"
        )
        assert self.of_field(tmp_path / "b", vendor, values={"score": {"CES_easy": "5"}}) == [well]

    def test_a_number_field_may_hold_anything(self, tmp_path: Path, vendor: FakeZendesk) -> None:
        vendor.fields = {4711: {"id": 4711, "type": "integer"}}
        assert self.of_field(tmp_path, vendor) == ["True api of desk: ticket field 4711 exists"]


def test_recorded_exchanges_give_the_same_tickets_by_api_as_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "the same for both homes")
    recording = real_data("tickets/zendesk/zenpy_recorded/TicketsIncrementalTest.test_pagination.jsonl.gz")
    with gzip.open(recording, "rt", encoding="utf-8") as lines:
        exchanges = [json.loads(line) for line in lines]
    tickets = [ticket for exchange in exchanges for ticket in exchange["body"]["tickets"]]
    by_key = {(ticket["generated_timestamp"], ticket["id"]): ticket for ticket in tickets}
    with FakeZendesk(list(by_key.values())) as vendor:
        source = desk(vendor, page_size=100, since="2023-01-01")
        by_api = inbox_home(tmp_path / "api", source)
        # The recordings were made without side-loads.
        vendor._side_loads = lambda _page, _include: {}  # type: ignore[method-assign]
        assert pulled(by_api, vendor).failures == ()
    by_file = inbox_home(tmp_path / "file", {key: value for key, value in source.items() if key != "api"})
    by_file.drop(recording.name, recording.read_bytes(), "desk")
    assert by_file.land("desk").failures == ()
    unlike = ("delivery_id", "row_number")

    def landed(home: InboxHome) -> list[str]:
        rows = [{key: value for key, value in row.items() if key not in unlike} for row in home.rows("desk")]
        return sorted({json.dumps(row, default=str, sort_keys=True) for row in rows})

    assert len({row["ticket_id"] for row in by_api.rows("desk")}) == 1001
    assert landed(by_api) == landed(by_file)
    place = read_pull_state(by_api.lake, by_api.registry.sources["desk"])
    assert place.state["cursor"]
