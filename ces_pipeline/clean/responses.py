"""Days of responses: judge, normalise, split into accepted and rejected. Pure frames in and out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ces_pipeline.clean.answers import by_scale
from ces_pipeline.clean.columns import filled, numbers, texts_by_code, texts_where, whole_numbers
from ces_pipeline.clean.context import DayContext
from ces_pipeline.clean.facts import ResponseFacts, matches
from ces_pipeline.clean.judge import Verdicts, judge
from ces_pipeline.clean.products import products_of
from ces_pipeline.clean.quarantine import landed_json
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.surveys import CHANNELS
from ces_pipeline.rules.catalog import REASON_NAMES
from ces_pipeline.schemas.fields import SURVEY_FIELDS

_CHANNEL_WORDS = {
    "e-mail": "email", "mail": "email", "voice": "phone", "call": "phone", "telephone": "phone", "ivr": "phone",
    "live chat": "chat", "live_chat": "chat", "messaging": "chat", "widget": "chat", "website": "web",
    "in-app": "in_app", "in app": "in_app", "app": "in_app", "mobile app": "mobile", "bot": "chatbot", "text": "sms",
    "help center": "portal",
}  # fmt: skip
_NOT_PUBLISHED = frozenset(
    {
        "received_at", "as_of", "row_number", "content", "key_hi", "key_lo", "times_as_written", "extra", "problem",
        "answers", "device_key", "ip_address_key", "status", "finished", "progress", "score", "csat", "nps",
        "duration_seconds", "survey", "is_lookback", "outcome",
    }
)  # fmt: skip
"""Columns that no accepted row is built from: left behind before the rows are picked, since picking copies."""
LANDED_COLUMNS = [field.stored_as for field in SURVEY_FIELDS] + ["times_as_written", "extra", "problem"]


@dataclass(frozen=True)
class CleanedDays:
    """What cleaning some days gives.

    accepted, rejected: frames with the columns of the two tables, all days together. counts: by day and source:
    stored (rows in the raw files), landed_again, superseded, accepted, rejected, suspect.
    reasons: by day, how many rows have each.
    """

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    counts: pd.DataFrame
    reasons: pd.DataFrame


def clean_responses(rows: pd.DataFrame, moves: pd.DataFrame, context: DayContext) -> CleanedDays:
    """Clean some days. Each day's result is the same whichever days are cleaned with it.

    rows: raw rows of the days, and of earlier days those that a rule looks back on (`is_lookback`).
    moves: the contents of responses that stand on several days (see `resolve_versions`), with response_key.
    """
    resolved = resolve_versions(rows, "response_key", moves)
    current = newest(resolved)
    facts = ResponseFacts(current, context)
    verdicts = judge(facts)
    own = ~current["is_lookback"].to_numpy(dtype=bool)
    rejected = verdicts.rejected & own
    accepted = ~verdicts.rejected & own
    marks = {"accepted": accepted, "rejected": rejected, "suspect": verdicts.suspect & accepted}
    return CleanedDays(
        _accepted(facts, verdicts, accepted),
        _rejected(facts, verdicts, rejected),
        count_outcomes(resolved, marks),
        count_reasons(current["day"][own], verdicts.broken[own], REASON_NAMES),
    )


def count_outcomes(resolved: pd.DataFrame, marks: dict[str, np.ndarray]) -> pd.DataFrame:
    """By day and source how many rows there are of each outcome; `marks` are flags on the newest rows."""
    own = ~resolved["is_lookback"].to_numpy(dtype=bool)
    outcome = resolved["outcome"]
    flags = {
        "stored": own,
        "landed_again": own & (outcome == "landed_again").to_numpy(dtype=bool),
        "superseded": own & (outcome == "superseded").to_numpy(dtype=bool),
    }
    newest_rows = np.flatnonzero((outcome == "newest").to_numpy(dtype=bool))
    for name, chosen in marks.items():
        flags[name] = np.zeros(len(resolved), dtype=bool)
        flags[name][newest_rows[chosen]] = True
    codes, places = _places(resolved)
    counts = pd.DataFrame(
        {name: np.bincount(codes[flag], minlength=len(places)) for name, flag in flags.items()}, index=places
    )
    return counts[counts["stored"] > 0].sort_index()


def _places(rows: pd.DataFrame) -> tuple[np.ndarray, pd.MultiIndex]:
    """(place in the index of each row's day and source, the index of all of them)."""
    days, known_days = pd.factorize(rows["day"])
    sources, known_sources = pd.factorize(rows["source_id"])
    places = pd.MultiIndex.from_product(
        [list(known_days), [str(source_id) for source_id in known_sources]], names=["day", "source_id"]
    )
    return days * len(known_sources) + sources, places


def count_reasons(days: pd.Series, broken: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """By day how many rows have each reason."""
    codes, known = pd.factorize(days)
    rows, reasons = np.nonzero(broken)
    counted = np.bincount(codes[rows] * len(names) + reasons, minlength=len(known) * len(names))
    return pd.DataFrame(counted.reshape(len(known), len(names)), index=list(known), columns=list(names))


def _accepted(facts: ResponseFacts, verdicts: Verdicts, chosen: np.ndarray) -> pd.DataFrame:
    current, registry, surveys = facts.rows, facts.registry, facts.surveys
    looked_at = {name for segment in registry.segments for name in segment.when}
    left_behind = _NOT_PUBLISHED - looked_at
    rows = current.loc[chosen, [name for name in current.columns if name not in left_behind]]
    which = facts.which[chosen]

    def of_survey(values: list[str | None]) -> pd.Series:
        return texts_by_code(which, values, rows.index)

    def or_survey(said: pd.Series, values: list[str | None]) -> pd.Series:
        return filled(said, lambda: of_survey(values))

    def or_unknown(said: pd.Series) -> pd.Series:
        return filled(said, lambda: pd.Series("unknown", index=rows.index, dtype="str"))

    effort = facts.effort_0_100[chosen]
    score = facts.score[chosen]
    said = {
        "survey_id": of_survey([survey.id for survey in surveys]),
        "channel": or_survey(channels_of(rows["channel"]), [survey.channel for survey in surveys]),
        "product": or_survey(products_of(rows["product"], registry), [survey.product for survey in surveys]),
        "device": or_unknown(rows["device_type"].str.lower()),
        "journey_stage": or_survey(rows["journey_stage"], [survey.journey_stage for survey in surveys]),
        "process": or_survey(rows["process"], [survey.process for survey in surveys]),
        "language": or_unknown(rows["language"].str.lower()),
    }
    unassigned = pd.Series("unassigned", index=rows.index, dtype="str")
    columns = {
        "response_key": rows["response_key"],
        "source_id": rows["source_id"].astype("str"),
        "survey_id": said["survey_id"],
        "response_id": rows["response_id"],
        "respondent_key": rows["respondent_key"],
        "ticket_id": rows["ticket_id"],
        "external_id": rows["external_id"],
        "channel": said["channel"],
        "persona": _by_segment(rows, said, "persona", facts.context, unassigned),
        "product": said["product"],
        "device": said["device"],
        "journey_stage": _by_segment(rows, said, "journey_stage", facts.context, said["journey_stage"]),
        "process": said["process"],
        "language": said["language"],
        "scale_id": of_survey([survey.scale for survey in surveys]),
        "score": whole_numbers(score, rows.index),
        "effort_0_100": numbers(effort, rows.index),
        "ease_0_100": numbers(np.round(100 - effort, 6), rows.index),
        "effort_band": _band(score, facts.score_scales, which, rows.index),
        "nps": whole_numbers(facts.nps[chosen], rows.index),
        "csat_0_100": numbers(facts.csat_0_100[chosen], rows.index),
        "comment": rows["comment"],
        "started_at": rows["started_at"],
        "submitted_at": rows["submitted_at"],
        "recorded_at": rows["event_at"],
        "duration_seconds": numbers(facts.duration_seconds[chosen], rows.index),
        "is_suspect": verdicts.suspect[chosen],
        "flags": texts_where(verdicts.broken[chosen], REASON_NAMES, rows.index),
        "revision": rows["revision"].astype("Int64"),
        "delivery_id": rows["delivery_id"].astype("str"),
        "day": rows["day"],
    }
    return pd.DataFrame(columns, index=rows.index)


def _rejected(facts: ResponseFacts, verdicts: Verdicts, chosen: np.ndarray) -> pd.DataFrame:
    rows = facts.rows[chosen]
    return pd.DataFrame(
        {
            "response_key": rows["response_key"],
            "source_id": rows["source_id"].astype("str"),
            "survey_id": texts_by_code(
                facts.which[chosen], [survey.id for survey in facts.surveys], rows.index
            ),
            "response_id": rows["response_id"],
            "landed": landed_json(rows, LANDED_COLUMNS),
            "reasons": texts_where(verdicts.broken[chosen], REASON_NAMES, rows.index),
            "recorded_at": rows["event_at"],
            "rule_version": pd.Series(facts.context.rule_version, index=rows.index, dtype="str"),
            "delivery_id": rows["delivery_id"].astype("str"),
            "row_number": rows["row_number"].astype("Int64"),
            "day": rows["day"],
        },
        index=rows.index,
    )


def _band(score: np.ndarray, scales: list[Scale | None], which: np.ndarray, index: pd.Index) -> pd.Series:
    names = ("easy", "neutral", "difficult")
    bands = by_scale(score, scales, which, lambda scale, value: names.index(scale.band(value)))
    return texts_by_code(np.where(np.isnan(bands), -1, bands).astype("int64"), names, index)


def channels_of(texts: pd.Series) -> pd.Series:
    """The channel as one of CHANNELS; `other` for a word that is none; null stays null."""
    codes, distinct = pd.factorize(texts)
    words: list[str] = []
    for text in distinct:
        plain = str(text).strip().casefold()
        plain = _CHANNEL_WORDS.get(plain, plain.replace(" ", "_").replace("-", "_"))
        words.append(plain if plain in CHANNELS else "other")
    return texts_by_code(codes, words, texts.index)


def _by_segment(
    rows: pd.DataFrame, said: dict[str, pd.Series], assigns: str, context: DayContext, otherwise: pd.Series
) -> pd.Series:
    """The value of the first rule of this kind whose conditions all hold, else `otherwise`.

    A condition is on what is published (`said`), else on a raw column, else on a column of the export.
    """
    result, open_rows = otherwise.copy(), np.ones(len(rows), dtype=bool)
    for segment in context.registry.segments:
        if segment.assigns != assigns or not open_rows.any():
            continue
        holds = open_rows.copy()
        for name, wanted in segment.when.items():
            raw = name if name in rows.columns or name in said else context.asked_column(name)
            values = said[raw] if raw in said else rows[raw]
            holds &= matches(values, wanted if isinstance(wanted, tuple) else (wanted,))
        result[holds] = segment.value
        open_rows &= ~holds
    return result
