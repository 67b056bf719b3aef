"""Where effort is worth an improvement, and what came of one: columns of priorities, fixes, releases and outcomes."""

from typing import Any

from ces_pipeline.schemas.table import DAY, FLAG, FLAG_OR_NULL, INTEGER, NUMBER, TEXT, Table, column

_MAYBE: Any = {"nullable": True}
_CATEGORY = "Issue category of the tickets; `unknown` where none is set."
_NOT_SHOWN = "null: fewer answers than the minimum n"


def _rank(name: str, of: str) -> dict[str, Any]:
    return {
        f"{name}_rank": column(
            INTEGER, f"Rank by {of} among those that have one, 1 the greatest; null: none.", **_MAYBE
        ),
        f"{name}_rank_low": column(
            INTEGER,
            "Best rank of its 95 % interval over 500 resamplings of the answers; null as it.",
            **_MAYBE,
        ),
        f"{name}_rank_high": column(INTEGER, "Worst rank of that interval; null as it.", **_MAYBE),
    }


PRIORITIES = Table(
    "mart.priorities",
    "One row per category (and category x persona) of tickets opened in the newest days.",
    ("level", "category", "persona"),
    {
        "level": column(
            TEXT, "`category`, or `category and persona`; rows of one level add up, and rank together."
        ),
        "category": column(TEXT, _CATEGORY),
        "persona": column(
            TEXT,
            "Persona of the newest answer to the ticket, else of its requester; `unassigned` where nobody said. Of "
            "level `category`, `all personas`.",
        ),
        "first_day": column(DAY, "First day of the tickets, business zone."),
        "last_day": column(DAY, "Last day of them: the newest on which one was opened."),
        "tickets": column(INTEGER, "Affected volume: tickets opened."),
        "n": column(INTEGER, "Scored answers linked to them."),
        "mean_effort_0_100": column(NUMBER, f"Their mean effort as it came; {_NOT_SHOWN}.", **_MAYBE),
        "excess_effort_0_100": column(
            NUMBER,
            "Mean effort above that of all answers of the same channel and persona, weighted as these are "
            f"(direct standardisation); below 0: easier; {_NOT_SHOWN}.",
            **_MAYBE,
        ),
        "excess_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (normal, variance pooled); null as it, or one answer a channel.",
            **_MAYBE,
        ),
        "excess_high_0_100": column(NUMBER, "Upper end of that interval; null as it.", **_MAYBE),
        "weight_covered_share": column(
            NUMBER,
            "Share of the standard mix whose channels and personas it has answers of, 0 to 1; null: no answer.",
            **_MAYBE,
        ),
        "effort_index_n": column(INTEGER, "Tickets with an effort index."),
        "effort_index_0_100": column(
            NUMBER,
            "Their mean effort index, beside the answers and no part of the score; null: fewer than the minimum n.",
            **_MAYBE,
        ),
        "value_weight": column(
            NUMBER,
            "Worth of the persona (priorities.yaml), of a category the mean over its tickets; null: not said.",
            **_MAYBE,
        ),
        "confidence": column(NUMBER, "n / (n + minimum n), 0 to 1: one half at the minimum n."),
        "cost": column(
            NUMBER, "Estimated cost of fixing the category (priorities.yaml); null: not said.", **_MAYBE
        ),
        "missing_inputs": column(
            TEXT, "Which of `answers`, `value weight`, `cost` are not known; null: none is missing.", **_MAYBE
        ),
        "excess_points": column(
            NUMBER, f"Contribution: tickets x excess effort, to six decimals; {_NOT_SHOWN}.", **_MAYBE
        ),
        "excess_points_low": column(
            NUMBER, "Lower end of its 95 % interval; null as that of the excess.", **_MAYBE
        ),
        "excess_points_high": column(NUMBER, "Upper end of that interval; null as it.", **_MAYBE),
        "total_excess_points": column(
            NUMBER, "Contributions of the level added up; the same on each of its rows."
        ),
        "excess_share": column(
            NUMBER,
            "Share of the contributions above 0, 0 to 1 (0: no excess); null: fewer answers than the minimum n, or "
            "none is above 0.",
            **_MAYBE,
        ),
        "excess_share_low": column(
            NUMBER, "Lower end of its 95 % interval over 500 resamplings; null as it.", **_MAYBE
        ),
        "excess_share_high": column(NUMBER, "Upper end of that interval; null as it.", **_MAYBE),
        "effort_score": column(NUMBER, f"excess_points x confidence; {_NOT_SHOWN}.", **_MAYBE),
        **_rank("effort", "effort_score"),
        "priority_score": column(
            NUMBER, "effort_score x value_weight / cost; null: an input is missing.", **_MAYBE
        ),
        **_rank("priority", "priority_score"),
        "is_quick_win": column(
            FLAG_OR_NULL,
            "True where the cost is at most the quick-win cost and the whole interval of the excess is above 0; null: "
            "a cost or the answers are missing.",
            **_MAYBE,
        ),
        "is_suppressed": column(FLAG, "True where n is below the minimum n: shown, but not ranked."),
    },
    sort=("level", "category", "persona"),
)

TABLES = (PRIORITIES,)
