"""Nights of one watched series for tests: each night finds the episodes of the days so far and logs what is new."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ces_pipeline.registry.alerts import Rule
from ces_pipeline.watch.episodes import Figures, Step, Verdict, episodes
from ces_pipeline.watch.incidents import Incident, Logging, Series, events_of_episodes, fold

FIRST = date(2026, 3, 2)
SERIES = Series("mean_effort_0_100", "survey", "after_chat")
WORDS: dict[str, Verdict] = {"x": "affected", ".": "usual", "?": "unknown"}


def rule(name: str = "hard", **keys: Any) -> Rule:
    """A critical rule with one channel."""
    given = {
        "id": name,
        "owner": "CX team",
        "severity": "critical",
        "channels": ["hook"],
        "threshold": {"figure": "mean_effort_0_100", "above": 45},
        **keys,
    }
    return Rule.model_validate(given)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def at(number: int) -> datetime:
    """The night after the day of that number."""
    return datetime.combine(day(number + 1), time(2), UTC)


def night(
    events: Sequence[dict[str, Any]], drawn: str, of: Rule | None = None, series: Series = SERIES
) -> list[dict[str, Any]]:
    """The log after one more night, in which the days `drawn` are known: x affected, . usual, ? unknown."""
    of = of or rule()
    steps = [
        Step(day(number), WORDS[letter], Figures(60.0 + number, 45.0, 52.0, 68.0, 40, "harder"))
        for number, letter in enumerate(drawn)
    ]
    newest = len(drawn) - 1
    spans = episodes(steps, usual_steps=7, cooldown_days=of.cooldown_days, newest_day=day(newest))
    how = Logging(at(newest), day(newest + 1), "publish", f"run-{newest}")
    known = [incident for incident in fold(events).values() if incident.series == series]
    return [*events, *events_of_episodes(of, series, spans, known, how)]


def nights(drawn: str, of: Rule | None = None, first: int = 1) -> list[dict[str, Any]]:
    """The log after a night for each day, from the night in which the first `first` days are known."""
    events: list[dict[str, Any]] = []
    for known in range(first, len(drawn) + 1):
        events = night(events, drawn[:known], of)
    return events


def only(events: Sequence[dict[str, Any]]) -> Incident:
    """The only incident of a log."""
    (incident,) = fold(events).values()
    return incident
