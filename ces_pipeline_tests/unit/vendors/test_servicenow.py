"""ServiceNow: no row lost or doubled in any fault, and the traps of the Table API."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.land.pull import pull
from ces_pipeline.land.step import SourceLanding
from ces_pipeline.pipeline import clean, publish, stale_days
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.contract import Window
from ces_pipeline.vendors.servicenow.connector import ServiceNow
from ces_pipeline.vendors.servicenow.fake_server import (
    PASSWORD,
    USER,
    FakeServiceNow,
    assessment,
    deletion,
    incident,
    result,
    seeded_incidents,
    sys_id,
)
from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.pulled import FAULT_SEEDS
from ces_pipeline_tests.unit.vendors.ticket_pulls import HOUR_SECONDS, MOST_WAITING_SECONDS, TicketPulls

QUESTION = sys_id(123)
PAGING = ("repeated_page", "changed", "broken_off")
SECOND = "2026-03-01 00:00:01"


def pulls(vendor: FakeServiceNow, page_size: int = 3, **options: Any) -> TicketPulls:
    return TicketPulls(ServiceNow(), vendor, USER, PASSWORD, page_size, options=options)


def desk(rows: list[dict[str, str]], **how: Any) -> FakeServiceNow:
    return FakeServiceNow({"incident": rows, "asmt_assessment_instance": [], "asmt_metric_result": []}, **how)


def each_second(count: int) -> list[dict[str, str]]:
    return [incident(number, f"2026-03-01 00:00:{number:02d}") for number in range(1, count + 1)]


def same_second(count: int) -> list[dict[str, str]]:
    return [incident(number, SECOND) for number in range(1, count + 1)]


def numbers(records: list[dict[str, Any]]) -> list[int]:
    return [int(record["number"].removeprefix("INC")) for record in records]


def as_landed(stored: str) -> str:
    return stored.replace(" ", "T") + "Z"


@FAULT_SEEDS
def test_no_plan_of_faults_loses_or_doubles_anything(seeds: range) -> None:
    for seed in seeds:
        rows = seeded_incidents(seed)
        with desk(rows, plan=FaultPlan.seeded(seed, paging=PAGING)) as vendor:
            vendor.tables["asmt_assessment_instance"] = [
                assessment(n, sys_id(n), "2026-03-03 00:00:00") for n in (1, 5, 9)
            ]
            vendor.tables["asmt_metric_result"] = [
                result(n, sys_id(500_000 + n), QUESTION, "4") for n in (1, 5, 9)
            ]
            done = pulls(vendor, 2 + seed % 9, **({"assessments": {"csat": QUESTION}} if seed % 2 else {}))
            done.pull_patiently()
            vendor.clock.sleep(HOUR_SECONDS)
            vendor.plan = FaultPlan(skew_seconds=vendor.plan.skew_seconds)
            done.pull()
            contents: dict[tuple[str, str, str], set[str]] = {}
            for record in done.records:
                key = (record["sys_id"], record["sys_updated_on"], record["sys_mod_count"])
                contents.setdefault(key, set()).add(repr(sorted(record.items())))
            assert {key for key, _, _ in contents} == {row["sys_id"] for row in rows}
            now = {(row["sys_id"], as_landed(row["sys_updated_on"]), row["sys_mod_count"]) for row in rows}
            assert now <= set(contents)
            assert all(len(versions) == 1 for versions in contents.values())
            for name in ("rows", "assessments"):
                places = [tuple(state[name].values()) for state in done.states if name in state]
                assert places == sorted(places), seed
            if seed % 2:
                assert {record["sys_id"] for record in done.records if record["csat"] == "4"} == {
                    sys_id(n) for n in (1, 5, 9)
                }
            assert done.waited_seconds < HOUR_SECONDS + MOST_WAITING_SECONDS, seed


def test_without_faults_every_row_comes_once() -> None:
    with desk(seeded_incidents(1, 60)) as vendor:
        assert sorted(numbers(pulls(vendor).pull())) == list(range(1, 61))


@pytest.mark.parametrize("make", [each_second, same_second])
def test_a_pull_killed_after_any_page_goes_on_at_the_next(
    make: Callable[[int], list[dict[str, str]]],
) -> None:
    with desk(make(10)) as vendor:
        complete = pulls(vendor)
        complete.pull()
        for killed_after in range(1, len(complete.pages)):
            done = pulls(vendor)
            done.pull(killed_after)
            done.pull()
            assert Counter(numbers(done.records)) == Counter(range(1, 11))


class TestGotchas:
    def test_ten_rows_of_one_second_over_page_edges(self) -> None:
        rows = [incident(1, "2026-03-01 00:00:00"), *(incident(n, SECOND) for n in range(2, 12))]
        with desk([*rows, incident(12, "2026-03-01 00:00:02")]) as vendor:
            assert sorted(numbers(pulls(vendor).pull())) == list(range(1, 13))

    @pytest.mark.parametrize("request_number", range(1, 5))
    def test_a_row_that_changes_meanwhile_hides_no_other(self, request_number: int) -> None:
        with desk(same_second(9)) as vendor:
            answer = vendor.answer

            def answered(asked: FakeRequest) -> FakeResponse:
                reply = answer(asked)
                if len(vendor.asked) == request_number:
                    vendor.change(vendor.tables["incident"][0], state="6")
                return reply

            vendor.answer = answered  # type: ignore[method-assign]
            done = pulls(vendor)
            assert set(numbers(done.pull())) == set(range(1, 10))
            assert [record["state"] for record in done.records if record["number"] == "INC0000001"][-1] == "6"

    @pytest.mark.parametrize("unknown", ["sys_updated_on", "sys_id"])
    def test_an_ignored_filter_is_reported_and_nothing_lands(self, unknown: str) -> None:
        rows = sorted([incident(90, "2025-01-01 00:00:00"), *same_second(5)], key=lambda row: row["sys_id"])
        with desk(rows) as vendor:
            vendor.unknown = {unknown}
            done = pulls(vendor)
            with pytest.raises(BadResponseError, match=r"ignores a part of it.*returns_no_rows"):
                done.pull()
            assert 90 not in numbers(done.records)

    def test_an_ignored_order_is_reported(self) -> None:
        with desk(list(reversed(each_second(3)))) as vendor:
            answer = vendor._selected
            vendor._selected = lambda rows, query: answer(rows, query.partition("^ORDERBY")[0])  # type: ignore[method-assign]
            with pytest.raises(BadResponseError, match="ignores ORDERBY"):
                pulls(vendor).pull()

    def test_hidden_rows_make_pages_short_or_empty_and_are_no_end(self) -> None:
        with desk(each_second(20)) as vendor:
            vendor.hidden = {sys_id(n) for n in (2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)}
            seen = set(range(1, 21)) - {2, *range(5, 15)}
            assert sorted(numbers(pulls(vendor).pull())) == sorted(seen)

    def test_rows_and_an_error_together_are_no_page(self) -> None:
        with desk(each_second(4), plan=FaultPlan({0: "broken_off", 2: "broken_off"})) as vendor:
            assert sorted(numbers(pulls(vendor).pull())) == [1, 2, 3, 4]
        with desk(each_second(4), plan=FaultPlan(dict.fromkeys(range(50), "broken_off"))) as vendor:
            done = pulls(vendor)
            with pytest.raises(UnavailableError, match=r"set a smaller api\.page_size"):
                done.pull()
            assert done.records == []

    def test_a_limit_is_always_sent_and_stored_values_are_asked_for(self) -> None:
        with desk(each_second(4)) as vendor:
            pulls(vendor, assessments={"csat": QUESTION}).pull()
            assert all(request.query["sysparm_limit"] == "3" for request in vendor.asked)
            assert all(request.query["sysparm_display_value"] == "false" for request in vendor.asked)

    def test_stored_times_are_written_with_their_zone(self) -> None:
        with desk(each_second(1)) as vendor:
            (record,) = pulls(vendor).pull()
        assert (record["opened_at"], record["sys_updated_on"]) == (
            "2026-02-28T23:30:00Z",
            "2026-03-01T00:00:01Z",
        )
        assert record["resolved_at"] == ""

    @pytest.mark.parametrize("heeds", [True, False])
    def test_references_are_read_whichever_way_they_come(self, heeds: bool) -> None:
        rows = [
            incident(1, SECOND),
            incident(2, SECOND, **{"caller_id.email": "", "assignment_group.name": ""}),
        ]
        with desk(rows) as vendor:
            vendor.heeds_reference_link = heeds
            found = {record["number"]: record for record in pulls(vendor).pull()}
        assert found["INC0000001"]["caller_id"] == "caller1@example.com"
        assert found["INC0000001"]["assignment_group"]["display_value"] == "Service Desk"
        assert found["INC0000002"]["caller_id"] == sys_id(900_002)
        assert found["INC0000002"]["assignment_group"] == sys_id(77)

    def test_a_change_that_shows_minutes_late_is_seen(self) -> None:
        with desk([incident(1, "2026-03-20 01:59:00")]) as vendor:
            done = pulls(vendor)
            done.pull()
            vendor.tables["incident"].append(incident(2, "2026-03-20 01:53:00"))
            assert 2 in numbers(done.pull())

    def test_what_did_not_change_is_not_read_again(self) -> None:
        with desk(same_second(4)) as vendor:
            done = pulls(vendor)
            done.pull()
            assert done.pull() == []

    def test_no_record_found_is_an_empty_list_and_any_other_404_is_not(self) -> None:
        def answer(message: str) -> Callable[[FakeRequest], FakeResponse]:
            return lambda _asked: FakeResponse(404, {"error": {"message": message}, "status": "failure"})

        with desk([]) as vendor:
            vendor.answer = answer("No Record found")  # type: ignore[method-assign]
            assert pulls(vendor).pull() == []
            vendor.answer = answer("Requested URI does not represent any resource")  # type: ignore[method-assign]
            with pytest.raises(RefusedError, match=r"there is no table incident"):
                pulls(vendor).pull()

    def test_a_column_that_may_not_be_read_is_named(self) -> None:
        rows = [{name: value for name, value in incident(1, SECOND).items() if name != "number"}]
        with desk(rows) as vendor, pytest.raises(BadResponseError, match="without number: grant"):
            pulls(vendor).pull()
        displayed = desk([incident(1, "01.03.2026 01:00:01")])
        displayed.unknown = {"sys_updated_on"}
        with (
            displayed as vendor,
            pytest.raises(BadResponseError, match="sys_updated_on that is not a stored value"),
        ):
            pulls(vendor).pull()

    def test_a_wrong_password_is_reported_without_it(self) -> None:
        with desk(each_second(1)) as vendor, pytest.raises(RefusedError) as refused:
            TicketPulls(ServiceNow(), vendor, USER, "wrong-password").pull()
        assert refused.value.status == 401
        assert "wrong-password" not in str(refused.value)

    def test_further_columns_and_another_table(self) -> None:
        with FakeServiceNow({"sc_task": [incident(1, SECOND, u_ces_score="4")]}) as vendor:
            (record,) = pulls(vendor, table="sc_task", fields=["u_ces_score"]).pull()
        assert record["u_ces_score"] == "4"

    @pytest.mark.parametrize(
        "options", [{"table": "incident?x=1"}, {"fields": "u_ces"}, {"assessments": {"csat": "a^b"}}]
    )
    def test_options_that_would_break_the_query_are_refused(self, options: dict[str, Any]) -> None:
        with desk([]) as vendor, pytest.raises(ValueError, match=r"options.*: "):
            ServiceNow().check(pulls(vendor, **options).api)


class TestAssessments:
    def assessed(self, instances: list[dict[str, str]], results: list[dict[str, str]]) -> FakeServiceNow:
        vendor = desk(same_second(3))
        vendor.tables |= {"asmt_assessment_instance": instances, "asmt_metric_result": results}
        return vendor

    def scores(self, vendor: FakeServiceNow) -> dict[int, str | None]:
        with vendor:
            found = pulls(vendor, assessments={"csat": QUESTION}).pull()
        return {number: record["csat"] for number, record in zip(numbers(found), found, strict=True)}

    def test_only_complete_ones_and_only_scores_of_the_question_count(self) -> None:
        instances = [
            assessment(1, sys_id(1), "2026-03-02 00:00:00", state="wip"),
            assessment(2, sys_id(2), "2026-03-02 00:00:00"),
            assessment(3, sys_id(3), "2026-03-02 00:00:00"),
        ]
        results = [
            result(1, instances[0]["sys_id"], QUESTION, "1"),
            result(2, instances[1]["sys_id"], QUESTION, "5"),
            result(3, instances[1]["sys_id"], sys_id(99), "2"),
            # The answer to a text question.
            result(4, instances[2]["sys_id"], QUESTION, "-1"),
        ]
        assert self.scores(self.assessed(instances, results)) == {1: None, 2: "5", 3: None}

    def test_the_newest_counts_and_a_task_is_found_by_its_other_column(self) -> None:
        instances = [
            assessment(1, sys_id(1), "2026-03-05 00:00:00"),
            assessment(2, sys_id(1), "2026-03-04 00:00:00"),
            assessment(3, "", "2026-03-04 00:00:00", task_id=sys_id(2)),
        ]
        results = [
            result(n, instance["sys_id"], QUESTION, score)
            for n, (instance, score) in enumerate(zip(instances, "543", strict=True))
        ]
        assert self.scores(self.assessed(instances, results)) == {1: "5", 2: "3", 3: None}

    def test_a_row_that_is_only_assessed_comes_again_with_a_later_version(self) -> None:
        with self.assessed([], []) as vendor:
            done = pulls(vendor, assessments={"csat": QUESTION})
            done.pull()
            late = assessment(1, sys_id(2), "2026-03-10 00:00:00")
            vendor.tables["asmt_assessment_instance"].append(late)
            vendor.tables["asmt_metric_result"].append(result(1, late["sys_id"], QUESTION, "4"))
            again = done.pull()
            assert [(record["number"], record["csat"]) for record in again] == [("INC0000002", "4")]
            (before,) = [record for record in done.records[:3] if record["number"] == "INC0000002"]
            assert float(again[0]["version"]) > float(before["version"])
            assert done.pull() == []

    def test_a_row_keeps_its_score_when_it_changes_later(self) -> None:
        survey = assessment(1, sys_id(1), "2026-03-02 00:00:00")
        with self.assessed([survey], [result(1, survey["sys_id"], QUESTION, "4")]) as vendor:
            done = pulls(vendor, assessments={"csat": QUESTION})
            done.pull()
            vendor.change(vendor.tables["incident"][0], state="7")
            assert [(record["state"], record["csat"]) for record in done.pull()] == [("7", "4")]


class TestDeletions:
    def test_a_deleted_row_comes_once_more_as_deleted_and_is_the_newest_of_its_versions(
        self, tmp_path: Path
    ) -> None:
        rows = each_second(3)
        with desk(rows) as vendor:
            home = inbox_home(tmp_path, snow_entry(vendor, {"deletions": True}))
            vendor.tables["sys_audit_delete"] = [
                deletion(9, incident(99, SECOND), "2026-03-01 12:00:00", "problem")
            ]
            pull_into(home, vendor)
            gone = rows.pop(1)
            vendor.clock.sleep(86_400)
            # Deleted within the same second as another row.
            vendor.tables["sys_audit_delete"] += [
                deletion(1, gone, "2026-03-20 10:00:00"),
                deletion(2, incident(50, SECOND), "2026-03-20 10:00:00"),
            ]
            pull_into(home, vendor)
            pull_into(home, vendor)
            registry = home.registry
            list(
                clean(home.home, registry, "tickets", stale_days(home.home, registry, "tickets"), run_id="t")
            )
            assert publish(home.home, registry, run_id="t").published
        with open_published(home.home.published) as published:
            published_rows = published.execute(
                "SELECT ticket_id, status, is_deleted FROM core.tickets ORDER BY 1"
            ).fetchall()
        assert published_rows == [
            ("INC0000001", "in progress", False),
            ("INC0000002", "deleted", True),
            ("INC0000003", "in progress", False),
            ("INC0000050", "deleted", True),
        ]

    def test_without_the_right_to_them_the_rows_come_all_the_same(self, tmp_path: Path) -> None:
        with desk(each_second(3)) as vendor:
            vendor.tables["sys_audit_delete"] = []
            vendor.forbidden = {"sys_audit_delete"}
            home = inbox_home(tmp_path, snow_entry(vendor, {"deletions": True}))
            outcome = pull_into(home, vendor, well=False)
            assert outcome.rows_landed == 3
            (failure,) = outcome.failures
            assert "refused GET /api/now/table/sys_audit_delete with 403" in failure

    def test_they_are_asked_for_only_if_the_source_says_so(self) -> None:
        with desk(each_second(3)) as vendor:
            pulls(vendor).pull()
            assert not [request for request in vendor.asked if "sys_audit_delete" in request.path]


def snow_entry(vendor: FakeServiceNow, options: dict[str, Any]) -> dict[str, Any]:
    auth = {"kind": "basic_token", "user": "SNOW_USER", "password": "SNOW_PASSWORD"}
    api = {"connector": "servicenow", "base_url": vendor.url, "auth": auth, "since": "2026-03-01"}
    return {"id": "snow", "kind": "tickets", "reader": "servicenow", "api": {**api, "options": options}}


def pull_into(home: InboxHome, vendor: FakeServiceNow, *, well: bool = True) -> SourceLanding:
    registry, secrets = home.registry, {"SNOW_USER": USER, "SNOW_PASSWORD": PASSWORD}
    outcome = pull(home.home, registry, registry.sources["snow"], clock=vendor.clock, environment=secrets)
    assert (outcome.failures == ()) is well
    return outcome


def test_expected_counts_the_rows_of_a_window() -> None:
    with desk(each_second(9)) as vendor:
        window = Window(datetime(2026, 3, 1, 0, 0, 3, tzinfo=UTC), datetime(2026, 3, 1, 0, 0, 7, tzinfo=UTC))
        assert pulls(vendor).expected(window) == 4


def test_doctor_reports_what_may_not_be_read_and_whether_filters_work() -> None:
    with desk(each_second(2)) as vendor:
        assert [finding.is_well for finding in pulls(vendor).probe()] == [True, True]
        findings = pulls(vendor, fields=["u_ces_score"], assessments={"csat": QUESTION}).probe()
        assert [finding.is_well for finding in findings] == [True, False, True, False, False]
        assert "u_ces_score" in findings[1].text
        vendor.unknown = {"sys_updated_on"}
        with pytest.raises(BadResponseError, match="ignores a part"):
            pulls(vendor).probe()


def test_a_pull_lands(tmp_path: Path) -> None:
    """With the source's zone set to that of the people who export by hand: stored times stay UTC."""
    survey = assessment(1, sys_id(2), "2026-03-05 00:00:00")
    with desk(
        [incident(1, SECOND), incident(2, "2026-03-02 23:59:59", state="6", sys_mod_count="7")]
    ) as vendor:
        vendor.tables |= {
            "asmt_assessment_instance": [survey],
            "asmt_metric_result": [result(1, survey["sys_id"], QUESTION, "5")],
        }
        entry = {
            "id": "snow",
            "kind": "tickets",
            "reader": "servicenow",
            "time_zone": "America/New_York",
            "columns": {"csat": "csat", "version": "version"},
            "values": {"csat": {"5": "100"}},
            "api": {
                "connector": "servicenow",
                "base_url": vendor.url,
                "auth": {"kind": "basic_token", "user": "SNOW_USER", "password": "SNOW_PASSWORD"},
                "since": "2026-03-01",
                "options": {"assessments": {"csat": QUESTION}},
            },
        }
        home = inbox_home(tmp_path, entry)
        secrets = {"SNOW_USER": USER, "SNOW_PASSWORD": PASSWORD}
        for _ in range(2):
            outcome = pull(
                home.home,
                home.registry,
                home.registry.sources["snow"],
                clock=vendor.clock,
                environment=secrets,
            )
            assert outcome.failures == ()
    first, second = home.rows("snow")
    assert (first["ticket_id"], first["status"], first["group_name"]) == (
        "INC0000001",
        "in progress",
        "Service Desk",
    )
    assert (second["status"], second["csat"], second["day"].isoformat()) == ("resolved", "100", "2026-03-02")
    assert second["updated_at"] == datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    assert home.find(PASSWORD, "caller1@example.com", sys_id(900_001)) == []
