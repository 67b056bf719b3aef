"""Columns of the marts on priorities, fixes, releases and outcomes: where to improve, and the result."""

from typing import Any

from ces_pipeline.schemas.mart.segments import IS_MIXED_SCALES
from ces_pipeline.schemas.table import DAY, FLAG, FLAG_OR_NULL, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "what_to_fix_and_did_it_help"

_MAYBE: Any = {"nullable": True}
_CATEGORY = "Issue category of the tickets; `unknown` if none is set."
_NOT_SHOWN = "null: fewer answers than the minimum n"


def _rank(name: str, of: str) -> dict[str, Any]:
    return {
        f"{name}_rank": column(
            INTEGER,
            f"Rank by {of} among rows with excess effort and all inputs, 1 is the largest; null: none.",
            **_MAYBE,
        ),
        f"{name}_rank_low": column(
            INTEGER,
            "Best rank of its 95 % interval over 500 resamplings of the answers; null: no rank.",
            **_MAYBE,
        ),
        f"{name}_rank_high": column(INTEGER, "Worst rank of that interval; null: no rank.", **_MAYBE),
    }


PRIORITIES = Table(
    "mart.priorities",
    "One row per category (and category x persona) of tickets opened in the newest days.",
    ("level", "category", "persona"),
    {
        "level": column(
            TEXT,
            "`category`, or `category and persona`; only rows of the same level can be summed and ranked.",
        ),
        "category": column(TEXT, _CATEGORY),
        "persona": column(
            TEXT,
            "Persona of the newest answer to the ticket, else of its requester; `unassigned` if not known. "
            "`all personas` for level `category`.",
        ),
        "first_day": column(DAY, "First day of the tickets, business zone."),
        "last_day": column(DAY, "Last day of the tickets: the newest day on which one was opened."),
        "tickets": column(INTEGER, "Affected volume: tickets opened."),
        "n": column(INTEGER, "Scored answers linked to the tickets."),
        "is_mixed_scales": IS_MIXED_SCALES,
        "mean_effort_0_100": column(
            NUMBER, f"Unadjusted mean effort of the answers; {_NOT_SHOWN}.", **_MAYBE
        ),
        "excess_effort_0_100": column(
            NUMBER,
            "Mean effort minus that of all answers with the same mix of channels and personas "
            f"(direct standardisation); below 0: easier; {_NOT_SHOWN}.",
            **_MAYBE,
        ),
        "excess_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (normal, variance pooled); null: no estimate, or one answer per channel.",
            **_MAYBE,
        ),
        "excess_high_0_100": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "weight_covered_share": column(
            NUMBER,
            "Share of the standard mix whose channels and personas have answers here, 0 to 1; null: no answer.",
            **_MAYBE,
        ),
        "effort_index_n": column(INTEGER, "Tickets with an effort index."),
        "effort_index_0_100": column(
            NUMBER,
            "Mean effort index of the tickets, for comparison; not part of the score; null: fewer than the minimum n.",
            **_MAYBE,
        ),
        "value_weight": column(
            NUMBER,
            "Value weight of the persona (priorities.yaml); for a category the mean over its tickets; null: not given.",
            **_MAYBE,
        ),
        "confidence": column(NUMBER, "n / (n + minimum n), 0 to 1; one half at the minimum n."),
        "cost": column(
            NUMBER, "Estimated cost to fix the category (priorities.yaml); null: not given.", **_MAYBE
        ),
        "missing_inputs": column(
            TEXT,
            "Why there is no priority rank: which of `answers`, `excess effort` (it is not above 0), `value weight`, "
            "`cost` are missing; null: none.",
            **_MAYBE,
        ),
        "excess_points": column(
            NUMBER,
            f"Contribution in ticket-points: tickets x excess effort, to six decimals; {_NOT_SHOWN}.",
            **_MAYBE,
        ),
        "excess_points_low": column(
            NUMBER, "Lower end of its 95 % interval; null: no interval of the excess.", **_MAYBE
        ),
        "excess_points_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "total_excess_points": column(
            NUMBER, "Sum of the contributions of the level; the same on each of its rows."
        ),
        "excess_share": column(
            NUMBER,
            "Share of the contributions above 0, 0 to 1 (0: no excess); null: fewer answers than the minimum n, or "
            "none is above 0.",
            **_MAYBE,
        ),
        "excess_share_low": column(
            NUMBER, "Lower end of its 95 % interval over 500 resamplings; null: no estimate.", **_MAYBE
        ),
        "excess_share_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "effort_score": column(
            NUMBER, f"excess_points x confidence, in ticket-points; {_NOT_SHOWN}.", **_MAYBE
        ),
        **_rank("effort", "effort_score"),
        "priority_score": column(
            NUMBER,
            "effort_score x value_weight / cost, in ticket-points x value per unit of cost; null: an input is missing.",
            **_MAYBE,
        ),
        **_rank("priority", "priority_score"),
        "is_quick_win": column(
            FLAG_OR_NULL,
            "True if the cost is at most the quick-win cost and the full interval of the excess is above 0; null: "
            "a cost or the answers are missing.",
            **_MAYBE,
        ),
        "is_suppressed": column(FLAG, "True if n is below the minimum n: the row is shown, but not ranked."),
    },
    sort=("level", "category", "persona"),
)

CATEGORY_DAILY = Table(
    "mart.category_daily",
    "One row per day x category x channel with a ticket opened or a scored, linked answer.",
    ("day", "category", "channel"),
    {
        "day": column(DAY, "Business-zone date: for tickets, of opening; for answers, of the answer."),
        "category": column(TEXT, _CATEGORY),
        "channel": column(
            TEXT, "For tickets, how they came in; for answers, their channel; `unknown` if not given."
        ),
        "tickets": column(INTEGER, "Tickets opened, without deleted ones."),
        "n": column(INTEGER, "Scored answers linked to tickets of the category."),
        "is_mixed_scales": IS_MIXED_SCALES,
        "mean_effort_0_100": column(NUMBER, f"Mean effort of the answers; {_NOT_SHOWN}.", **_MAYBE),
        "effort_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (Student t with 1.5 added answers); null: no estimate.",
            **_MAYBE,
        ),
        "effort_high_0_100": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "is_suppressed": column(FLAG, "True if n is below the minimum n: the figures are null, not zero."),
        "effort_sum_0_100": column(NUMBER, "Sum of effort, to pool rows; 0 without an answer."),
        "effort_square_sum_0_100": column(
            NUMBER, "Sum of squared effort, to pool rows; 0 without an answer."
        ),
    },
    sort=("day", "category", "channel"),
)

ACTIVE_CUSTOMERS_DAILY = Table(
    "mart.active_customers_daily",
    "One row per day: customers of that day.",
    ("day",),
    {
        "day": column(DAY, "The day, business zone."),
        "active_customers": column(INTEGER, "Customers of the day; 0 if none are known."),
        "customers_basis": column(
            TEXT,
            "`accounts`: valid on the day; `customers seen`: with a ticket or an answer in the seven days up to it.",
        ),
    },
    sort=("day",),
)

FIX_WEEKS = Table(
    "mart.fix_weeks",
    "One row per fix x category x week around it that the data cover completely.",
    ("fix_id", "category", "week_number"),
    {
        "fix_id": column(TEXT, "The fix."),
        "category": column(TEXT, _CATEGORY),
        "is_comparison": column(FLAG, "True if the fix does not change the category."),
        "period": column(TEXT, "`earlier`, `before` or `after`."),
        "week_number": column(
            INTEGER, "0 starts on the day on which the fix went live; -1 is the last week of the reference."
        ),
        "first_day": column(DAY, "First day of the week."),
        "last_day": column(DAY, "Last day of the week."),
        "weeks_from_live": column(
            NUMBER, "Weeks from the first day of the fix to first_day; below 0: before the fix."
        ),
        "tickets": column(INTEGER, "Tickets opened."),
        "active_customers": column(
            INTEGER,
            "Customers of the week, over all categories; null: no accounts are known for that time.",
            **_MAYBE,
        ),
        "customers_basis": column(
            TEXT,
            "`accounts`: valid on the last day; `customers seen`: with a ticket or an answer in the week.",
        ),
        "n": column(INTEGER, "Scored answers."),
        "effort_sum_0_100": column(NUMBER, "Sum of their effort, to pool rows; 0 without an answer."),
    },
    sort=("fix_id", "category", "week_number"),
)

_FIX_METHOD: dict[str, Any] = {
    "fix_id": column(TEXT, "The fix."),
    "method": column(
        TEXT,
        "`difference in differences` (use this one), `interrupted series` or `plain before and after`.",
    ),
}
_FIX_VERDICT: dict[str, Any] = {
    "p_value": column(NUMBER, "Two-sided p of the change; null: no change.", **_MAYBE),
    "regression_guard": column(
        TEXT,
        "Protection against regression to the mean: `time before the trigger`, `earlier weeks agree` (the change "
        "must also show against earlier weeks), `comparison categories alone`, or `none`.",
    ),
    "verdict": column(TEXT, "`improved`, `worsened`, `no change shown` or `not enough data`."),
    "why": column(TEXT, "Why there is no claim; null: there is a claim.", **_MAYBE),
    "overlapping_fixes": column(
        TEXT,
        "Other fixes of its categories in these weeks; their effects cannot be separated; null: none.",
        **_MAYBE,
    ),
    "is_complete": column(FLAG, "True if the data cover all weeks after the fix."),
}

FIX_IMPACT = Table(
    "mart.fix_impact",
    "One row per fix x method: effort before and after it.",
    ("fix_id", "method"),
    {
        **_FIX_METHOD,
        "comparison_categories": column(TEXT, "Categories that it is compared with; null: none.", **_MAYBE),
        "n_before": column(INTEGER, "Scored answers of its categories before."),
        "n_after": column(INTEGER, "Scored answers after."),
        "weeks_before": column(INTEGER, "Weeks with answers before."),
        "weeks_after": column(INTEGER, "Weeks with answers after."),
        "weeks_needed": column(
            INTEGER,
            "Weeks on each side to detect `smallest_effect_0_100` with 80 % power, if they vary and resemble "
            "their neighbours as these do; null: no interval.",
            **_MAYBE,
        ),
        "n_needed": column(
            INTEGER,
            "Answers on each side of so many weeks, at the present number a week; null: no weeks_needed.",
            **_MAYBE,
        ),
        "before_effort_0_100": column(
            NUMBER, f"Unadjusted mean effort before; {_NOT_SHOWN} on a side.", **_MAYBE
        ),
        "after_effort_0_100": column(NUMBER, "Unadjusted mean effort after; null: no mean before.", **_MAYBE),
        "change_effort_0_100": column(
            NUMBER, "Change of effort, by the method; below 0: less effort; null: not enough data.", **_MAYBE
        ),
        "change_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (over weeks, their serial correlation counted); null: no estimate.",
            **_MAYBE,
        ),
        "change_high_0_100": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "mix_part_0_100": column(
            NUMBER,
            "Part of the plain change that is due to another mix of channels and categories; null: not enough data, "
            "or the plain method.",
            **_MAYBE,
        ),
        **_FIX_VERDICT,
    },
    sort=("fix_id", "method"),
)

FIX_TICKET_IMPACT = Table(
    "mart.fix_ticket_impact",
    "One row per fix x method: tickets per active customer before and after it.",
    ("fix_id", "method"),
    {
        **_FIX_METHOD,
        "n_before": column(INTEGER, "Tickets of its categories before."),
        "n_after": column(INTEGER, "Tickets after."),
        "weeks_before": column(INTEGER, "Full weeks before."),
        "weeks_after": column(INTEGER, "Full weeks after."),
        "weeks_needed": column(
            INTEGER,
            "Weeks on each side to detect `smallest_ticket_change` with 80 % power, if they vary and resemble "
            "their neighbours as these do; null: no interval.",
            **_MAYBE,
        ),
        "n_needed": column(
            INTEGER,
            "Tickets on each side of so many weeks, at the present number a week; null: no weeks_needed.",
            **_MAYBE,
        ),
        "customers_basis": column(
            TEXT,
            "Same as in mart.active_customers_daily; null: no customers are known, or the data cover no week.",
            **_MAYBE,
        ),
        "before_tickets_per_1000_customers": column(
            NUMBER,
            "Mean weekly tickets per 1,000 active customers before; null: customers not known.",
            **_MAYBE,
        ),
        "after_tickets_per_1000_customers": column(
            NUMBER,
            "Mean weekly tickets per 1,000 active customers after; null: customers not known.",
            **_MAYBE,
        ),
        "change_share": column(
            NUMBER,
            "Change as a share of the level before (-0.1: 10 % less); null: not enough data.",
            **_MAYBE,
        ),
        "change_low_share": column(
            NUMBER,
            "Lower end of its 95 % interval (over weeks, their serial correlation counted); null: no estimate.",
            **_MAYBE,
        ),
        "change_high_share": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        **_FIX_VERDICT,
    },
    sort=("fix_id", "method"),
)


def _verdicts(of: str) -> dict[str, Any]:
    return {
        f"{of}_{verdict.replace(' ', '_')}": column(INTEGER, f"Fixes with the verdict `{verdict}` on {of}.")
        for verdict in ("improved", "worsened", "no change shown", "not enough data")
    }


FIX_LEVERS = Table(
    "mart.fix_levers",
    "One row per lever: the combined result of the fixes of its kind.",
    ("lever",),
    {
        "lever": column(TEXT, "Kind of fix, as in reference.fixes; `untagged` if none is set."),
        "fixes": column(INTEGER, "Fixes of the kind."),
        "overlapping": column(
            INTEGER, "Of these, fixes with another fix of their categories at about the same time."
        ),
        "fixes_with_cost": column(INTEGER, "Fixes whose cost is known."),
        "cost": column(NUMBER, "Total cost of these fixes; null: none is known.", **_MAYBE),
        "effort_measured": column(INTEGER, "Fixes with enough answers to compare."),
        **_verdicts("effort"),
        "effort_change_sum_0_100": column(
            NUMBER,
            "Sum of the changes of effort of the measured fixes; below 0: less effort; null: none.",
            **_MAYBE,
        ),
        "effort_change_sum_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval, if the fixes are independent; null: no estimate.",
            **_MAYBE,
        ),
        "effort_change_sum_high_0_100": column(
            NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE
        ),
        **_verdicts("tickets"),
    },
    sort=("lever",),
)

RELEASE_WINDOWS = Table(
    "mart.release_windows",
    "One row per release x survey that it affects (and all of them): effort in the days before and after it.",
    ("release_id", "series"),
    {
        "release_id": column(TEXT, "The release."),
        "series": column(TEXT, "A survey that it affects, or `all surveys`."),
        "release_day": column(DAY, "First day of the release."),
        "n_before": column(INTEGER, "Scored answers in the days before."),
        "n_after": column(INTEGER, "Scored answers from the release day on."),
        "days_before": column(INTEGER, "Days with answers before."),
        "days_after": column(INTEGER, "Days with answers after."),
        "before_effort_0_100": column(
            NUMBER, f"Unadjusted mean effort before; {_NOT_SHOWN} on a side.", **_MAYBE
        ),
        "after_effort_0_100": column(NUMBER, "Unadjusted mean effort after; null: no mean before.", **_MAYBE),
        "change_effort_0_100": column(
            NUMBER,
            "Change at a constant mix of channels, products and surveys, without the weekday pattern; above 0: harder; "
            "null: not enough data.",
            **_MAYBE,
        ),
        "change_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (over days, their serial correlation counted); null: no estimate.",
            **_MAYBE,
        ),
        "change_high_0_100": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "mix_part_0_100": column(
            NUMBER, "Part of the unadjusted change that is due to another mix; null: no change.", **_MAYBE
        ),
        "p_value": column(NUMBER, "Two-sided p of the change; null: no change.", **_MAYBE),
        "q_value": column(
            NUMBER,
            "p after false-discovery control (Benjamini and Hochberg) among all rows; null: no p.",
            **_MAYBE,
        ),
        "verdict": column(
            TEXT, "`harder` or `easier` if q is at most 0.05, `no change shown`, or `not enough data`."
        ),
        "why": column(TEXT, "What is missing; null: nothing.", **_MAYBE),
        "overlapping_releases": column(
            TEXT, "Other releases in these days; their effects cannot be separated; null: none.", **_MAYBE
        ),
    },
    sort=("release_id", "series"),
)

EVENT_EFFORT_LAG = Table(
    "mart.event_effort_lag",
    "One row per backend measure x category x lag in days.",
    ("measure", "category", "lag_days"),
    {
        "measure": column(TEXT, "Type of the events whose values are measured."),
        "category": column(TEXT, "Category of events and tickets; `all tickets` for events without one."),
        "lag_days": column(INTEGER, "Days from the measure to the effort."),
        "n": column(
            INTEGER, "Number of pairs: a day of the measure, and the day of effort so many days later."
        ),
        "effective_n": column(
            NUMBER,
            "Equivalent number of independent pairs, less the weekday means and the trend; null: no correlation.",
            **_MAYBE,
        ),
        "correlation": column(
            NUMBER,
            "Spearman's rank correlation, -1 to 1, of what weekday, trend and the measure's own past do not predict; "
            "null: fewer days than the minimum n, or no variance.",
            **_MAYBE,
        ),
        "correlation_low": column(NUMBER, "Lower end of its 95 % interval; null: no estimate.", **_MAYBE),
        "correlation_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "p_value": column(
            NUMBER, "Two-sided p, computed with the effective n; null: no correlation.", **_MAYBE
        ),
        "q_value": column(
            NUMBER,
            "p times the number of lags, after false-discovery control (Benjamini and Hochberg) among all measures and "
            "categories; null: not the best lag.",
            **_MAYBE,
        ),
        "is_best_lag": column(
            FLAG, "True for the lag with the smallest p of its measure and category, related or not."
        ),
        "verdict": column(
            TEXT,
            "`related` if q is at most 0.05, else `no relation shown`; other lags: `not the best lag`; without a p, "
            "`not enough data` or `no variance`. No proof of a cause.",
        ),
        "is_suppressed": column(FLAG, "True if n is below the minimum n (10 at least)."),
    },
    sort=("measure", "category", "lag_days"),
)

OUTCOMES = Table(
    "mart.outcomes",
    "One row per outcome that is often claimed for such a programme.",
    ("outcome",),
    {
        "outcome": column(TEXT, "`less effort`, `better retention`, `fewer tickets` or `faster resolution`."),
        "claimed_low_share": column(
            NUMBER, "Lower end of the claim; others published it without data, and it is no promise."
        ),
        "claimed_high_share": column(NUMBER, "Upper end of the claim."),
        "state": column(TEXT, "`measured` or `not measurable yet`."),
        "measured_share": column(
            NUMBER,
            "Change in the claimed direction as a share of the first window (0.1: 10 % better, below 0: worse), to "
            "compare with the claim; null: not measurable yet, or worse than -1, where only a ratio says how much.",
            **_MAYBE,
        ),
        "measured_low_share": column(
            NUMBER, "Lower end of its 95 % interval; null: no estimate, or below -1.", **_MAYBE
        ),
        "measured_high_share": column(
            NUMBER, "Upper end of that interval; null: no estimate, or below -1.", **_MAYBE
        ),
        "measured_ratio": column(
            NUMBER,
            "Level of the newest window / level of the first window (0.5: half, 3: three times); null: not "
            "measurable yet.",
            **_MAYBE,
        ),
        "measured_ratio_low": column(NUMBER, "Lower end of its 95 % interval; null: no estimate.", **_MAYBE),
        "measured_ratio_high": column(NUMBER, "Upper end of that interval; null: no estimate.", **_MAYBE),
        "n_before": column(INTEGER, "Answers, tickets or accounts of the first window; 0 if none are known."),
        "n_after": column(INTEGER, "Answers, tickets or accounts of the newest window."),
        "first_day": column(DAY, "First day of the data; null: none.", **_MAYBE),
        "last_day": column(DAY, "Newest day of the data; null: none.", **_MAYBE),
        "window_days": column(INTEGER, "Days of each window, a multiple of 7."),
        "method": column(TEXT, "What is compared, and how."),
        "why": column(TEXT, "What is missing to measure it; null: nothing.", **_MAYBE),
    },
    sort=("outcome",),
)
