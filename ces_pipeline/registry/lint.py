"""Weak points of surveys that are no errors, for `ces doctor`: pure functions over the registry."""

from collections.abc import Iterator

from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey


def lint(registry: Registry) -> Iterator[str]:
    """One line per survey that is long, requires a comment, or has no `questions`, `wording` or `owner`."""
    for survey in registry.surveys.values():
        if found := list(_shortcomings(survey, registry.settings)):
            yield f"surveys.yaml: entry {survey.id}: {'; '.join(found)}"


def _shortcomings(survey: Survey, settings: Settings) -> Iterator[str]:
    if survey.questions is not None and survey.questions > settings.most_questions:
        yield (
            f"questions: {survey.questions} is more than {settings.most_questions} (most_questions of "
            "settings.yaml): people abandon long surveys"
        )
    if "comment" in survey.required_answers and survey.required_answers != ("comment",):
        yield "required: answers without a comment count as incomplete: remove `comment`"
    absent = [name for name in ("questions", "wording", "owner") if getattr(survey, name) is None]
    if absent:
        yield f"add {', '.join(absent)}"
