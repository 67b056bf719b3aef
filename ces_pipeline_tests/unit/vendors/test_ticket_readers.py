"""What each ticket system's exports mean: joined side-loads, codes as words, versions, deletions, people."""

import json
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats import json_tables
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.vendors.recognise import recognise
from ces_pipeline_tests.unit.vendors.reading import delivered, read


def zendesk(ticket_id: int, **more: Any) -> dict[str, Any]:
    return {
        "id": ticket_id,
        "status": "open",
        "requester_id": 7,
        "via": {"channel": "web"},
        "group_id": 3,
        "updated_at": "2026-01-01T00:00:00Z",
        "custom_fields": [{"id": 11, "value": "x"}],
        "fields": [{"id": 11, "value": "x"}],
        **more,
    }


METRICS = {
    "ticket_id": 1,
    "assignee_stations": 3,
    "group_stations": 1,
    "reopens": 2,
    "replies": 4,
    "solved_at": "2026-01-02T00:00:00Z",
    "reply_time_in_minutes": {"calendar": 15, "business": 5},
    "full_resolution_time_in_minutes": {"calendar": 600, "business": 100},
}


class TestZendesk:
    def test_more_tickets_than_memory_holds_are_refused_and_never_spilled_to_the_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_tables, "scratch", lambda _, **options: scratch(5, **options))
        monkeypatch.chdir(tmp_path)
        page = {"tickets": [zendesk(number, description="long " * 400) for number in range(20_000)]}
        file = delivered(tmp_path, json.dumps(page), "z.json")
        with pytest.raises(UnreadableFileError, match=r"z\.json: .* deliver it in parts"):
            read("zendesk_json", file)
        assert [path.name for path in tmp_path.iterdir()] == ["z.json"]

    def single(self, tmp_path: Path, page: Any) -> tuple[Any, dict[str, Any]]:
        """The export of a page, and our fields of its first ticket."""
        export, rows = read("zendesk_json", delivered(tmp_path, json.dumps(page), "z.json"))
        return export, {name: rows[0][column] for name, column in export.mapping.items()}

    def test_side_loads_are_joined(self, tmp_path: Path) -> None:
        page = {
            "tickets": [zendesk(1, generated_timestamp=1700000000)],
            "users": [{"id": 7, "email": "a@example.com"}],
            "groups": [{"id": 3, "name": "Billing"}],
            "metric_sets": [METRICS],
            "satisfaction_ratings": [{"ticket_id": 1, "score": "good_with_comment"}],
            "end_of_stream": True,
        }
        export, ticket = self.single(tmp_path, page)
        assert ticket == {
            "ticket_id": "1",
            "status": "open",
            "channel": "web",
            "requester": "a@example.com",
            "group_name": "Billing",
            "updated_at": "2026-01-01T00:00:00Z",
            "solved_at": "2026-01-02T00:00:00Z",
            "version": "1700000000",
            "first_reply_minutes": "15",
            "resolution_minutes": "600",
            "reopens": "2",
            "handoffs": "2",
            "replies": "4",
            "csat": "good",
            "is_deleted": "false",
        }
        assert "custom_fields.11" in export.columns
        assert not any(column.startswith("fields") for column in export.columns)
        assert "requester_id" in export.people

    def test_metrics_may_stand_in_the_ticket(self, tmp_path: Path) -> None:
        metric = {**METRICS, "assignee_stations": 0, "group_stations": 0}
        _, ticket = self.single(tmp_path, [zendesk(1, metric_set=metric)])
        assert (ticket["handoffs"], ticket["reopens"]) == ("0", "2")

    def test_unknown_requesters_keep_their_id_and_deletion_shows(self, tmp_path: Path) -> None:
        _, ticket = self.single(tmp_path, {"ticket": zendesk(1, status="deleted")})
        assert (ticket["requester"], ticket["is_deleted"]) == ("7", "true")

    @pytest.mark.parametrize(
        ("score", "csat"), [("good", "good"), ("bad", "bad"), ("offered", None), ("unoffered", None)]
    )
    def test_only_given_ratings_count(self, tmp_path: Path, score: str, csat: str | None) -> None:
        assert self.single(tmp_path, [zendesk(1, satisfaction_rating={"score": score})])[1]["csat"] == csat

    def test_the_file_that_an_administrator_exports(self, tmp_path: Path) -> None:
        """One ticket per line; people, the group and the organization are objects, without separate ids."""
        ann = {
            "id": 7,
            "name": "Ann Example",
            "email": "ann@example.com",
            "phone": "030 1234567",
            "photo": None,
        }
        bob = {"id": 8, "name": "Bob Example", "email": None, "signature": "Yours, Bob"}
        shared = {
            "custom_fields": [{"id": 11, "value": "x"}],
            "metric_set": METRICS,
            "via": {"channel": "web"},
        }
        lines = [
            {
                "id": 1,
                "status": "solved",
                "updated_at": "2026-01-01T00:00:00Z",
                "brand_id": 5,
                **shared,
                "requester": ann,
                "submitter": ann,
                "assignee": bob,
                "group": {"id": 3, "name": "Billing"},
                "organization": {"id": 4, "name": "Example Inc"},
                "comments": [{"body": "dear Ann Example"}],
            },
            {
                "id": 2,
                "status": "open",
                "updated_at": "2026-01-01T00:00:00Z",
                "brand_id": 5,
                **shared,
                "requester": bob,
                "submitter": bob,
                "assignee": None,
                "group": None,
                "organization": None,
                "comments": [],
            },
        ]
        file = delivered(tmp_path, "\n".join(map(json.dumps, lines)), "export.json")
        assert recognise(file)[0][0].name == "zendesk_json"
        export, rows = read("zendesk_json", file)
        shown = [
            [row[name] for name in ("id", "requester", "submitter", "assignee", "group", "organization.name")]
            for row in rows
        ]
        assert shown == [
            ["1", "ann@example.com", "ann@example.com", "8", "Billing", "Example Inc"],
            ["2", "8", "8", None, None, None],
        ]
        assert (export.mapping["requester"], export.mapping["group_name"]) == ("requester", "group")
        assert {"requester", "submitter", "assignee"} <= {*export.people}
        assert (rows[0]["metric_set.reopens"], rows[0]["custom_fields.11"], rows[0]["handoffs"]) == (
            "2",
            "x",
            "2",
        )
        assert "Example" not in repr(rows).replace("Example Inc", "")

    def test_recorded_exchanges_page_by_page(self, tmp_path: Path) -> None:
        lines = [
            {"uri": "a", "body": {"users": [{"id": 7, "email": "a@example.com"}], "tickets": [zendesk(1)]}},
            {"uri": "b", "body": {"job_status": {"id": "x"}}},
            {"uri": "c", "body": {"tickets": [zendesk(1), zendesk(2)]}},
        ]
        file = delivered(tmp_path, "\n".join(map(json.dumps, lines)), "z.jsonl")
        assert recognise(file)[0][0].name == "zendesk_json"
        export, rows = read("zendesk_json", file)
        assert [(row["id"], row["requester"], row["row_number"]) for row in rows] == [
            ("1", "a@example.com", 1),
            ("1", "a@example.com", 2),
            ("2", "a@example.com", 3),
        ]
        assert export.notes == ["1 records were skipped: they are not tickets"]

    def test_a_broken_page_is_set_aside(self, tmp_path: Path) -> None:
        text = json.dumps({"tickets": [zendesk(1)]}) + "\n{\n" + json.dumps(zendesk(2))
        export, rows = read("zendesk_json", delivered(tmp_path, text, "z.jsonl"))
        assert [row["id"] for row in rows] == ["1", "2"]
        assert [bad.row_number for bad in export.unreadable] == [2]

    def test_other_records_are_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFileError, match=r"no Zendesk tickets in it \(it holds audits\)"):
            read("zendesk_json", delivered(tmp_path, '{"audits": [{"id": 1}]}', "z.json"))

    def test_an_empty_page_has_no_rows(self, tmp_path: Path) -> None:
        export, rows = read(
            "zendesk_json", delivered(tmp_path, '{"tickets": [], "end_of_stream": true}', "z.json")
        )
        assert (rows, export.notes) == ([], ["no records: no rows"])


FRESH = {
    "id": 5,
    "status": 2,
    "priority": 1,
    "source": 3,
    "requester_id": 9,
    "responder_id": 8,
    "type": "Question",
    "requester": {"email": "a@example.com"},
    "cc_emails": ["b@example.com"],
    "stats": {"resolved_at": "2026-01-02T00:00:00Z"},
}
OLD = {
    "id": 5,
    "status": 2,
    "priority": 1,
    "source": 3,
    "requester_id": 9,
    "responder_id": 8,
    "ticket_type": "Question",
    "cc_email": {"cc_emails": []},
    "custom_field": {"a": 1},
    "isescalated": False,
    "deleted": True,
}


class TestFreshdesk:
    @pytest.mark.parametrize(
        "text",
        [
            json.dumps([FRESH]),
            json.dumps(FRESH, indent=1),
            json.dumps({"total": 1, "results": [FRESH]}),
            json.dumps(FRESH),
        ],
        ids=["list", "one ticket", "search", "line"],
    )
    def test_layouts(self, tmp_path: Path, text: str) -> None:
        file = delivered(tmp_path, text, "f.json")
        assert recognise(file)[0][0].name == "freshdesk_json"
        export, rows = read("freshdesk_json", file)
        ours = {name: rows[0][column] for name, column in export.mapping.items()}
        assert ours == {
            "ticket_id": "5",
            "status": "2",
            "priority": "1",
            "category": "Question",
            "channel": "3",
            "requester": "a@example.com",
            "solved_at": "2026-01-02T00:00:00Z",
        }
        assert {"cc_emails", "responder_id", "requester.email"} <= set(export.people)
        assert export.values["status"]["2"] == "open"
        assert export.values["priority"]["1"] == "low"
        assert export.values["channel"]["3"] == "phone"

    def test_old_names_read_as_the_new_ones(self, tmp_path: Path) -> None:
        export, rows = read("freshdesk_json", delivered(tmp_path, json.dumps([OLD]), "f.json"))
        assert {"type", "custom_fields.a", "is_escalated"} <= set(export.columns)
        assert rows[0][export.mapping["requester"]] == "9"
        assert rows[0][export.mapping["is_deleted"]] == "true"

    @pytest.mark.parametrize(
        ("record", "kind"),
        [
            ({"id": 1, "body_text": "x", "incoming": False, "ticket_id": 1}, "conversations"),
            ({"id": 1, "ticket_scope": 1, "contact": {}}, "agents"),
            ({"id": 1, "email": "a@example.com", "job_title": None}, "contacts"),
            ({"id": 1, "time_spent": "00:15"}, "time entries"),
        ],
    )
    def test_other_records_are_refused_by_name(
        self, tmp_path: Path, record: dict[str, Any], kind: str
    ) -> None:
        with pytest.raises(UnreadableFileError, match=rf"Freshdesk {kind}, not tickets") as refusal:
            read("freshdesk_json", delivered(tmp_path, json.dumps([record]), "f.json"))
        assert "example.com" not in str(refusal.value)


class TestServiceNow:
    def test_the_event_log(self, tmp_path: Path) -> None:
        text = (
            "number,incident_state,sys_mod_count,caller_id,opened_by,sys_updated_at,assigned_to,priority\n"
            "INC1,New,0,Caller 1,Opened by  8,29/2/2016 01:23,?,3 - Moderate\n"
            "INC1,Closed,2,Caller 1,Opened by  8,1/3/2016 01:23,?,3 - Moderate\n"
        )
        file = delivered(tmp_path, text)
        assert recognise(file)[0][0].name == "servicenow"
        export, rows = read("servicenow", file)
        assert [row["assigned_to"] for row in rows] == [None, None]
        assert [row[export.mapping["version"]] for row in rows] == ["0", "2"]
        assert export.date_order == "day"
        assert export.people == ("opened_by", "assigned_to")
        assert export.values["priority"]["3 - moderate"] == "moderate"

    def test_a_question_mark_in_an_ordinary_export_stays(self, tmp_path: Path) -> None:
        text = "number,sys_updated_on,sys_id,short_description\nINC1,2026-01-01 00:00:00,a,?\n"
        export, rows = read("servicenow", delivered(tmp_path, text))
        assert rows[0]["short_description"] == "?"
        assert (export.date_order, export.time_zone) == (None, None)

    def test_table_api_plain_values(self, tmp_path: Path) -> None:
        record = {
            "number": "INC1",
            "sys_id": "a",
            "state": "6",
            "sys_updated_on": "2026-01-01 00:00:00",
            "caller_id": "u",
        }
        file = delivered(tmp_path, json.dumps({"result": [record]}), "s.json")
        assert recognise(file)[0][0].name == "servicenow"
        export, rows = read("servicenow", file)
        assert (rows[0][export.mapping["status"]], export.values["status"]["6"]) == ("6", "resolved")
        assert export.time_zone is None

    def test_table_api_display_and_stored_values(self, tmp_path: Path) -> None:
        record = {
            "number": {"display_value": "INC1", "value": "INC1"},
            "state": {"display_value": "Resolved", "value": "6"},
            "sys_updated_on": {"display_value": "01/01/2026 01:00", "value": "2026-01-01 00:00:00"},
            "caller_id": {"display_value": "Ann Lee", "value": "u1", "link": "https://x"},
            "assignment_group": {"display_value": "Billing", "value": "g1"},
        }
        export, rows = read("servicenow", delivered(tmp_path, json.dumps({"result": [record]}), "s.json"))
        ours = {name: rows[0][column] for name, column in export.mapping.items()}
        assert ours == {
            "ticket_id": "INC1",
            "status": "Resolved",
            "updated_at": "2026-01-01 00:00:00",
            "requester": "u1",
            "group_name": "Billing",
        }
        assert export.people == ("caller_id.display_value",)
        assert export.time_zone == "UTC"

    def test_other_tables_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFileError, match="no column `number`"):
            read("servicenow", delivered(tmp_path, "a,b\n1,2\n"))


def test_a_ticket_of_freshdesks_first_api_has_the_id_that_people_see(tmp_path: Path) -> None:
    ticket = {
        "id": 7400112233,
        "display_id": 1,
        "status": 2,
        "requester_id": 11,
        "deleted": False,
        "spam": True,
    }
    for document in ({"helpdesk_ticket": ticket}, [{"helpdesk_ticket": ticket}], [{"ticket": ticket}]):
        export, (row,) = read("freshdesk_json", delivered(tmp_path, json.dumps(document), "wrapped.json"))
        found = {name: row[export.mapping[name]] for name in ("ticket_id", "is_spam")}
        assert found == {"ticket_id": "1", "is_spam": "true"}


def test_handoffs_are_null_where_no_metrics_are_in_the_export(tmp_path: Path) -> None:
    ticket = {"id": 1, "status": "open", "via": {"channel": "email"}, "requester_id": 1}
    counted = {**ticket, "id": 2, "metric_set": {"assignee_stations": 3, "group_stations": 1}}
    never = {**ticket, "id": 3, "metric_set": {"assignee_stations": 0, "group_stations": 0}}
    _, rows = read("zendesk_json", delivered(tmp_path, json.dumps({"tickets": [ticket, counted, never]})))
    assert [row["handoffs"] for row in rows] == [None, "2", "0"]


@pytest.mark.parametrize(
    ("number", "more", "states"),
    [
        ("INC0001", {}, {"3": "on hold", "7": "closed"}),
        ("SCTASK0001", {}, {"3": "closed complete", "7": "closed skipped"}),
        ("X1", {"sys_class_name": "Catalog Task"}, {"3": "closed complete", "7": "closed skipped"}),
        ("CS0001", {}, {"3": "closed", "7": "cancelled"}),
    ],
)
def test_codes_of_state_are_those_of_the_table(
    tmp_path: Path, number: str, more: dict[str, str], states: dict[str, str]
) -> None:
    row = {"number": number, "state": "3", "sys_id": "a", "opened_at": "2026-03-02 08:00:00", **more}
    export, rows = read("servicenow", delivered(tmp_path, json.dumps({"result": [row]})))
    assert states.items() <= export.values["status"].items()
    assert len(rows) == 1


def test_codes_of_tables_that_differ_are_not_translated(tmp_path: Path) -> None:
    rows = [{"number": number, "state": "3", "sys_id": number} for number in ("INC1", "TASK1")]
    export, _ = read("servicenow", delivered(tmp_path, json.dumps({"result": rows})))
    assert "status" not in export.values
    assert export.doubts


@pytest.mark.parametrize(
    "text",
    [
        "number,state,sys_id,opened_at,sys_updated_on,cab_required,backout_plan\nCHG1,3,a,2026-03-02,2026-03-02,no,x\n",
        "number,state,sys_id,opened_at,sys_updated_on\nCHG1,3,a,2026-03-02,2026-03-02\n",
        "number,state,sys_id,opened_at,metric_type,taken_on,percent_answered\nAINST1,complete,a,2026-03-02,m,d,100\n",
    ],
)
def test_a_change_or_a_survey_table_is_no_incident_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError):
        read("servicenow", delivered(tmp_path, text))
