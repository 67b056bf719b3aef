"""Columns of the marts on closing the loop: the follow-ups of difficult answers."""

from typing import Any

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "is_the_loop_closed"

_MAYBE: Any = {"nullable": True}

FOLLOW_UPS = Table(
    "mart.follow_ups",
    "One row per difficult response, if follow-ups are delivered.",
    ("response_key",),
    {
        "response_key": column(TEXT, "The response, in the difficult boxes of its scale."),
        "survey_id": column(TEXT, "Its survey."),
        "day": column(DAY, "Its day."),
        "is_final": column(FLAG, "True if the time for a follow-up (`follow_up_window_days`) is over."),
        "ticket_key": column(TEXT, "The ticket that it is linked to; null: none.", **_MAYBE),
        "effort_0_100": column(NUMBER, "Its effort, higher is harder."),
        "follow_ups": column(INTEGER, "Number of its follow-ups."),
        "state": column(
            TEXT,
            "The furthest step reported: `resolved`, `contacted`, `assigned`, `unknown` (any other word), or `none` "
            "(no follow-up).",
            checks=pa.Check.isin(["resolved", "contacted", "assigned", "unknown", "none"]),
        ),
        "assigned_at": column(INSTANT, "When it was first assigned, UTC; null: not reported.", **_MAYBE),
        "contacted_at": column(
            INSTANT, "When the customer was first contacted; null: not reported.", **_MAYBE
        ),
        "resolved_at": column(INSTANT, "When it was first resolved; null: not reported.", **_MAYBE),
        "minutes_to_contact": column(
            NUMBER,
            "Calendar minutes from the answer to that contact; null: no contact, or contact before the answer.",
            **_MAYBE,
        ),
        "minutes_to_resolve": column(
            NUMBER,
            "Calendar minutes from the answer to the resolution; null: not resolved, or resolved before the answer.",
            **_MAYBE,
        ),
        "open_days": column(
            INTEGER, "Days from the answer to the newest response day; null: resolved.", **_MAYBE
        ),
    },
    sort=("day", "response_key"),
)


def _share(of: str, what: str) -> dict[str, Any]:
    return {
        of: column(INTEGER, f"{what}; null: no follow-ups are delivered.", **_MAYBE),
        f"{of}_share": column(
            NUMBER, "Their share of the final answers, 0 to 1; null: see why_null.", **_MAYBE
        ),
        f"{of}_share_low": column(
            NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", **_MAYBE
        ),
        f"{of}_share_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
    }


FOLLOW_UP_RATES = Table(
    "mart.follow_up_rates",
    "One row per week (and all days) x survey (and all surveys) with a scored response.",
    ("period", "period_start", "survey_id"),
    {
        "period": column(TEXT, "`week` (from Monday), or `all` for all days."),
        "period_start": column(DAY, "First day of the period; for `all`, the first day with a response."),
        "survey_id": column(TEXT, "The survey, or `all surveys`."),
        "difficult_answers": column(INTEGER, "Responses in the difficult boxes of their scale."),
        "final_answers": column(INTEGER, "Of these, answers whose time for a follow-up is over."),
        "not_followed_up": column(
            INTEGER, "Of these, without any follow-up; null: no follow-ups are delivered.", **_MAYBE
        ),
        **_share("followed_up", "Final answers with a follow-up in any state"),
        **_share("contacted", "Of these, contacted or resolved"),
        **_share("resolved", "Of these, resolved"),
        "median_minutes_to_contact": column(
            NUMBER,
            "Median calendar minutes from a final answer to the contact; null: fewer than the minimum n are known.",
            **_MAYBE,
        ),
        "median_minutes_to_resolve": column(
            NUMBER,
            "Median calendar minutes from a final answer to the resolution; null: fewer than the minimum n are known.",
            **_MAYBE,
        ),
        "why_null": column(TEXT, "Why there is no share; null: there is one.", **_MAYBE),
    },
    sort=("period", "period_start", "survey_id"),
)

FOLLOW_UP_MATCHES = Table(
    "mart.follow_up_matches",
    "One row per source of follow-ups and kind of answer that its follow-ups belong to.",
    ("source_id", "match"),
    {
        "source_id": column(TEXT, "The source."),
        "match": column(
            TEXT,
            "`difficult answer`, `other answer`, `ambiguous` or `unknown answer`.",
            checks=pa.Check.isin(["difficult answer", "other answer", "ambiguous", "unknown answer"]),
        ),
        "follow_ups": column(INTEGER, "Number of follow-ups."),
    },
    sort=("source_id", "match"),
)
