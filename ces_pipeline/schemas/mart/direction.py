"""Whether scores still agree with the other facts of the same answers: columns of the mart of direction drift."""

from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "can_the_data_be_trusted"

_MAYBE = {"nullable": True}
_NONE = "null: too few answers, or all values are equal."

_SIGNALS = (
    "What ease is compared with. Of the answer: `csat`, `nps`, `comment_length`. Of the ticket that it is about: "
    "`ticket_csat`, `reopens`, `replies`, `handoffs`, `resolution_minutes`."
)

SCORE_SIGNALS_DAILY = Table(
    "mart.score_signals_daily",
    "One row per source, survey, signal and day of answers that have the signal and a score.",
    ("source_id", "survey_id", "signal", "day"),
    {
        "source_id": column(TEXT, "The source of the answers."),
        "survey_id": column(TEXT, "The survey."),
        "signal": column(TEXT, _SIGNALS),
        "day": column(DAY, "The day of the answers."),
        "n": column(INTEGER, "Answers."),
        "ease_sum_0_100": column(NUMBER, "Sum of ease_0_100."),
        "ease_square_sum_0_100": column(NUMBER, "Sum of its squares."),
        "signal_sum": column(
            NUMBER,
            "Sum of the signal: CSAT from 0 to 100, NPS answers from 0 to 10; of lengths in characters, counts and "
            "minutes the sum of ln(1 + value). No comment has the length 0.",
        ),
        "signal_square_sum": column(NUMBER, "Sum of the squares of these values."),
        "product_sum": column(NUMBER, "Sum of ease_0_100 x these values."),
    },
    sort=("source_id", "survey_id", "signal", "day"),
)

DIRECTION_DRIFT = Table(
    "mart.direction_drift",
    "One row per source, survey and signal: does ease still go with the signal in the old direction?",
    ("source_id", "survey_id", "signal"),
    {
        "source_id": column(TEXT, "The source of the answers."),
        "survey_id": column(TEXT, "The survey."),
        "signal": column(TEXT, _SIGNALS),
        "expected_sign": column(
            INTEGER,
            "1: the signal goes up with ease by its definition; null: its direction is that of earlier answers.",
            **_MAYBE,
        ),
        "n_before": column(INTEGER, "Answers before the newest ones, without those of a drift that ended."),
        "correlation_before": column(
            NUMBER, f"Their correlation of ease with the signal, within neighbouring days; {_NONE}", **_MAYBE
        ),
        "correlation_low_before": column(NUMBER, f"Lower end of its 95 % interval; {_NONE}", **_MAYBE),
        "correlation_high_before": column(NUMBER, f"Upper end; {_NONE}", **_MAYBE),
        "first_day": column(
            DAY, "First day of the newest answers: of a drift, about when it began; else of the last 60."
        ),
        "last_day": column(DAY, "Last day with answers."),
        "n": column(INTEGER, "The newest answers."),
        "correlation": column(NUMBER, f"Their correlation; {_NONE}", **_MAYBE),
        "correlation_low": column(NUMBER, f"Lower end of its 95 % interval; {_NONE}", **_MAYBE),
        "correlation_high": column(NUMBER, f"Upper end; {_NONE}", **_MAYBE),
        "state": column(
            TEXT,
            "`agrees`; a drift: `reversed` (the interval is on the other side of zero) or `no longer agrees` (only "
            "with an expected sign); `no clear direction` (too weak to be watched); `too few answers` (or all are "
            "equal).",
        ),
        "is_flagged": column(
            FLAG, "True for a drift: chance hardly explains how the newest answers differ from those before."
        ),
        "flagged_on": column(DAY, "The day whose answers made the drift certain; null: none.", **_MAYBE),
        "method_version": column(INTEGER, "Version of the method."),
    },
    sort=("source_id", "survey_id", "signal"),
)
