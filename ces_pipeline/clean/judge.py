"""Judges rows: every rule is a named Pandera check on one column of evidence. A row keeps all its reasons.

`ces_pipeline.rules` has one file per rule. The registry sets the severity of a rule per survey: reject keeps a
response out, suspect keeps it in with a flag, info only counts it. Rows of other kinds are rejected or accepted.
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
    """broken: rows x rules (in the order of SURVEY_RULES), True if the row breaks the rule and the rule is on.

    rejects, suspects: rows x rules, True if the row's survey gives the rule this severity.
    """

    broken: np.ndarray
    rejects: np.ndarray
    suspects: np.ndarray

    @property
    def rejected(self) -> np.ndarray:
        rejected: np.ndarray = (self.broken & self.rejects).any(axis=1)
        return rejected

    @property
    def suspect(self) -> np.ndarray:
        suspect: np.ndarray = (self.broken & self.suspects).any(axis=1)
        return suspect


def judge(facts: Facts) -> Verdicts:
    """The verdict on every response: rules on single rows first, then rules that compare rows.

    A row that a single-row rule rejects is not eligible: a later row is not a duplicate of it.
    """
    rules = SURVEY_RULES
    is_on, rejects, suspects = (
        _where_severity(facts, rules, severities) for severities in (_ON, ("reject",), ("suspect",))
    )
    compares = np.array([rule.compares_rows for rule in rules])
    decides = np.array([rule.makes_ineligible for rule in rules])
    broken = np.zeros((len(facts.rows), len(rules)), dtype=bool)
    _set_broken(broken, "survey", facts, rules, ~compares)
    broken &= is_on
    eligible = ~(broken & rejects)[:, decides].any(axis=1)
    _set_broken(broken, "survey", facts, rules, compares, eligible)
    broken &= is_on
    return Verdicts(broken, rejects, suspects)


def broken_rules(kind: str, facts: Facts, rules: Sequence[Rule]) -> np.ndarray:
    """Rows x rules of a kind without rules that compare rows: True if the row breaks the rule."""
    broken = np.zeros((len(facts.rows), len(rules)), dtype=bool)
    _set_broken(broken, kind, facts, rules, np.ones(len(rules), dtype=bool))
    return broken


def _set_broken(
    broken: np.ndarray, kind: str, facts: Facts, rules: Sequence[Rule], chosen: np.ndarray, *given: np.ndarray
) -> None:
    """Set the flags of the chosen rules. Missing evidence, such as a missing duration, breaks no rule.

    given: further arguments of the rules' evidence functions, after the facts.
    Each check is called on its own column and returns one flag per row. Pandera's `validate` creates an object per
    broken rule and row: ten times slower on dirty days, and as large as the day.
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
    """The check as a Pandera check, named after the reason."""
    return _PANDERA[check.comparison](check.bound, name=reason, error=reason)


def _where_severity(facts: Facts, rules: Sequence[Rule], severities: tuple[str, ...]) -> np.ndarray:
    """Rows x rules: whether the rule has one of these severities; its default if the survey is not registered."""
    table = [[survey.rules.severity(rule.name) in severities for rule in rules] for survey in facts.surveys]
    by_row: np.ndarray = np.array([*table, [rule.severity in severities for rule in rules]])[facts.which]
    return by_row
