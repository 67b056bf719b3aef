"""Finds the column of the effort score and the scales of an export's answers, or asks for them."""

import re
from collections.abc import Iterable

from ces_pipeline.errors import RegistryError
from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.result import Question
from ces_pipeline.profiling.scales import (
    best_by_labels,
    described,
    fitting_labels,
    holds_numbers,
    is_no_answer,
    is_number,
    look_like_scores,
    off_scale,
    shown_values,
)
from ces_pipeline.profiling.spellings import asks_for_ease, asks_for_effort_made, names_ease
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.surveys import Survey

_MOST_COLUMNS = 8
_STARS, _FEWEST_STARS = "csat_1_5", 3
_PERCENT = "csat_0_100"
MOST_OFF_SCALE = 0.2
"""Largest share of answers beyond the scale that does not question the scale."""
_NUMBERED = re.compile(r"^\W*(?:q\s*)?\d+\s*[.):\-–]\s*|_\d+$", re.IGNORECASE)


def name_score(naming: Naming, given: str | None, survey: Survey | None) -> None:
    """Map the score: the given column, or the only one that asks for effort and looks like answers; else ask.

    Raises RegistryError if the given column does not exist.
    """
    if given is not None:
        naming.name_given("score", given, "--score")
        _add_split_columns(naming)
        return
    asks_no_score = survey is not None and "score" not in survey.required_answers
    if "score" in naming.mapping or asks_no_score or not naming.rows.columns:
        return
    scales = list(naming.registry.scales.values())
    named = [
        column
        for column in naming.named_like_scores()
        if look_like_scores(naming.sample[column], scales, fewest=1)
    ]
    first = [column for column in named if not (_split_of(naming, column) & {*named[: named.index(column)]})]
    if len(first) == 1:
        naming.guessed["score"] = naming.mapping["score"] = first[0]
        _add_split_columns(naming)
        return
    columns = named or [
        column for column in naming.free_columns() if look_like_scores(naming.sample[column], scales)
    ]
    listed = "; ".join(_shown(naming, column) for column in columns[:_MOST_COLUMNS])
    more = f"; and {len(columns) - _MOST_COLUMNS} more" if len(columns) > _MOST_COLUMNS else ""
    naming.questions.append(
        Question(
            f"which column is the effort score? ({listed or 'no column looks like one'}{more})",
            "--score COLUMN",
        )
    )


def _shown(naming: Naming, column: str) -> str:
    question = naming.export.questions.get(column, "")
    asked = f" asks {question!r}," if question and question != column else ""
    return f"{column!r}{asked} {shown_values(_counted(naming.sample[column]))}"


def _counted(cells: list[str]) -> dict[str, int]:
    return {cell: cells.count(cell) for cell in dict.fromkeys(cells) if not is_no_answer(cell)}


def _split_of(naming: Naming, column: str) -> set[str]:
    """The other columns with the same question, without its number, of which no row fills both."""
    asked = _NUMBERED.sub("", column).strip().casefold()
    sql = naming.rows.sql
    return {
        other
        for other in naming.rows.columns
        if other != column
        and _NUMBERED.sub("", other).strip().casefold() == asked
        and naming.rows.count(f"{sql(other)} IS NOT NULL")
        and not naming.rows.count(f"{sql(column)} IS NOT NULL AND {sql(other)} IS NOT NULL")
    }


def _add_split_columns(naming: Naming) -> None:
    """Read the score from further columns too, where an edit of the survey split its question."""
    column = naming.mapping["score"]
    others = [
        other
        for other in naming.rows.columns
        if other in _split_of(naming, column)
        and look_like_scores(naming.sample[other], naming.registry.scales.values(), fewest=1)
    ]
    if others:
        naming.otherwise["score"] = tuple(others)
        naming.notes.append(
            f"{', '.join(map(repr, others))} asks what {column!r} asks, in other rows: the score is read from both"
        )


def find_scale(
    naming: Naming, given: str | None, survey: Survey | None, direction: str | None
) -> Scale | None:
    """The scale of the score: the given one, that of the registered survey, or the one whose labels fit; else ask.

    direction: what a higher answer means, if it was given (`easier` or `harder`).
    Raises RegistryError if the scale does not exist, measures something else, or is not the registered survey's.
    """
    scale = _given_scale(naming, given, survey)
    answers = naming.scores
    labels = {cell for cell in answers if not is_number(cell)}
    if scale is not None:
        _question_scale(naming, scale, labels, direction)
        return scale
    if survey is not None or "score" not in naming.mapping:
        return None
    column = naming.mapping["score"]
    scales = [scale for scale in naming.registry.scales.values() if scale.measures == "effort"]
    fitting = fitting_labels(scales, answers) if labels else []
    if (best := best_by_labels(fitting, labels)) is not None:
        return best
    # Numbers alone do not show whether a higher answer is easier or harder, or whether anybody chose the ends.
    possible = fitting or [scale for scale in scales if holds_numbers(scale, answers)]
    listed = "; ".join(map(described, possible)) or "no registered scale fits: add yours to scales.yaml"
    naming.questions.append(
        Question(
            f"which scale has {column!r} ({shown_values(answers)}), and is a higher answer easier or harder? "
            f"({listed})",
            "--scale ID",
        )
    )
    return None


def _given_scale(naming: Naming, given: str | None, survey: Survey | None) -> Scale | None:
    scales = naming.registry.scales
    if given is None:
        return scales.get((survey.scale if survey else None) or "")
    if given not in scales:
        raise RegistryError(f"--scale: no scale {given!r} (known: {', '.join(sorted(scales))})")
    if scales[given].measures != "effort":
        raise RegistryError(
            f"--scale: {given} measures satisfaction, which is not effort: map the column with --column csat=COLUMN "
            f"and give its scale with --csat-scale {given}"
        )
    if survey and survey.scale and given != survey.scale:
        raise RegistryError(
            f"--scale: the survey {survey.id} is registered with the scale {survey.scale}, not {given}: leave the "
            "option out, name another survey, or, if the scale changed on a day, add scale_changes to the survey"
        )
    return scales[given]


def _question_scale(naming: Naming, scale: Scale, labels: set[str], direction: str | None) -> None:
    """Ask about a scale that the answers or the wording of the question speak against."""
    answers = naming.scores
    if not answers:
        return
    column = naming.mapping["score"]
    beyond, fits = off_scale(answers, scale)
    total = sum(answers.values())
    others = fitting_labels(naming.registry.scales.values(), answers) if labels else []
    better = best_by_labels([other for other in others if other.measures == "effort"], labels)
    share = f"{beyond:,} of {total:,} answers of {column!r} are numbers beyond the scale {scale.id}"
    if not fits:
        naming.questions.append(
            Question(
                f"no answer of {column!r} ({shown_values(answers)}) is on the scale {scale.id}", "--scale ID"
            )
        )
    elif beyond > MOST_OFF_SCALE * total:
        naming.questions.append(
            Question(share, "--scale ID, or --accept-rejected to reject them", about="rejected")
        )
    elif beyond:
        naming.notes.append(f"{share} ({scale.min} to {scale.max}) and would be rejected")
    if fits and better is not None and better.id != scale.id:
        naming.questions.append(
            Question(
                f"the labels of {column!r} are those of the scale {better.id}, not of {scale.id}",
                "--scale ID",
            )
        )
    _question_direction(naming, scale, direction)


def _question_direction(naming: Naming, scale: Scale, direction: str | None) -> None:
    if direction is not None and direction != scale.higher_means:
        raise RegistryError(
            f"--higher-means: on the scale {scale.id} a higher answer is {scale.higher_means}: choose another scale"
        )
    column = naming.mapping["score"]
    asked = f"{column} {naming.export.questions.get(column, '')}"
    says_ease = asks_for_ease(asked) and not asks_for_effort_made(asked)
    says_effort = asks_for_effort_made(asked) and not asks_for_ease(asked)
    # Net Easy asks how easy it was and counts 1 as extremely easy: its labels say so.
    has_ease_labels = any(names_ease(label) for label in (scale.title, *scale.by_label))
    contradicts = (says_ease and scale.higher_means == "harder" and not has_ease_labels) or (
        says_effort and scale.higher_means == "easier"
    )
    if contradicts and direction is None:
        wanted = "ease" if says_ease else "effort"
        naming.questions.append(
            Question(
                f"{column!r} asks for {wanted}, but on the scale {scale.id} a higher answer is {scale.higher_means}: "
                "is that right?",
                f"--scale ID, or --higher-means {scale.higher_means} to confirm it",
            )
        )


def find_csat_scale(naming: Naming, given: str | None, survey: Survey | None) -> str | None:
    """The scale of the satisfaction answers or ratings, for the entry of a new survey or of a ticket source; else ask.

    Raises RegistryError if the given scale does not exist or measures effort.
    """
    scales = naming.registry.scales
    if given is not None and given not in scales:
        raise RegistryError(f"--csat-scale: no scale {given!r} (known: {', '.join(sorted(scales))})")
    column = naming.mapping.get("csat")
    if column is None:
        if given is not None:
            raise RegistryError(
                "--csat-scale: no column is the satisfaction: name it with --column csat=COLUMN"
            )
        return None
    if naming.kind == "survey" and survey is not None:
        if survey.csat_scale is None and given is None:
            naming.notes.append(
                f"{column!r} looks like satisfaction, but the survey {survey.id} has no csat_scale: it is not read"
            )
        return None
    if given is not None:
        return given
    answers = {cell: n for cell, n in naming.rows.values(column).items() if not is_no_answer(cell)}
    if naming.kind == "tickets":
        return _rating_scale(naming, column, answers)
    return _answer_scale(naming, column, answers)


def _satisfaction_scales(naming: Naming) -> list[Scale]:
    return [scale for scale in naming.registry.scales.values() if scale.measures == "satisfaction"]


def _answer_scale(naming: Naming, column: str, answers: dict[str, int]) -> str | None:
    scales = _satisfaction_scales(naming)
    labels = {cell for cell in answers if not is_number(cell)}
    best = best_by_labels(fitting_labels(scales, answers), labels) if labels else None
    if best is not None:
        return best.id
    listed = "; ".join(map(described, _possible(scales, answers))) or "no registered scale fits: add yours"
    naming.questions.append(
        Question(
            f"which csat_scale has the satisfaction in {column!r} ({shown_values(answers)})? ({listed})",
            "--csat-scale ID",
        )
    )
    return None


def _possible(scales: Iterable[Scale], answers: dict[str, int]) -> list[Scale]:
    return [scale for scale in scales if holds_numbers(scale, answers)]


def _rating_scale(naming: Naming, column: str, answers: dict[str, int]) -> str | None:
    """The scale of ratings in a ticket export; the mapping of `csat` is dropped if their numbers may mean anything.

    Numbers from 1 to 5 with a 3 or more are stars, as help desks give them; numbers above 10 are percentages.
    """
    if naming.known_source is not None or naming.export.values.get("csat"):
        return None
    numbers = [float(cell) for cell in answers if is_number(cell)]
    if not numbers:
        return None
    lowest, highest = min(numbers), max(numbers)
    if highest > 10:
        return _PERCENT
    if lowest >= 1 and _FEWEST_STARS <= highest <= 5:
        naming.notes.append(
            f"{column!r} is read as stars from 1 to 5 ({_STARS}): if it is another scale, give it with --csat-scale"
        )
        return _STARS
    naming.mapping.pop("csat")
    naming.guessed.pop("csat", None)
    listed = ", ".join(scale.id for scale in _possible(_satisfaction_scales(naming), answers))
    naming.notes.append(
        f"{column!r} ({shown_values(answers)}) is not mapped to csat, because its scale is not known: give it with "
        f"--column csat={column!r} and --csat-scale ID ({listed})"
    )
    return None
