"""Protects the lint of surveys: a long survey, a required comment and missing documentation are reported."""

from typing import Any

import pytest

from ces_pipeline.home import shipped
from ces_pipeline.registry import Registry
from ces_pipeline.registry.lint import lint
from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey

COMPLETE = {
    "id": "after_chat",
    "scale": "ease_1_5",
    "questions": 3,
    "wording": "How easy was it?",
    "owner": "support",
}


def lines(survey_entry: dict[str, Any], **settings: Any) -> list[str]:
    survey = Survey.model_validate(survey_entry)
    registry = Registry(
        sources={},
        surveys={survey.id: survey},
        scales={},
        segments=(),
        settings=Settings.model_validate(settings),
    )
    return list(lint(registry))


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"questions": 12}, ("questions: 12", "most_questions")),
        ({"required": ["score", "comment"]}, ("required: ", "`comment`")),
        ({"wording": None, "owner": None}, ("wording, owner",)),
    ],
)
def test_each_weak_point_is_reported_with_entry_and_key(
    change: dict[str, Any], facts: tuple[str, ...]
) -> None:
    (line,) = lines({**COMPLETE, **change})
    assert line.startswith("surveys.yaml: entry after_chat: ")
    for fact in facts:
        assert fact in line


# A survey that only collects comments requires nothing else.
@pytest.mark.parametrize("change", [{}, {"required": ["comment"], "scale": None}])
def test_a_good_survey_is_not_reported(change: dict[str, Any]) -> None:
    assert lines({**COMPLETE, **change}) == []


def test_the_limit_is_a_setting_and_several_weak_points_share_a_line() -> None:
    assert lines({**COMPLETE, "questions": 12}, most_questions=12) == []
    (line,) = lines({**COMPLETE, "questions": 13, "owner": None}, most_questions=12)
    assert "questions: 13" in line
    assert line.endswith("owner")


def test_the_starter_registry_is_a_good_example() -> None:
    assert list(lint(load_registry(shipped("registry")))) == []
