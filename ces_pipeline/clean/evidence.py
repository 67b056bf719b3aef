"""The evidence on which responses are judged: one number or flag per row and rule, computed from its values.

No verdict is reached here (`judge.py` does, with Pandera). Every column's meaning and sign is in `ROW_RULES` there.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ces_pipeline.clean.answers import BLANK, NPS_SCALE, OFF_SCALE, UNKNOWN, read_answers
from ces_pipeline.clean.columns import floats
from ces_pipeline.clean.sentiment import contradictions
from ces_pipeline.folding import fold
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.surveys import Survey


@dataclass(frozen=True)
class SpeedLimit:
    """Seconds below which an answer is fast for its survey, from the answers of the look-back window."""

    n: int
    seconds: float


@dataclass(frozen=True)
class DayContext:
    """What days are judged with besides their rows: the registry, and by day the speed limit of each survey with enough
    history."""

    registry: Registry
    speed_limits: dict[date, dict[str, SpeedLimit]]
    asked: tuple[str, ...] = ()
    """Export columns that rules of the registry look at; column i rides in the frame as `asked_<i>`."""

    def asked_column(self, name: str) -> str:
        return f"asked_{self.asked.index(name)}"


def columns_asked_for(registry: Registry, known: set[str]) -> tuple[str, ...]:
    """Export columns beyond the fields that attention checks and persona rules need."""
    wanted = {name for survey in registry.surveys.values() for name in survey.expect}
    wanted |= {name for segment in registry.segments for name in segment.when}
    return tuple(sorted(wanted - known))


def survey_of(rows: pd.DataFrame, registry: Registry) -> tuple[np.ndarray, list[Survey]]:
    """(position in the returned list of the touchpoint of each row, -1 where none is registered; the touchpoints)."""
    surveys = list(registry.surveys.values())
    place = {survey.id: position for position, survey in enumerate(surveys)}
    sources, source_ids = pd.factorize(rows["source_id"])
    named, names = pd.factorize(rows["survey"])
    found = np.full((len(source_ids), len(names) + 1), -1)
    for of_source, source_id in enumerate(source_ids):
        # The last place is that of rows that name no survey.
        for of_name, name in enumerate([*names, ""]):
            survey_id = registry.survey_of_source(str(source_id), str(name))
            found[of_source, of_name] = place.get(survey_id or "", -1)
    return found[sources, named] if len(rows) else np.zeros(0, dtype=np.int64), surveys


@dataclass(frozen=True)
class Evidence:
    """frame: one row per judged row, the evidence columns. The rest are by-products that normalising needs."""

    frame: pd.DataFrame
    which: np.ndarray
    surveys: list[Survey]
    score: np.ndarray
    csat: np.ndarray
    nps: np.ndarray
    duration_seconds: np.ndarray


def gather_evidence(rows: pd.DataFrame, context: DayContext) -> Evidence:
    """The evidence on every row (raw rows of `read_raw_day`, versions already resolved)."""
    registry = context.registry
    which, surveys = survey_of(rows, registry)

    def per_survey(value_of_none: float, value_of: "np.ndarray | list[float]") -> np.ndarray:
        return np.array([*value_of, value_of_none], dtype=float)[which]

    scales = registry.scales
    score, score_outcome = read_answers(
        rows["score"], [scales[s.scale] if s.scale else None for s in surveys], which
    )
    csat, csat_outcome = read_answers(
        rows["csat"], [scales[s.csat_scale] if s.csat_scale else None for s in surveys], which
    )
    nps, nps_outcome = read_answers(rows["nps"], [NPS_SCALE if s.has_nps else None for s in surveys], which)
    no_comment = np.where(rows["comment"].isna(), BLANK, 0)
    outcomes = {"score": score_outcome, "csat": csat_outcome, "nps": nps_outcome, "comment": no_comment}
    readable = rows["problem"].isna().to_numpy()
    blank, off_scale, unknown = (np.zeros(len(rows), dtype=np.int64) for _ in range(3))
    for name, outcome in outcomes.items():
        required = per_survey(0, [float(name in survey.required_answers) for survey in surveys]) > 0
        blank += required & readable & (outcome == BLANK)
        off_scale += required & (outcome == OFF_SCALE)
        unknown += required & (outcome == UNKNOWN)
    unfinished = _unfinished(rows)
    keeps_partial = per_survey(1, [float(survey.rules.keep_partial) for survey in surveys]) > 0
    duration = durations(rows)
    floor = per_survey(0, [survey.rules.min_duration_seconds for survey in surveys])
    ceiling = per_survey(np.inf, [survey.rules.max_duration_seconds or np.inf for survey in surveys])
    moment = rows["event_at"]
    effort = _effort(score, which, surveys, registry)
    frame = pd.DataFrame(
        {
            "is_readable": readable,
            "is_registered": (which >= 0) | ~readable,
            "is_test": (rows["status"] == "test").fillna(False).to_numpy(dtype=bool),
            "required_answers_blank": blank + (unfinished & ~keeps_partial & (blank == 0)),
            "answers_off_scale": off_scale,
            "answers_unknown": unknown,
            "unexpected_answers": _unexpected(rows, which, surveys, context),
            "seconds_above_floor": duration - floor,
            "has_usable_time": is_usable(moment, registry) | ~readable,
            "seconds_from_start_to_submit": (rows["submitted_at"] - rows["started_at"])
            .dt.total_seconds()
            .to_numpy(),
            "seconds_before_receipt": (rows["received_at"] - moment).dt.total_seconds().to_numpy(),
            "is_partial": unfinished & keeps_partial & (blank == 0) & readable,
            "seconds_above_usual": duration - _usual(rows, which, surveys, context),
            "is_contradicted": contradictions(rows["comment"], effort),
            "people_above_limit_on_device": _crowding(
                rows, per_survey(np.inf, [s.rules.shared_device_people for s in surveys])
            ),
            "seconds_below_ceiling": ceiling - duration,
        },
        index=rows.index,
    )
    return Evidence(frame, which, surveys, score, csat, nps, duration)


def _usual(rows: pd.DataFrame, which: np.ndarray, surveys: list[Survey], context: DayContext) -> np.ndarray:
    """The speed limit of each row's survey on its day; 0 where there is none."""
    codes, days = pd.factorize(rows["day"])
    limits = np.zeros((len(days), len(surveys) + 1))
    for place, day in enumerate(days):
        known = context.speed_limits.get(day, {})
        limits[place, :-1] = [known[one.id].seconds if one.id in known else 0.0 for one in surveys]
    return limits[codes, which] if len(days) else np.zeros(len(rows))


def _effort(score: np.ndarray, which: np.ndarray, surveys: list[Survey], registry: Registry) -> np.ndarray:
    effort = np.full(len(score), np.nan)
    for position, survey in enumerate(surveys):
        if survey.scale:
            scale, rows = registry.scales[survey.scale], which == position
            easier = scale.higher_means == "easier"
            share = (score[rows] - scale.min) / (scale.max - scale.min)
            effort[rows] = np.round(100 * (1 - share if easier else share), 6)
    return effort


def effort_0_100(evidence: Evidence, registry: Registry) -> np.ndarray:
    """Percent of maximum possible effort, higher is harder; NaN without a score."""
    return _effort(evidence.score, evidence.which, evidence.surveys, registry)


def _unfinished(rows: pd.DataFrame) -> np.ndarray:
    said = rows["finished"].str.lower()
    progress = floats(rows["progress"])
    return ((said == "false") | (said.isna() & (progress < 100))).fillna(False).to_numpy(dtype=bool)


def durations(rows: pd.DataFrame) -> np.ndarray:
    """Seconds as reported; else submit minus start, where their seconds show that they are more than whole minutes.

    Reported wins: Qualtrics' own duration does not equal the difference of its times.
    """
    reported = floats(rows["duration_seconds"])
    if not np.isnan(reported).any():
        return reported
    started, submitted = rows["started_at"], rows["submitted_at"]
    to_the_second = ((started.dt.second != 0) | (submitted.dt.second != 0)).to_numpy(
        dtype=bool, na_value=False
    )
    derived = (submitted - started).dt.total_seconds().to_numpy()
    derived = np.where(to_the_second & (derived >= 0), derived, np.nan)
    return np.where(np.isnan(reported), derived, reported)


def is_usable(moment: pd.Series, registry: Registry) -> np.ndarray:
    """Whether each instant is there and not before the installation's first day."""
    settings = registry.settings
    first = pd.Timestamp(settings.first_day).tz_localize(settings.business_time_zone)
    return (moment >= first).to_numpy(dtype=bool, na_value=False)


def _unexpected(
    rows: pd.DataFrame, which: np.ndarray, surveys: list[Survey], context: DayContext
) -> np.ndarray:
    wrong = np.zeros(len(rows), dtype=np.int64)
    for position, survey in enumerate(surveys):
        mine = which == position
        if not survey.expect or not mine.any():
            continue
        for name, expected in survey.expect.items():
            column = name if name in rows.columns else context.asked_column(name)
            wrong[mine] += ~matches(rows.loc[mine, column], (expected,))
    return wrong


def matches(values: pd.Series, wanted: tuple[str | float | int, ...]) -> np.ndarray:
    """Whether each text equals one of the wanted, trimmed and case-folded."""
    codes, distinct = pd.factorize(values)
    accepted = {fold(str(one)) for one in wanted}
    return np.array([*(fold(str(one)) in accepted for one in distinct), False])[codes]


def _crowding(rows: pd.DataFrame, limit: np.ndarray) -> np.ndarray:
    """How many more people than allowed used the row's device or address that day (below 0: fewer)."""
    people = np.zeros(len(rows))
    who = rows["respondent_key"].fillna(rows["response_key"])
    for name in ("device_key", "ip_address_key"):
        if rows[name].notna().any():
            counted = who.groupby([rows[name], rows["day"]]).transform("nunique")
            people = np.fmax(people, counted.to_numpy(dtype=float, na_value=0))
    return people - limit + 1
