"""Columns of the marts on pulls: the share of records captured, and the responses of the APIs."""

from ces_pipeline.schemas.table import DAY, INSTANT, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "did_all_records_arrive"

CAPTURE_DAILY = Table(
    "mart.capture_daily",
    "One row per source and span of time (a day, or longer) with landed rows or a number from the vendor: "
    "landed of expected.",
    ("source_id", "stream", "day", "window_start"),
    {
        "source_id": column(TEXT, "The source."),
        "stream": column(TEXT, "What is counted, such as `tickets that are not deleted`."),
        "day": column(
            DAY, "UTC date of the start of the span; if no vendor was asked, business-zone day of the rows."
        ),
        "window_start": column(
            INSTANT,
            "Start of the span, by the vendor's time of change; null: no vendor was asked.",
            nullable=True,
        ),
        "window_end": column(
            INSTANT, "End of the span, not included; null: no vendor was asked.", nullable=True
        ),
        "landed": column(
            INTEGER,
            "Records landed by `asked_at` and last changed in the span; if no vendor was asked, rows.",
        ),
        "expected": column(
            INTEGER, "Records last changed in the span, as the vendor reports; null: unknown.", nullable=True
        ),
        "missing": column(INTEGER, "expected - landed, at least 0; null: unknown.", nullable=True),
        "surplus": column(
            INTEGER,
            "landed - expected, at least 0 (changed or deleted at the vendor since); null: unknown.",
            nullable=True,
        ),
        "captured_share": column(
            NUMBER,
            "landed / expected, 0 to 1, without the surplus; null: unknown, or nothing was expected.",
            nullable=True,
        ),
        "state": column(TEXT, "`complete`, `short` (landed is below expected) or `unknown`."),
        "basis": column(
            TEXT,
            "`count` (the vendor counted); `export` (rows of its finished export); `second_read` (the records were "
            "listed a second time); `unknown`.",
        ),
        "detail": column(TEXT, "Why it is unknown; null: it is known.", nullable=True),
        "asked_at": column(INSTANT, "Last time that the vendor was asked; null: never.", nullable=True),
    },
    sort=("source_id", "stream", "day", "window_start"),
)

REQUESTS_DAILY = Table(
    "mart.requests_daily",
    "One row per source and business-zone day with requests to its API; requests = answered_2xx + answered_otherwise + "
    "unanswered.",
    ("source_id", "day"),
    {
        "source_id": column(TEXT, "The source."),
        "day": column(DAY, "Business-zone date of the request."),
        "requests": column(INTEGER, "Requests sent; every attempt counts."),
        "answered_2xx": column(INTEGER, "Of these, answered with a status from 200 to 299."),
        "answered_otherwise": column(INTEGER, "Of these, answered with another status."),
        "unanswered": column(INTEGER, "Of these, without a complete response."),
        "answered_2xx_share": column(NUMBER, "answered_2xx / requests, 0 to 1."),
        "calls": column(INTEGER, "Finished calls of the pulls; a call is one or more requests (attempts)."),
        "ok_at_once": column(INTEGER, "Of the calls, answered at the first attempt."),
        "ok_after_retry": column(INTEGER, "Of the calls, answered at a later attempt."),
        "gave_up": column(INTEGER, "Of the calls, not answered after all attempts."),
        "refused": column(INTEGER, "Of the calls, refused: a retry would not have helped."),
        "ok_share": column(
            NUMBER,
            "(ok_at_once + ok_after_retry) / calls, 0 to 1; null: no finished call.",
            nullable=True,
        ),
        "size_bytes": column(INTEGER, "Bytes of all response bodies, unpacked."),
        "seconds_p50": column(NUMBER, "Median time from sending a request to the end of its response."),
        "seconds_p95": column(NUMBER, "95th percentile of that time."),
        "seconds_p99": column(NUMBER, "99th percentile of that time."),
        "seconds_max": column(NUMBER, "Longest such time."),
    },
    sort=("source_id", "day"),
)
