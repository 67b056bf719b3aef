"""Effort by day and segment: columns of the marts that split responses."""

from typing import Any

from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

EFFORT_FIGURES: dict[str, Any] = {
    "n": column(INTEGER, "Scored, accepted responses (suspect ones included)."),
    "n_suspect": column(INTEGER, "Of these, marked suspect."),
    "mean_effort_0_100": column(
        NUMBER, "Mean effort, higher is harder; null: fewer than the minimum n.", nullable=True
    ),
    "mean_ease_0_100": column(
        NUMBER, "Mean ease, higher is easier; null: fewer than the minimum n.", nullable=True
    ),
    "sd_ease_0_100": column(
        NUMBER,
        "Sample standard deviation of ease (and of effort); null: n below 2 or the minimum n.",
        nullable=True,
    ),
    "ease_low_0_100": column(
        NUMBER,
        "Lower end of the 95 % interval of mean ease (Student t, kept inside 0 to 100); null as sd.",
        nullable=True,
    ),
    "ease_high_0_100": column(NUMBER, "Upper end of that interval; null as sd.", nullable=True),
    "easy_count": column(INTEGER, "Responses in the scale's easy boxes."),
    "neutral_count": column(INTEGER, "Responses between the boxes."),
    "difficult_count": column(INTEGER, "Responses in the scale's difficult boxes."),
    "easy_share": column(NUMBER, "easy_count / n, 0 to 1; null: fewer than the minimum n.", nullable=True),
    "easy_share_low": column(NUMBER, "Lower end of its 95 % interval (Wilson); null as it.", nullable=True),
    "easy_share_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
    "difficult_share": column(
        NUMBER, "difficult_count / n, 0 to 1; null: fewer than the minimum n.", nullable=True
    ),
    "difficult_share_low": column(
        NUMBER, "Lower end of its 95 % interval (Wilson); null as it.", nullable=True
    ),
    "difficult_share_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
    "net_ease": column(
        NUMBER,
        "Easy share minus difficult share, -1 to 1; null: fewer than the minimum n.",
        nullable=True,
    ),
    "net_ease_low": column(
        NUMBER, "Lower end of its 95 % interval (adjusted Wald); null as it.", nullable=True
    ),
    "net_ease_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
    "is_suppressed": column(FLAG, "True where n is below the minimum n: the figures are null, not zero."),
    "ease_sum_0_100": column(
        NUMBER, "Sum of ease: add these and n up to pool days or segments; never suppressed."
    ),
}
"""What every split of the scored responses tells of a group."""

CES_DAILY = Table(
    "mart.ces_daily",
    "One row per day x survey x channel x persona x product x stage with at least one scored response.",
    ("day", "survey_id", "channel", "persona", "product", "journey_stage"),
    {
        "day": column(DAY, "Business-zone date of recorded_at."),
        "survey_id": column(TEXT, "The touchpoint."),
        "channel": column(TEXT, "Channel of the interaction."),
        "persona": column(TEXT, "Persona; `unassigned` where no rule matches."),
        "product": column(TEXT, "Product or service."),
        "journey_stage": column(TEXT, "Stage of the customer journey."),
        **EFFORT_FIGURES,
    },
    sort=("day", "survey_id", "channel", "persona", "product", "journey_stage"),
)

TABLES = (CES_DAILY,)
