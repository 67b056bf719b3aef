"""The demo story: a release slows the billing API, billing cases get difficult, a fix follows, and effort falls again.

It writes sixteen weeks of every kind of source, their registry, and the finding that each mart must have. Four weeks
are normal, eight are slow, four are fixed. Effort follows the API by one day. The module does not run the pipeline.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.storage.duck import open_published

FILE_NAME = "known_findings.json"
DAYS, SLOW_FROM, FIXED_ON = 112, 28, 84
_CUSTOMERS, _UPGRADE_DAY, _ANSWER_WINDOW_DAYS = 900, 60, 14
_CASES_A_DAY = {"billing": 14, "login": 14, "shipping": 14}
_MORE_BILLING_CASES_WHEN_SLOW = 6
_USUAL_MS = 400.0
_HARDEST_OF_DIFFICULT = 3
"""Highest difficult score on the scale from 1 to 7."""


@dataclass(frozen=True)
class Finding:
    """A figure of the published file that the story determines. `query` selects it, as a number or a text."""

    name: str
    query: str
    tolerance: float = 0.0


FINDINGS = (
    Finding("answers", "SELECT count(*) FROM core.responses"),
    Finding(
        "answers of enterprise customers", "SELECT count(*) FROM core.responses WHERE persona = 'enterprise'"
    ),
    Finding("answers linked to their case", "SELECT count(ticket_key) FROM core.response_tickets"),
    Finding("invitations", "SELECT count(*) FROM core.invitations"),
    Finding(
        "response rate of invitations whose answer window has ended",
        "SELECT rate FROM mart.response_rates WHERE basis = 'invitations'",
        1e-9,
    ),
    Finding(
        "solved cases with an invitation",
        "SELECT sum(with_invitation) FROM mart.event_coverage_daily WHERE event_type = 'case_solved'",
    ),
    Finding(
        "cases that were solved automatically",
        "SELECT tickets FROM mart.handling_effort WHERE period = 'all' AND handling = 'automated'",
    ),
    Finding("difficult answers", "SELECT count(*) FROM mart.follow_ups"),
    Finding("difficult answers without a follow-up", "SELECT count(*) FROM mart.follow_ups WHERE state = 'none'"),
    Finding("difficult answers that were resolved", "SELECT count(*) FROM mart.follow_ups WHERE state = 'resolved'"),
    Finding(
        "hardest category",
        "SELECT category FROM mart.category_effort WHERE period = 'all' ORDER BY mean_effort_0_100 DESC LIMIT 1",
    ),
    Finding(
        "category to fix first",
        "SELECT category FROM mart.priorities WHERE level = 'category' AND priority_rank = 1",
    ),
    Finding(
        "days by which effort follows the API",
        "SELECT lag_days FROM mart.event_effort_lag WHERE category = 'billing' AND verdict = 'related'",
    ),
    Finding(
        "direction in which effort follows the API",
        "SELECT if(correlation > 0, 'harder', 'easier') FROM mart.event_effort_lag "
        "WHERE category = 'billing' AND verdict = 'related'",
    ),
    Finding(
        "effect of the release",
        "SELECT verdict FROM mart.release_windows WHERE release_id = 'billing_3_0' AND series = 'after_case'",
    ),
    Finding(
        "effect of the fix on effort",
        "SELECT verdict FROM mart.fix_impact WHERE fix_id = 'faster_invoices' AND method = 'difference in differences'",
    ),
    Finding(
        "points of effort that the fix removed",
        "SELECT -change_effort_0_100 FROM mart.fix_impact "
        "WHERE fix_id = 'faster_invoices' AND method = 'difference in differences'",
        3.0,
    ),
    Finding(
        "effect of the fix on tickets",
        "SELECT verdict FROM mart.fix_ticket_impact "
        "WHERE fix_id = 'faster_invoices' AND method = 'difference in differences'",
    ),
    Finding("fixes of a slow API that helped", "SELECT effort_improved FROM mart.fix_levers WHERE lever = 'slow_api'"),
    Finding("answers on satisfaction", "SELECT sum(csat_n) FROM mart.kpi_daily"),
    Finding(
        "less effort goes with more satisfaction",
        "SELECT if(spearman_low > 0, 'yes', 'no') FROM mart.kpi_association WHERE kpi = 'csat'",
    ),
    Finding(
        "less effort goes with more recommendation",
        "SELECT if(spearman_low > 0, 'yes', 'no') FROM mart.kpi_association WHERE kpi = 'nps'",
    ),
    Finding("objective", "SELECT state FROM mart.objectives WHERE objective_id = 'easier_cases'"),
)  # fmt: skip


@dataclass
class _Case:
    number: int
    category: str
    channel: str
    customer: int
    created: datetime
    solved: datetime
    replies: int
    score: int | None
    """From 1 (difficult) to 7 (easy). None: the customer did not answer."""

    @property
    def answered(self) -> datetime:
        """The next morning, so that effort follows its cause by one day."""
        return (self.created + timedelta(days=1)).replace(hour=9, minute=self.number % 60)

    @property
    def ease_of_seven(self) -> int:
        """What satisfaction and recommendation follow: the score, and its contrary for one answer of fifty."""
        assert self.score is not None
        return 8 - self.score if self.number % 50 == 0 else self.score

    @property
    def csat(self) -> int:
        """Satisfaction, 1 to 5."""
        return min(max(round(1 + (self.ease_of_seven - 1) * 4 / 6) + self.number % 3 - 1, 1), 5)

    @property
    def nps(self) -> int:
        """Likelihood to recommend, 0 to 10."""
        return min(max(round((self.ease_of_seven - 1) * 10 / 6) + self.number % 5 - 2, 0), 10)

    @property
    def effort_0_100(self) -> float:
        assert self.score is not None
        return 100 * (7 - self.score) / 6


@dataclass
class Story:
    """The cases and answers from `first_day`. The same seed gives the same story."""

    first_day: date = date(2026, 7, 6)
    seed: int = 7
    cases: list[_Case] = field(init=False)
    latency_ms: list[float] = field(init=False)

    def __post_init__(self) -> None:
        chance = np.random.default_rng(self.seed)
        self.latency_ms = [
            _USUAL_MS
            + (chance.uniform(800, 3_600) if SLOW_FROM <= day < FIXED_ON else chance.uniform(-60, 60))
            for day in range(DAYS)
        ]
        self.cases = []
        for day in range(DAYS):
            for category, usual in _CASES_A_DAY.items():
                is_slow = category == "billing" and SLOW_FROM <= day < FIXED_ON
                for _ in range(usual + int(chance.integers(-2, 3)) + _MORE_BILLING_CASES_WHEN_SLOW * is_slow):
                    self.cases.append(self._case(chance, day, category))

    def _case(self, chance: np.random.Generator, day: int, category: str) -> _Case:
        number = len(self.cases) + 1
        by_machine = category == "login" and chance.random() < 0.2
        ease = 5.6 if by_machine else 5.2
        minutes = float(chance.uniform(20, 300))
        if category == "billing":
            ease -= (self.latency_ms[day] - _USUAL_MS) * 0.0009
            minutes += (self.latency_ms[day] - _USUAL_MS) * 0.05
        created = self._moment(day) + timedelta(minutes=float(chance.uniform(8 * 60, 15 * 60)))
        is_answered = chance.random() < 0.55 and day + 1 < DAYS
        score = int(np.clip(np.round(chance.normal(ease, 1.2)), 1, 7))
        return _Case(
            number=number,
            category=category,
            channel="chatbot" if by_machine else str(chance.choice(["email", "chat"])),
            customer=int(chance.integers(_CUSTOMERS)),
            created=created,
            solved=created + timedelta(minutes=minutes),
            replies=0 if by_machine else int(chance.integers(1, 5)),
            score=score if is_answered else None,
        )

    def _moment(self, day: int) -> datetime:
        return datetime(
            self.first_day.year, self.first_day.month, self.first_day.day, tzinfo=UTC
        ) + timedelta(day)

    @property
    def answered(self) -> list[_Case]:
        return [case for case in self.cases if case.score is not None]

    @property
    def difficult(self) -> list[_Case]:
        return [
            case for case in self.answered if case.score is not None and case.score <= _HARDEST_OF_DIFFICULT
        ]

    def day_of(self, case: _Case) -> int:
        """The day of the story on which the case was opened."""
        return (case.created.date() - self.first_day).days

    def write(self, home: Home) -> None:
        """Write the exports of every source and the known findings, and replace the home's starter registry."""
        for name, entries in self._registry().items():
            text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
            (home.registry / f"{name}.yaml").write_text(
                f"# Written by `ces demo --story`.\n{text}", encoding="utf-8"
            )
        exports: dict[str, Iterable[dict[str, Any]]] = {
            "case_survey": self._answers(),
            "helpdesk": self._tickets(),
            "crm": self._accounts(),
            "survey_mails": self._invitations(),
            "backend": self._events(),
            "call_backs": self._follow_ups(),
        }
        for source, rows in exports.items():
            folder = home.inbox / source
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / "export.csv", list(rows))
        known = json.dumps(self.findings(), indent=1)
        (home.root / FILE_NAME).write_text(known + "\n", encoding="utf-8")

    def findings(self) -> dict[str, Any]:
        """Name of each finding -> its expected value."""
        last_answer = max(case.answered for case in self.answered).date()
        closed = [
            case for case in self.cases if case.solved.date() <= last_answer - timedelta(_ANSWER_WINDOW_DAYS)
        ]
        followed = Counter(len(list(self._steps(place))) for place in range(len(self.difficult)))
        values = (
            len(self.answered),
            sum(self._is_enterprise(case.customer, case.answered) for case in self.answered),
            len(self.answered),
            len(self.cases),
            sum(case.score is not None for case in closed) / len(closed),
            len(self.cases),
            sum(case.replies == 0 for case in self.cases),
            len(self.difficult),
            followed[0],
            followed[3],
            "billing",
            "billing",
            1,
            "harder",
            "harder",
            "improved",
            self._planted_effect(),
            "improved",
            1,
            len(self.answered),
            "yes",
            "yes",
            "reached",
        )
        return dict(zip((finding.name for finding in FINDINGS), values, strict=True))

    def _planted_effect(self) -> float:
        """Fall in billing's mean effort from the four weeks before the fix to the four after, minus the others'."""

        def mean(categories: tuple[str, ...], days: range) -> float:
            return float(
                np.mean(
                    [
                        case.effort_0_100
                        for case in self.answered
                        if case.category in categories and self.day_of(case) + 1 in days
                    ]
                )
            )

        before, after = range(FIXED_ON - 28, FIXED_ON), range(FIXED_ON, FIXED_ON + 28)
        fell = [mean(names, before) - mean(names, after) for names in (("billing",), ("login", "shipping"))]
        return fell[0] - fell[1]

    def _is_enterprise(self, customer: int, moment: datetime) -> bool:
        upgraded = customer % 15 == 0 and moment.date() >= self.first_day + timedelta(_UPGRADE_DAY)
        return customer % 4 == 0 or upgraded

    def _answers(self) -> Iterator[dict[str, Any]]:
        for case in self.answered:
            is_hard = case.score is not None and case.score <= _HARDEST_OF_DIFFICULT
            yield {
                "id": f"a{case.number}",
                "case": f"C{case.number}",
                "email": _email(case.customer),
                "ease": case.score,
                "satisfied": case.csat,
                "recommend": case.nps,
                "why": f"Hard: the {case.category} page took ages"
                if is_hard and case.number % 3 == 0
                else "",
                "answered_at": _text(case.answered),
                "channel": case.channel,
            }

    def _tickets(self) -> Iterator[dict[str, Any]]:
        for case in self.cases:
            yield {
                "case": f"C{case.number}",
                "category": case.category,
                "channel": case.channel,
                "email": _email(case.customer),
                "state": "solved",
                "opened": _text(case.created),
                "solved": _text(case.solved),
                "replies": case.replies,
                "reopens": int(case.score is not None and case.score == 1),
            }

    def _accounts(self) -> Iterator[dict[str, Any]]:
        for customer in range(_CUSTOMERS):
            plan = "Enterprise" if customer % 4 == 0 else "Team"
            yield {"email": _email(customer), "plan": plan, "since": _text(self._moment(-30))}
            if customer % 15 == 0 and plan == "Team":
                yield {
                    "email": _email(customer),
                    "plan": "Enterprise",
                    "since": _text(self._moment(_UPGRADE_DAY)),
                }

    def _invitations(self) -> Iterator[dict[str, Any]]:
        for case in self.cases:
            yield {
                "id": f"i{case.number}",
                "case": f"C{case.number}",
                "email": _email(case.customer),
                "event": f"e{case.number}",
                "state": "completed" if case.score is not None else "sent",
                "sent": _text(case.solved + timedelta(minutes=10)),
            }

    def _events(self) -> Iterator[dict[str, Any]]:
        for day, latency in enumerate(self.latency_ms):
            for hour in (0, 8, 16):
                yield {
                    "id": f"p95-{day}-{hour}",
                    "name": "invoice_api_p95_ms",
                    "email": "",
                    "case": "",
                    "category": "billing",
                    "value": round(latency + hour - 8, 1),
                    "at": _text(self._moment(day) + timedelta(hours=hour)),
                }
        for case in self.cases:
            yield {
                "id": f"e{case.number}",
                "name": "case_solved",
                "email": _email(case.customer),
                "case": f"C{case.number}",
                "category": "",
                "value": "",
                "at": _text(case.solved),
            }

    def _follow_ups(self) -> Iterator[dict[str, Any]]:
        for place, case in enumerate(self.difficult):
            for hours, step in self._steps(place):
                yield {
                    "id": f"f{case.number}",
                    "answer": f"a{case.number}",
                    "by": f"agent{place % 5}@example.com",
                    "step": step,
                    "at": _text(case.answered + timedelta(hours=hours)),
                }

    def _steps(self, place: int) -> Iterator[tuple[int, str]]:
        """Every second difficult answer has a follow-up. Every second follow-up is resolved."""
        if place % 2 == 0:
            yield from ((2, "assigned"), (5, "contacted"))
        if place % 4 == 0:
            yield 30, "resolved"

    def _registry(self) -> dict[str, Any]:
        released, fixed = (self.first_day + timedelta(day) for day in (SLOW_FROM, FIXED_ON))

        def source(name: str, kind: str, columns: dict[str, str], **more: Any) -> dict[str, Any]:
            return {"id": name, "kind": kind, "reader": "csv", **more, "columns": columns}

        answer = {
            "response_id": "id", "ticket_id": "case", "respondent": "email", "score": "ease", "csat": "satisfied",
            "nps": "recommend", "comment": "why", "submitted_at": "answered_at", "channel": "channel",
        }  # fmt: skip
        ticket = {
            "ticket_id": "case", "requester": "email", "status": "state", "created_at": "opened",
            "solved_at": "solved", "updated_at": "solved", "category": "category", "channel": "channel",
            "replies": "replies", "reopens": "reopens",
        }  # fmt: skip
        invitation = {
            "invitation_id": "id", "ticket_id": "case", "person": "email", "event_id": "event", "status": "state",
            "sent_at": "sent",
        }  # fmt: skip
        event = {
            "event_id": "id", "event_type": "name", "person": "email", "ticket_id": "case", "category": "category",
            "value": "value", "occurred_at": "at",
        }  # fmt: skip
        step = {
            "follow_up_id": "id", "response_id": "answer", "agent": "by", "state": "step", "changed_at": "at",
        }  # fmt: skip
        return {
            "sources": [
                source("case_survey", "survey", answer, survey="after_case"),
                source("helpdesk", "tickets", ticket),
                source("crm", "accounts", {"person": "email", "valid_from": "since"}),
                source("survey_mails", "invitations", invitation, survey="after_case"),
                source("backend", "events", event),
                source("call_backs", "follow_ups", step),
            ],
            "surveys": [
                {
                    "id": "after_case",
                    "title": "Ease of getting a case solved",
                    "wording": "How easy was it to get your case solved?",
                    "questions": 4,
                    "scale": "ease_1_7",
                    "csat_scale": "csat_1_5",
                    "has_nps": True,
                    "journey_stage": "support",
                    "process": "support",
                    "trigger_event": "case_solved",
                    "owner": "support",
                }
            ],
            "segments": [
                {"id": "large", "value": "enterprise", "when": {"account.plan": "Enterprise"}},
                {"id": "others", "value": "team", "when": {"account.plan": "Team"}},
                {"id": "machine", "assigns": "handling", "value": "automated", "when": {"replies": 0}},
                {"id": "people", "assigns": "handling", "value": "human", "when": {"replies": [1, 2, 3, 4]}},
            ],
            "settings": {
                "first_day": self.first_day,
                "fix_window_weeks": 4,
                "release_window_days": 14,
                "invitation_window_days": _ANSWER_WINDOW_DAYS,
                "most_questions": 4,
            },
            "releases": [
                {"id": "billing_3_0", "day": released, "title": "Billing 3.0, with a slow invoice API"}
            ],
            "fixes": [
                {
                    "id": "faster_invoices",
                    "title": "Invoices load in half a second again",
                    "live_on": fixed,
                    "categories": ["billing"],
                    "comparison_categories": ["login", "shipping"],
                    "lever": "slow_api",
                    "cost": 8,
                    "owner": "platform",
                }
            ],
            "priorities": {
                "value_weights": {"enterprise": 5, "team": 1, "unassigned": 1},
                "category_costs": {"billing": 8, "login": 5, "shipping": 5},
                "quick_win_cost": 8,
            },
            "objectives": [
                {
                    "id": "easier_cases",
                    "title": "A third less effort after a case",
                    "figure": "mean_effort_0_100",
                    "dimension": "survey",
                    "segment": "after_case",
                    "baseline": 45.0,
                    "baseline_day": fixed - timedelta(1),
                    "target": 35.0,
                    "target_day": fixed + timedelta(90),
                    "owner": "head of support",
                    "sponsor": "managing director",
                    "budget": "eight developer weeks",
                    "follow_up": "five agents call back within a day",
                }
            ],
        }


def found(home: Home) -> dict[str, Any]:
    """Name of each finding -> its value in the published file; None if there is none."""
    with open_published(home.published) as connection:
        rows = {finding.name: connection.execute(finding.query).fetchone() for finding in FINDINGS}
    return {name: row[0] if row else None for name, row in rows.items()}


def differing(known: dict[str, Any], published: dict[str, Any]) -> list[str]:
    """The names of the findings that are not as planted."""
    tolerances = {finding.name: finding.tolerance for finding in FINDINGS}
    return [
        name
        for name, planted in known.items()
        if not _agree(planted, published.get(name), tolerances.get(name, 0.0))
    ]


def read_known(path: Path) -> dict[str, Any]:
    """The known findings that `Story.write` wrote. Raises CesError if they are not readable."""
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CesError(f"{path} is damaged. Delete the folder and run `ces demo --story` again") from None
    return known


def _agree(planted: Any, published: Any, tolerance: float) -> bool:
    if isinstance(planted, str) or published is None:
        return bool(planted == published)
    return bool(abs(planted - published) <= tolerance)


def _email(customer: int) -> str:
    return f"customer{customer}@example.com"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
