"""Incidents of a made-up home of 200 days in which a change of each kind is planted, and of its clean twin.

`python -m ces_pipeline_tests.simulations.incidents [--seed 1]` prints each planted change with the day on which a rule
noticed it, and the incidents of the twin.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from ces_pipeline.registry import load_registry
from ces_pipeline_tests.lake_days import SmallHome, days_from, rejected, response, small_home
from ces_pipeline_tests.simulations.anomalies import WEEKDAYS

DAYS = 200
FIRST = date(2026, 1, 5)
"""A Monday."""
A_DAY = 60
"""Answers of a survey on an average day."""
EASE = (0.0, 25.0, 50.0, 75.0, 100.0)
USUAL = (0.04, 0.08, 0.13, 0.3, 0.45)
HARDER = (0.08, 0.13, 0.17, 0.3, 0.32)
"""Ten points more effort than usual."""


@dataclass(frozen=True)
class Planted:
    """A change of one survey. first, last: days from 0. rule: the rule that must notice it."""

    survey: str
    rule: str
    first: int
    last: int = DAYS - 1


PLANTED = (
    Planted("harder", "unusual_effort", 120),
    Planted("beyond", "beyond_threshold", 150, 153),
    Planted("silent", "unusual_silence", 140, 146),
    Planted("fewer", "unusual_silence", 130),
    Planted("flood", "unusual_volume", 160, 160),
    Planted("fewer_comments", "unusual_shape", 110),
    Planted("slower", "unusual_shape", 100),
)
RULES: list[dict[str, Any]] = [
    {
        "id": "unusual_effort",
        "anomaly": {"series_kind": ["effort", "difficult_share"], "direction": "harder"},
    },
    {"id": "unusual_silence", "anomaly": {"series_kind": "responses", "direction": "fewer"}},
    {"id": "unusual_volume", "anomaly": {"series_kind": "responses", "direction": "more"}},
    {"id": "unusual_shape", "anomaly": {"series_kind": ["comment_share", "duration_seconds"]}},
    {"id": "beyond_threshold", "threshold": {"figure": "mean_effort_0_100", "above": 50}},
]


@dataclass(frozen=True)
class Noticed:
    """An incident: its rule and survey, its first affected day and the day on which the rule held, from 0."""

    rule: str
    survey: str
    first: int
    detected: int


def noticed(root: Path, seed: int, *, is_planted: bool) -> list[Noticed]:
    """Make the home, publish it, and return its incidents by rule and survey."""
    small = small_home(root, minimum_n=30, first_day=FIRST)
    _write_registry(small)
    rng = np.random.default_rng(seed)
    for number, day in enumerate(days_from(FIRST, DAYS)):
        rows = [
            row for survey in PLANTED for row in _answers(rng, survey, number, day, is_planted=is_planted)
        ]
        small.clean("survey", rows, [rejected(f"x{number}", day)], day=day)
    small.publish()
    found = small.rows(
        "SELECT rule_id, segment, first_affected_day, detected_day FROM audit.incidents ORDER BY 1, 2, 3"
    )
    return [
        Noticed(rule, segment, (first - FIRST).days, (detected - FIRST).days)
        for rule, segment, first, detected in found
    ]


def series_years() -> float:
    """Judged series of the home, in years: four figures of each survey, after the first eight weeks."""
    return 4 * len(PLANTED) * (DAYS - 56) / 365


def _write_registry(small: SmallHome) -> None:
    folder = small.home.registry
    surveys = [{"id": planted.survey, "scale": "ease_1_5"} for planted in PLANTED]
    sources = [{"id": "web", "kind": "survey", "reader": "csv", "survey_column": "survey"}]
    rules = [{"owner": "me", "severity": "warning", **_by_survey(rule)} for rule in RULES]
    for name, entries in (("surveys", surveys), ("sources", sources), ("alerts", {"rules": rules})):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    small.registry = load_registry(folder)


def _by_survey(rule: dict[str, Any]) -> dict[str, Any]:
    key = "anomaly" if "anomaly" in rule else "threshold"
    return {**rule, key: {**rule[key], "dimension": "survey"}}


def _answers(
    rng: np.random.Generator, planted: Planted, number: int, day: date, *, is_planted: bool
) -> Iterator[dict[str, Any]]:
    """The answers of a survey on one day."""
    changed = is_planted and planted.first <= number <= planted.last
    what = planted.survey if changed else ""
    factor = {"silent": 0.0, "fewer": 0.7, "flood": 3.0}.get(what, 1.0)
    n = rng.poisson(A_DAY * WEEKDAYS[day.weekday()] * factor)
    eases = rng.choice(EASE, size=n, p={"harder": HARDER, "beyond": USUAL[::-1]}.get(what, USUAL))
    seconds = np.exp(rng.normal(3.0 + (0.25 if what == "slower" else 0.0), 0.6, size=n))
    commented = rng.random(n) < (0.18 if what == "fewer_comments" else 0.3)
    for place in range(n):
        yield response(
            f"{planted.survey}-{number}-{place}",
            day,
            ease=float(eases[place]),
            survey_id=planted.survey,
            duration_seconds=float(seconds[place]),
            comment="it took a while" if commented[place] else None,
        )


def main(given: list[str]) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args(given).seed
    with TemporaryDirectory() as folder:
        found = noticed(Path(folder) / "planted", seed, is_planted=True)
        clean = noticed(Path(folder) / "clean", seed, is_planted=False)
    print(
        f"{'planted':<14}{'rule':<18}{'planted day':>12}{'first day':>12}{'noticed':>12}{'delay, days':>12}"
    )
    for planted in PLANTED:
        own = next(
            (each for each in found if (each.rule, each.survey) == (planted.rule, planted.survey)), None
        )
        days = [FIRST + timedelta(planted.first)]
        days += [FIRST + timedelta(own.first), FIRST + timedelta(own.detected)] if own else []
        delay = own.detected - planted.first if own else "not noticed"
        print(f"{planted.survey:<14}{planted.rule:<18}{''.join(f'{day!s:>12}' for day in days)}{delay:>12}")
    print(f"\nclean twin: {len(clean)} incidents in {series_years():.1f} series-years")
    for each in clean:
        print(f"  {each.rule} {each.survey} {FIRST + timedelta(each.first)}")


if __name__ == "__main__":
    main(sys.argv[1:])
