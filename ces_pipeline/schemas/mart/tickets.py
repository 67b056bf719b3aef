"""Columns of the marts on tickets and their effort, which join answers with support work."""

from typing import Any

from ces_pipeline.schemas.mart.segments import IS_MIXED_SCALES
from ces_pipeline.schemas.table import DAY, FLAG, FLAG_OR_NULL, INSTANT, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "what_support_work_makes_it_hard"

_MAYBE: Any = {"nullable": True}


def _share(of: str, n: str, null: str = "fewer than the minimum n") -> dict[str, Any]:
    return {
        of: column(NUMBER, f"Share, 0 to 1, of {n}; null: {null}.", **_MAYBE),
        f"{of}_low": column(NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", **_MAYBE),
        f"{of}_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
    }


def _median(of: str, what: str) -> dict[str, Any]:
    return {
        f"median_{of}": column(NUMBER, f"Median {what}; null: fewer than the minimum n.", **_MAYBE),
        f"median_{of}_low": column(
            NUMBER,
            "Lower end of its 95 % interval (order statistics, binomial); null: no estimate, or fewer than 6 known.",
            **_MAYBE,
        ),
        f"median_{of}_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
    }


TICKET_EFFORT = Table(
    "mart.ticket_effort",
    "One row per ticket: its latest state, its times, its handoffs and the effort of its answers.",
    ("ticket_key",),
    {
        "ticket_key": column(TEXT, "The ticket."),
        "source_id": column(TEXT, "The source that delivered it."),
        "category": column(TEXT, "Issue category; `unknown` if none is set."),
        "priority": column(TEXT, "Priority; `unknown` if none is set."),
        "channel": column(TEXT, "How the ticket came in; `unknown` if not given."),
        "product": column(TEXT, "Product or service; `unknown` if not given."),
        "group_name": column(TEXT, "The team that the ticket is assigned to; `unknown` if none."),
        "handling": column(
            TEXT,
            "How it was handled (automated, human ...), by the rules of segments.yaml; `unknown`: no rule matches.",
        ),
        "is_deleted": column(
            FLAG, "True if it is no case of its own: deleted, spam, or merged; other marts do not count it."
        ),
        "created_at": column(INSTANT, "When it was opened, UTC; null: not known.", **_MAYBE),
        "created_day": column(DAY, "Business-zone date of created_at; null: not known.", **_MAYBE),
        "resolved_day": column(
            DAY, "Business-zone date of the latest solve, else of the close; null: unresolved.", **_MAYBE
        ),
        "first_reply_minutes": column(
            NUMBER,
            "Calendar minutes from opening to the first reply; null: no reply, or not known.",
            **_MAYBE,
        ),
        "first_reply_business_minutes": column(
            NUMBER, "Of these, minutes within business hours; null: not known.", **_MAYBE
        ),
        "resolution_minutes": column(
            NUMBER,
            "Calendar minutes from opening to the latest solve (else close); null: unresolved, or not known.",
            **_MAYBE,
        ),
        "resolution_business_minutes": column(
            NUMBER, "Of these, minutes within business hours; null: not known.", **_MAYBE
        ),
        "reopens": column(INTEGER, "Times reopened; null: the system does not report it.", **_MAYBE),
        "handoffs": column(
            INTEGER, "Times given to another agent or group; null: the system does not report it.", **_MAYBE
        ),
        "replies": column(
            INTEGER, "Public replies by agents; null: the system does not report it.", **_MAYBE
        ),
        "touches": column(INTEGER, "Replies and handoffs; null: the replies are not known.", **_MAYBE),
        "channel_switches": column(
            INTEGER,
            "Further channels of its updates; null: the channel is not known, or only one update is.",
            **_MAYBE,
        ),
        "is_one_touch": column(
            FLAG_OR_NULL,
            "True if it was resolved with at most one reply and never reopened; null: unresolved, or the "
            "replies are not known.",
            **_MAYBE,
        ),
        "is_repeat_contact": column(
            FLAG_OR_NULL,
            "True if the same requester opened another ticket of that category in the days before "
            "(`repeat_contact_days` in settings.yaml); null: the requester or the opening is not known.",
            **_MAYBE,
        ),
        "is_survey_eligible": column(
            FLAG, "True if it is resolved, not deleted, and not excluded by `survey_ineligible`."
        ),
        "linked_responses": column(INTEGER, "Accepted responses linked to it."),
        "linked_scores": column(INTEGER, "Of these, with an effort score."),
        "linked_effort_0_100": column(
            NUMBER, "Mean effort of these, higher is harder; null: no score.", **_MAYBE
        ),
        "linked_ease_0_100": column(
            NUMBER, "Mean ease of these, higher is easier; null: no score.", **_MAYBE
        ),
    },
    sort=("ticket_key",),
)

_COMPONENT = "0 to 1 (1 from the full number on); null: the system does not report it"

EFFORT_INDEX = Table(
    "mart.effort_index",
    "One row per ticket that is not deleted: the effort that its history shows, with or without an answer.",
    ("ticket_key",),
    {
        "ticket_key": column(TEXT, "The ticket."),
        "category": column(TEXT, "Issue category; `unknown` if none is set."),
        "created_day": column(DAY, "Business-zone date of its opening; null: not known.", **_MAYBE),
        "resolved_day": column(
            DAY, "Business-zone date of the latest solve, else of the close; null: unresolved.", **_MAYBE
        ),
        "linked_scores": column(INTEGER, "Effort scores of the responses linked to it; 0: no scored answer."),
        "resolution_component": column(
            NUMBER,
            "Percentile rank of its resolution time within its category, 0 to 1; null: unresolved, or too few tickets.",
            **_MAYBE,
        ),
        "first_reply_component": column(
            NUMBER,
            "Percentile rank of its first reply time within its category, 0 to 1; null: no reply, or too few tickets.",
            **_MAYBE,
        ),
        "replies_component": column(NUMBER, f"Replies / weights full_replies, {_COMPONENT}.", **_MAYBE),
        "handoffs_component": column(NUMBER, f"Handoffs / weights full_handoffs, {_COMPONENT}.", **_MAYBE),
        "reopens_component": column(NUMBER, f"Reopens / weights full_reopens, {_COMPONENT}.", **_MAYBE),
        "channel_switches_component": column(
            NUMBER, f"Channel switches / weights full_channel_switches, {_COMPONENT}.", **_MAYBE
        ),
        "effort_index_0_100": column(
            NUMBER, "Weighted mean of the known components, times 100; null: no component is known.", **_MAYBE
        ),
        "weight_used_share": column(
            NUMBER, "Weight of the known components / weight of all components, 0 to 1."
        ),
        "weights_version": column(TEXT, "Version of the weights in settings.yaml."),
    },
    sort=("ticket_key",),
    is_view=True,
)

HARD_TICKETS = Table(
    "mart.hard_tickets",
    "One row per ticket with a difficult answer within the 28 days that end on the newest response day.",
    ("ticket_key",),
    {
        "ticket_key": column(TEXT, "The ticket."),
        "source_id": column(TEXT, "The source that delivered it."),
        "ticket_id": column(TEXT, "Its id in the ticket system."),
        "last_difficult_day": column(DAY, "Day of the newest difficult answer."),
        "difficult_answers": column(INTEGER, "Answers of these days in the difficult boxes of their scale."),
        "hardest_effort_0_100": column(NUMBER, "The highest effort among them."),
        "category": column(TEXT, "Issue category; `unknown` if none is set."),
        "priority": column(TEXT, "Priority; `unknown` if none is set."),
        "channel": column(TEXT, "How the ticket came in; `unknown` if not given."),
        "group_name": column(TEXT, "The team that the ticket is assigned to; `unknown` if none."),
        "resolution_minutes": column(
            NUMBER, "Calendar minutes from opening to solve; null: unresolved, or not known.", **_MAYBE
        ),
        "replies": column(
            INTEGER, "Public replies by agents; null: the system does not report it.", **_MAYBE
        ),
        "handoffs": column(
            INTEGER, "Times given to another agent or group; null: the system does not report it.", **_MAYBE
        ),
        "reopens": column(INTEGER, "Times reopened; null: the system does not report it.", **_MAYBE),
        "is_repeat_contact": column(
            FLAG_OR_NULL,
            "True if the same requester opened another ticket of that category shortly before; null: not known.",
            **_MAYBE,
        ),
        "effort_index_0_100": column(
            NUMBER, "Effort that its history shows; null: no component is known.", **_MAYBE
        ),
    },
    sort=("last_difficult_day", "ticket_key"),
)

_ANSWERS: dict[str, Any] = {
    "n": column(INTEGER, "Scored responses linked to these tickets."),
    "is_mixed_scales": IS_MIXED_SCALES,
    "mean_effort_0_100": column(
        NUMBER, "Their mean effort, higher is harder; null: fewer than the minimum n.", **_MAYBE
    ),
    "mean_ease_0_100": column(
        NUMBER, "Their mean ease, higher is easier; null: fewer than the minimum n.", **_MAYBE
    ),
    "ease_low_0_100": column(
        NUMBER,
        "Lower end of its 95 % interval (Student t with 1.5 added answers); null: no estimate.",
        **_MAYBE,
    ),
    "ease_high_0_100": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
    "difficult_count": column(INTEGER, "Responses in the difficult boxes of the scale."),
    **_share("difficult_share", "the scored responses, in the difficult boxes"),
    "is_effort_suppressed": column(FLAG, "True if n is below the minimum n."),
}

_COMPLETENESS: dict[str, Any] = {
    "is_truncated": column(
        FLAG,
        "True if the period begins before `first_complete_day` of mart.resolution_coverage: tickets that took long "
        "are missing from it, so its times are too short.",
    ),
    "is_final": column(
        FLAG,
        "False if some tickets of the period may still be reopened; these are not among the known ones of the "
        "reopened and one-touch shares.",
    ),
}
_REOPEN_KNOWN = column(INTEGER, "Tickets whose reopens are known and whose time to be reopened is over.")

RESOLUTION_COVERAGE = Table(
    "mart.resolution_coverage",
    "One row: the days of resolution on which figures of resolved tickets are complete. No row without tickets.",
    ("newest_day",),
    {
        "newest_day": column(DAY, "Newest day on which a ticket was opened or resolved."),
        "first_created_day": column(
            DAY,
            "Day by which half a per cent of the tickets were opened; null: openings are not known.",
            **_MAYBE,
        ),
        "first_resolved_day": column(
            DAY,
            "Day by which half a per cent of the resolved tickets were resolved; null: none is.",
            **_MAYBE,
        ),
        "p95_days_to_resolve": column(
            INTEGER,
            "Full days within which 95 % of the resolved tickets were resolved; null: not known.",
            **_MAYBE,
        ),
        "first_complete_day": column(
            DAY, "first_created_day + p95_days_to_resolve + 1; null: not known.", **_MAYBE
        ),
        "last_final_day": column(
            DAY, "Newest resolution day whose tickets count as not reopened (`reopen_window_days`)."
        ),
    },
    sort=("newest_day",),
)

CATEGORY_EFFORT = Table(
    "mart.category_effort",
    "One row per week (and all days) of resolution x category of resolved tickets.",
    ("period", "period_start", "category"),
    {
        "period": column(TEXT, "`week` (from Monday), or `all` for all days."),
        "period_start": column(
            DAY, "First day of the period; for `all`, the first day with a resolved ticket."
        ),
        "category": column(TEXT, "Issue category; `unknown` if none is set."),
        "tickets": column(INTEGER, "Tickets resolved in the period."),
        **_COMPLETENESS,
        "timed_tickets": column(INTEGER, "Of these, with a known resolution time."),
        **_median("resolution_minutes", "calendar minutes to resolution"),
        "p90_resolution_minutes": column(
            NUMBER, "90th percentile of the calendar minutes to resolution; null: no median.", **_MAYBE
        ),
        **_median("resolution_business_minutes", "minutes within business hours"),
        "reopen_known": _REOPEN_KNOWN,
        **_share("reopened_share", "these, reopened at least once"),
        "one_touch_known": column(
            INTEGER, "Tickets whose replies are known and whose time to be reopened is over."
        ),
        **_share("one_touch_share", "these, resolved with at most one reply"),
        "repeat_known": column(INTEGER, "Tickets whose requester is known."),
        **_share("repeat_contact_share", "these, opened again for the same category"),
        **_ANSWERS,
    },
    sort=("period", "period_start", "category"),
)

HANDLING_EFFORT = Table(
    "mart.handling_effort",
    "One row per week (and all days) of resolution x handling of resolved tickets.",
    ("period", "period_start", "handling"),
    {
        "period": column(TEXT, "`week` (from Monday), or `all` for all days."),
        "period_start": column(
            DAY, "First day of the period; for `all`, the first day with a resolved ticket."
        ),
        "handling": column(TEXT, "Handling, by the rules of segments.yaml; `unknown` if none matches."),
        "tickets": column(INTEGER, "Tickets resolved in the period."),
        **_COMPLETENESS,
        "timed_tickets": column(INTEGER, "Of these, with a known resolution time."),
        **_median("resolution_minutes", "calendar minutes to resolution"),
        "reopen_known": _REOPEN_KNOWN,
        **_share("reopened_share", "these, reopened at least once"),
        "repeat_known": column(INTEGER, "Tickets whose requester is known."),
        **_share("repeat_contact_share", "these, opened again for the same category"),
        **_ANSWERS,
    },
    sort=("period", "period_start", "handling"),
)

LINK_COVERAGE_DAILY = Table(
    "mart.link_coverage_daily",
    "One row per day with a resolved ticket or an accepted response.",
    ("day",),
    {
        "day": column(DAY, "Business-zone date of the resolution, and of recorded_at."),
        "resolved_tickets": column(INTEGER, "Tickets resolved, not deleted."),
        "eligible_tickets": column(INTEGER, "Of these, tickets that may be surveyed."),
        "answered_tickets": column(INTEGER, "Of these, with a linked response of any day."),
        "is_final": column(
            FLAG, "True if the time to answer about the tickets of the day (the longest link window) is over."
        ),
        **_share("answered_share", "the eligible tickets, with a linked response", "see answered_why_null"),
        "answered_why_null": column(TEXT, "Why there is no answered share; null: there is one.", **_MAYBE),
        "responses": column(INTEGER, "Accepted responses of the day."),
        "linked_by_ticket_id": column(INTEGER, "Of these, linked by the ticket id in the response."),
        "linked_by_external_id": column(INTEGER, "Of these, linked by another shared reference."),
        "linked_by_requester_window": column(INTEGER, "Of these, linked by person and time."),
        "ambiguous": column(INTEGER, "Of these, unlinked: several tickets match."),
        "named_not_found": column(INTEGER, "Of these, unlinked: no source has delivered the named ticket."),
        "without_ticket": column(INTEGER, "Of these, unlinked: the response has no reference to a ticket."),
        **_share("linked_share", "the responses, linked by any method"),
    },
    sort=("day",),
)

EFFORT_DRIVERS = Table(
    "mart.effort_drivers",
    "One row per category (and all tickets) x driver: its rank correlation with effort.",
    ("category", "driver"),
    {
        "category": column(TEXT, "Issue category, `unknown` if none is set; or `all tickets`."),
        "driver": column(
            TEXT, "The observed quantity: a column of `mart.ticket_effort`, or the effort index."
        ),
        "n": column(INTEGER, "Scored answers whose ticket has a value of it."),
        "correlation": column(
            NUMBER,
            "Spearman's rank correlation with effort, -1 to 1; null: suppressed, or one side never varies.",
            **_MAYBE,
        ),
        "correlation_low": column(
            NUMBER, "Lower end of its 95 % interval (Bonett and Wright); null: no estimate.", **_MAYBE
        ),
        "correlation_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "p_value": column(NUMBER, "Two-sided p of no association; null: no estimate.", **_MAYBE),
        "q_value": column(
            NUMBER,
            "p after false-discovery control (Benjamini and Hochberg) among all rows with a p; null: no p.",
            **_MAYBE,
        ),
        "verdict": column(
            TEXT,
            "If q is at most 0.05, `more effort` or `less effort` where the driver is higher; else `no association "
            "shown`; without a p, `suppressed` or `no variance`.",
        ),
        "is_suppressed": column(FLAG, "True if n is below the minimum n."),
    },
    sort=("category", "driver"),
)
