"""Protects that an event invites once: delivered repeatedly, concurrently, and killed at every step."""

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.triggers.handler import InProgressError, handler_of, respond
from ces_pipeline.triggers.links import check_link
from ces_pipeline.triggers.store import SqliteStore, StoreError
from ces_pipeline_tests.unit.triggers.handlers import KEY, LINK_KEY, MONDAY, PERSON, Desk, event, survey


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_event_invites_with_a_link_and_a_row(desk: Desk) -> None:
    handled = desk.handler().handle(event(ticket_id="T-7"))
    assert handled.link is not None
    target = check_link(handled.link, MONDAY, LINK_KEY)
    assert (target.survey, target.invitation, target.ticket) == (
        "after_chat",
        handled.decision.invitation_id,
        "T-7",
    )
    assert desk.sent == [(handled.decision.invitation_id, handled.link)]
    assert desk.rows == [
        {
            "invitation_id": handled.decision.invitation_id,
            "survey": "after_chat",
            "person": Pseudonyms(KEY).of(PERSON),
            "ticket_id": "T-7",
            "event_id": "e1",
            "status": "sent",
            "sent_at": "2026-03-02T09:00:00+00:00",
            "reason": None,
            "event_source": "chats",
            "event_type": "chat_closed",
        }
    ]


def test_a_repeated_event_is_marked_and_nothing_is_done_again(desk: Desk) -> None:
    first = desk.handler().handle(event())
    desk.later(days=3)
    again = desk.handler().handle(event())
    assert (first.is_repeat, again.is_repeat) == (False, True)
    assert again.link == first.link
    assert again.decision == first.decision
    assert (len(desk.sent), len(desk.rows)) == (1, 1)


def test_the_same_id_in_two_sources_is_two_events(desk: Desk) -> None:
    handler = desk.handler()
    assert not handler.handle(event(source="chats", event_id="1")).is_repeat
    assert not handler.handle(event(source="chat", event_id="s1")).is_repeat
    assert not handler.handle(event(source="shop", event_id="1", person="bob@example.org")).is_repeat


def test_the_limit_covers_all_surveys_and_a_contact_one_window_ago_does_not_count(desk: Desk) -> None:
    handler = desk.handler(survey(), survey(id="after_order", trigger_event="order_placed"))
    reasons = []
    for name, kind, days in [
        ("e1", "chat_closed", 0.0),
        ("e2", "order_placed", 1),
        ("e3", "chat_closed", 1),  # the third within ten days
        ("e4", "chat_closed", 8),  # ten days after the first, which does not count any more
        ("e5", "chat_closed", 0.9),  # more than nine days after the second: again the third
    ]:
        desk.later(days=days)
        reasons.append(handler.handle(event(name, event_type=kind)).decision.reason)
    assert reasons == [None, None, "over_limit", None, "over_limit"]
    # The limit does not apply to another person or to an unknown person.
    assert handler.handle(event("e6", "bob@example.org")).decision.invites
    assert all(handler.handle(event(f"n{number}", None)).decision.invites for number in range(4))


def test_case_and_blanks_do_not_make_another_person(desk: Desk) -> None:
    handler = desk.handler(contact_limit=1)
    assert handler.handle(event("e1", " Ann@Example.org ")).decision.invites
    assert handler.handle(event("e2", PERSON)).decision.reason == "over_limit"


@pytest.mark.parametrize(
    ("changed", "settings", "fields", "reason"),
    [
        ({}, {}, {"event_type": "call_ended"}, "unregistered_event"),
        ({}, {}, {"survey": "another"}, "unregistered_event"),
        ({"live_from": date(2026, 3, 3)}, {}, {}, "survey_not_live"),
        ({"live_to": date(2026, 3, 1)}, {}, {}, "survey_not_live"),
        ({"live_from": date(2026, 3, 2), "live_to": date(2026, 3, 2)}, {}, {}, None),
        # 09:00 UTC is still the day before in Honolulu.
        ({"live_from": date(2026, 3, 2)}, {"business_time_zone": "Pacific/Honolulu"}, {}, "survey_not_live"),
        ({"link": None}, {}, {}, "no_link"),
        (
            {},
            {"survey_ineligible": {"category": ["spam"]}},
            {"attributes": {"category": "spam"}},
            "not_eligible",
        ),
        ({}, {"survey_ineligible": {"category": ["spam"]}}, {"attributes": {"category": "login"}}, None),
        ({}, {"survey_ineligible": {"channel": ["unknown"]}}, {}, "not_eligible"),
    ],
)
def test_a_refusal_has_a_reason_and_a_row(
    desk: Desk, changed: dict[str, Any], settings: dict[str, Any], fields: dict[str, Any], reason: str | None
) -> None:
    handled = desk.handler(survey(**changed), **settings).handle(event(**fields))
    assert handled.decision.reason == reason
    assert (handled.link is None) == (reason is not None)
    (row,) = desk.rows
    assert (row["status"], row["reason"]) == ("sent" if reason is None else "out_of_scope", reason)
    assert len(desk.sent) == (reason is None)


def test_of_two_surveys_the_live_survey_counts(desk: Desk) -> None:
    old = survey(id="old", live_to=date(2026, 2, 28))
    assert desk.handler(old, survey()).handle(event()).decision.survey == "after_chat"


def test_an_event_that_is_delivered_concurrently_is_sent_and_written_once(desk: Desk) -> None:
    def handle(_: int) -> str:
        try:
            return "repeat" if desk.handler().handle(event()).is_repeat else "done"
        except InProgressError:
            return "later"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(handle, range(24)))
    assert outcomes.count("done") == 1
    assert (len(desk.sent), len(desk.rows)) == (1, 1)


def test_concurrent_events_of_a_person_keep_the_limit(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        handled = list(pool.map(lambda number: desk.handler().handle(event(f"e{number}")), range(24)))
    assert sum(outcome.decision.invites for outcome in handled) == 2
    assert len(desk.rows) == 24


STEPS = ("reserved", "decided", "sent", "outlet", "written")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_delivery_completes_the_work(
    desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = SqliteStore.put_if_absent

    def killed_after(wanted: str) -> Callable[..., bool]:
        def call(self: SqliteStore, partition: str, row: str, text: str) -> bool:
            done = put(self, partition, row, text)
            if partition.startswith(wanted):
                raise Killed
            return done

        return call

    def send(decision: Any, link: str) -> None:
        desk.sent.append((decision.invitation_id, link))
        if step == "sent":
            raise Killed

    handler = desk.handler(send=send)
    with monkeypatch.context() as patched:
        prefix = {"reserved": "contact/", "decided": "decided", "written": "written"}.get(step, "never")
        patched.setattr(SqliteStore, "put_if_absent", killed_after(prefix))
        if step == "outlet":
            write = handler.outlet.write
            patched.setattr(
                handler.outlet, "write", lambda decision: (write(decision), (_ for _ in ()).throw(Killed()))
            )
        with pytest.raises(Killed):
            handler.handle(event())
    if step in ("decided", "sent", "outlet"):
        # The first delivery may still be in progress.
        with pytest.raises(InProgressError):
            desk.handler().handle(event())
    desk.later(seconds=61)
    handled = desk.handler().handle(event())
    assert handled.is_repeat == (step == "written")
    assert handled.decision.decided_at == MONDAY
    # A repeated row has the same bytes, so landing drops it. A repeated invitation has the same id.
    assert len({json.dumps(row) for row in desk.rows}) == 1
    assert len(set(desk.sent)) == 1
    assert len(SqliteStore(desk.folder / "store.db").rows(f"contact/{Pseudonyms(KEY).of(PERSON)}")) == 1
    assert desk.handler().handle(event()).is_repeat


def test_a_partial_line_of_a_killed_writer_does_not_damage_the_next_line(desk: Desk) -> None:
    (desk.folder / "decisions").mkdir()
    (desk.folder / "decisions" / "decisions-2026-03-02.jsonl").write_text('{"invitation_id": "half')
    desk.handler().handle(event())
    partial, complete = (desk.folder / "decisions" / "decisions-2026-03-02.jsonl").read_text().splitlines()
    assert partial == '{"invitation_id": "half'
    assert json.loads(complete)["event_id"] == "e1"


def test_no_stored_file_names_a_person(desk: Desk) -> None:
    handled = desk.handler().handle(event())
    kept = b"".join(path.read_bytes() for path in desk.folder.rglob("*") if path.is_file())
    assert kept
    for text in (kept.decode("latin-1"), str(handled.answer), repr(event()), repr(desk.handler())):
        assert PERSON not in text
        assert LINK_KEY.decode() not in text
        assert "'test-key'" not in text
    assert oct((desk.folder / "store.db").stat().st_mode)[-3:] == "600"


def test_an_unusable_store_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("no database, " * 100)
    with pytest.raises(StoreError, match=r"store\.db cannot be used \(DatabaseError\)"):
        SqliteStore(tmp_path / "store.db")


def test_the_environment_describes_a_handler_or_the_missing_variables_are_named(tmp_path: Path) -> None:
    environment = {"CES_HOME": str(tmp_path), "CES_PSEUDONYM_KEY": "k", "CES_LINK_KEY": "l"}
    with pytest.raises(HomeError, match="CES_TRIGGER_STORE and CES_TRIGGER_DECISIONS not set"):
        handler_of(environment)
    environment |= {
        "CES_TRIGGER_STORE": str(tmp_path / "s.db"),
        "CES_TRIGGER_DECISIONS": str(tmp_path / "out"),
    }
    with pytest.raises(CesError, match="no registry at"):
        handler_of(environment)
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "surveys.yaml").write_text(
        "- {id: after_chat, scale: ease_1_5, trigger_event: chat_closed, link: https://surveys.example.com/a}\n"
    )
    handled = handler_of(environment).handle(event())
    assert handled.decision.invites
    assert abs(handled.decision.decided_at - handler_of(environment).now()) < timedelta(minutes=1)


@pytest.mark.parametrize("milliseconds", [(2, 1, 0), (0, 1, 2), (0, 0, 0), (90_000, 0, -90_000)])
def test_the_limit_holds_for_machines_whose_clocks_differ(desk: Desk, milliseconds: tuple[int, ...]) -> None:
    invited = []
    for number, ahead in enumerate(milliseconds):
        desk.now = MONDAY + timedelta(milliseconds=ahead)
        invited.append(desk.handler().handle(event(f"e{number}")).decision.invites)
    assert invited == [True, True, False]


def test_the_limit_holds_for_concurrent_events_of_machines_whose_clocks_differ(desk: Desk) -> None:
    def handle(number: int) -> bool:
        at = MONDAY + timedelta(milliseconds=(number * 7) % 24)
        return replace(desk.handler(), now=lambda: at).handle(event(f"e{number}")).decision.invites

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(handle, range(24))) == 2


def _invites(folder: Path, number: int) -> bool:
    """One event, in a process of its own, whose clock is some milliseconds off."""
    at = MONDAY + timedelta(milliseconds=(number * 7) % 24 - 12)
    return (
        replace(Desk(folder).handler(), now=lambda: at, send=None)
        .handle(event(f"p{number}"))
        .decision.invites
    )


@pytest.mark.slow
def test_the_limit_holds_for_processes_whose_clocks_differ(tmp_path: Path) -> None:
    spawned = get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=spawned) as pool:
        assert sum(pool.map(partial(_invites, tmp_path), range(32))) == 2


HEAD = '{"source": "desk", "event_type": "chat_closed", "event_id": "1", "person": "ann@example.org"'


@pytest.mark.parametrize(
    "body",
    [
        HEAD.replace("ann", r"\ud800") + "}",
        HEAD + r', "ticket_id": "\udfff"}',
        HEAD.replace("desk", r"\udc80") + "}",
        HEAD.replace('"1"', r'"\ud800"') + "}",
        HEAD + r', "channel": "\ud800"}',
        HEAD.replace('"1"', "9" * 5_000) + "}",
        HEAD.replace('"1"', '"' + "9" * 5_000 + '"') + "}",
        HEAD + ', "x": ' + "[" * 100_000,
        HEAD,
        "[]",
        "null",
        "7",
        "",
        '"\\ud800"',
        b"\xff\xfe\x00",
        b"\x80",
        None,
        {"a": 1},
        '{"specversion": "1.0", "data": []}',
        '{"detail-type": {}, "detail": {}}',
        '{"source": true, "event_id": [], "event_type": {}}',
    ],
)
def test_whatever_is_delivered_a_bad_event_is_a_400_with_a_reason(desk: Desk, body: Any) -> None:
    status, content = respond(body, desk.handler())
    assert status == 400
    assert content["problem"]
    assert "example" not in content["problem"]
    assert not (desk.folder / "decisions").exists()
