"""Protects incidents in the published file: there at once, the same when rebuilt, and published again when they change."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from ces_pipeline.publish.history import restore_history
from ces_pipeline.registry import load_registry
from ces_pipeline.watch import log
from ces_pipeline.watch.acknowledge import acknowledge
from ces_pipeline_tests.lake_days import SmallHome, response, small_home

FIRST = date(2026, 3, 2)
HARD = {
    "id": "hard",
    "owner": "me",
    "severity": "critical",
    "threshold": {"figure": "mean_effort_0_100", "above": 45},
}
DIFFICULT = {**HARD, "id": "difficult", "threshold": {"figure": "difficult_share", "above": 0.5}}


def use(small: SmallHome, *rules: dict[str, object]) -> None:
    """Write these rules into the registry."""
    text = yaml.safe_dump({"rules": list(rules)})
    (small.home.registry / "alerts.yaml").write_text(text, encoding="utf-8")
    small.registry = load_registry(small.home.registry)


def fill(small: SmallHome, number: int, ease: float) -> None:
    """Twenty-one answers of a day, around this ease."""
    day = FIRST + timedelta(days=number)
    answers = [response(f"{day}-{n}", day, ease=max(0.0, ease - 25 * (n % 2))) for n in range(21)]
    small.clean("survey", answers, day=day)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """A home with an easy day and a hard one, published with one rule."""
    small = small_home(tmp_path_factory.mktemp("watcher") / "home", minimum_n=20)
    use(small, HARD)
    fill(small, 0, 100.0)
    fill(small, 1, 25.0)
    assert small.publish("first").published
    return small


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    return published.copied(tmp_path / "home")


def incidents(small: SmallHome) -> list[tuple[object, ...]]:
    return small.rows(
        "SELECT rule_id, state, first_affected_day, last_day FROM audit.incidents ORDER BY rule_id"
    )


def test_the_incident_of_a_publish_is_in_its_file_and_no_reason_to_publish_again(small: SmallHome) -> None:
    hard = FIRST + timedelta(days=1)
    assert incidents(small) == [("hard", "open", hard, hard)]
    assert small.rows("SELECT value FROM mart.program_metrics WHERE metric = 'alerts' AND n > 0") == [(1.0,)]
    assert small.publish("second").unchanged


@pytest.mark.slow
def test_a_rebuilt_file_has_the_same_incidents(small: SmallHome) -> None:
    fill(small, 2, 25.0)
    result = small.rebuild("third")
    assert (result.compared, result.differences) == (True, ())
    assert incidents(small) == [("hard", "open", FIRST + timedelta(days=1), FIRST + timedelta(days=2))]


def test_a_new_rule_is_followed_without_a_new_row_and_a_removed_one_closes(small: SmallHome) -> None:
    use(small, DIFFICULT)
    assert not small.publish("second").unchanged
    assert [(rule, state) for rule, state, *_ in incidents(small)] == [
        ("difficult", "open"),
        ("hard", "closed"),
    ]
    assert small.publish("third").unchanged


def test_a_restated_day_withdraws_its_incident(small: SmallHome) -> None:
    fill(small, 1, 100.0)
    small.publish("second")
    assert [state for _, state, *_ in incidents(small)] == ["recovered"]


def test_an_acknowledgement_is_published(small: SmallHome) -> None:
    (name,) = small.rows("SELECT incident_id FROM audit.incidents")[0]
    taken = acknowledge(small.home, small.registry, str(name), by="ada", now=datetime(2026, 3, 5, tzinfo=UTC))
    assert taken.state == "acknowledged"
    assert not small.publish("second").unchanged
    assert [state for _, state, *_ in incidents(small)] == ["acknowledged"]


def test_events_that_the_lake_lost_come_back_from_the_published_file(small: SmallHome) -> None:
    before = log.read_events(small.lake)
    for path in (small.home.lake / "audit" / "incident_events").rglob("*.parquet"):
        path.write_bytes(b"damaged")
    notes = [
        *restore_history(small.lake, small.home.published, lambda name, run_id: f"{name}/{run_id}.parquet")
    ]
    assert any("audit.incident_events: 1 rows" in note for note in notes)
    assert log.read_events(small.lake) == before
