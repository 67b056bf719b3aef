"""Proves the cleaning rules: the poison of each rule is cleaned as real rows are, and must have the rule's reason."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ces_pipeline.clean.accounts import clean_accounts
from ces_pipeline.clean.context import DayContext, SpeedLimit, columns_asked_for
from ces_pipeline.clean.events import clean_events
from ces_pipeline.clean.follow_ups import clean_follow_ups
from ces_pipeline.clean.invitations import clean_invitations
from ces_pipeline.clean.outcomes import CleanedDays
from ces_pipeline.clean.responses import clean_responses
from ces_pipeline.clean.tickets import clean_tickets
from ces_pipeline.proof.raw_rows import FIRST_DAY, raw_rows
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.rules.catalog import rules_of
from ces_pipeline.rules.contract import Rule
from ces_pipeline.schemas.kinds import KINDS

_GOOD, _VERSION = "good", "proof"
_EASE = {
    "id": "ease_1_5",
    "title": "Ease, 1 to 5",
    "min": 1,
    "max": 5,
    "higher_means": "easier",
    "easy": (4, 5),
    "difficult": (1, 2),
}
_CLEAN_VERSIONED = {"accounts": clean_accounts, "follow_ups": clean_follow_ups, "tickets": clean_tickets}
_CLEAN_REVISED = {"invitations": clean_invitations, "events": clean_events}


def uncaught_by_rules() -> list[str]:
    """A name for each rule and kind of source whose poison is not found, and for a good row that has a reason."""
    return [name for kind in KINDS for name in _uncaught(kind)]


def _uncaught(kind: str) -> Iterator[str]:
    rules = rules_of(kind)
    registry = _registry(kind, rules)
    asked = columns_asked_for(registry, set(raw_rows(kind, [{}]).columns))
    rows, last = [_row(kind, _GOOD, {}, asked)], {}
    for rule in rules:
        rows += [_row(kind, rule.name, row, asked) for row in rule.condition(kind).poison.rows]
        last[rule.name] = len(rows) - 1
    frame = raw_rows(kind, rows)
    keys = frame[KINDS[kind].key].to_list()
    found = _found(kind, _cleaned(kind, frame, registry, asked))
    if keys[0] in found:
        yield f"a good row of kind {kind} ({', '.join(sorted(found[keys[0]]))})"
    for rule in rules:
        if rule.name not in found.get(keys[last[rule.name]], {}):
            yield f"rule {rule.name} ({kind})"
        elif found[keys[last[rule.name]]][rule.name] != _severity(rule):
            yield f"severity of rule {rule.name} ({kind})"


def _row(kind: str, name: str, given: Mapping[str, Any], asked: tuple[str, ...]) -> dict[str, Any]:
    """A row of the survey that is named like its rule. Export columns that are no fields have the names of `asked`."""
    of_survey = {"survey": name} if KINDS[kind].has_survey else {}
    columns = {name: f"asked_{place}" for place, name in enumerate(asked)}
    return {
        **dict.fromkeys(columns.values()),
        **of_survey,
        **{columns.get(column, column): value for column, value in given.items()},
    }


def _registry(kind: str, rules: tuple[Rule, ...]) -> Registry:
    """A survey for the good row and one for each rule, which has what the poison of the rule sets."""
    entries: list[dict[str, Any]] = [{"id": _GOOD}]
    for rule in rules if KINDS[kind].has_survey else ():
        survey = dict(rule.condition(kind).poison.survey)
        own = {"severities": {rule.name: _severity(rule)}} if kind == "survey" else {}
        entries.append({**survey, "id": rule.name, "rules": {**survey.get("rules", {}), **own}})
    column = {"survey_column": "survey"} if KINDS[kind].has_survey else {}
    source = Source.model_validate({"id": "web", "kind": kind, "reader": "csv", **column})
    scale = Scale.model_validate(_EASE)
    return Registry(
        sources={source.id: source},
        surveys={entry["id"]: Survey.model_validate({"scale": scale.id, **entry}) for entry in entries},
        scales={scale.id: scale},
        segments=(),
        settings=Settings.model_validate({"first_day": FIRST_DAY}),
    )


def _severity(rule: Rule) -> str:
    """The severity with which a rule is proved. One that is off unless a survey sets it is proved as well."""
    return "info" if rule.severity == "off" else rule.severity


def _cleaned(kind: str, frame: pd.DataFrame, registry: Registry, asked: tuple[str, ...]) -> CleanedDays:
    if kind == "survey":
        limits = {
            rule.name: SpeedLimit(1, rule.poison.speed_limit_seconds)
            for rule in rules_of(kind)
            if rule.poison.speed_limit_seconds is not None
        }
        days = dict.fromkeys(frame["day"].unique(), limits)
        return clean_responses(frame, pd.DataFrame(), DayContext(registry, days, _VERSION, asked))
    if KINDS[kind].is_versioned:
        return _CLEAN_VERSIONED[kind](frame, registry, _VERSION)
    return _CLEAN_REVISED[kind](frame, pd.DataFrame(), registry, _VERSION)


def _found(kind: str, cleaned: CleanedDays) -> dict[str, dict[str, str]]:
    """Key of a row -> each of its reasons, with what came of the row: reject, suspect or info."""
    key = KINDS[kind].key
    found = {
        row: dict.fromkeys(reasons, "reject")
        for row, reasons in zip(cleaned.rejected[key], cleaned.rejected["reasons"], strict=True)
    }
    if kind == "survey":
        accepted = cleaned.accepted
        for row, flags, is_suspect in zip(
            accepted[key], accepted["flags"], accepted["is_suspect"], strict=True
        ):
            if len(flags):
                found[row] = dict.fromkeys(flags, "suspect" if is_suspect else "info")
    return found
