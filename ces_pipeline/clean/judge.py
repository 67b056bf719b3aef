"""Judging rows: every rule is a named Pandera check on one column of evidence; all reasons of a row are kept.

The rules are in `ces_pipeline.rules`, a file each. The severity of a rule is the registry's (per survey): reject keeps
a response out, suspect keeps it in and marks it, info only counts it. Rows of other kinds are rejected or accepted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from ces_pipeline.clean.facts import Facts
from ces_pipeline.rules.catalog import SURVEY_RULES
from ces_pipeline.rules.contract import Check, Rule

_PANDERA: dict[str, Callable[..., pa.Check]] = {
    "equals": pa.Check.eq,
    "at_least": pa.Check.ge,
    "above": pa.Check.gt,
    "at_most": pa.Check.le,
}
_ON = ("reject", "suspect", "info")


@dataclass(frozen=True)
class Verdicts:
    """broken: rows x reasons (order of SURVEY_RULES), True where the rule is broken and not switched off."""

    broken: np.ndarray
    rejects: np.ndarray
    suspects: np.ndarray

    @property
    def rejected(self) -> np.ndarray:
        rejected: np.ndarray = (self.broken & self.rejects).any(axis=1)
        return rejected

    @property
    def suspect(self) -> np.ndarray:
        table: np.ndarray = (self.broken & self.suspects).any(axis=1)
        return table


def judge(facts: Facts) -> Verdicts:
    """The verdict on every response: the rules on single rows first, then those that compare rows.

    A row that is rejected by itself is not eligible: no later row is a repeat of it.
    """
    rules = SURVEY_RULES
    is_on, rejects, suspects = (
        _where_severity(facts, rules, severities) for severities in (_ON, ("reject",), ("suspect",))
    )
    compares = np.array([rule.compares_rows for rule in rules])
    decides = np.array([rule.makes_ineligible for rule in rules])
    broken = np.zeros((len(facts.rows), len(rules)), dtype=bool)
    _mark_broken(broken, "survey", facts, rules, ~compares)
    broken &= is_on
    eligible = ~(broken & rejects)[:, decides].any(axis=1)
    _mark_broken(broken, "survey", facts, rules, compares, eligible)
    broken &= is_on
    return Verdicts(broken, rejects, suspects)


def broken_rules(kind: str, facts: Facts, rules: Sequence[Rule]) -> np.ndarray:
    """Rows x rules of a kind that is not compared row with row: True where the rule is broken."""
    broken = np.zeros((len(facts.rows), len(rules)), dtype=bool)
    _mark_broken(broken, kind, facts, rules, np.ones(len(rules), dtype=bool))
    return broken


def _mark_broken(
    broken: np.ndarray, kind: str, facts: Facts, rules: Sequence[Rule], chosen: np.ndarray, *given: np.ndarray
) -> None:
    """Set the flags of the chosen rules; missing evidence, such as no duration, breaks none.

    given: what the evidence of these rules needs besides the facts.
    Each check is called on its column by itself: its answer is a flag per row, where `validate` would list every
    broken rule of every row as an object (ten times as slow on dirty days, and as large as the day).
    """
    for place in np.flatnonzero(chosen).tolist():
        rule = rules[place]
        condition = rule.condition(kind)
        values = pd.Series(condition.evidence(facts, *given))
        if str(values.dtype) != condition.dtype or len(values) != len(facts.rows):
            raise AssertionError(
                f"rules/{rule.name}.py: evidence is {len(values)} values of type {values.dtype}, "
                f"not {len(facts.rows)} of type {condition.dtype}"
            )
        holds = _named(rule.name, condition.check)(values).check_output
        broken[holds.index.to_numpy()[~holds.to_numpy(dtype=bool)], place] = True


@cache
def _named(reason: str, check: Check) -> pa.Check:
    """The check as Pandera's, under the name of the reason."""
    return _PANDERA[check.comparison](check.bound, name=reason, error=reason)


def _where_severity(facts: Facts, rules: Sequence[Rule], severities: tuple[str, ...]) -> np.ndarray:
    """Rows x reasons: whether the reason has one of these severities; the default where no survey is registered."""
    table = [[survey.rules.severity(rule.name) in severities for rule in rules] for survey in facts.surveys]
    severity_flags: np.ndarray = np.array([*table, [rule.severity in severities for rule in rules]])[
        facts.which
    ]
    return severity_flags
