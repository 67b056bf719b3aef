"""Why a response was accepted or rejected: every rule's evidence on its row, judged again from the landed rows.

It uses the same facts, rules and days as cleaning, and writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.clean.context import DayContext
from ces_pipeline.clean.inputs import Planner
from ces_pipeline.clean.judge import judge
from ces_pipeline.clean.raw_rows import read_cross_day_revisions, read_rows
from ces_pipeline.clean.response_facts import ResponseFacts
from ces_pipeline.clean.speed import speed_limits
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.registry import Registry
from ces_pipeline.rules.catalog import SURVEY_RULES
from ces_pipeline.rules.contract import Rule
from ces_pipeline.storage.lake import Lake

_WORDS = {
    "equals": "must be",
    "at_least": "must be at least",
    "above": "must be above",
    "at_most": "must be at most",
}


@dataclass(frozen=True)
class RuleVerdict:
    """One rule on one response.

    severity: of the response's survey. evidence: what was found, None if it is missing (it then breaks no rule).
    evidence_name: what the evidence is. must: what holds of a good row. settings: the survey's settings of the rule.
    """

    rule: str
    means: str
    severity: str
    evidence_name: str
    evidence: bool | float | None
    must: str
    is_broken: bool
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExplainedRow:
    """One landed row of a response on a day.

    outcome: `newest`, `superseded` or `landed_again`. verdicts: of every rule, if it is the newest; else empty.
    """

    source_id: str
    delivery_id: str
    row_number: int
    day: date
    outcome: str
    revision: int
    survey_id: str | None = None
    verdicts: tuple[RuleVerdict, ...] = ()

    @property
    def is_rejected(self) -> bool:
        return any(verdict.is_broken and verdict.severity == "reject" for verdict in self.verdicts)


def explain_response(lake: Lake, registry: Registry, day: date, response_id: str) -> list[ExplainedRow]:
    """Every landed row of this response id on a day, of all sources, with the verdicts on the newest.

    Raises an error of `storage.lake.UNREADABLE` if a raw file of the day or of its look-back days cannot be read.
    """
    planner = Planner(lake, registry, "survey")
    plan = planner.plan(day)
    reached = sorted({day, *(file.day for file in plan.lookback)})
    limits = speed_limits(lake, registry, planner.speed_files(reached), reached)
    rows = read_rows(lake, [plan])
    revisions = read_cross_day_revisions(lake, [plan])
    if len(revisions):
        key = ["source_id", "key_hi", "key_lo"]
        revisions = revisions.merge(rows[[*key, "response_key"]].drop_duplicates(), on=key)
    resolved = resolve_versions(rows, "response_key", revisions)
    current = newest(resolved)
    facts = ResponseFacts(current, DayContext(registry, limits, plan.rule_version, plan.asked))
    broken = judge(facts).broken
    found = []
    places = ["source_id", "delivery_id", "row_number", "outcome", "revision"]
    where = _of_response(current, response_id)
    for row in _of_response(resolved, response_id)[places].to_dict("records"):
        place = where.index[
            (where["source_id"] == row["source_id"])
            & (where["delivery_id"] == row["delivery_id"])
            & (where["row_number"] == row["row_number"])
        ]
        survey = facts.surveys[facts.which[place[0]]] if len(place) and facts.which[place[0]] >= 0 else None
        found.append(
            ExplainedRow(
                source_id=str(row["source_id"]),
                delivery_id=str(row["delivery_id"]),
                row_number=int(row["row_number"]),
                day=day,
                outcome=str(row["outcome"]),
                revision=int(row["revision"]),
                survey_id=survey.id if survey else None,
                verdicts=_verdicts(facts, broken, int(place[0])) if len(place) else (),
            )
        )
    return found


def _of_response(rows: pd.DataFrame, response_id: str) -> pd.DataFrame:
    return rows[(rows["response_id"] == response_id) & ~rows["is_lookback"].astype(bool)]


def _verdicts(facts: ResponseFacts, broken: np.ndarray, place: int) -> tuple[RuleVerdict, ...]:
    survey = facts.surveys[facts.which[place]] if facts.which[place] >= 0 else None
    decides = np.array([rule.makes_ineligible and not rule.compares_rows for rule in SURVEY_RULES])
    rejects = np.array([rule.severity == "reject" for rule in SURVEY_RULES])
    if survey is not None:
        rejects = np.array([survey.rules.severity(rule.name) == "reject" for rule in SURVEY_RULES])
    eligible = ~(broken & (decides & rejects)).any(axis=1)
    found = []
    for number, rule in enumerate(SURVEY_RULES):
        condition = rule.condition("survey")
        given = (eligible,) if rule.compares_rows else ()
        value = np.asarray(condition.evidence(facts, *given))[place].item()
        found.append(
            RuleVerdict(
                rule=rule.name,
                means=rule.means,
                severity=survey.rules.severity(rule.name) if survey else rule.severity,
                evidence_name=condition.evidence.__name__.replace("_", " "),
                evidence=None if isinstance(value, float) and not np.isfinite(value) else value,
                must=f"{_WORDS[condition.check.comparison]} {_shown(condition.check.bound)}",
                is_broken=bool(broken[place, number]),
                settings=_settings(rule, survey),
            )
        )
    return tuple(found)


def _settings(rule: Rule, survey: Any) -> dict[str, Any]:
    if survey is None:
        return {}
    return {name: getattr(survey.rules, name) for name in rule.settings}


def _shown(bound: bool | float) -> str:
    return {True: "yes", False: "no"}[bound] if isinstance(bound, bool) else f"{bound:g}"
