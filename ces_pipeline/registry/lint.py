"""What is not wrong with a touchpoint but not good either: for `ces doctor`, as pure functions over the registry."""

from collections.abc import Iterator

from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey


def lint(registry: Registry) -> Iterator[str]:
    """One line for each touchpoint whose survey is long, or whose entry leaves out what readers of its figures ask."""
    for survey in registry.surveys.values():
        if found := list(_shortcomings(survey, registry.settings)):
            yield f"touchpoint {survey.id}: {'; '.join(found)}"


def _shortcomings(survey: Survey, settings: Settings) -> Iterator[str]:
    if survey.questions is not None and survey.questions > settings.most_questions:
        yield (
            f"it asks {survey.questions} questions, more than {settings.most_questions} "
            "(most_questions of settings.yaml): people leave long surveys"
        )
    if "comment" in survey.required_answers and survey.required_answers != ("comment",):
        yield "whoever writes no comment counts as incomplete: take comment out of `required`"
    absent = [name for name in ("questions", "wording", "owner") if getattr(survey, name) is None]
    if absent:
        yield f"surveys.yaml does not say {', '.join(absent)}"
