"""A made-up home of 200 days with one planted incident of each kind, and its twin without any.

Prints where `mart.anomalies_daily` found each, after how many days, and the incidents of the twin:
`python -m ces_pipeline_tests.simulations.planted_home`.
"""

import csv
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import yaml

from ces_pipeline import pipeline
from ces_pipeline.home import Home

FIRST, DAYS = date(2026, 3, 2), 200
LASTS = 14
"""Days that a planted incident lasts."""
_ZONE = "Europe/Berlin"
_SURVEYS = {"web": 120, "app": 90, "phone": 70}
"""Survey, which is also its source -> answers of a working day."""
_WEEKEND = 0.4
_CATEGORIES = {"Login": 60, "Billing": 50, "Delivery": 40}
_INVITATIONS = 400


UNUSUAL, TOO_HARD, NEW_FORM = "unusual", "too_hard", "new_form"
"""The rule of all figures, the rule of a value that effort must not exceed, and the release on the day that it does."""
_RULES: tuple[dict[str, Any], ...] = (
    {"id": UNUSUAL, "anomaly": {"dimension": ["all", "survey", "source", "category", "tag"]}},
    {"id": TOO_HARD, "threshold": {"figure": "mean_effort_0_100", "above": 40, "dimension": "survey"}},
)
_SERIES = ("series_kind", "dimension", "segment", "direction")


@dataclass(frozen=True)
class Planted:
    """An incident of a series. from_day: number of its first day. most_days: within which it must be found."""

    series_kind: str
    dimension: str
    segment: str
    direction: str
    from_day: int
    most_days: int

    @property
    def first(self) -> date:
        """The first affected day."""
        return FIRST + timedelta(days=self.from_day)

    def affects(self, day: int) -> bool:
        """Whether it lasts on this day."""
        return self.from_day <= day < self.from_day + LASTS


HALVED = Planted("responses", "survey", "app", "fewer", 100, 7)
SILENT = Planted("landed_rows", "source", "phone", "fewer", 120, 1)
HARDER = Planted("effort", "survey", "web", "harder", 134, 6)
MORE_TICKETS = Planted("tickets", "category", "Billing", "more", 110, 5)
MORE_INVITATIONS = Planted("invitations", "survey", "web", "more", 150, 3)
FEWER_ANSWER = Planted("response_rate", "survey", "web", "lower", 150, 5)
# Rows are so seldom rejected that their share is judged by the week.
INCOMPLETE = Planted("rejected_share", "source", "app", "higher", 140, 7)
NO_PRODUCT = Planted("known_share", "tag", "product", "lower", 118, 5)
NOT_LINKED = Planted("linked_share", "all", "all", "lower", 165, 5)
NO_COMMENTS = Planted("comment_share", "survey", "web", "lower", 170, 7)
FASTER = Planted("duration_seconds", "survey", "phone", "shorter", 155, 5)
PLANTED = (
    HALVED, SILENT, HARDER, MORE_TICKETS, MORE_INVITATIONS, FEWER_ANSWER, INCOMPLETE, NO_PRODUCT, NOT_LINKED, NO_COMMENTS,
    FASTER,
)  # fmt: skip


def published_home(root: Path, planted: Sequence[Planted], seed: int) -> Home:
    """Such a home, landed, cleaned and published. The same seed gives twins: they differ by what is planted only."""
    home = Home(root).make()
    _write_registry(home)
    for source, rows in _exports(planted, seed).items():
        folder = home.inbox / source
        folder.mkdir(parents=True)
        with (folder / "export.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    registry = pipeline.load_registry(home.registry)
    for landing in pipeline.land(home, registry):
        assert landing.failures == ()
    for kind in registry.kinds:
        for result in pipeline.clean(
            home, registry, kind, pipeline.stale_days(home, registry, kind), run_id="planted"
        ):
            assert result.problems == ()
    assert pipeline.publish(home, registry, run_id="planted").published
    return home


def alarms(home: Home) -> list[dict[str, Any]]:
    """The first alarm of each incident, with its series, direction and first affected day."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        found = connection.execute(
            "SELECT series_kind, dimension, segment, grain, incident_first_day,"
            " min(day) FILTER (state LIKE 'spike%' OR state LIKE 'drift%') AS alarm_day, arg_min(direction, day) AS direction"
            " FROM mart.anomalies_daily WHERE incident_first_day IS NOT NULL GROUP BY ALL HAVING alarm_day IS NOT NULL"
            " ORDER BY ALL"
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def incidents(home: Home) -> list[dict[str, Any]]:
    """The rows of `audit.incidents`: those of both rules of the home."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        found = connection.execute(
            "SELECT * FROM audit.incidents ORDER BY rule_id, first_affected_day, incident_id"
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def is_noticed(planted: Planted, found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the rule of all figures opened an incident of this series, with its direction, while it lasted."""
    return any(
        all(incident[name] == getattr(planted, name) for name in _SERIES)
        and planted.affects((incident["detected_day"] - FIRST).days)
        for incident in found
        if incident["rule_id"] == UNUSUAL
    )


def series_years(home: Home) -> float:
    """Years of days and weeks with a verdict, of all series together."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        found = connection.execute(
            "SELECT sum(CASE grain WHEN 'day' THEN 1 ELSE 7 END) FILTER (expected IS NOT NULL) / 365.25"
            " FROM mart.anomalies_daily"
        ).fetchone()
    assert found
    return float(found[0])


def delay_days(planted: Planted, found: Sequence[Mapping[str, Any]]) -> int | None:
    """Days from the first affected day to the alarm, both counted; None if it was not found while it lasted."""
    days = [
        (alarm["alarm_day"] - planted.first).days + 1
        for alarm in found
        if all(alarm[name] == getattr(planted, name) for name in _SERIES)
        and planted.affects((alarm["alarm_day"] - FIRST).days)
    ]
    return min(days, default=None)


def _exports(planted: Sequence[Planted], seed: int) -> dict[str, list[dict[str, Any]]]:
    """Source -> rows of its export. Each figure has a random stream of its own, so that twins are equal elsewhere."""
    rows: dict[str, list[dict[str, Any]]] = {"desk": [], "mails": [], **{survey: [] for survey in _SURVEYS}}
    for day in range(DAYS):
        active = [incident for incident in planted if incident.affects(day)]
        at = datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), UTC) + timedelta(hours=9)
        share = _WEEKEND if at.weekday() >= 5 else 1.0
        tickets = [*_tickets(at, share, active, np.random.default_rng([seed, day, 0]))]
        rows["desk"] += tickets
        for number, survey in enumerate(_SURVEYS, start=1):
            rows[survey] += _answers(
                survey, at, share, active, tickets, np.random.default_rng([seed, day, number])
            )
        invited = _INVITATIONS * share * (2 if MORE_INVITATIONS in active else 1)
        people = [f"{row['email']}" for row in rows["web"] if row["recorded"][:10] == at.date().isoformat()]
        strangers = range(int(np.random.default_rng([seed, day, 9]).poisson(invited) - len(people)))
        for place, person in enumerate(
            [*people, *(f"stranger{day}.{other}@example.org" for other in strangers)]
        ):
            sent = (at - timedelta(minutes=30)).isoformat()
            rows["mails"].append({"id": f"m{day}.{place}", "email": person, "survey": "web", "sent": sent})
    return rows


def _tickets(
    at: datetime, share: float, active: Sequence[Planted], random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    for category, a_day in _CATEGORIES.items():
        factor = 2 if MORE_TICKETS in active and category == MORE_TICKETS.segment else 1
        for number in range(random.poisson(a_day * share * factor)):
            name = f"{at:%y%m%d}{category[0]}{number}"
            solved = at + timedelta(minutes=float(random.lognormal(5, 1)))
            yield {
                "number": name,
                "email": f"{name}@example.org",
                "category": category,
                "status": "solved",
                "created": at.isoformat(),
                "updated": solved.isoformat(),
                "solved": solved.isoformat(),
            }


def _answers(
    survey: str,
    at: datetime,
    share: float,
    active: Sequence[Planted],
    tickets: Sequence[Mapping[str, Any]],
    random: np.random.Generator,
) -> list[dict[str, Any]]:
    a_day = _SURVEYS[survey] * share * (0.5 if HALVED in active and survey == HALVED.segment else 1)
    if SILENT in active and survey == SILENT.segment:
        a_day = 0
    found = []
    for number in range(random.poisson(a_day)):
        seconds, draws = random.lognormal(4.5, 0.4), random.random(6)
        is_harder = HARDER in active and survey == HARDER.segment
        score = random.choice(7, p=_SCORES_HARDER if is_harder else _SCORES) + 1
        is_empty = draws[0] < (0.3 if INCOMPLETE in active and survey == INCOMPLETE.segment else 0.03)
        is_linked = draws[1] < (0.4 if NOT_LINKED in active else 0.7) and number < len(tickets)
        has_product = draws[2] < (0.6 if NO_PRODUCT in active else 0.85)
        has_comment = draws[3] < (0.1 if NO_COMMENTS in active and survey == NO_COMMENTS.segment else 0.35)
        if FASTER in active and survey == FASTER.segment:
            seconds /= 1.6
        moment = at + timedelta(seconds=float(36_000 * draws[4]))
        found.append(
            {
                "id": f"{survey}{at:%y%m%d}.{number}",
                "email": f"{survey}{at:%y%m%d}.{number}@example.org",
                "recorded": moment.isoformat(),
                "seconds": f"{seconds:.1f}",
                "score": "" if is_empty else str(score),
                "comment": f"Words {number} of {at:%d %b}" if has_comment else "",
                "product": ["Shop", "App"][number % 2] if has_product else "",
                "ticket": tickets[number]["number"] if is_linked else "",
            }
        )
    return found


_SCORES = (0.05, 0.05, 0.10, 0.15, 0.20, 0.25, 0.20)
_SCORES_HARDER = (0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.10)


def _write_registry(home: Home) -> None:
    answers = {
        "response_id": "id", "respondent": "email", "recorded_at": "recorded", "duration_seconds": "seconds",
        "ticket_id": "ticket", "score": "score", "comment": "comment", "product": "product",
    }  # fmt: skip
    tickets = {
        "ticket_id": "number", "requester": "email", "category": "category", "status": "status", "created_at": "created",
        "updated_at": "updated", "solved_at": "solved",
    }  # fmt: skip
    invitations = {"invitation_id": "id", "person": "email", "sent_at": "sent"}
    files = {
        "surveys": [{"id": survey, "scale": "ces2_agreement_1_7"} for survey in _SURVEYS],
        "sources": [
            *(
                {"id": name, "kind": "survey", "reader": "csv", "survey": name, "columns": answers}
                for name in _SURVEYS
            ),
            {"id": "desk", "kind": "tickets", "reader": "csv", "columns": tickets},
            {
                "id": "mails",
                "kind": "invitations",
                "reader": "csv",
                "survey_column": "survey",
                "columns": invitations,
            },
        ],
        "settings": {
            "business_time_zone": _ZONE,
            "first_day": FIRST.isoformat(),
            "invitation_window_days": 3,
        },
        "releases": [
            {"id": NEW_FORM, "title": NEW_FORM, "day": HARDER.first, "touchpoints": [HARDER.segment]}
        ],
        "alerts": {"rules": [{"owner": "team", "severity": "warning", **rule} for rule in _RULES]},
        "products": [{"id": "shop", "also_known_as": ["Shop"]}, {"id": "app", "also_known_as": ["App"]}],
    }
    for name, entries in files.items():
        (home.registry / f"{name}.yaml").write_text(
            yaml.safe_dump(entries, sort_keys=False), encoding="utf-8"
        )


def main(seed: int = 1) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = alarms(published_home(Path(folder) / "planted", PLANTED, seed))
        print("| planted | from | found after days | limit |\n| --- | --- | ---: | ---: |")
        for incident in PLANTED:
            name = f"{incident.series_kind} of {incident.dimension} {incident.segment}: {incident.direction}"
            print(f"| {name} | {incident.first} | {delay_days(incident, found)} | {incident.most_days} |")
        twin = published_home(Path(folder) / "twin", (), seed)
        years, false = series_years(twin), alarms(twin)
        print(
            f"\ntwin without: {len(false)} incidents in {years:.1f} series-years ({len(false) / years:.2f} a year)"
        )
        for alarm in false:
            print(", ".join(str(value) for value in alarm.values()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
