"""Protects the log of incidents: one id each whatever is repeated or restated, and the state that its events give."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.registry import Registry, Settings
from ces_pipeline.registry.fixes import Fix
from ces_pipeline.registry.releases import Release
from ces_pipeline.watch.incidents import (
    Failure,
    Logging,
    Series,
    acknowledgement,
    events_of_failures,
    events_of_removed_rules,
    fold,
    rows_of,
)
from ces_pipeline_tests.unit.watch.incident_logs import at, day, night, nights, only, rule

CHECK = Series("check", "all", "books_balance")
CHECKS = rule("broken", threshold=None, checks="blocking")


def kinds(events: list[dict[str, object]]) -> list[object]:
    return [event["kind"] for event in events]


def test_a_spike_opens_once_recovers_once_and_closes_once() -> None:
    events = nights("....x" + "." * 30)
    assert kinds(events) == ["opened", "recovered", "closed"]
    incident = only(events)
    assert (incident.state, incident.first_affected_day, incident.last_day) == ("closed", day(4), day(4))
    assert (incident.opened_at, incident.recovered_at) == (at(4), at(11))
    assert not incident.was_over


def test_a_shift_opens_once_and_continues_every_night() -> None:
    events = nights("....." + "x" * 20)
    assert Counter(kinds(events)) == {"opened": 1, "continued": 19}
    assert (only(events).state, only(events).last_day) == ("open", day(24))
    assert only(events).figures.observed == 84.0


def test_the_same_night_again_adds_nothing() -> None:
    events = nights("....x..")
    assert night(events, "....x..") == events


def test_what_is_found_long_after_it_was_over_is_marked() -> None:
    events = night([], "..x" + "." * 10)
    assert kinds(events) == ["opened", "recovered"]
    assert only(events).was_over


def test_a_repeat_within_the_cooldown_keeps_the_incident() -> None:
    incident = only(nights("x" + "." * 10 + "xx"))
    assert (incident.state, incident.repeats, incident.last_day) == ("open", 1, day(12))


def test_restated_days_make_no_second_incident() -> None:
    events = nights("....xxx")
    moved = night(events, "...xxxxx")
    assert set(fold(moved)) == set(fold(events))
    gone = night(events, "........")
    incident = only(gone)
    assert incident.state == "recovered"
    assert incident.figures.detail is None
    assert "restated" in str(gone[-1]["detail"])


@given(st.text(alphabet="x.?", min_size=2, max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
def test_skipped_and_repeated_nights_find_the_same_incidents(drawn: str, runs: list[bool]) -> None:
    every = nights(drawn)
    some: list[dict[str, object]] = []
    for known in range(1, len(drawn) + 1):
        if runs[known - 1] or known == len(drawn):
            some = night(night(some, drawn[:known]), drawn[:known])
    found, wanted = fold(some), fold(every)
    assert found.keys() == wanted.keys()
    for name, incident in wanted.items():
        assert found[name].is_open == incident.is_open
        assert found[name].last_day == incident.last_day
    assert len({event["event_id"] for event in every}) == len(every)


def failing(events: list[dict[str, object]], hours: float, detail: str | None) -> list[dict[str, object]]:
    """The log after the check was examined so many hours after the first night."""
    now = at(0) + timedelta(hours=hours)
    how = Logging(now, now.date(), "run", "run")
    failures = [Failure(CHECK, detail)] if detail else []
    return [*events, *events_of_failures(CHECKS, failures, [CHECK], list(fold(events).values()), how)]


def test_a_failure_that_is_retried_is_one_incident() -> None:
    events: list[dict[str, object]] = []
    for hours in (0, 0.1, 0.2):
        events = failing(events, hours, "2 rows")
    assert kinds(events) == ["opened"]
    events = failing(events, 1, None)
    assert (kinds(events), only(events).state) == (["opened", "recovered"], "recovered")
    # Again within the cooldown: the same incident.
    events = failing(events, 30, "3 rows")
    assert (only(events).state, only(events).repeats, only(events).figures.detail) == ("open", 1, "3 rows")


def test_a_failure_after_the_cooldown_is_another_incident() -> None:
    events = failing(failing([], 0, "2 rows"), 1, None)
    events = failing(events, 24 * 20, "2 rows")
    assert [incident.state for incident in fold(events).values()] == ["closed", "open"]


def test_what_is_not_examined_stays_as_it_is() -> None:
    events = failing([], 0, "2 rows")
    how = Logging(at(3), day(4), "run", "run")
    assert list(events_of_failures(CHECKS, [], [], list(fold(events).values()), how)) == []


def test_an_acknowledgement_is_kept_with_its_first_time() -> None:
    events = nights("....xx")
    first = acknowledgement(only(events), "ada", "on it", Logging(at(6), day(7), "ack"))
    events = [*events, first]
    events.append(acknowledgement(only(events), "bob", None, Logging(at(7), day(8), "ack")))
    incident = only(events)
    assert (incident.state, incident.acknowledged_by, incident.note) == ("acknowledged", "ada", "on it")
    assert incident.acknowledged_at == at(6)


def test_the_incidents_of_a_removed_rule_are_closed() -> None:
    events = nights("....xx")
    how = Logging(at(8), day(9), "publish")
    assert list(events_of_removed_rules([rule()], fold(events).values(), how)) == []
    events += events_of_removed_rules([], fold(events).values(), how)
    assert only(events).state == "closed"


def test_releases_and_fixes_of_the_week_before_are_named() -> None:
    registry = Registry(
        sources={},
        surveys={},
        scales={},
        segments=(),
        settings=Settings.model_validate({}),
        releases=(
            Release.model_validate({"id": "new_form", "day": day(3), "title": "New form"}),
            Release.model_validate({"id": "later", "day": day(5), "title": "Later"}),
        ),
        fixes=(
            Fix.model_validate(
                {
                    "id": "faster",
                    "title": "Faster",
                    "live_on": day(4),
                    "categories": ["billing"],
                    "lever": "slow_api",
                }
            ),
        ),
    )
    (row,) = rows_of(fold(nights("....xx")), registry)
    assert row["nearby_changes"] == ["release New form", "fix Faster"]
