"""Protects sending to analytics platforms: each event arrives once, also after kills, refusals, revisions, reruns."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.activation.errors import ExportError
from ces_pipeline.activation.ledger import Ledger
from ces_pipeline.activation.send import Report, send_journeys
from ces_pipeline.errors import HomeError
from ces_pipeline.http.client import RetryPolicy
from ces_pipeline.http.errors import MissingVariableError
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeVendor
from ces_pipeline.registry.exports import Export
from ces_pipeline_tests.lake_days import DAY, SmallHome, response, small_home, ticket
from ces_pipeline_tests.unit.activation.receivers import KEY, SECRET, USER, FakeAmplitude, FakeMixpanel

ANN, BOB, CYD = ("ab" * 32, "cd" * 32, "ef" * 32)
ENVIRONMENT = {"MP_USER": USER, "MP_SECRET": SECRET, "AMP_KEY": KEY}
NEXT_DAY = DAY + timedelta(days=1)
NOON_MS = round(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1000)


class Killed(BaseException):
    """The process ends here."""


def receiver(vendor: FakeVendor, **more: Any) -> Export:
    entry: dict[str, Any] = {"id": "there", "base_url": vendor.url, "since": "2026-01-01"}
    if isinstance(vendor, FakeMixpanel):
        auth = {"kind": "basic_token", "user": "MP_USER", "password": "MP_SECRET"}
        entry |= {"target": "mixpanel", "auth": auth, "project_id": "4711"}
    else:
        entry |= {"target": "amplitude", "key": "AMP_KEY"}
    return Export.model_validate({**entry, **more})


def send(small: SmallHome, vendor: FakeVendor, *, is_dry: bool = False, **how: Any) -> Report:
    export = receiver(vendor, **how.pop("entry", {}))
    how.setdefault("environment", ENVIRONMENT)
    return send_journeys(small.home, export, is_dry=is_dry, clock=vendor.clock, **how)


def publish(
    small: SmallHome, answers: list[dict[str, Any]], tickets: list[dict[str, Any]] | None = None
) -> None:
    small.clean("survey", answers)
    if tickets:
        small.clean("tickets", tickets)
    small.publish(f"run-{small.cleanings}")


@pytest.fixture
def small(small_once: SmallHome, tmp_path: Path) -> SmallHome:
    return small_once.copied(tmp_path / "home")


@pytest.fixture(scope="module")
def small_once(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """Two answers of known people, one of an unknown person. Ann's answer is about a ticket."""
    small = small_home(tmp_path_factory.mktemp("small"))
    publish(
        small,
        [
            response("r1", respondent_key=ANN, ticket_id="T-1"),
            response("r2", respondent_key=BOB, ease=25.0, comment="never to leave"),
            response("r3"),
        ],
        [
            ticket(
                "T-1",
                requester_key=CYD,
                created_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
                solved_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
                category="login",
                reopens=1,
            ),
            ticket("T-2", requester_key=BOB, created_at=datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ],
    )
    return small


@contextmanager
def killed_at_request(number: int, step: str = "end") -> Iterator[None]:
    """Kill the process at request `number`: before it is sent (`begin`), or before its response is recorded (`end`)."""
    calls = 0
    call = getattr(Ledger, step)

    def kill(self: Ledger, *given: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and step == "end":
            raise Killed
        done = call(self, *given, **more)
        if calls == number:
            raise Killed
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Ledger, step, kill)
        with pytest.raises(Killed):
            yield


def test_mixpanel_gets_answers_and_their_tickets_by_pseudonym(small: SmallHome) -> None:
    with FakeMixpanel() as there:
        report = send(small, there)
    assert (report.new, report.without_person, report.before, report.refused) == (4, 1, 0, [])
    found = {(name, who, at): properties for (name, who, at, _), properties in there.stored.items()}
    hour = 3_600_000
    # The ticket belongs to Ann, who answered about it, not to the requester that the helpdesk names.
    assert set(found) == {
        ("CES Ticket Opened", ANN, NOON_MS - 28 * hour),
        ("CES Ticket Solved", ANN, NOON_MS - 4 * hour),
        ("CES Response", ANN, NOON_MS),
        ("CES Response", BOB, NOON_MS),
    }
    properties = found["CES Response", BOB, NOON_MS]
    assert (
        properties["survey_id"],
        properties["score"],
        properties["effort_0_100"],
        properties["effort_band"],
    ) == (
        "after_chat",
        2,
        75.0,
        "difficult",
    )
    assert found["CES Ticket Solved", ANN, NOON_MS - 4 * hour]["reopens"] == 1
    assert "never to leave" not in str(there.stored)


@pytest.mark.parametrize("vendor", [FakeMixpanel, FakeAmplitude])
def test_a_second_run_sends_no_request(small: SmallHome, vendor: Callable[[], Any]) -> None:
    with vendor() as there:
        send(small, there)
        asked = len(there.asked)
        there.clock.sleep(8 * 86_400)
        report = send(small, there)
        assert (report.new, report.revised, report.before) == (0, 0, 4)
        assert len(there.asked) == asked == 1
        assert len(there.stored) == 4


@pytest.mark.parametrize("vendor", [FakeMixpanel, FakeAmplitude])
def test_a_dry_run_counts_without_a_request_or_a_secret(small: SmallHome, vendor: Callable[[], Any]) -> None:
    with vendor() as there:
        report = send(small, there, is_dry=True, environment={})
        assert (report.new, report.without_person, there.asked) == (4, 1, [])
        assert send(small, there).new == 4


def test_no_request_has_more_than_two_thousand_events_or_two_megabytes(many: SmallHome) -> None:
    small = many
    with FakeMixpanel() as there:
        assert send(small, there).new == 4500
        assert [events for events, _ in there.sizes] == [2000, 2000, 500]
        assert len(there.stored) == 4500
    with FakeAmplitude() as other:
        assert send(small, other, entry={"id": "other"}).new == 4500
        assert other.sizes == [2000, 2000, 500]
    wide = {"persona": "p" * 3000}
    publish(
        small, [response(f"r{number:05}", respondent_key=f"{number:064x}", **wide) for number in range(1500)]
    )
    with FakeMixpanel() as there:
        assert send(small, there, entry={"id": "wide"}).new == 1500
        assert len(there.stored) == 1500
        assert max(size for _, size in there.sizes) <= 2_000_000
        assert len(there.sizes) == 3


def test_a_request_that_is_too_large_is_halved(small: SmallHome) -> None:
    with FakeMixpanel(most_bytes=700) as there:
        report = send(small, there)
        assert (report.new, report.refused) == (4, [])
        assert len(there.stored) == 4
        assert send(small, there).before == 4
    with FakeMixpanel(most_bytes=10) as there:
        report = send(small, there, entry={"id": "tiny"})
        assert (report.new, [name for _, name in report.refused]) == (0, ["size"] * 4)


def test_after_a_partial_refusal_only_events_without_the_refused_property_are_sent_again(
    small: SmallHome,
) -> None:
    def refuses(properties: dict[str, Any]) -> str | None:
        if properties.get("effort_band") == "difficult":
            return "properties.effort_band"
        return "properties.time" if properties.get("category") and "reopens" not in properties else None

    with FakeMixpanel(refuses) as there:
        report = send(small, there)
        # The opening of the ticket cannot be sent without its time.
        ((insert_id, name),) = report.refused
        assert (report.new, name) == (3, "properties.time")
        assert [events for events, _ in there.sizes] == [4, 1]
        bobs = [properties for (_, who, _, _), properties in there.stored.items() if who == BOB]
        assert [("effort_band" in properties, properties["score"]) for properties in bobs] == [(False, 2)]
        # The next run sends only that event.
        again = send(small, there)
        assert (again.new, again.before, again.refused) == (0, 3, [(insert_id, "properties.time")])
        assert there.sizes[2:] == [(1, there.sizes[2][1])]


def test_an_event_that_is_refused_twice_is_reported(small: SmallHome) -> None:
    def refuses(properties: dict[str, Any]) -> str | None:
        return next((f"properties.{name}" for name in ("channel", "product") if name in properties), None)

    with FakeMixpanel(refuses) as there:
        report = send(small, there)
        assert {name for _, name in report.refused} == {"properties.product"}
        assert (report.new, len(there.sizes), there.stored) == (0, 2, {})


def test_amplitude_gets_the_valid_events_of_a_refused_request(small: SmallHome) -> None:
    def refuses(properties: dict[str, Any]) -> str | None:
        return "event_properties.channel" if properties.get("channel") and properties.get("reopens") else None

    with FakeAmplitude(refuses) as there:
        report = send(small, there)
        assert (report.new, report.refused) == (4, [])
        assert (there.sizes, len(there.stored)) == ([4, 4], 4)
        assert send(small, there).before == 4
    with FakeAmplitude(lambda properties: "user_id" if properties.get("reopens") else None) as other:
        report = send(small, other, entry={"id": "other"})
        assert (report.new, [name for _, name in report.refused]) == (3, ["user_id"])
        assert (other.sizes, len(other.stored)) == ([4, 3], 3)


def test_the_text_of_a_refusal_is_not_repeated(small: SmallHome) -> None:
    with FakeMixpanel(lambda properties: f"properties.{properties['distinct_id']}") as there:
        report = send(small, there)
    assert {name for _, name in report.refused} == {"another field"}


def revised(small: SmallHome) -> None:
    """Bob revises his answer later; Ann's answer only becomes suspect."""
    publish(
        small,
        [
            response("r1", respondent_key=ANN, ticket_id="T-1", is_suspect=True),
            response(
                "r2",
                respondent_key=BOB,
                ease=100.0,
                revision=2,
                recorded_at=datetime(2026, 3, 2, 20, tzinfo=UTC),
            ),
        ],
    )


def test_a_revised_answer_replaces_the_first_at_mixpanel(small: SmallHome) -> None:
    with FakeMixpanel() as there:
        send(small, there)
        revised(small)
        report = send(small, there)
        assert (report.new, report.revised, report.before) == (0, 1, 3)
        assert len(there.stored) == 4
        (properties,) = [properties for (name, who, _, _), properties in there.stored.items() if who == BOB]
        assert (properties["score"], properties["time"]) == (5, NOON_MS)
        assert send(small, there).revised == 0


def test_a_revised_answer_is_another_event_at_amplitude_and_counts_no_answer_twice(small: SmallHome) -> None:
    with FakeAmplitude() as there:
        send(small, there)
        there.clock.sleep(8 * 86_400)
        revised(small)
        assert send(small, there).revised == 1
        assert send(small, there).revised == 0
        bobs = [
            (event["event_type"], event["event_properties"]["score"])
            for event in there.stored
            if event["user_id"] == BOB
        ]
        assert bobs == [("CES Response", 2), ("CES Response Revised", 5)]


def test_a_ticket_that_is_solved_again_is_solved_twice(small: SmallHome) -> None:
    with FakeMixpanel() as there:
        send(small, there)
        small.clean(
            "tickets",
            [
                ticket(
                    "T-1",
                    NEXT_DAY,
                    requester_key=CYD,
                    created_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
                    solved_at=datetime(2026, 3, 3, 8, tzinfo=UTC),
                )
            ],
            day=NEXT_DAY,
        )
        small.publish("later")
        assert send(small, there).new == 1
        assert sum(name == "CES Ticket Solved" for name, *_ in there.stored) == 2


def test_an_answer_that_moved_to_another_person_or_was_withdrawn_is_counted_and_not_sent(
    small: SmallHome,
) -> None:
    with FakeMixpanel() as there:
        send(small, there)
        publish(small, [response("r2", respondent_key=CYD, ease=100.0)])
        report = send(small, there)
        assert (report.new, report.revised, report.moved, report.withdrawn) == (0, 0, 1, 1)
        assert len(there.stored) == 4


def test_days_before_since_are_not_sent(small: SmallHome) -> None:
    with FakeMixpanel() as there:
        assert send(small, there, entry={"since": date(2026, 3, 2)}).new == 3


MANY = [response(f"r{number:05}", respondent_key=f"{number:064x}") for number in range(4500)]


@pytest.fixture
def many(many_once: SmallHome, tmp_path: Path) -> SmallHome:
    return many_once.copied(tmp_path / "home")


@pytest.fixture(scope="module")
def many_once(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """Three requests' worth of answers."""
    small = small_home(tmp_path_factory.mktemp("many"))
    publish(small, MANY)
    return small


@pytest.fixture(scope="module")
def many_and_late(many_once: SmallHome, tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """The same home after an answer that comes before all others, so that it shifts the batches."""
    small = many_once.copied(tmp_path_factory.mktemp("late") / "home")
    late = response("r0", respondent_key=BOB, recorded_at=datetime(2026, 3, 2, 1, tzinfo=UTC))
    publish(small, [late, *MANY])
    return small


@pytest.mark.parametrize("vendor", [FakeMixpanel, FakeAmplitude])
@pytest.mark.parametrize("step", ["begin", "end"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_at_any_request_the_next_run_continues_without_duplicates(
    many: SmallHome, many_and_late: SmallHome, vendor: Callable[[], Any], number: int, step: str
) -> None:
    with vendor() as there:
        with killed_at_request(number, step):
            send(many, there)
        there.clock.sleep(86_400)
        shutil.copytree(many_and_late.home.warehouse, many.home.warehouse, dirs_exist_ok=True)
        report = send(many, there)
        assert (report.new, report.unknown) == (4501 - 2000 * (number - 1), 0)
        assert len(there.stored) == 4501
        assert send(many, there).before == 4501


def test_events_that_amplitude_may_not_recognise_are_sent_only_on_request(many: SmallHome) -> None:
    with FakeAmplitude() as there:
        with killed_at_request(2):
            send(many, there)
        there.clock.sleep(8 * 86_400)
        report = send(many, there)
        assert (report.new, report.unknown) == (500, 2000)
        assert len(there.stored) == 4500
        assert send(many, there).new == 0
        # The batch had arrived, so it is now stored twice. `sends_unknown` accepts that.
        assert send(many, there, sends_unknown=True).new == 2000
        assert len(there.stored) == 6500
        assert send(many, there, sends_unknown=True).new == 0


def test_an_event_in_doubt_keeps_its_age_after_each_attempt(many: SmallHome) -> None:
    with FakeAmplitude() as there:
        for _ in range(3):
            with killed_at_request(1):
                send(many, there)
            there.clock.sleep(3 * 86_400)
        # It was first sent nine days ago.
        assert send(many, there).unknown == 2000


def test_a_revision_in_doubt_is_never_sent_as_a_new_answer(small: SmallHome) -> None:
    with FakeAmplitude() as there:
        send(small, there)
        revised(small)
        with killed_at_request(1):
            send(small, there)
        there.clock.sleep(8 * 86_400)
        report = send(small, there)
        assert (report.new, report.revised, report.unknown) == (0, 0, 1)
        report = send(small, there, sends_unknown=True)
        assert (report.new, report.revised) == (0, 1)
        names = [event["event_type"] for event in there.stored if event["user_id"] == BOB]
        assert names == ["CES Response", "CES Response Revised", "CES Response Revised"]
        assert send(small, there, sends_unknown=True).revised == 0


def test_a_refusal_ends_no_older_doubt(small: SmallHome) -> None:
    with FakeAmplitude() as there:
        with killed_at_request(1):
            send(small, there)
        there.clock.sleep(86_400)
        with pytest.raises(ExportError):
            send(small, there, environment={**ENVIRONMENT, "AMP_KEY": "wrong"})
        there.clock.sleep(7 * 86_400)
        report = send(small, there)
        assert (report.new, report.unknown, len(there.stored)) == (0, 4, 4)


def test_a_receiver_that_cannot_be_reached_leaves_no_doubt(small: SmallHome) -> None:
    with FakeAmplitude() as gone:
        pass
    with pytest.raises(ExportError, match="there: an import got no valid response"):
        send(small, gone, retry_policy=RetryPolicy(attempts=2))
    gone.clock.sleep(9 * 86_400)
    with FakeAmplitude(clock=gone.clock) as there:
        report = send(small, there)
        assert (report.new, report.unknown, len(there.stored)) == (4, 0, 4)


@pytest.mark.parametrize("fault", ["busy", "error", "cut", "html"])
def test_a_passing_fault_is_retried(small: SmallHome, fault: str) -> None:
    with FakeMixpanel(plan=FaultPlan({0: fault})) as there:
        assert send(small, there).new == 4
        assert (len(there.asked), len(there.stored)) == (2, 4)


def test_wrong_credentials_are_reported_without_their_values_and_leave_no_doubt(small: SmallHome) -> None:
    for vendor, wrong, text in [
        (FakeMixpanel(), {"MP_SECRET": "wrong-secret"}, "refused with 401: check the variables"),
        (FakeAmplitude(), {"AMP_KEY": "wrong-secret"}, "Check key in exports.yaml"),
    ]:
        with vendor as there:
            with pytest.raises(ExportError, match=text) as caught:
                send(
                    small,
                    there,
                    environment={**ENVIRONMENT, **wrong},
                    entry={"id": type(there).__name__.lower()},
                )
            assert "wrong-secret" not in str(caught.value)
            there.clock.sleep(9 * 86_400)
            report = send(small, there, entry={"id": type(there).__name__.lower()})
            assert (report.new, report.unknown) == (4, 0)


def test_a_secret_that_is_not_set_is_named(small: SmallHome) -> None:
    with FakeMixpanel() as there, pytest.raises(MissingVariableError, match="MP_USER and MP_SECRET not set"):
        send(small, there, environment={})
    with FakeAmplitude() as other, pytest.raises(MissingVariableError, match="AMP_KEY not set"):
        send(small, other, environment={})


def test_a_long_ledger_becomes_one_file_with_the_same_content(small: SmallHome) -> None:
    with FakeMixpanel(most_bytes=700) as there:
        send(small, there)
        folder = small.root / "exports" / "journeys" / "there"
        first = sorted(folder.glob("0*.parquet"))
        for number in range(70):
            (folder / f"{100 + number:08}.parquet").write_bytes(first[0].read_bytes())
        assert send(small, there).before == 4
        assert [path.name for path in folder.glob("0*.parquet")] == ["00000170.parquet"]
        assert send(small, there).before == 4


def test_a_damaged_ledger_is_an_error_and_nothing_is_sent(small: SmallHome) -> None:
    with FakeMixpanel() as there:
        send(small, there)
        asked = len(there.asked)
        (small.root / "exports" / "journeys" / "there" / "00000001.parquet").write_bytes(b"PAR1")
        with pytest.raises(HomeError, match=r"there/00000001\.parquet of the home cannot be read"):
            send(small, there)
        assert len(there.asked) == asked


def test_no_person_and_no_secret_is_in_the_ledger(small: SmallHome) -> None:
    with FakeMixpanel() as there:
        send(small, there)
    kept = b"".join(path.read_bytes() for path in (small.root / "exports").rglob("*") if path.is_file())
    assert kept
    for text in (SECRET, USER, ANN, BOB):
        assert text.encode() not in kept
