"""Drill: alerts against a real server, from a publish to the message. Storms, kills, refused publishes, failed runs."""

import signal
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from ces_pipeline import pipeline
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.publish.checks import POISONED_ROWS_CAUGHT, CheckResult
from ces_pipeline.publish.step import is_behind
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.storage import last_results
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.watch import log
from ces_pipeline.watch.step import Alerting, alert
from ces_pipeline_tests.drills.test_killed import CHILDREN
from ces_pipeline_tests.lake_days import SmallHome, days_from, response, small_home
from ces_pipeline_tests.unit.watch.test_channels import Hook

FIRST = date(2026, 3, 2)
CHANNEL = {"id": "hook", "kind": "webhook", "url": "HOOK_URL", "secret": "HOOK_SECRET"}
HARD = {"figure": "mean_effort_0_100", "above": 45}
KILLS = 12


def rule(name: str, **keys: Any) -> dict[str, Any]:
    return {"id": name, "owner": "CX team", "severity": "critical", "channels": ["hook"], **keys}


def watched(folder: Path, *rules: dict[str, Any], **settings: Any) -> SmallHome:
    """A small home with these rules and one channel."""
    small = small_home(folder, minimum_n=20, **settings)
    (folder / "registry" / "alerts.yaml").write_text(
        yaml.safe_dump({"channels": [CHANNEL], "rules": list(rules)}), encoding="utf-8"
    )
    small.registry = load_registry(folder / "registry")
    return small


def fill(small: SmallHome, drawn: str, first: date = FIRST, n: int = 40) -> None:
    """Answers of a day for each letter: x is hard, . is easy."""
    for letter, day in zip(drawn, days_from(first, len(drawn)), strict=True):
        ease = {"x": (0.0, 25.0, 25.0), ".": (75.0, 100.0, 75.0)}[letter]
        answers = [response(f"{day}-{number}", day, ease=ease[number % 3]) for number in range(n)]
        small.clean("survey", answers, day=day)


def alerted(home: Home, registry: Registry, hook: Hook, **how: Any) -> Alerting:
    how = {"clock": hook.clock, "steps": ["clean-survey", "publish"], **how}
    return alert(home, registry, how.pop("steps"), hook.environment, **how)


@dataclass
class Nights:
    """A home to which days are added, each time published and alerted on."""

    small: SmallHome
    hook: Hook
    day: date = FIRST

    def live(self, drawn: str) -> list[str]:
        """The type of every message after these days."""
        before = len(self.hook.asked)
        fill(self.small, drawn, self.day)
        assert self.small.publish(f"run-{self.day}").published
        alerted(self.small.home, self.small.registry, self.hook)
        self.day += timedelta(days=len(drawn))
        return [asked.json["type"] for asked in self.hook.asked[before:]]


@pytest.mark.slow
def test_a_spike_is_one_message_and_its_recovery_another(tmp_path: Path) -> None:
    with Hook() as hook:
        nights = Nights(watched(tmp_path / "home", rule("hard", threshold=HARD)), hook)
        assert nights.live("...x") == ["incident.opened"]
        assert nights.live("x.....") == []
        assert nights.live("..") == ["incident.recovered"]
        shown = hook.asked[0].json["data"]["incidents"][0]
    # Effort 100, 75, 75 in turn: 40 answers.
    assert shown["n"] == 40
    assert shown["observed"] == pytest.approx((14 * 100 + 26 * 75) / 40)
    assert shown["low"] > 45
    assert (shown["direction"], shown["first_affected_day"]) == ("harder", "2026-03-05")
    # The messages are published with the next file.
    assert not nights.small.publish("once more").unchanged
    assert nights.small.rows("SELECT state, repeats FROM audit.incidents") == [("recovered", 0)]
    assert nights.small.rows("SELECT count(*) FROM audit.alert_deliveries WHERE status = 'sent'") == [(2,)]


def test_too_few_answers_and_an_interval_across_the_threshold_open_nothing(tmp_path: Path) -> None:
    small = watched(tmp_path / "home", rule("hard", threshold=HARD))
    fill(small, "x", n=19)
    # Half hard, half easy: 47.5 on average, and not surely above 45.
    day = FIRST + timedelta(days=1)
    small.clean("survey", [response(f"m{n}", day, ease=(5.0, 100.0)[n % 2]) for n in range(40)], day=day)
    small.publish()
    means = small.rows(
        "SELECT n, mean_effort_0_100 > 45 FROM mart.ces_segments WHERE period = 'day' AND dimension = 'all' ORDER BY 1"
    )
    assert means == [(19, None), (40, True)]
    assert small.rows("FROM audit.incidents") == []


def test_a_storm_of_500_incidents_is_three_messages_a_second_apart(tmp_path: Path) -> None:
    small = watched(
        tmp_path / "home",
        rule("personas", threshold={**HARD, "dimension": "persona"}),
        rule("channels", severity="warning", threshold={**HARD, "dimension": "channel"}),
    )
    hard = [
        response(f"r{n}", ease=(0.0, 25.0)[n // 400 % 2], persona=f"p{n % 400}", channel=f"c{n % 100}")
        for n in range(400 * 20)
    ]
    small.clean("survey", hard)
    small.publish()
    clock = VirtualClock()
    with Hook(clock) as hook:
        done = alerted(small.home, small.registry, hook)
        assert (len(done.open), len(hook.asked)) == (500, 2)
        reported = sum(asked.json["data"]["incident_count"] for asked in hook.asked)
        assert alerted(small.home, small.registry, hook).sent == {}
    assert reported == 500
    assert clock.slept == [1.0]


def alert_alone(root: Path, environment: dict[str, str], begun: Connection, at: str | None) -> None:
    """Alert in a process of its own. at: the status of the ledger before which it stops and waits to be killed."""
    write = log.write_deliveries

    def stopping(lake: Lake, rows: Any) -> None:
        if rows[0]["status"] == at:
            begun.send(True)
            time.sleep(60)
        write(lake, rows)

    log.write_deliveries = stopping
    if at is None:
        begun.send(True)
    alert(Home(root), load_registry(root / "registry"), [], environment)


def killed(home: Home, hook: Hook, at: str | None = None, seconds: float = 0.0) -> bool:
    """Start an alert and kill it: before it writes that status, or after that time. True if it had not ended."""
    heard, begun = CHILDREN.Pipe(duplex=False)
    process = CHILDREN.Process(target=alert_alone, args=(home.root, hook.environment, begun, at))
    process.start()
    assert heard.recv()
    time.sleep(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (-signal.SIGKILL, 0)
    return bool(process.exitcode == -signal.SIGKILL)


class NowHook(Hook):
    """A receiver by the machine's clock, for senders in other processes."""

    @property
    def now_s(self) -> float:
        return time.time()


@pytest.fixture(scope="module")
def published_hard_day(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = watched(tmp_path_factory.mktemp("alerts") / "home", rule("hard", threshold=HARD))
    fill(small, ".x")
    small.publish()
    return small


@pytest.fixture
def hard_day(published_hard_day: SmallHome, tmp_path: Path) -> SmallHome:
    """A published home with one critical incident, not reported yet."""
    return published_hard_day.copied(tmp_path / "home")


def test_an_alert_killed_between_sending_and_the_ledger_repeats_once_with_the_same_id(
    hard_day: SmallHome,
) -> None:
    with NowHook() as hook:
        assert killed(hard_day.home, hook, at="sent")
        assert len(hook.asked) == 1
        for _ in range(3):
            alert(hard_day.home, hard_day.registry, [], hook.environment)
        assert len(hook.asked) == 2
        assert len(set(hook.ids)) == 1
        assert hook.asked[0].json["data"] == hook.asked[1].json["data"]
    (row,) = log.read_deliveries(hard_day.lake)
    assert (row["status"], row["attempts"]) == ("sent", 2)


def test_an_alert_killed_before_the_intent_is_recorded_sends_once(hard_day: SmallHome) -> None:
    with NowHook() as hook:
        assert killed(hard_day.home, hook, at="sending")
        assert hook.asked == []
        alert(hard_day.home, hard_day.registry, [], hook.environment)
        assert len(hook.asked) == 1


@pytest.mark.slow
def test_alerts_killed_at_random_moments_report_every_incident(tmp_path: Path) -> None:
    random = Random(20260302)
    small = watched(
        tmp_path / "home", *(rule(f"rule_{n}", threshold={**HARD, "above": 40 + n}) for n in range(3))
    )
    fill(small, ".x")
    small.publish()
    ended = 0
    with NowHook() as hook:
        for _ in range(KILLS):
            ended += not killed(small.home, hook, seconds=random.uniform(0.0, 1.2))
        alert(small.home, small.registry, [], hook.environment)
        repeats = Counter(hook.ids)
        print(
            f"{KILLS - ended} of {KILLS} alerts killed; {len(hook.asked)} requests for {len(repeats)} messages"
        )
        assert ended < KILLS
        assert len(repeats) == 3
        assert len(hook.asked) - len(repeats) <= KILLS - ended
        reported = {found["rule_id"] for asked in hook.asked for found in asked.json["data"]["incidents"]}
        assert reported == {"rule_0", "rule_1", "rule_2"}


def test_a_channel_that_is_down_keeps_its_messages_for_the_next_run(hard_day: SmallHome) -> None:
    with Hook() as hook:
        hook.status = 401
        done = alerted(hard_day.home, hard_day.registry, hook)
        assert len(done.failures) == 1
        assert log.read_deliveries(hard_day.lake)[0]["status"] == "failed"
        hook.status = 204
        assert alerted(hard_day.home, hard_day.registry, hook).sent == {"hook": 1}
        assert len(set(hook.ids)) == 1


def test_a_dry_run_sends_and_logs_nothing(hard_day: SmallHome) -> None:
    with Hook() as hook:
        done = alerted(hard_day.home, hard_day.registry, hook, is_dry=True)
        ((title, _),) = done.due["hook"]
        assert "[critical]" in title
        assert (hook.asked, log.read_deliveries(hard_day.lake)) == ([], [])


def test_a_publish_that_its_gate_refuses_alerts_although_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = watched(tmp_path / "home", rule("blocked", checks="blocking"), rule("failed", runs="failed"))
    monkeypatch.setattr(pipeline, "prove", lambda: CheckResult(POISONED_ROWS_CAUGHT, 1, "one missed"))
    with Hook() as hook:
        for run_id in ("first", "retry"):
            assert not pipeline.publish(small.home, small.registry, run_id=run_id).published
            alerted(small.home, small.registry, hook)
        (asked,) = hook.asked
        assert "poisoned_rows_caught" in asked.json["data"]["title"]
        assert not small.home.published.exists()
        monkeypatch.undo()
        assert pipeline.publish(small.home, small.registry, run_id="good").published
        alerted(small.home, small.registry, hook)
        assert [sent.json["type"] for sent in hook.asked] == ["incident.opened", "incident.recovered"]
    with open_published(small.home.published) as connection:
        found = connection.execute("SELECT rule_id, state, acknowledged_at FROM audit.incidents").fetchall()
    assert found == [("blocked", "recovered", None)]


def test_a_failed_source_and_a_failed_step_alert_once_and_not_once_per_retry(tmp_path: Path) -> None:
    small = watched(tmp_path / "home", rule("source", sources="all"), rule("run", runs="all"))
    last_results.record(small.lake, "land-web", [""], {"": ["export.csv: no header"]})
    last_results.record(small.lake, "clean-survey", ["2026-03-02"], {"2026-03-02": ["no memory"]})
    with Hook() as hook:
        for _ in range(3):
            alerted(small.home, small.registry, hook)
        assert sorted(asked.json["data"]["title"] for asked in hook.asked) == [
            "[critical] run clean-survey: 2026-03-02: no memory",
            "[critical] source web: export.csv: no header",
        ]
        last_results.record(small.lake, "land-web", [""], {})
        alerted(small.home, small.registry, hook)
        assert hook.asked[-1].json["type"] == "incident.recovered"


def test_a_missed_night_is_reported_by_the_next_alert_and_recovers_with_the_next_publish(
    tmp_path: Path,
) -> None:
    small = watched(tmp_path / "home", rule("missed", runs="missed"))
    fill(small, ".")
    clock = VirtualClock()
    log.note_published(small.lake, clock.now())
    with Hook(clock) as hook:
        assert alerted(small.home, small.registry, hook).sent == {}
        clock.sleep(33 * 3600)
        assert alerted(small.home, small.registry, hook).sent == {"hook": 1}
        assert "2026-03-21" in hook.asked[0].json["data"]["title"]
        log.note_published(small.lake, clock.now())
        assert alerted(small.home, small.registry, hook).sent == {"hook": 1}
        assert hook.asked[1].json["type"] == "incident.recovered"


def test_two_alerts_at_once_send_each_message_once(hard_day: SmallHome) -> None:
    with NowHook() as hook:
        pairs = [CHILDREN.Pipe(duplex=False) for _ in range(2)]
        processes = [
            CHILDREN.Process(target=alert_alone, args=(hard_day.home.root, hook.environment, begun, None))
            for _, begun in pairs
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        assert len(hook.asked) == 1


def test_no_message_and_no_table_of_incidents_holds_a_persons_value(hard_day: SmallHome) -> None:
    with Hook() as hook:
        alerted(hard_day.home, hard_day.registry, hook)
        sent = "".join(asked.body.decode() for asked in hook.asked)
    logged = str(log.read_events(hard_day.lake)) + str(log.read_deliveries(hard_day.lake))
    for value in (f"{FIRST + timedelta(days=1)}-1", hook.environment["HOOK_SECRET"], "s3cret"):
        assert value not in sent + logged


EVENT_CHANNEL = {
    **CHANNEL,
    "events": ["published"],
    "links": {"grafana": "https://grafana.example.org/d/ces"},
}


def sends_events(folder: Path, *rules: dict[str, Any]) -> SmallHome:
    """A small home whose channel sends events of a publish."""
    small = watched(folder, *rules)
    (folder / "registry" / "alerts.yaml").write_text(
        yaml.safe_dump({"channels": [EVENT_CHANNEL], "rules": list(rules)}), encoding="utf-8"
    )
    small.registry = load_registry(folder / "registry")
    return small


def test_a_publish_is_sent_once_as_flat_json_that_is_signed(tmp_path: Path) -> None:
    small = sends_events(tmp_path / "home")
    fill(small, "..")
    with Hook() as hook:
        assert alerted(small.home, small.registry, hook).sent == {}
        assert small.publish("run-1").published
        for _ in range(3):
            alerted(small.home, small.registry, hook)
        (asked,) = hook.asked
        event = asked.json
        assert {name: value for name, value in event.items() if name not in ("id", "time")} == {
            "event": "published",
            "title": "new figures are published, with answers until 2026-03-03",
            "run_id": "run-1",
            "newest_day": "2026-03-03",
            "responses": 80,
            "link_grafana": "https://grafana.example.org/d/ces",
        }
        assert all(not isinstance(value, dict | list) for value in event.values())
        ((at,),) = small.rows("SELECT published_at FROM audit.publication")
        assert event["time"] == at.isoformat().replace("+00:00", "Z")
        fill(small, ".", FIRST + timedelta(days=2))
        small.publish("run-2")
        assert alerted(small.home, small.registry, hook).sent == {"hook": 1}
        assert hook.asked[1].json["id"] != event["id"]
    (first, second) = log.read_deliveries(small.lake)
    assert (first["kind"], first["incident_count"], first["event_ids"]) == ("published", 0, [event["id"]])
    assert second["status"] == "sent"


def test_an_event_causes_no_publish_and_the_log_of_alerts_no_event(tmp_path: Path) -> None:
    small = sends_events(tmp_path / "home", rule("hard", threshold=HARD))
    fill(small, "..x")
    with Hook() as hook:
        assert small.publish("run-1").published
        alerted(small.home, small.registry, hook)
        assert sorted(asked.json.get("event", asked.json.get("type")) for asked in hook.asked) == [
            "incident.opened",
            "published",
        ]
        # The message on the incident is published, and that is no new figure.
        assert is_behind(small.home, small.registry, small.state())
        assert small.publish("run-2").published
        assert alerted(small.home, small.registry, hook).sent == {}
        assert not is_behind(small.home, small.registry, small.state())
        fill(small, ".", FIRST + timedelta(days=3))
        assert small.publish("run-3").published
        assert alerted(small.home, small.registry, hook).sent == {"hook": 1}
        assert not is_behind(small.home, small.registry, small.state())
        assert not alerted(small.home, small.registry, hook, is_dry=True).is_due


def test_an_event_that_a_channel_does_not_take_is_sent_again_until_a_newer_one_replaces_it(
    tmp_path: Path,
) -> None:
    small = sends_events(tmp_path / "home")
    fill(small, ".")
    small.publish("run-1")
    with Hook() as hook:
        hook.status = 401
        assert len(alerted(small.home, small.registry, hook).failures) == 1
        hook.status = 204
        due = alerted(small.home, small.registry, hook, is_dry=True).due["hook"]
        assert len(due) == 1
        assert alerted(small.home, small.registry, hook).sent == {"hook": 1}
        assert hook.ids[0] == hook.ids[1]
        hook.status = 401
        fill(small, ".", FIRST + timedelta(days=1))
        small.publish("run-2")
        alerted(small.home, small.registry, hook)
        fill(small, ".", FIRST + timedelta(days=2))
        small.publish("run-3")
        hook.status = 204
        assert alerted(small.home, small.registry, hook).sent == {"hook": 1}
        assert hook.asked[-1].json["run_id"] == "run-3"
        assert alerted(small.home, small.registry, hook).sent == {}


def test_only_a_webhook_sends_events(tmp_path: Path) -> None:
    small = watched(tmp_path / "home")
    mail = {"id": "mail", "kind": "apprise", "url": "MAIL_URL", "events": ["published"]}
    (tmp_path / "home" / "registry" / "alerts.yaml").write_text(yaml.safe_dump({"channels": [mail]}))
    with pytest.raises(RegistryError, match="webhook"):
        load_registry(small.home.registry)
