"""Protects the proof of the rules: every poison is found, and a rule that finds nothing is named."""

from dataclasses import replace
from math import inf

import pytest

from ces_pipeline.clean import judge, records
from ces_pipeline.proof import rules as proof
from ces_pipeline.proof.rules import uncaught_by_rules
from ces_pipeline.rules.catalog import RULES, SURVEY_RULES, rules_of
from ces_pipeline.rules.contract import Rule, above, at_least

OF_KINDS = [(rule.name, kind) for rule in RULES for kind in rule.all_kinds]


def test_every_poison_is_found() -> None:
    assert uncaught_by_rules() == []


def judged_by(name: str, rules: tuple[Rule, ...], check: object) -> tuple[Rule, ...]:
    """The rules, the check of one replaced for every kind."""
    changed = {
        rule.name: replace(
            rule,
            check=check,
            by_kind={kind: replace(found, check=check) for kind, found in rule.by_kind.items()},
        )
        for rule in rules
        if rule.name == name
    }
    return tuple(changed.get(rule.name, rule) for rule in rules)


@pytest.mark.parametrize(("name", "kind"), OF_KINDS)
def test_a_rule_that_finds_nothing_is_named(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "KINDS", {kind: proof.KINDS[kind]})
    monkeypatch.setattr(judge, "SURVEY_RULES", judged_by(name, SURVEY_RULES, at_least(-inf)))
    monkeypatch.setattr(records, "rules_of", lambda of: judged_by(name, rules_of(of), at_least(-inf)))
    assert uncaught_by_rules() == [f"rule {name} ({kind})"]


def test_a_rule_that_rejects_every_row_is_found_by_a_good_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "rules_of", lambda of: judged_by("missing_type", rules_of(of), above(1)))
    assert "a good row of kind events (missing_type)" in uncaught_by_rules()


def test_a_reason_that_does_not_do_what_its_severity_says_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Found, but a rejecting rule that lets the row pass as only noted.
    passed = {"survey": {"score_off_scale": "info"}}
    found = proof._found

    def lenient(kind: str, cleaned: object) -> dict[str, dict[str, str]]:
        return {
            key: {reason: passed.get(kind, {}).get(reason, what) for reason, what in reasons.items()}
            for key, reasons in found(kind, cleaned).items()
        }

    monkeypatch.setattr(proof, "_found", lenient)
    assert uncaught_by_rules() == ["severity of rule score_off_scale (survey)"]
