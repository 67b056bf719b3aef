"""The audit tables: what was requested and landed, how each day was cleaned, which checks ran, what changed."""

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, Table, column

_KINDS = "Kind of feed: `survey`, `tickets`, `accounts`, `invitations`, `events` or `follow_ups`."

LOAD_AUDIT = Table(
    "audit.load_audit",
    "One row per kind, day, source and cleaning; landed = redelivered + superseded + accepted + rejected.",
    ("kind", "day", "source_id", "cleaned_at"),
    {
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The day that was cleaned."),
        "source_id": column(TEXT, "The feed."),
        "landed": column(INTEGER, "Rows of the day in all deliveries so far."),
        "redelivered": column(INTEGER, "Of these, copies of a row already landed."),
        "landed_again": column(
            INTEGER,
            "Redelivered rows that stand in the lake twice, since deliveries came out of order (part of redelivered).",
        ),
        "superseded": column(INTEGER, "Of these, older contents of a row with a newer one (on any day)."),
        "accepted": column(INTEGER, "Of these, rows in the published table."),
        "rejected": column(INTEGER, "Of these, rows in the quarantine."),
        "suspect": column(INTEGER, "Accepted rows that a suspect rule marked."),
        "run_id": column(TEXT, "The Dagster run, or `local` and a time."),
        "rule_version": column(TEXT, "Version of the rules."),
        "inputs": column(
            TEXT, "Fingerprint of the deliveries, registry and rules that the day was cleaned from."
        ),
        "outputs": column(TEXT, "Names, sizes and hashes of the day's files, as JSON."),
        "cleaned_at": column(INSTANT, "When."),
        "is_current": column(FLAG, "True for the latest cleaning of the day."),
    },
    sort=("kind", "day", "source_id", "cleaned_at"),
)

DELIVERIES = Table(
    "audit.deliveries",
    "One row per delivery.",
    ("source_id", "delivery_id"),
    {
        "delivery_id": column(TEXT, "SHA-256 of the content, unpacked."),
        "source_id": column(TEXT, "The feed."),
        "kind": column(TEXT, _KINDS),
        "file_name": column(TEXT, "Name of the file, redacted."),
        "size_bytes": column(INTEGER, "Size of the content, unpacked."),
        "received_at": column(INSTANT, "When it was landed."),
        "as_of": column(
            INSTANT,
            "The newest time in it that is not in the future; of a pull, its moment; null: none.",
            nullable=True,
        ),
        "rows_read": column(INTEGER, "Rows in the file, unreadable ones included."),
        "rows_landed": column(INTEGER, "Rows that were new or changed."),
        "rows_redelivered": column(
            INTEGER, "Rows already landed by an earlier delivery, or repeated in this one."
        ),
        "rows_unreadable": column(INTEGER, "Landed rows that did not fit the export's own header."),
        "first_day": column(DAY, "First day with rows in it; null: none.", nullable=True),
        "last_day": column(DAY, "Last day with rows in it; null: none.", nullable=True),
    },
    sort=("received_at", "delivery_id"),
)

DELIVERY_DAYS = Table(
    "audit.delivery_days",
    "One row per delivery and day that it holds rows of.",
    ("source_id", "delivery_id", "day"),
    {
        "delivery_id": column(TEXT, "The delivery."),
        "source_id": column(TEXT, "The feed."),
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The day."),
        "rows_landed": column(INTEGER, "Rows of the day that were new or changed."),
        "rows_redelivered": column(INTEGER, "Rows of the day that were already landed."),
    },
    sort=("delivery_id", "day"),
)

CHECK_RESULTS = Table(
    "audit.check_results",
    "One row per check and run.",
    ("run_id", "check_name"),
    {
        "run_id": column(TEXT, "The run that published, or tried to."),
        "check_name": column(TEXT, "The check."),
        "is_blocking": column(FLAG, "True where a failure keeps the old snapshot published."),
        "passed": column(FLAG, "The verdict."),
        "failures": column(INTEGER, "Offending rows or days."),
        "detail": column(TEXT, "What failed, and what to do; null: passed.", nullable=True),
        "checked_at": column(INSTANT, "When."),
    },
    sort=("checked_at", "check_name"),
)

RESTATEMENTS = Table(
    "audit.restatements",
    "One row per published day of a table that a later publish changed.",
    ("run_id", "table_name", "day"),
    {
        "run_id": column(TEXT, "The run that changed it."),
        "table_name": column(TEXT, "A table of the lake's day files."),
        "day": column(DAY, "The day."),
        "rows_before": column(INTEGER, "Rows published before."),
        "rows_after": column(INTEGER, "Rows published now."),
        "ease_sum_before": column(NUMBER, "Sum of ease_0_100 before; null: no scores.", nullable=True),
        "ease_sum_after": column(NUMBER, "Sum of ease_0_100 now; null: no scores.", nullable=True),
        "restated_at": column(INSTANT, "When."),
    },
    sort=("restated_at", "table_name", "day"),
)

REQUESTS = Table(
    "audit.requests",
    "One row per request to a vendor's API, those that failed included.",
    ("pull_id", "number"),
    {
        "pull_id": column(TEXT, "The pull: feed, time and a random part."),
        "number": column(INTEGER, "The request's place in its pull, from 1."),
        "source_id": column(TEXT, "The feed."),
        "method": column(TEXT, "`GET` or `POST`."),
        "path": column(TEXT, "Path without query."),
        "status": column(INTEGER, "HTTP status; null: no whole answer arrived.", nullable=True),
        "outcome": column(
            TEXT,
            "`ok`; `retried`; `gave_up` (it failed for the last time); `refused` (trying again would not help).",
        ),
        "attempt": column(INTEGER, "1 for the first try of a request, 2 for the second ..."),
        "size_bytes": column(INTEGER, "Bytes of the answer's body that arrived, unpacked."),
        "seconds": column(NUMBER, "From sending the request to the end of its answer."),
        "requested_at": column(INSTANT, "When it was sent."),
    },
    sort=("requested_at", "pull_id", "number"),
)

PULL_WINDOWS = Table(
    "audit.pull_windows",
    "One row per pull and span of time for which its vendor was asked how many records there are.",
    ("pull_id", "window_start", "window_end"),
    {
        "pull_id": column(TEXT, "The pull: feed, time and a random part."),
        "source_id": column(TEXT, "The feed."),
        "stream": column(TEXT, "What is counted, such as `tickets that are not deleted`."),
        "window_start": column(INSTANT, "Start of the span; it belongs to it."),
        "window_end": column(INSTANT, "End of the span; it does not belong to it."),
        "landed": column(
            INTEGER, "Records landed by any delivery so far whose latest change lies in the span."
        ),
        "expected": column(
            INTEGER, "Records that the vendor says there are in it; null: not known.", nullable=True
        ),
        "basis": column(
            TEXT,
            "`count` (the vendor counted); `export` (rows of its finished export of the span); "
            "`second_read` (listed once more); `unknown`.",
        ),
        "detail": column(TEXT, "Why nothing is known; null: something is.", nullable=True),
        "asked_at": column(INSTANT, "Start of the pull."),
    },
    sort=("asked_at", "pull_id", "window_start", "window_end"),
)

PULLS = Table(
    "audit.pulls",
    "One row per pull of a feed from its API that came to its end, well or not.",
    ("pull_id",),
    {
        "pull_id": column(TEXT, "The pull: feed, time and a random part."),
        "source_id": column(TEXT, "The feed."),
        "started_at": column(INSTANT, "When it began."),
        "requests": column(INTEGER, "Requests that it sent."),
        "records": column(INTEGER, "Records that its pages held."),
        "rows_landed": column(INTEGER, "Rows of these that were new or changed."),
        "failure": column(TEXT, "What went wrong, and what to do; null: nothing.", nullable=True),
        "is_transient": column(FLAG, "True where the next pull may succeed without anything being done."),
    },
    sort=("started_at", "pull_id"),
)

DELIVERY_COLUMNS = Table(
    "audit.delivery_columns",
    "One row per delivery and column that its landed rows had.",
    ("source_id", "delivery_id", "column_name"),
    {
        "source_id": column(TEXT, "The feed."),
        "delivery_id": column(TEXT, "The delivery."),
        "column_name": column(TEXT, "The export's column, redacted; nested names are joined with dots."),
        "field": column(TEXT, "Our field that it is mapped to; null: none.", nullable=True),
        "kind": column(
            TEXT, "What all its values were: `number`, `time`, `flag`, `person`, `text`; `empty` where none."
        ),
        "filled": column(INTEGER, "Rows looked at that had a value."),
        "looked_at": column(INTEGER, "Rows looked at: all of the delivery, or the first 20,000."),
        "received_at": column(INSTANT, "When the delivery was landed."),
    },
    sort=("source_id", "received_at", "delivery_id", "column_name"),
)
