"""Protects the write-back to tickets: off unless configured, and one effective update per ticket."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from ces_pipeline.activation import scores
from ces_pipeline.activation.errors import ExportError
from ces_pipeline.activation.ledger import Ledger
from ces_pipeline.activation.scores import Report, write_scores
from ces_pipeline.cli.main import main
from ces_pipeline.errors import RegistryError
from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import MissingVariableError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.registry import load_registry
from ces_pipeline.vendors.freshdesk import fake_server as freshdesk
from ces_pipeline.vendors.servicenow import fake_server as servicenow
from ces_pipeline.vendors.zendesk import fake_server as zendesk
from ces_pipeline_tests.lake_days import SmallHome, response, small_home, ticket
from ces_pipeline_tests.unit.activation.writable import WritableFreshdesk, WritableServiceNow, WritableZendesk

ENVIRONMENT = {
    "ZD_USER": zendesk.EMAIL,
    "ZD_TOKEN": zendesk.TOKEN,
    "FD_KEY": freshdesk.KEY,
    "SN_USER": servicenow.USER,
    "SN_PASSWORD": servicenow.PASSWORD,
}
DESKS: dict[str, dict[str, Any]] = {
    "zendesk": {
        "reader": "zendesk_json",
        "auth": {"kind": "basic_token", "user": "ZD_USER", "password": "ZD_TOKEN"},
        "field": "4711",
    },
    "freshdesk": {
        "reader": "freshdesk_json",
        "auth": {"kind": "basic_token", "user": "FD_KEY"},
        "field": "cf_ces_score",
    },
    "servicenow": {
        "reader": "servicenow",
        "auth": {"kind": "basic_token", "user": "SN_USER", "password": "SN_PASSWORD"},
        "field": "u_ces_score",
    },
}


HomeOf = Callable[..., SmallHome]


class Killed(BaseException):
    """The process ends here."""


def ticket_id(kind: str, number: int) -> str:
    return f"INC{number:07d}" if kind == "servicenow" else str(number)


def vendor_of(kind: str, **more: Any) -> Any:
    """A helpdesk with four tickets. The third already has a 2; the fourth has no answer."""
    if kind == "zendesk":
        tickets = [zendesk.ticket(number) for number in range(1, 5)]
        for item in tickets:
            item["custom_fields"] = [{"id": 4711, "value": "2" if item["id"] == 3 else None}]
        return WritableZendesk(tickets, **more)
    if kind == "freshdesk":
        at = "2026-03-02T08:00:00Z"
        held = [{"cf_ces_score": 2 if number == 3 else None} for number in range(1, 5)]
        return WritableFreshdesk(
            [freshdesk.ticket(number, at, custom_fields=fields) for number, fields in enumerate(held, 1)],
            **more,
        )
    return WritableServiceNow(
        [
            servicenow.incident(number, "2026-03-02 08:00:00", u_ces_score="2" if number == 3 else "")
            for number in range(1, 5)
        ],
        **more,
    )


def answers(kind: str, first: float = 75.0) -> list[dict[str, Any]]:
    """Answers about the tickets 1, 2 (two answers), 3 and a missing ticket, and one that matches only by its person."""
    rows = [(1, first, 10), (2, 0.0, 10), (2, 100.0, 11), (3, 25.0, 10)]
    return [
        *(
            response(
                f"r{index}",
                ticket_id=ticket_id(kind, number),
                ease=ease,
                recorded_at=datetime(2026, 3, 2, hour, tzinfo=UTC),
            )
            for index, (number, ease, hour) in enumerate(rows)
        ),
        response("r9", ticket_id=ticket_id(kind, 99)),
        response("r8", respondent_key="ab" * 32),
    ]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SmallHome]:
    """A published home for each system, because their ticket ids differ."""
    homes = {}
    for kind in DESKS:
        small = homes[kind] = small_home(tmp_path_factory.mktemp(kind))
        small.clean("survey", answers(kind))
        small.clean(
            "tickets",
            [
                ticket(
                    f"k{number}",
                    ticket_id=ticket_id(kind, number),
                    requester_key="ab" * 32 if number == 4 else None,
                    created_at=datetime(2026, 3, 1, tzinfo=UTC),
                    solved_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
                )
                for number in (1, 2, 3, 4)
            ],
        )
        small.publish("run-1")
    return homes


@pytest.fixture
def home_of(published: dict[str, SmallHome], tmp_path: Path) -> HomeOf:
    """A published home whose tickets are pulled from a vendor."""

    def copied(kind: str, vendor: Any, **write_back: Any) -> SmallHome:
        root = tmp_path / vendor.url.rpartition(":")[2]
        small = published[kind].copied(root)
        system = DESKS[kind]
        desk = {
            "id": "desk",
            "kind": "tickets",
            "reader": system["reader"],
            "api": {"connector": kind, "base_url": vendor.url, "since": "2026-03-01", "auth": system["auth"]},
            "write_back": {"field": system["field"], **write_back},
        }
        path = root / "registry" / "sources.yaml"
        path.write_text(yaml.safe_dump([*yaml.safe_load(path.read_text())[:1], desk]))
        small.registry = load_registry(path.parent)
        return small

    return copied


def write(small: SmallHome, vendor: Any, *, is_dry: bool = False, **how: Any) -> Report:
    how.setdefault("environment", ENVIRONMENT)
    source = small.registry.sources["desk"]
    return write_scores(small.home, source, is_dry=is_dry, clock=vendor.clock, **how)


@pytest.mark.parametrize("kind", DESKS)
def test_each_ticket_gets_the_newest_score_once(kind: str, home_of: HomeOf) -> None:
    with vendor_of(kind) as vendor:
        small = home_of(kind, vendor)
        report = write(small, vendor)
        assert (report.written, report.held, report.before, report.not_there, report.refused) == (
            2,
            1,
            0,
            0,
            [],
        )
        assert [(number, int(new)) for number, _, new in vendor.changes] == [
            (ticket_id(kind, 1), 4),
            (ticket_id(kind, 2), 5),
        ]
        asked = len(vendor.asked)
        assert write(small, vendor).before == 3
        assert len(vendor.asked) == asked


@pytest.mark.parametrize("kind", DESKS)
def test_a_dry_run_asks_nothing_and_needs_no_secret(kind: str, home_of: HomeOf) -> None:
    with vendor_of(kind) as vendor:
        small = home_of(kind, vendor)
        report = write(small, vendor, is_dry=True, environment={})
        assert (report.written, report.before, vendor.asked) == (3, 0, [])
        assert write(small, vendor).written == 2


@pytest.mark.parametrize("kind", DESKS)
@pytest.mark.parametrize("request_number", [1, 2, 3, 4])
def test_killed_after_any_request_each_ticket_is_updated_once(
    kind: str, request_number: int, home_of: HomeOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vendor_of(kind) as vendor:
        small = home_of(kind, vendor)
        answer = vendor.answer

        def kill(asked: Any) -> Any:
            reply = answer(asked)
            if len(vendor.asked) == request_number:
                killed.append(True)
            return reply

        killed: list[bool] = []
        request = Http.request

        def request_and_die(self: Http, *given: Any, **more: Any) -> Any:
            found = request(self, *given, **more)
            if killed:
                raise Killed
            return found

        with monkeypatch.context() as patched:
            patched.setattr(vendor, "answer", kill)
            patched.setattr(Http, "request", request_and_die)
            # A killed process does not write the ledger.
            patched.setattr(Ledger, "end", lambda *_given, **_more: None)
            with pytest.raises(Killed):
                write(small, vendor)
        write(small, vendor)
        assert sorted((number, int(new)) for number, _, new in vendor.changes) == [
            (ticket_id(kind, 1), 4),
            (ticket_id(kind, 2), 5),
        ]
        assert len(vendor.writes) == 2
        assert write(small, vendor).before == 3


@pytest.mark.parametrize("fault", ["busy", "error", "cut", "html"])
def test_a_passing_fault_changes_nothing_twice(fault: str, home_of: HomeOf) -> None:
    with vendor_of("zendesk", plan=FaultPlan({0: fault, 2: fault, 4: fault})) as vendor:
        small = home_of("zendesk", vendor)
        assert write(small, vendor).written == 2
        assert len(vendor.changes) == 2


def test_a_lost_ledger_changes_nothing_again(home_of: HomeOf) -> None:
    with vendor_of("zendesk") as vendor:
        small = home_of("zendesk", vendor)
        write(small, vendor)
        for path in (small.root / "exports" / "scores" / "desk").glob("*.parquet"):
            path.unlink()
        report = write(small, vendor)
        assert (report.written, report.held) == (0, 3)
        assert (len(vendor.changes), len(vendor.writes)) == (2, 2)


def test_a_revised_answer_is_written_and_an_agents_own_value_is_kept(home_of: HomeOf) -> None:
    with vendor_of("freshdesk") as vendor:
        small = home_of("freshdesk", vendor)
        write(small, vendor)
        vendor.tickets[2]["custom_fields"]["cf_ces_score"] = 1
        small.clean("survey", answers("freshdesk", first=0.0))
        small.publish("run-2")
        report = write(small, vendor)
        assert (report.written, report.before) == (1, 2)
        assert vendor.changes[2:] == [("1", 4, 1)]
        assert vendor.tickets[2]["custom_fields"]["cf_ces_score"] == 1


@pytest.mark.parametrize(
    ("value", "expected"), [("effort_0_100", 25), ("ease_0_100", 75), ("effort_band", "easy"), ("score", 4)]
)
def test_the_registry_decides_which_value_is_written(value: str, expected: Any, home_of: HomeOf) -> None:
    with vendor_of("freshdesk") as vendor:
        small = home_of("freshdesk", vendor, value=value)
        write(small, vendor)
        assert vendor.tickets[1]["custom_fields"]["cf_ces_score"] == expected


def test_a_closed_or_deleted_ticket_is_counted_once_and_not_requested_again(home_of: HomeOf) -> None:
    with vendor_of("zendesk") as vendor:
        small = home_of("zendesk", vendor)
        vendor.tickets[0]["status"] = "closed"
        del vendor.tickets[1]
        report = write(small, vendor)
        assert (report.written, report.held, report.not_there) == (0, 1, 2)
        assert (vendor.writes, vendor.changes) == ([], [])
        assert write(small, vendor).before == 3


def test_a_ticket_that_is_refused_is_named_and_the_others_are_written(home_of: HomeOf) -> None:
    with vendor_of("freshdesk") as vendor:
        small = home_of("freshdesk", vendor)
        vendor.tickets[1]["custom_fields"] = {}
        report = write(small, vendor)
        assert (report.written, report.held, report.refused) == (1, 1, ["1"])
        assert write(small, vendor).refused == ["1"]


def test_it_stops_early_if_every_ticket_is_refused(home_of: HomeOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "_MOST_REFUSED", 2)
    with vendor_of("freshdesk") as vendor:
        small = home_of("freshdesk", vendor)
        for item in vendor.tickets.values():
            item["custom_fields"] = {}
        with pytest.raises(ExportError, match="desk: a ticket's field was refused with 400"):
            write(small, vendor)
        assert vendor.writes == ["1", "2"]


def test_a_column_that_the_user_may_not_see_is_named(home_of: HomeOf) -> None:
    with vendor_of("servicenow") as vendor:
        small = home_of("servicenow", vendor)
        for row in vendor.tables["incident"]:
            del row["u_ces_score"]
        with pytest.raises(ExportError, match=r"desk: the column u_ces_score .*write_back\.field"):
            write(small, vendor)


def test_wrong_credentials_stop_it_at_the_first_request_and_unset_ones_before(home_of: HomeOf) -> None:
    with vendor_of("zendesk") as vendor:
        small = home_of("zendesk", vendor)
        with pytest.raises(ExportError, match="desk: a ticket's field was refused with 401"):
            write(small, vendor, environment={**ENVIRONMENT, "ZD_TOKEN": "wrong"})
        assert len(vendor.asked) == 1
        with pytest.raises(MissingVariableError, match="ZD_USER and ZD_TOKEN not set"):
            write(small, vendor, environment={})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"api": None}, "write_back"),
        ({"write_back": {"field": "cf_ces"}}, "write_back.field"),
        ({"write_back": {"field": "1; DROP"}}, "write_back.field"),
        # The source `effort` takes its answers from this field.
        ({"write_back": {"field": "4712"}}, "write_back.field"),
        ({"write_back": {"field": "4711", "value": "comment"}}, "write_back.value"),
    ],
)
def test_a_mistake_in_the_registry_names_its_entry_and_key(
    tmp_path: Path, change: dict[str, Any], key: str
) -> None:
    small = small_home(tmp_path)
    api = {"connector": "zendesk", "base_url": "https://example.zendesk.com", "since": "2026-01-01"}
    desk = {
        "id": "desk",
        "kind": "tickets",
        "reader": "zendesk_json",
        "api": api,
        "write_back": {"field": "4711"},
    }
    effort = {
        "id": "effort",
        "kind": "survey",
        "reader": "json",
        "survey": "after_chat",
        "api": {**api, "connector": "zendesk_field", "options": {"field_id": 4712}},
    }
    path = small.home.registry / "sources.yaml"
    path.write_text(yaml.safe_dump([desk, effort], default_flow_style=False))
    assert load_registry(small.home.registry).sources["desk"].write_back is not None
    path.write_text(yaml.safe_dump([{**desk, **change}, effort]))
    with pytest.raises(RegistryError, match=rf"sources\.yaml, line \d+: entry desk: {re.escape(key)}: "):
        load_registry(small.home.registry)


def test_adding_write_back_reads_no_export_again(home_of: HomeOf) -> None:
    with vendor_of("zendesk") as vendor:
        source = home_of("zendesk", vendor).registry.sources["desk"]
    assert source.reading == source.model_copy(update={"write_back": None}).reading


def test_the_command_only_counts_without_send(home_of: HomeOf, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in ENVIRONMENT.items():
        monkeypatch.setenv(name, secret)
    with vendor_of("zendesk") as vendor:
        small = home_of("zendesk", vendor)
        words = ["export", "scores", "--home", str(small.root)]
        counted = CliRunner().invoke(main, words)
        assert counted.exit_code == 0
        assert counted.stdout == (
            "desk: would write at most 3 tickets; earlier runs handled 0; 0 already have the value; "
            "0 are deleted or closed\n"
            "nothing was sent. Use `ces export scores --send` to write the scores\n"
        )
        assert vendor.asked == []
        vendor.tickets[0]["custom_fields"] = []
        sent = CliRunner().invoke(main, [*words, "--send"])
        assert sent.exit_code == 1
        assert (
            "desk: wrote 1 tickets; earlier runs handled 0; 1 already have the value; 0 are deleted or closed"
            in sent.output
        )
        assert "desk: the system refused 1 tickets: 1" in sent.output
