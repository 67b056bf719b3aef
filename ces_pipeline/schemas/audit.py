"""The audit tables: requests and deliveries, cleaned days, check results, published days that changed, probes."""

from ces_pipeline.schemas.table import DAY, FLAG, INSTANT, INTEGER, NUMBER, TEXT, TEXTS, Table, column

_KINDS = "Kind of source: `survey`, `tickets`, `accounts`, `invitations`, `events` or `follow_ups`."

LOAD_AUDIT = Table(
    "audit.load_audit",
    "One row per kind, day, source and cleaning; landed = redelivered + superseded + accepted + rejected + unlanded "
    "+ erased.",
    ("kind", "day", "source_id", "cleaned_at"),
    {
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The day that was cleaned."),
        "source_id": column(TEXT, "The source."),
        "landed": column(INTEGER, "Rows of the day in all deliveries so far."),
        "redelivered": column(INTEGER, "Of these, copies of a row already landed."),
        "landed_again": column(
            INTEGER,
            "Redelivered rows that the lake stores twice, since deliveries arrived out of order (part of redelivered).",
        ),
        "superseded": column(
            INTEGER, "Of these, older versions of a row that has a newer version (on any day)."
        ),
        "accepted": column(INTEGER, "Of these, rows in the published table."),
        "rejected": column(INTEGER, "Of these, rows in the quarantine."),
        "unlanded": column(
            INTEGER,
            "Of these, rows of deliveries that a command took back; null: cleaned by an earlier release.",
            nullable=True,
        ),
        "erased": column(
            INTEGER,
            "Of these, rows of people who were erased; null: cleaned by an earlier release.",
            nullable=True,
        ),
        "suspect": column(INTEGER, "Accepted rows that a suspect rule marked."),
        "unknown_words": column(
            TEXT,
            "Words of flags and states that no list knows, as JSON: field, word, rows; null: none.",
            nullable=True,
        ),
        "run_id": column(TEXT, "The Dagster run, or `local` and a time."),
        "rule_version": column(TEXT, "Version of the rules."),
        "inputs": column(
            TEXT, "Fingerprint of the deliveries, registry and rules that the day was cleaned from."
        ),
        "outputs": column(TEXT, "Names, sizes and hashes of the day's files, as JSON."),
        "cleaned_at": column(INSTANT, "When the day was cleaned."),
        "is_current": column(FLAG, "True for the latest cleaning of the day."),
    },
    sort=("kind", "day", "source_id", "cleaned_at"),
)

COMMIT_MARKERS = "audit/load_audit"
"""Folder of `audit.load_audit` in the lake: a folder for each kind, with a file for each day, its commit marker."""

DELIVERIES = Table(
    "audit.deliveries",
    "One row per delivery.",
    ("source_id", "delivery_id"),
    {
        "delivery_id": column(TEXT, "SHA-256 of the content, unpacked."),
        "source_id": column(TEXT, "The source."),
        "kind": column(TEXT, _KINDS),
        "file_name": column(TEXT, "Name of the file, redacted."),
        "size_bytes": column(INTEGER, "Size of the content, unpacked."),
        "received_at": column(INSTANT, "When it landed."),
        "as_of": column(
            INSTANT,
            "The newest time in it that is not in the future; null: none.",
            nullable=True,
        ),
        "rows_read": column(INTEGER, "Rows in the file, including unreadable rows."),
        "rows_landed": column(INTEGER, "Rows that were new or changed."),
        "rows_redelivered": column(
            INTEGER, "Rows already landed by an earlier delivery, or repeated in this one."
        ),
        "rows_unreadable": column(INTEGER, "Landed rows that did not match the header of the export."),
        "rows_unlanded": column(INTEGER, "Rows that it had landed until a command took it back."),
        "rows_erased": column(INTEGER, "Rows of people who were erased."),
        "unlanded_at": column(INSTANT, "When a command took it back; null: it counts.", nullable=True),
        "first_day": column(DAY, "First day with rows in it; null: none.", nullable=True),
        "last_day": column(DAY, "Last day with rows in it; null: none.", nullable=True),
    },
    sort=("received_at", "delivery_id"),
)

DELIVERY_DAYS = Table(
    "audit.delivery_days",
    "One row per delivery and day of its rows.",
    ("source_id", "delivery_id", "day"),
    {
        "delivery_id": column(TEXT, "The delivery."),
        "source_id": column(TEXT, "The source."),
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The day."),
        "rows_landed": column(INTEGER, "Rows of the day that were new or changed."),
        "rows_redelivered": column(INTEGER, "Rows of the day that were already landed."),
        "rows_unlanded": column(INTEGER, "Rows of the day that a command took back."),
        "rows_erased": column(INTEGER, "Rows of the day of people who were erased."),
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
        "is_blocking": column(FLAG, "True if a failure keeps the old file published."),
        "passed": column(FLAG, "True if the check passed."),
        "failures": column(INTEGER, "Rows or days that failed the check."),
        "detail": column(TEXT, "What failed, and what to do; null: passed.", nullable=True),
        "checked_at": column(INSTANT, "When the check ran."),
    },
    sort=("checked_at", "check_name"),
)

RESTATEMENTS = Table(
    "audit.restatements",
    "One row per published day of a table that a later publish changed.",
    ("run_id", "table_name", "day"),
    {
        "run_id": column(TEXT, "The run that changed it."),
        "table_name": column(TEXT, "The table."),
        "day": column(DAY, "The day."),
        "rows_before": column(INTEGER, "Rows published before."),
        "rows_after": column(INTEGER, "Rows published now."),
        "ease_sum_before": column(NUMBER, "Sum of ease_0_100 before; null: no scores.", nullable=True),
        "ease_sum_after": column(NUMBER, "Sum of ease_0_100 now; null: no scores.", nullable=True),
        "restated_at": column(INSTANT, "When the day was published again."),
    },
    sort=("restated_at", "table_name", "day"),
)

FIGURE_HISTORY = Table(
    "audit.figure_history",
    "One row per survey, day and publish that first showed these figures of it.",
    ("survey_id", "day", "published_at"),
    {
        "survey_id": column(TEXT, "The survey."),
        "day": column(DAY, "The day of the answers."),
        "published_at": column(INSTANT, "When the figures were published."),
        "run_id": column(TEXT, "The run that published them."),
        "n": column(INTEGER, "Scored, accepted responses; 0: those of earlier rows are gone."),
        **{
            name: column(NUMBER, f"{means}; null: fewer than the minimum n.", nullable=True)
            for name, means in {
                "mean_effort_0_100": "Mean effort, higher is harder",
                "mean_ease_0_100": "Mean ease, higher is easier",
                "ease_low_0_100": "Lower end of the 95 % interval of mean ease",
                "ease_high_0_100": "Upper end of that interval",
                "easy_share": "Share of answers in the easy boxes, 0 to 1",
                "easy_share_low": "Lower end of its 95 % interval",
                "easy_share_high": "Upper end of that interval",
                "difficult_share": "Share of answers in the difficult boxes, 0 to 1",
                "difficult_share_low": "Lower end of its 95 % interval",
                "difficult_share_high": "Upper end of that interval",
                "top_two_share": "Share of the two best answers, 0 to 1",
            }.items()
        },
        "easy_count": column(INTEGER, "Responses in the easy boxes of the scale."),
        "neutral_count": column(INTEGER, "Responses between the boxes."),
        "difficult_count": column(INTEGER, "Responses in the difficult boxes of the scale."),
        "top_two_count": column(INTEGER, "Responses with one of the two best answers of their scale."),
        "ease_sum_0_100": column(NUMBER, "Sum of ease; sum it and n to pool days."),
        "ease_square_sum_0_100": column(NUMBER, "Sum of squared ease, to pool standard deviations."),
    },
    sort=("survey_id", "day", "published_at"),
)

REQUESTS = Table(
    "audit.requests",
    "One row per request to a vendor's API, including failed requests.",
    ("pull_id", "number"),
    {
        "pull_id": column(TEXT, "The pull: source, time and a random part."),
        "number": column(INTEGER, "Position of the request in its pull, from 1."),
        "source_id": column(TEXT, "The source."),
        "method": column(TEXT, "`GET` or `POST`."),
        "path": column(TEXT, "Path without query."),
        "status": column(INTEGER, "HTTP status; null: no complete response arrived.", nullable=True),
        "outcome": column(
            TEXT,
            "`ok`; `retried`; `gave_up` (the last attempt failed); `refused` (a retry would not help).",
        ),
        "attempt": column(INTEGER, "1 for the first attempt of a request, 2 for the second ..."),
        "size_bytes": column(INTEGER, "Bytes of the response body that arrived, unpacked."),
        "seconds": column(NUMBER, "Seconds from sending the request to the end of its response."),
        "requested_at": column(INSTANT, "When it was sent."),
    },
    sort=("requested_at", "pull_id", "number"),
)

PULL_WINDOWS = Table(
    "audit.pull_windows",
    "One row per pull and span of time for which the vendor was asked for its number of records.",
    ("pull_id", "window_start", "window_end"),
    {
        "pull_id": column(TEXT, "The pull: source, time and a random part."),
        "source_id": column(TEXT, "The source."),
        "stream": column(TEXT, "What is counted, such as `tickets that are not deleted`."),
        "window_start": column(INSTANT, "Start of the span, included."),
        "window_end": column(INSTANT, "End of the span, not included."),
        "landed": column(
            INTEGER, "Records landed by any delivery so far whose latest change is in the span."
        ),
        "expected": column(
            INTEGER, "Records in the span, as the vendor reports; null: not known.", nullable=True
        ),
        "basis": column(
            TEXT,
            "`count` (the vendor counted); `export` (rows of its finished export of the span); "
            "`second_read` (the records were listed a second time); `unknown`.",
        ),
        "detail": column(TEXT, "Why the number is unknown; null: it is known.", nullable=True),
        "asked_at": column(INSTANT, "Start of the pull."),
    },
    sort=("asked_at", "pull_id", "window_start", "window_end"),
)

PULLS = Table(
    "audit.pulls",
    "One row per finished pull of a source from its API, including failed pulls.",
    ("pull_id",),
    {
        "pull_id": column(TEXT, "The pull: source, time and a random part."),
        "source_id": column(TEXT, "The source."),
        "started_at": column(INSTANT, "When it started."),
        "requests": column(INTEGER, "Requests sent."),
        "records": column(INTEGER, "Records in its pages."),
        "rows_landed": column(INTEGER, "Of these, rows that were new or changed."),
        "failure": column(TEXT, "What failed, and what to do; null: the pull succeeded.", nullable=True),
        "is_transient": column(FLAG, "True if the next pull may succeed without any change."),
    },
    sort=("started_at", "pull_id"),
)

DELIVERY_COLUMNS = Table(
    "audit.delivery_columns",
    "One row per delivery and column of its landed rows.",
    ("source_id", "delivery_id", "column_name"),
    {
        "source_id": column(TEXT, "The source."),
        "delivery_id": column(TEXT, "The delivery."),
        "column_name": column(TEXT, "The export's column, redacted; nested names are joined with dots."),
        "field": column(TEXT, "Our field that it is mapped to; null: none.", nullable=True),
        "kind": column(
            TEXT,
            "Type of all its values: `number`, `time`, `flag`, `person`, `text`; `empty` if it has none.",
        ),
        "filled": column(INTEGER, "Examined rows with a value."),
        "looked_at": column(INTEGER, "Examined rows: all rows of the delivery, or the first 20,000."),
        "value_counts": column(
            TEXT,
            "Examined rows by value as JSON, redacted, of a field of few values (channel, answer, state); null: it is "
            "none, has more than 50 values or long ones, or was delivered to an earlier release.",
            nullable=True,
        ),
        "received_at": column(INSTANT, "When the delivery landed."),
    },
    sort=("source_id", "received_at", "delivery_id", "column_name"),
)

SCHEMA_CHANGES = Table(
    "audit.schema_changes",
    "One row per delivery and change of what the source delivers.",
    ("source_id", "delivery_id", "change", "column_name", "item"),
    {
        "source_id": column(TEXT, "The source."),
        "delivery_id": column(TEXT, "The delivery that shows it."),
        "change": column(
            TEXT,
            "`column_added`, `column_gone`, `column_renamed`, `column_retyped`, `value_added`, `value_gone` or "
            "`value_renamed`.",
        ),
        "column_name": column(TEXT, "The export's column, redacted; of a renamed one, its new name."),
        "field": column(TEXT, "Our field that it is mapped to; null: none.", nullable=True),
        "item": column(TEXT, "The value, redacted; of a renamed one, the new value; else the column."),
        "was": column(TEXT, "Kind, name or value before; null: it was added.", nullable=True),
        "is_now": column(TEXT, "Kind, name or value now; null: it is gone.", nullable=True),
        "received_at": column(INSTANT, "When the delivery landed."),
    },
    sort=("source_id", "received_at", "delivery_id", "column_name", "change", "item"),
)

CORRECTIONS = Table(
    "audit.corrections",
    "One row per command that took back, judged again, restated or erased rows that had landed.",
    ("correction_id",),
    {
        "correction_id": column(TEXT, "The correction: time and a random part."),
        "command": column(TEXT, "`unland`, `replay`, `restate`, `forget` or `rename`."),
        "made_by": column(TEXT, "The operating system's user who ran the command."),
        "made_at": column(INSTANT, "When it began."),
        "why": column(TEXT, "The reason that was given, redacted; null: none.", nullable=True),
        "source_id": column(TEXT, "The source; null: all.", nullable=True),
        "delivery_id": column(TEXT, "The delivery; null: not one delivery.", nullable=True),
        "first_day": column(DAY, "First day concerned; null: no day.", nullable=True),
        "last_day": column(DAY, "Last day concerned; null: no day.", nullable=True),
        "rows_touched": column(INTEGER, "Landed rows that it changed or removed."),
        "detail": column(
            TEXT, "What happened, in words; never a person's value; null: nothing to add.", nullable=True
        ),
    },
    sort=("made_at", "correction_id"),
)

AUDITS = Table(
    "audit.audits",
    "One row per audit and kind of source: how many published days cleaning them again would change.",
    ("run_id", "kind"),
    {
        "run_id": column(TEXT, "The Dagster run, or `local` and a time."),
        "kind": column(TEXT, _KINDS),
        "first_day": column(DAY, "First day that was compared."),
        "last_day": column(DAY, "Last day that was compared."),
        "days": column(INTEGER, "Days that were compared."),
        "rows": column(INTEGER, "Landed rows of these days."),
        "days_that_would_change": column(INTEGER, "Days with other rows by today's registry and code."),
        "rows_that_would_change": column(INTEGER, "Their rows that would change."),
        "rule_version": column(TEXT, "Version of the rules that judged them in the audit."),
        "audited_at": column(INSTANT, "When the audit began."),
    },
    sort=("audited_at", "run_id", "kind"),
)

AUDIT_FINDINGS = Table(
    "audit.audit_findings",
    "One row per audit, kind, day and change: what cleaning the day again would change. The audit changed nothing.",
    ("run_id", "kind", "day", "change"),
    {
        "run_id": column(TEXT, "The audit."),
        "kind": column(TEXT, _KINDS),
        "day": column(DAY, "The published day."),
        "change": column(
            TEXT,
            "Verdict and reasons as published and by today's registry and code, such as `rejected (too_fast) -> "
            "accepted`; or the columns with other values.",
        ),
        "rows": column(INTEGER, "Rows that would change so."),
        "is_stale": column(
            FLAG, "True if the next run cleans the day anyway; false: only `ces restate` changes it."
        ),
        "audited_at": column(INSTANT, "When the audit began."),
    },
    sort=("audited_at", "run_id", "kind", "day", "change"),
)

VERDICT_CHANGES = Table(
    "audit.verdict_changes",
    "One row per response whose verdict changed when its day was judged again.",
    ("response_key", "delivery_id", "inputs"),
    {
        "response_key": column(TEXT, "The response."),
        "source_id": column(TEXT, "The source that delivered it."),
        "survey_id": column(TEXT, "The registered survey; null: unregistered.", nullable=True),
        "day": column(DAY, "The day that was judged again."),
        "delivery_id": column(TEXT, "The earliest delivery with this content."),
        "verdict_before": column(TEXT, "`accepted`, `suspect` (accepted with a mark) or `rejected`."),
        "verdict_now": column(TEXT, "`accepted`, `suspect` or `rejected`."),
        "reasons_before": column(TEXTS, "The reasons, or the flags of an accepted response; empty: none."),
        "reasons_now": column(TEXTS, "The reasons, or the flags of an accepted response; empty: none."),
        "rule_version": column(TEXT, "Version of the rules that judged it now."),
        "inputs": column(
            TEXT, "Fingerprint of the deliveries, registry and rules that it was judged by now."
        ),
        "run_id": column(TEXT, "The run that judged it."),
        "changed_at": column(INSTANT, "When it was judged."),
    },
    sort=("changed_at", "response_key"),
)

PROBES = Table(
    "audit.probes",
    "One row per probe and question of the cookbook: was the published file read in time? Days that are over.",
    ("probe_id", "question"),
    {
        "probe_id": column(TEXT, "The probe: time and a random part."),
        "question": column(TEXT, "The query, a file of `sql/queries/`."),
        "seconds": column(NUMBER, "Seconds from opening the file to the answer, or to the failure."),
        "limit_seconds": column(NUMBER, "The time in which it must be answered."),
        "is_in_time": column(FLAG, "True if it was answered in that time."),
        "failure": column(TEXT, "What went wrong; null: answered in time.", nullable=True),
        "newest_response_at": column(
            INSTANT,
            "Time of the newest response in the file; null: none, or it could not be read.",
            nullable=True,
        ),
        "probed_at": column(INSTANT, "When the probe began."),
    },
    sort=("probed_at", "probe_id", "question"),
)
