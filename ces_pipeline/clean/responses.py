"""Cleans days of responses: judge, normalise, split into accepted and rejected rows. Frames in, frames out."""

import numpy as np
import pandas as pd

from ces_pipeline.clean.answers import by_scale
from ces_pipeline.clean.channels import channels_of
from ces_pipeline.clean.columns import filled, integers, numbers, texts_by_code, texts_where
from ces_pipeline.clean.context import DayContext
from ces_pipeline.clean.judge import Verdicts, judge
from ces_pipeline.clean.outcomes import CleanedDays, count_outcomes, count_reasons
from ces_pipeline.clean.products import products_of
from ces_pipeline.clean.quarantine import landed_json
from ces_pipeline.clean.response_facts import ResponseFacts, matches
from ces_pipeline.clean.unknown_words import RESPONSE_WORDS, unknown_words
from ces_pipeline.clean.versions import newest, resolve_versions
from ces_pipeline.registry.scales import Scale
from ces_pipeline.rules.catalog import REASON_NAMES
from ces_pipeline.schemas.fields import SURVEY_FIELDS
from ces_pipeline.storage.memory import give_back_after

_NOT_PUBLISHED = frozenset(
    {
        "received_order", "received_at", "as_of", "version_at", "modified_at", "row_number", "content", "key_hi",
        "key_lo", "times_as_written", "extra", "problem",
        "answers", "device_key", "ip_address_key", "status", "finished", "progress", "score", "csat", "nps",
        "duration_seconds", "survey", "is_lookback", "outcome",
    }
)  # fmt: skip
"""Columns that accepted rows do not use. They are dropped before rows are selected, because selecting copies."""
LANDED_COLUMNS = [field.stored_as for field in SURVEY_FIELDS] + ["times_as_written", "extra", "problem"]


def clean_responses(
    rows: pd.DataFrame, cross_day_revisions: pd.DataFrame, context: DayContext
) -> CleanedDays:
    """Clean some days. A day's result does not depend on the days that are cleaned with it.

    rows: raw rows of the days, and the earlier rows that a rule looks back on (`is_lookback`). The frame loses its
    columns: those of a large day would not fit in memory besides the accepted rows.
    cross_day_revisions: see `resolve_versions`; with response_key.
    """
    resolved = resolve_versions(rows, "response_key", cross_day_revisions)
    current = newest(resolved)
    give_back_after(len(current))
    facts = ResponseFacts(current, context)
    verdicts = judge(facts)
    own = ~current["is_lookback"].to_numpy(dtype=bool)
    rejected = verdicts.rejected & own
    accepted = ~verdicts.rejected & own
    flags = {"accepted": accepted, "rejected": rejected, "suspect": verdicts.suspect & accepted}
    counts = count_outcomes(resolved, flags)
    reasons = count_reasons(current["day"][own], verdicts.broken[own], REASON_NAMES)
    unknown = unknown_words(current, RESPONSE_WORDS, facts.unknown_flags)
    quarantined = _rejected(facts, verdicts, rejected)
    # From here on `facts` alone holds the rows: the caller's frame is as large as the accepted rows.
    del resolved, current
    for name in list(rows.columns):
        del rows[name]
    give_back_after(len(facts.rows))
    return CleanedDays(_accepted(facts, verdicts, accepted), quarantined, counts, reasons, unknown)


def _accepted(facts: ResponseFacts, verdicts: Verdicts, chosen: np.ndarray) -> pd.DataFrame:
    """The accepted rows. The rows of `facts` lose their columns, as soon as they are copied or not used any more."""
    registry, surveys = facts.registry, facts.surveys
    which, which_scale = facts.which[chosen], facts.which_score_scale[chosen]
    score, effort, nps, csat, duration_seconds = (
        values[chosen]
        for values in (facts.score, facts.effort_0_100, facts.nps, facts.csat_0_100, facts.duration_seconds)
    )
    ticket_id = facts.ticket_id[chosen]
    looked_at = {name for segment in registry.segments for name in segment.when}
    dropped = _NOT_PUBLISHED - looked_at
    facts.rows = facts.rows.drop(columns=[name for name in facts.rows.columns if name in dropped])
    rows = facts.rows[chosen]
    facts.rows = facts.rows.drop(columns=list(facts.rows.columns))

    def of_survey(values: list[str | None]) -> pd.Series:
        return texts_by_code(which, values, rows.index)

    def or_survey(texts: pd.Series, values: list[str | None]) -> pd.Series:
        return filled(texts, lambda: of_survey(values))

    def or_unknown(texts: pd.Series) -> pd.Series:
        return filled(texts, lambda: pd.Series("unknown", index=rows.index, dtype="str"))

    published = {
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
        "survey_id": published["survey_id"],
        "response_id": rows["response_id"],
        "respondent_key": rows["respondent_key"],
        "ticket_id": ticket_id,
        "external_id": rows["external_id_key"],
        "channel": published["channel"],
        "persona": _by_segment(rows, published, "persona", facts.context, unassigned),
        "product": published["product"],
        "device": published["device"],
        "journey_stage": _by_segment(
            rows, published, "journey_stage", facts.context, published["journey_stage"]
        ),
        "process": published["process"],
        "language": published["language"],
        "scale_id": texts_by_code(
            which_scale, [scale.id if scale else None for scale in facts.score_scales], rows.index
        ),
        "score": numbers(score, rows.index),
        "effort_0_100": numbers(effort, rows.index),
        "ease_0_100": numbers(np.round(100 - effort, 6), rows.index),
        "effort_band": _band(score, facts.score_scales, which_scale, rows.index),
        "nps": integers(nps, rows.index),
        "csat_0_100": numbers(csat, rows.index),
        "comment": rows["comment"],
        "started_at": rows["started_at"],
        "submitted_at": rows["submitted_at"],
        "recorded_at": rows["event_at"],
        "duration_seconds": numbers(duration_seconds, rows.index),
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


def _by_segment(
    rows: pd.DataFrame,
    published: dict[str, pd.Series],
    assigns: str,
    context: DayContext,
    otherwise: pd.Series,
) -> pd.Series:
    """The value of the first segment rule that assigns this column and whose conditions all hold, else `otherwise`.

    A condition uses the published column (`published`); if there is none, the raw column; else the export's column.
    """
    result, open_rows = otherwise.copy(), np.ones(len(rows), dtype=bool)
    for segment in context.registry.segments:
        if segment.assigns != assigns or not open_rows.any():
            continue
        holds = open_rows.copy()
        for name, wanted in segment.when.items():
            raw = name if name in rows.columns or name in published else context.asked_column(name)
            values = published[raw] if raw in published else rows[raw]
            holds &= matches(values, wanted if isinstance(wanted, tuple) else (wanted,))
        result[holds] = segment.value
        open_rows &= ~holds
    return result
