"""What was captured of what the sources have, and how their APIs answered: columns of the marts on pulling."""

from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, NUMBER, TEXT, Table, column

CAPTURE_DAILY = Table(
    "mart.capture_daily",
    "One row per feed and span of time (a day, or longer) with landed rows or with a number from its vendor; "
    "landed of expected.",
    ("source_id", "stream", "day", "window_start"),
    {
        "source_id": column(TEXT, "The feed."),
        "stream": column(TEXT, "What is counted, such as `tickets that are not deleted`."),
        "day": column(
            DAY, "UTC date of the span's start; where no vendor was asked, the business-zone day of the rows."
        ),
        "window_start": column(
            INSTANT,
            "Start of the span, in the vendor's time of change; null: nobody was asked.",
            nullable=True,
        ),
        "window_end": column(
            INSTANT, "End of the span, not part of it; null: nobody was asked.", nullable=True
        ),
        "landed": column(
            INTEGER,
            "Records that had landed by `asked_at` and were last changed in the span; rows where nobody was asked.",
        ),
        "expected": column(
            INTEGER, "Records that the vendor says were last changed in it; null: unknown.", nullable=True
        ),
        "missing": column(INTEGER, "expected - landed, at least 0; null: unknown.", nullable=True),
        "surplus": column(
            INTEGER,
            "landed - expected, at least 0 (changed or deleted at the vendor since); null: unknown.",
            nullable=True,
        ),
        "captured_share": column(
            NUMBER,
            "landed / expected, 0 to 1, a surplus left out; null: unknown, or nothing was expected.",
            nullable=True,
        ),
        "state": column(TEXT, "`complete`, `short` (landed is below expected) or `unknown`."),
        "basis": column(
            TEXT,
            "`count` (the vendor counted); `export` (rows of its finished export); `second_read` (listed once "
            "more); `unknown`.",
        ),
        "detail": column(TEXT, "Why it is unknown; null: it is known.", nullable=True),
        "asked_at": column(INSTANT, "When the vendor was asked last; null: never.", nullable=True),
    },
    sort=("source_id", "stream", "day", "window_start"),
)

TABLES = (CAPTURE_DAILY,)
