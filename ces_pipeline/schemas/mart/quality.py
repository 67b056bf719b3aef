"""What became of landed rows: columns of the marts on data quality."""

from ces_pipeline.rules.catalog import SURVEY_RULES
from ces_pipeline.schemas.mart.segments import EFFORT_FIGURES, IS_MIXED_SCALES, TOP_TWO
from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "can_the_data_be_trusted"

QUALITY_DAILY = Table(
    "mart.quality_daily",
    "One row per day and source with landed survey rows; landed = redelivered + superseded + accepted + rejected.",
    ("day", "source_id"),
    {
        "day": column(DAY, "Business-zone date of recorded_at, else of receipt."),
        "source_id": column(TEXT, "The source."),
        "landed": column(INTEGER, "Rows of the day in all deliveries."),
        "redelivered": column(INTEGER, "Of these, copies of a row already landed."),
        "superseded": column(INTEGER, "Of these, older contents of a revised response."),
        "accepted": column(INTEGER, "Of these, accepted."),
        "rejected": column(INTEGER, "Of these, rejected (a row may have several reasons)."),
        "suspect": column(INTEGER, "Accepted rows that a suspect rule marked."),
        "rejected_share": column(
            NUMBER, "rejected / (accepted + rejected), 0 to 1; null: nothing was judged.", nullable=True
        ),
        "suspect_share": column(
            NUMBER, "suspect / accepted, 0 to 1; null: nothing was accepted.", nullable=True
        ),
        **{rule.name: column(INTEGER, f"Rows with this reason: {rule.means}") for rule in SURVEY_RULES},
    },
    sort=("day", "source_id"),
)

_DIFFERENCE = "minus that of the headline; null: one of the two is suppressed, or there is no headline."

SENSITIVITY = Table(
    "mart.sensitivity",
    "One row per month (and all days) x survey (and all of them) x variant of the headline figures.",
    ("period", "period_start", "series", "variant"),
    {
        "period": column(TEXT, "`month`, or `all` for all days."),
        "period_start": column(DAY, "Its first day; of `all`, the first day with an answer."),
        "series": column(TEXT, "A survey, or `all surveys`."),
        "variant": column(
            TEXT,
            "`headline`: every accepted answer; `without suspect`: none that a suspect rule marked; "
            "`with rejected`: also rejected rows with a score of their scale, test answers aside.",
        ),
        "is_mixed_scales": IS_MIXED_SCALES,
        **EFFORT_FIGURES,
        "n": column(INTEGER, "Scored responses of the variant."),
        **TOP_TWO,
        "mean_ease_difference_0_100": column(NUMBER, f"Mean ease {_DIFFERENCE}", nullable=True),
        "easy_share_difference": column(NUMBER, f"Easy share {_DIFFERENCE}", nullable=True),
        "net_ease_difference": column(NUMBER, f"Net ease {_DIFFERENCE}", nullable=True),
    },
    sort=("period", "period_start", "series", "variant"),
)
