"""Closing the loop: columns of the marts that say what became of difficult answers."""

from typing import Any

import pandera.pandas as pa

from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, NUMBER, TEXT, Table, column

_MAYBE: Any = {"nullable": True}

FOLLOW_UPS = Table(
    "mart.follow_ups",
    "One row per difficult response, where follow-ups are delivered.",
    ("response_key",),
    {
        "response_key": column(TEXT, "The response, in the difficult boxes of its scale."),
        "survey_id": column(TEXT, "Its touchpoint."),
        "day": column(DAY, "Its day."),
        "ticket_key": column(TEXT, "The ticket that it is linked to; null: none.", **_MAYBE),
        "effort_0_100": column(NUMBER, "Its effort, higher is harder."),
        "follow_ups": column(INTEGER, "Follow-ups of it; 0: none."),
        "state": column(
            TEXT,
            "The furthest step noted: `resolved`, `contacted`, `assigned`, `unknown` (a word that is none of these), "
            "or `none`: no follow-up.",
            checks=pa.Check.isin(["resolved", "contacted", "assigned", "unknown", "none"]),
        ),
        "assigned_at": column(INSTANT, "When somebody first took it on, UTC; null: not noted.", **_MAYBE),
        "contacted_at": column(INSTANT, "When the customer was first contacted; null: not noted.", **_MAYBE),
        "resolved_at": column(INSTANT, "When it was first settled; null: not noted.", **_MAYBE),
        "minutes_to_contact": column(
            NUMBER,
            "Calendar minutes from the answer to that contact; null as it, or it came before.",
            **_MAYBE,
        ),
        "minutes_to_resolve": column(
            NUMBER, "Calendar minutes from the answer until it was settled; null likewise.", **_MAYBE
        ),
        "open_days": column(
            INTEGER, "Days from the answer to the newest response day; null: it is settled.", **_MAYBE
        ),
    },
    sort=("day", "response_key"),
)


def _share(of: str, what: str) -> dict[str, Any]:
    return {
        of: column(INTEGER, f"{what}; null: no follow-ups are delivered.", **_MAYBE),
        f"{of}_share": column(
            NUMBER, "Their share of the difficult ones, 0 to 1; null: see why_null.", **_MAYBE
        ),
        f"{of}_share_low": column(NUMBER, "Lower end of its 95 % interval (Wilson); null as it.", **_MAYBE),
        f"{of}_share_high": column(NUMBER, "Upper end of that interval; null as it.", **_MAYBE),
    }


FOLLOW_UP_RATES = Table(
    "mart.follow_up_rates",
    "One row per week (and all days) x touchpoint (and all of them) with a scored response.",
    ("period", "period_start", "survey_id"),
    {
        "period": column(TEXT, "`week` (from Monday), or `all` for all days."),
        "period_start": column(DAY, "Its first day; of `all`, the first day with a response."),
        "survey_id": column(TEXT, "The touchpoint, or `all surveys`."),
        "difficult_answers": column(INTEGER, "Responses in the difficult boxes of their scale."),
        "not_followed_up": column(
            INTEGER, "Of these, without any follow-up; null: no follow-ups are delivered.", **_MAYBE
        ),
        **_share("followed_up", "Difficult responses with a follow-up, whatever its state"),
        **_share("contacted", "Of these, contacted or resolved"),
        **_share("resolved", "Of these, resolved"),
        "median_minutes_to_contact": column(
            NUMBER,
            "Median calendar minutes to the contact; null: fewer than the minimum n are known.",
            **_MAYBE,
        ),
        "median_minutes_to_resolve": column(
            NUMBER,
            "Median calendar minutes until settled; null: fewer than the minimum n are known.",
            **_MAYBE,
        ),
        "why_null": column(TEXT, "Why there is no share; null: there is one.", **_MAYBE),
    },
    sort=("period", "period_start", "survey_id"),
)

FOLLOW_UP_MATCHES = Table(
    "mart.follow_up_matches",
    "One row per feed of follow-ups and what its follow-ups were found to follow up.",
    ("source_id", "match"),
    {
        "source_id": column(TEXT, "The feed."),
        "match": column(
            TEXT,
            "`difficult answer`, `other answer`, `ambiguous` or `unknown answer`.",
            checks=pa.Check.isin(["difficult answer", "other answer", "ambiguous", "unknown answer"]),
        ),
        "follow_ups": column(INTEGER, "Follow-ups."),
    },
    sort=("source_id", "match"),
)

TABLES = (FOLLOW_UPS, FOLLOW_UP_RATES, FOLLOW_UP_MATCHES)
