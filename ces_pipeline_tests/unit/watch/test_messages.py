"""Protects which messages are due: one per incident, one on recovery, one digest a day, three at most in a storm."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ces_pipeline.registry.alerts import Channel, Rule
from ces_pipeline.watch.incidents import Series, fold
from ces_pipeline.watch.messages import MOST_MESSAGES, Message, body, due, payload, recorded, title
from ces_pipeline_tests.unit.watch.incident_logs import at, day, night, nights, only, rule

REPORT = "https://cx.example.org/reports/latest.html"
CHANNEL = Channel.model_validate(
    {"id": "hook", "kind": "webhook", "url": "HOOK_URL", "secret": "HOOK_SECRET"}
)


def rows(messages: list[Message], number: int, status: str = "sent") -> list[dict[str, Any]]:
    """The ledger's rows of messages that were sent in the night after a day."""
    return [
        {
            "message_id": message.message_id,
            "channel_id": message.channel_id,
            "kind": message.kind,
            "event_ids": message.event_ids,
            "status": status,
            "created_at": at(number),
        }
        for message in messages
    ]


def sent_in(drawn: str, of: Rule, channel: Channel = CHANNEL) -> list[tuple[int, str, int]]:
    """(Number of the day, kind, incidents) of every message of all nights."""
    events: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    found = []
    for known in range(1, len(drawn) + 1):
        events = night(events, drawn[:known], of)
        messages = due(channel, {of.id: of}, fold(events).values(), ledger, day(known))
        ledger += rows(messages, known - 1)
        found += [(known - 1, message.kind, len(message.notices)) for message in messages]
    return found


def test_a_spike_is_reported_once_and_its_recovery_once() -> None:
    assert sent_in("....x" + "." * 40, rule()) == [(4, "opened", 1), (11, "recovered", 1)]


def test_a_lasting_shift_is_reported_once_and_not_every_day() -> None:
    assert sent_in("....." + "x" * 60, rule()) == [(5, "opened", 1)]


def test_flapping_within_the_cooldown_is_reported_again_only_when_it_is_over() -> None:
    # Recovered on day 7, back on day 10, and it stays: said again 14 days after the first message.
    assert sent_in("x" + "." * 9 + "x" * 20, rule()) == [
        (0, "opened", 1),
        (7, "recovered", 1),
        (14, "opened", 1),
    ]


def test_warnings_are_one_digest_a_day() -> None:
    warning = rule(severity="warning")
    assert sent_in("....x" + "." * 20, warning) == [(4, "digest", 1), (11, "digest", 1)]
    incidents = fold(nights("....x", warning)).values()
    (digest,) = due(CHANNEL, {warning.id: warning}, incidents, [], day(5))
    other = rule("other", severity="warning")
    more = fold([*nights("....x", warning), *nights("....x", other)]).values()
    both = {warning.id: warning, other.id: other}
    assert due(CHANNEL, both, more, rows([digest], 4), day(5)) == []
    (next_day,) = due(CHANNEL, both, more, rows([digest], 4), day(6))
    assert [notice.incident.rule_id for notice in next_day.notices] == ["other"]


def test_a_channel_reports_its_severities_and_rules_only() -> None:
    critical = CHANNEL.model_copy(update={"severities": ("critical",)})
    assert sent_in("....xx", rule(severity="warning"), critical) == []
    assert sent_in("....xx", rule(channels=[])) == []


def test_what_was_over_before_it_was_noticed_is_not_reported() -> None:
    events = night([], "..x" + "." * 10)
    assert due(CHANNEL, {"hard": rule()}, fold(events).values(), [], day(13)) == []


@pytest.mark.parametrize("count", [1, 3, 4, 500])
def test_a_storm_is_at_most_three_messages(count: int) -> None:
    rules = {f"rule_{number}": rule(f"rule_{number}") for number in range(count)}
    rules |= {f"mild_{number}": rule(f"mild_{number}", severity="warning") for number in range(count)}
    events = [
        event
        for number, of in enumerate(rules.values())
        for event in night([], "....x", of, Series("effort", "survey", f"s{number}"))
    ]
    messages = due(CHANNEL, rules, fold(events).values(), [], day(5))
    assert len(messages) <= MOST_MESSAGES
    assert sum(len(message.notices) for message in messages) == 2 * count
    assert all(len(body(message, {}, {"report": REPORT})) < 10_000 for message in messages)
    # And none again, though they are still open.
    assert due(CHANNEL, rules, fold(events).values(), rows(messages, 4), day(5)) == []


def test_the_same_events_have_the_same_message_id() -> None:
    rules = {"hard": rule()}
    first = due(CHANNEL, rules, fold(nights("....x")).values(), [], day(5))
    again = due(CHANNEL, rules, fold(nights("....x")).values(), [], day(5))
    assert [message.message_id for message in first] == [message.message_id for message in again]
    (row,) = rows(first, 4, "sending")
    assert recorded(row, fold(nights("....x"))) == first[0]


def test_what_a_channel_never_took_is_due_again_and_is_no_flood_when_it_is_back() -> None:
    of = rule()
    ledger: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    drawn = "x......." * 10
    for known in range(1, len(drawn) + 1):
        events = night(events, drawn[:known], of)
        messages = due(CHANNEL, {of.id: of}, fold(events).values(), ledger, day(known))
        assert len(messages) <= 1
        known_ids = {row["message_id"] for row in ledger}
        ledger += [row for row in rows(messages, known - 1, "failed") if row["message_id"] not in known_ids]
    (message,) = due(CHANNEL, {of.id: of}, fold(events).values(), ledger, day(len(drawn)))
    assert message.kind == "recovered"
    assert due(CHANNEL, {of.id: of}, fold(events).values(), [*ledger, *rows([message], 80)], day(81)) == []


def test_a_message_shows_the_figure_with_n_interval_threshold_and_direction() -> None:
    incident = only(nights("....x"))
    (message,) = due(CHANNEL, {"hard": rule()}, [incident], [], day(5))
    for part in ("64", "n 40", "52 to 68", "threshold 45", "harder", "after_chat"):
        assert part in title(message)
    text = body(message, {incident.incident_id: ["release New form"]}, {"report": REPORT})
    for part in ("2026-03-06", "CX team", "release New form", f"ces ack {incident.incident_id}"):
        assert part in text
    data = payload(message, {}, {"report": REPORT}, datetime(2026, 3, 7, 2, tzinfo=UTC))
    assert (data["type"], data["timestamp"]) == ("incident.opened", "2026-03-07T02:00:00Z")
    assert REPORT in text
    assert data["data"]["links"] == {"report": REPORT}
    (shown,) = data["data"]["incidents"]
    assert (shown["observed"], shown["low"], shown["high"], shown["n"]) == (64.0, 52.0, 68.0, 40)
