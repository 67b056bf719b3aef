"""What became of landed rows: columns of the marts on data quality."""

from ces_pipeline.cleaning.reasons import REASONS
from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

QUALITY_DAILY = Table(
    "mart.quality_daily",
    "One row per day and source with landed survey rows; landed = redelivered + superseded + accepted + rejected.",
    ("day", "source_id"),
    {
        "day": column(DAY, "Business-zone date of recorded_at, else of receipt."),
        "source_id": column(TEXT, "The feed."),
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
        **{reason.name: column(INTEGER, f"Rows with this reason: {reason.means}") for reason in REASONS},
    },
    sort=("day", "source_id"),
)

TABLES = (QUALITY_DAILY,)
