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

REQUESTS_DAILY = Table(
    "mart.requests_daily",
    "One row per feed and business-zone day with requests to its API; requests = answered_2xx + answered_otherwise + "
    "unanswered.",
    ("source_id", "day"),
    {
        "source_id": column(TEXT, "The feed."),
        "day": column(DAY, "Business-zone date of sending."),
        "requests": column(INTEGER, "Requests sent, every attempt of its own."),
        "answered_2xx": column(INTEGER, "Of these, answered with a status from 200 to 299."),
        "answered_otherwise": column(INTEGER, "Of these, answered with another status."),
        "unanswered": column(INTEGER, "Of these, without a whole answer."),
        "answered_2xx_share": column(NUMBER, "answered_2xx / requests, 0 to 1."),
        "calls": column(
            INTEGER, "What the pulls wanted, each in one or more requests, as far as it came to an end."
        ),
        "ok_at_once": column(INTEGER, "Of the calls, answered at the first attempt."),
        "ok_after_retry": column(INTEGER, "Of the calls, answered at a later attempt."),
        "gave_up": column(INTEGER, "Of the calls, not answered however often they were tried."),
        "refused": column(INTEGER, "Of the calls, refused: trying again would not have helped."),
        "ok_share": column(
            NUMBER,
            "(ok_at_once + ok_after_retry) / calls, 0 to 1; null: no call came to an end.",
            nullable=True,
        ),
        "size_bytes": column(INTEGER, "Bytes of all answers' bodies, unpacked."),
        "seconds_p50": column(NUMBER, "Median time from sending a request to the end of its answer."),
        "seconds_p95": column(NUMBER, "95th percentile of that time."),
        "seconds_p99": column(NUMBER, "99th percentile of that time."),
        "seconds_max": column(NUMBER, "Longest such time."),
    },
    sort=("source_id", "day"),
)

TABLES = (CAPTURE_DAILY, REQUESTS_DAILY)
