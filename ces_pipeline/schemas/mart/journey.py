"""Columns of the marts on effort along the customer journey."""

from ces_pipeline.schemas.mart.segments import IS_MIXED_SCALES, TOP_TWO
from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "where_in_the_journey"

JOURNEY_WEEKLY = Table(
    "mart.journey_weekly",
    "One row per week x process x journey stage, from the first week with a response to the last.",
    ("week", "process", "journey_stage"),
    {
        "week": column(DAY, "Monday of the week."),
        "process": column(TEXT, "Support, renewal, expansion .... Processes are never summed."),
        "journey_stage": column(TEXT, "Stage of the customer journey."),
        "is_measured": column(FLAG, "False if the stage had no scored response: its effort is unknown."),
        "n": column(INTEGER, "Scored, accepted responses (including suspect ones)."),
        "n_suspect": column(INTEGER, "Of these, marked suspect."),
        "mean_effort_0_100": column(
            NUMBER, "Mean effort, higher is harder; null: fewer than the minimum n.", nullable=True
        ),
        "mean_ease_0_100": column(
            NUMBER, "100 - mean effort, higher is easier; null: no mean effort.", nullable=True
        ),
        "ease_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (Student t with 1.5 added answers); null: no estimate, or n below 2.",
            nullable=True,
        ),
        "ease_high_0_100": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
        "easy_count": column(INTEGER, "Responses in the easy boxes of the scale."),
        "neutral_count": column(INTEGER, "Responses between the boxes."),
        "difficult_count": column(INTEGER, "Responses in the difficult boxes of the scale."),
        "net_ease": column(
            NUMBER,
            "Easy share minus difficult share, -1 to 1; null: fewer than the minimum n.",
            nullable=True,
        ),
        "net_ease_low": column(
            NUMBER, "Lower end of its 95 % interval (adjusted Wald); null: no estimate.", nullable=True
        ),
        "net_ease_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
        "is_suppressed": column(FLAG, "True if n is below the minimum n: the figures are null, not zero."),
        **TOP_TWO,
        "is_mixed_scales": IS_MIXED_SCALES,
        "ease_sum_0_100": column(NUMBER, "Sum of ease, to pool weeks together with n; never suppressed."),
    },
    sort=("week", "process", "journey_stage"),
)

CUSTOMER_JOURNEYS = Table(
    "mart.customer_journeys",
    "One row per known customer and process with a touch within the journey window, which ends on the newest "
    "response day.",
    ("person_key", "process"),
    {
        "person_key": column(TEXT, "Keyed hash of the customer, same as respondent_key."),
        "process": column(TEXT, "Support, renewal, expansion .... Processes are never summed."),
        "touches": column(INTEGER, "Tickets, trigger events, and answers without either."),
        "measured_touches": column(INTEGER, "Of these, with a scored response."),
        "missing_touches": column(
            INTEGER, "Of these, without a scored response; no value is assumed for them."
        ),
        "responses": column(INTEGER, "Scored responses; a touch may have several."),
        "cumulative_effort": column(
            NUMBER, "Sum of effort_0_100 over the responses; null: none.", nullable=True
        ),
        "decayed_effort": column(
            NUMBER,
            "The same sum, each effort halved for every half-life of its age on the newest response day; null: none.",
            nullable=True,
        ),
        "worst_stage": column(
            TEXT,
            "Stage with the highest mean effort; of equal stages, the one with more responses; null: no response.",
            nullable=True,
        ),
        "first_touch_day": column(DAY, "First touch in the window; null: only answers.", nullable=True),
        "last_touch_day": column(DAY, "Last touch in the window; null: only answers.", nullable=True),
    },
    sort=("person_key", "process"),
)
