"""Columns of the marts that compare each survey with the period before: weeks, months and quarters."""

from ces_pipeline.schemas.mart.segments import EFFORT_FIGURES, IS_MIXED_SCALES, IS_MIXED_WORDINGS, TOP_TWO
from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "is_it_easier_or_harder_than_before"


def _changes(period: str, first_day: str) -> Table:
    return Table(
        f"mart.{period}_changes",
        f"One row per survey x {period}, from its first answer to the newest one of any survey.",
        ("survey_id", period),
        {
            "survey_id": column(TEXT, "The survey."),
            period: column(DAY, f"{first_day} of the {period}."),
            f"is_whole_{period}": column(
                FLAG, "True if the survey was asked, and deliveries cover its answers, on all its days."
            ),
            "is_mixed_scales": IS_MIXED_SCALES,
            "is_mixed_wordings": IS_MIXED_WORDINGS,
            **EFFORT_FIGURES,
            **TOP_TWO,
            "n_before": column(
                INTEGER, f"Scored responses of the {period} before; null: the survey has none.", nullable=True
            ),
            "effective_n": column(
                NUMBER,
                "n / design effect: answers of one day resemble each other; null: no change is computed.",
                nullable=True,
            ),
            "effective_n_before": column(
                NUMBER, f"The same of the {period} before; null: no change is computed.", nullable=True
            ),
            "change_ease_0_100": column(
                NUMBER,
                f"Mean ease minus that of the {period} before; above 0: easier; null: see why_null.",
                nullable=True,
            ),
            "change_low_0_100": column(
                NUMBER,
                "Lower end of its 95 % interval (Newcombe's hybrid score interval); null: see why_null.",
                nullable=True,
            ),
            "change_high_0_100": column(
                NUMBER, "Upper end of that interval; null: see why_null.", nullable=True
            ),
            "p_value": column(
                NUMBER,
                "Two-sided p: how often random parts of the answers of both differ as much; null: see why_null.",
                nullable=True,
            ),
            "q_value": column(
                NUMBER,
                f"p after false-discovery control (Benjamini and Hochberg) among the surveys of the {period}; null: "
                "no p.",
                nullable=True,
            ),
            "verdict": column(
                TEXT,
                "`easier` or `harder` if q is at most 0.05 and the interval excludes 0, else `no change shown`; null: "
                "see why_null.",
                nullable=True,
            ),
            "why_null": column(
                TEXT,
                f"Why no change is computed: `{period} not complete`, `no {period} before`, "
                f"`{period} before not complete`, `reworded`, `suppressed`, `{period} before suppressed`, "
                "`other scale`, `too few days` (for the variance between days) or `no variance` (all answers equal); "
                "null: a change is computed.",
                nullable=True,
            ),
        },
        sort=("survey_id", period),
    )


WEEK_CHANGES = _changes("week", "Monday")
MONTH_CHANGES = _changes("month", "First day")
QUARTER_CHANGES = _changes("quarter", "First day")
