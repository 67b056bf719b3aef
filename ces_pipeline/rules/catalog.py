"""All rules, in the order of their positions: every module of this package but `contract` and this one is a rule."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from types import ModuleType
from typing import get_args

from ces_pipeline.rules.contract import Check, Condition, Poison, Rule, RuleError, Severity

RULES_PACKAGE = "ces_pipeline.rules"
_NO_RULES = ("catalog", "contract")


def load_rules(package: str = RULES_PACKAGE) -> tuple[Rule, ...]:
    """The rules of a package by position. Raises RuleError, which names every file that lacks a part."""
    rules: list[Rule] = []
    problems: list[str] = []
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if found.name in _NO_RULES:
            continue
        try:
            module = importlib.import_module(f"{package}.{found.name}")
        except TypeError as problem:
            # `Rule(...)` without one of its required parts.
            problems.append(f"{found.name}.py: {problem}")
            continue
        wrong = list(_problems(found.name, module))
        problems += [f"{found.name}.py: {text}" for text in wrong]
        if not wrong:
            rules.append(replace(module.RULE, means=_first_line(module)))
    rules.sort(key=lambda rule: rule.position)
    problems += [
        f"{after.name}.py: position {after.position} is that of {before.name}.py"
        for before, after in pairwise(rules)
        if before.position == after.position
    ]
    if problems:
        raise RuleError(f"rules of {package}:\n" + "\n".join(problems))
    return tuple(rules)


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().partition("\n")[0]


def _problems(name: str, module: ModuleType) -> Iterator[str]:
    rule = getattr(module, "RULE", None)
    if not isinstance(rule, Rule):
        yield "has no RULE = Rule(...)"
        return
    if not _first_line(module):
        yield "has no docstring; its first line is the published meaning"
    if rule.name != name:
        yield f"its rule is named {rule.name!r}; the name must be that of the file"
    if rule.severity not in get_args(Severity):
        yield f"severity is {rule.severity!r}; it must be one of {', '.join(get_args(Severity))}"
    if not isinstance(rule.position, int):
        yield f"position is {rule.position!r}; it must be an integer"
    if not rule.all_kinds:
        yield "holds for no kind of source"
    if set(rule.all_kinds) != {"survey"}:
        if rule.severity != "reject":
            yield "severity must be reject, since rows of other kinds than survey cannot be marked"
        if rule.compares_rows:
            yield "only rows of kind survey are compared"
    conditions = [Condition(rule.evidence, rule.check, rule.poison)] if rule.kinds else []
    for condition in (*conditions, *rule.by_kind.values()):
        yield from _condition_problems(condition)


def _condition_problems(condition: Condition) -> Iterator[str]:
    if not callable(condition.evidence):
        yield f"evidence is {condition.evidence!r}; it must be a function of the facts"
        return
    name = condition.evidence.__name__
    if condition.dtype is None:
        yield f"the evidence {name} must be annotated to return Flags, Counts or Numbers"
    if not isinstance(condition.check, Check):
        yield f"the check of {name} must be made by equals, at_least, above or at_most"
    elif (condition.dtype == "bool") != isinstance(condition.check.bound, bool):
        yield f"the check of {name} compares with {condition.check.bound!r}, which is not what the evidence holds"
    if not isinstance(condition.poison, Poison) or not condition.poison.rows:
        yield f"the poison of {name} has no row; poison({{column: value}}) names what breaks the rule"


RULES: tuple[Rule, ...] = load_rules()


def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules for rows of one kind of source."""
    return tuple(rule for rule in RULES if kind in rule.all_kinds)


SURVEY_RULES: tuple[Rule, ...] = rules_of("survey")
REASON_NAMES: tuple[str, ...] = tuple(rule.name for rule in SURVEY_RULES)
"""The reasons for which a response is rejected, marked or counted, in the order in which a row lists them."""
DEFAULT_SEVERITIES: dict[str, Severity] = {rule.name: rule.severity for rule in SURVEY_RULES}
"""Reason -> severity, unless a survey sets another."""
