"""From the days of one series to its episodes: spans of affected days, each ended by usual days. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

Verdict = Literal["affected", "usual", "unknown"]


@dataclass(frozen=True)
class Figures:
    """What was observed, and what was expected. Fields as the columns of `audit.incidents`."""

    observed: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    direction: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Step:
    """One day (week, month) of a series, by its last day.

    first_day: the first affected day, where it is earlier than the step: the first day of a week, or the day since
    which an anomaly lasts. is_alarm: False for an affected day that only the alarm of a later day shows to be one.
    `unknown`: too few rows, a holiday: neither affected nor back to usual.
    """

    day: date
    verdict: Verdict
    figures: Figures = Figures()
    first_day: date | None = None
    is_alarm: bool = True


@dataclass
class Episode:
    """A span of affected days.

    detected_day: the first step with an alarm; None before it. figures: of the last affected step. repeats: days on
    which it came back within the cooldown, ascending. recovered_day: the step that ended it; None while it lasts.
    closed_day: the first day after the cooldown, if it did not come back.
    """

    first_day: date
    detected_day: date | None
    last_day: date
    figures: Figures
    repeats: list[date] = field(default_factory=list)
    recovered_day: date | None = None
    closed_day: date | None = None


def episodes(
    steps: Iterable[Step], *, usual_steps: int, cooldown_days: int, newest_day: date
) -> list[Episode]:
    """The episodes of a series, oldest first.

    steps: in order of their days. usual_steps: so many usual steps since the last affected one are a recovery. A step
    that is affected at most `cooldown_days` after a recovery belongs to the episode before. newest_day: the newest day
    of the data, which decides whether the cooldown is over.
    """
    found: list[Episode] = []
    usual = 0
    cooldown = timedelta(days=cooldown_days)
    for step in steps:
        current = found[-1] if found else None
        if step.verdict == "affected":
            usual = 0
            if current is None or (current.recovered_day and step.day - current.recovered_day > cooldown):
                first = min(step.first_day or step.day, step.day)
                detected = step.day if step.is_alarm else None
                found.append(Episode(first, detected, step.day, step.figures))
                continue
            if current.detected_day is None and step.is_alarm:
                current.detected_day = step.day
            if current.recovered_day is not None:
                current.repeats.append(step.day)
                current.recovered_day = None
            current.last_day, current.figures = step.day, step.figures
        elif step.verdict == "usual" and current is not None and current.recovered_day is None:
            usual += 1
            if usual >= usual_steps:
                current.recovered_day = step.day
    for episode in found:
        if episode.recovered_day is not None and newest_day - episode.recovered_day > cooldown:
            episode.closed_day = episode.recovered_day + cooldown + timedelta(days=1)
    return found
