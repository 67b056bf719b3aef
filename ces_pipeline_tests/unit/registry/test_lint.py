"""Protects the lint of touchpoints: a survey that is long, insists on a comment or says too little is told."""

from typing import Any

import pytest

from ces_pipeline.home import shipped
from ces_pipeline.registry import Registry
from ces_pipeline.registry.lint import lint
from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey

WHOLE = {
    "id": "after_chat",
    "scale": "ease_1_5",
    "questions": 3,
    "wording": "How easy was it?",
    "owner": "support",
}


def told(survey: dict[str, Any], **settings: Any) -> list[str]:
    one = Survey.model_validate(survey)
    registry = Registry(
        sources={}, surveys={one.id: one}, scales={}, segments=(), settings=Settings.model_validate(settings)
    )
    return list(lint(registry))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        (
            {"questions": 12},
            [
                "touchpoint after_chat: it asks 12 questions, more than 3 (most_questions of settings.yaml): "
                "people leave long surveys"
            ],
        ),
        (
            {"required": ["score", "comment"]},
            [
                "touchpoint after_chat: whoever writes no comment counts as incomplete: take comment out of `required`"
            ],
        ),
        # A survey that only collects comments has nothing else to insist on.
        ({"required": ["comment"], "scale": None}, []),
        (
            {"wording": None, "owner": None},
            ["touchpoint after_chat: surveys.yaml does not say wording, owner"],
        ),
    ],
)
def test_each_shortcoming_is_told(change: dict[str, Any], expected: list[str]) -> None:
    assert told({**WHOLE, **change}) == expected


def test_the_number_is_a_setting_and_several_shortcomings_are_one_line() -> None:
    assert told({**WHOLE, "questions": 12}, most_questions=12) == []
    (line,) = told({**WHOLE, "questions": 13, "owner": None}, most_questions=12)
    assert line.startswith("touchpoint after_chat: it asks 13 questions")
    assert line.endswith("; surveys.yaml does not say owner")


def test_the_starter_registry_is_a_good_example() -> None:
    assert list(lint(load_registry(shipped("registry")))) == []
