"""Columns of the marts that split responses by day and segment."""

from typing import Any

from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "how_hard_is_it_and_for_whom"

EFFORT_FIGURES: dict[str, Any] = {
    "n": column(INTEGER, "Scored, accepted responses (including suspect ones)."),
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
        "Lower end of the 95 % interval of mean ease (Student t with 1.5 added answers); null: no standard deviation.",
        nullable=True,
    ),
    "ease_high_0_100": column(
        NUMBER, "Upper end of that interval; null: no standard deviation.", nullable=True
    ),
    "easy_count": column(INTEGER, "Responses in the easy boxes of the scale."),
    "neutral_count": column(INTEGER, "Responses between the boxes."),
    "difficult_count": column(INTEGER, "Responses in the difficult boxes of the scale."),
    "easy_share": column(NUMBER, "easy_count / n, 0 to 1; null: fewer than the minimum n.", nullable=True),
    "easy_share_low": column(
        NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", nullable=True
    ),
    "easy_share_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
    "difficult_share": column(
        NUMBER, "difficult_count / n, 0 to 1; null: fewer than the minimum n.", nullable=True
    ),
    "difficult_share_low": column(
        NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", nullable=True
    ),
    "difficult_share_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
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
    "ease_sum_0_100": column(NUMBER, "Sum of ease; sum it and n to pool days or segments; never suppressed."),
    "ease_square_sum_0_100": column(
        NUMBER, "Sum of squared ease, to pool standard deviations; never suppressed."
    ),
}
"""The figures of every group of scored responses."""

TOP_TWO: dict[str, Any] = {
    "top_two_count": column(INTEGER, "Responses with one of the two best answers of their scale."),
    "top_two_share": column(
        NUMBER, "top_two_count / n, 0 to 1; null: fewer than the minimum n.", nullable=True
    ),
    "top_two_share_low": column(
        NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", nullable=True
    ),
    "top_two_share_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
}
"""The share that the dashboards of vendors show."""

IS_MIXED_SCALES = column(
    FLAG,
    "True if its answers are on several scales: shares and means follow the mix of the scales too.",
)

IS_MIXED_WORDINGS = column(
    FLAG, "True if the wording of the question changed within it: its figures mix answers to two questions."
)

_SCALES: dict[str, Any] = {
    "first_scale_id": column(TEXT, "First scale of its answers, by name; pool it with `min`."),
    "last_scale_id": column(TEXT, "Last scale of its answers, by name; pool it with `max`."),
}

_CELL: dict[str, Any] = {
    "survey_id": column(TEXT, "The survey."),
    "channel": column(TEXT, "Channel of the interaction."),
    "persona": column(TEXT, "Persona; `unassigned` if no rule matches."),
    "product": column(TEXT, "Product or service."),
    "journey_stage": column(TEXT, "Stage of the customer journey."),
}

CES_DAILY = Table(
    "mart.ces_daily",
    "One row per day x survey x channel x persona x product x stage with at least one scored response.",
    ("day", *_CELL),
    {
        "day": column(DAY, "Business-zone date of recorded_at."),
        **_CELL,
        **_SCALES,
        **EFFORT_FIGURES,
        **TOP_TWO,
    },
    sort=("day", *_CELL),
)

CES_WEEKLY = Table(
    "mart.ces_weekly",
    "One row per week x survey x channel x persona x product x stage with at least one scored response.",
    ("week", *_CELL),
    {
        "week": column(DAY, "Monday of the week."),
        **_CELL,
        "is_whole_week": column(
            FLAG,
            "False if answers begin within the week, or if deliveries do not cover all its days yet.",
        ),
        "is_mixed_scales": IS_MIXED_SCALES,
        **EFFORT_FIGURES,
        **TOP_TWO,
    },
    sort=("week", *_CELL),
)

_SEGMENT_KEY = ("period", "period_start", "dimension", "segment")
_PERIOD: dict[str, Any] = {
    "period": column(TEXT, "`month`, or `all` for all days."),
    "period_start": column(DAY, "First day of the period; for `all`, the first day with an answer."),
    "dimension": column(TEXT, "What splits the answers: `survey`, `channel`, `persona`, `owner` ..."),
}

CES_SEGMENTS = Table(
    "mart.ces_segments",
    "One row per period x dimension x segment with at least one scored response.",
    _SEGMENT_KEY,
    {
        **_PERIOD,
        "period": column(TEXT, "`day`, `week` (from Monday), `month`, or `all` for all days."),
        "dimension": column(
            TEXT, "What splits the answers: `survey`, `channel`, `persona`, `owner` ...; `all`: no split."
        ),
        "segment": column(TEXT, "The value of the dimension; `all` for dimension `all`."),
        **_SCALES,
        "is_mixed_scales": IS_MIXED_SCALES,
        **EFFORT_FIGURES,
        **TOP_TWO,
    },
    sort=_SEGMENT_KEY,
)

_SURVEY_SEGMENT_KEY = ("survey_id", "span", "span_start", "dimension", "segment")

TOUCHPOINT_SEGMENTS = Table(
    "mart.touchpoint_segments",
    "One row per survey x span x dimension x segment with at least one scored response.",
    _SURVEY_SEGMENT_KEY,
    {
        "survey_id": column(TEXT, "The survey."),
        "span": column(
            TEXT,
            "`week` (from Monday), `4 weeks` (that end with each week), `month`, `quarter`, or `all` for all days.",
        ),
        "span_start": column(
            DAY, "First day of the span; for `all`, the first day with an answer to the survey."
        ),
        "span_end": column(
            DAY, "Last day of the span; for `all`, the newest day with an answer to the survey."
        ),
        "dimension": column(
            TEXT, "What splits the answers: `channel`, `persona`, `product` ...; `all`: no split."
        ),
        "segment": column(TEXT, "The value of the dimension; `all` for dimension `all`."),
        **_SCALES,
        "is_mixed_scales": IS_MIXED_SCALES,
        "is_mixed_wordings": IS_MIXED_WORDINGS,
        **EFFORT_FIGURES,
        **TOP_TWO,
    },
    sort=_SURVEY_SEGMENT_KEY,
)

SEGMENT_VARIANCE = Table(
    "mart.segment_variance",
    "One row per month (and all days) x dimension with at least one scored response.",
    ("period", "period_start", "dimension"),
    {
        **_PERIOD,
        "segments": column(INTEGER, "Segments of the dimension with an answer."),
        "n": column(INTEGER, "Scored responses."),
        "is_mixed_scales": IS_MIXED_SCALES,
        "between_squares": column(
            NUMBER,
            "Sum of the squared deviations of the segments' mean ease from the overall mean, times their n.",
        ),
        "within_squares": column(
            NUMBER, "Sum of the squared deviations of ease from the mean of its segment."
        ),
        "total_squares": column(
            NUMBER, "Sum of the squared deviations of ease from the overall mean: between + within."
        ),
        "eta_squared": column(
            NUMBER,
            "between / total, 0 to 1 (expected by chance: about (segments - 1) / (n - 1)); null: fewer answers than "
            "the minimum n, or all equal.",
            nullable=True,
        ),
        "omega_squared": column(
            NUMBER, "The share corrected for chance, 0 to 1; null: no eta_squared.", nullable=True
        ),
        "is_suppressed": column(FLAG, "True if n is below the minimum n: the shares are null, not zero."),
    },
    sort=("period", "period_start", "dimension"),
)

SEGMENT_DIFFERENCES = Table(
    "mart.segment_differences",
    "One row per month (and all days) x dimension x segment: the segment compared with the rest of its dimension.",
    _SEGMENT_KEY,
    {
        **_PERIOD,
        "segment": column(TEXT, "The value of the dimension."),
        "n": column(INTEGER, "Scored responses of the segment."),
        "n_rest": column(INTEGER, "Scored responses of all other segments."),
        "is_mixed_scales": IS_MIXED_SCALES,
        "mean_ease_0_100": column(NUMBER, "Mean ease of the segment; null: suppressed.", nullable=True),
        "mean_ease_rest_0_100": column(NUMBER, "Mean ease of the rest; null: suppressed.", nullable=True),
        "difference_ease_0_100": column(
            NUMBER, "Segment minus rest; above 0: the segment is easier; null: suppressed.", nullable=True
        ),
        "difference_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (Newcombe's hybrid score interval); null: suppressed, or no variance.",
            nullable=True,
        ),
        "difference_high_0_100": column(
            NUMBER, "Upper end of that interval; null: no estimate.", nullable=True
        ),
        "p_value": column(
            NUMBER,
            "Two-sided p: how often a random part of all answers is as far from the rest; null: no interval.",
            nullable=True,
        ),
        "q_value": column(
            NUMBER,
            "p after false-discovery control (Benjamini and Hochberg) among all comparisons of the period; null: no p.",
            nullable=True,
        ),
        "verdict": column(
            TEXT,
            "`easier` or `harder` if q is at most 0.05 and the interval excludes 0, else `no difference shown`; "
            "without a test, `suppressed`, `no variance` (all answers equal) or `only segment`.",
        ),
        "is_suppressed": column(
            FLAG, "True if the segment or the rest has fewer answers than the minimum n."
        ),
    },
    sort=_SEGMENT_KEY,
)

CES_ADJUSTED_WEEKLY = Table(
    "mart.ces_adjusted_weekly",
    "One row per series x stretch without a changed wording x week with at least one scored response.",
    ("series", "break_number", "week"),
    {
        "series": column(TEXT, "A survey, or `all surveys`."),
        "break_number": column(
            INTEGER, "Number of wording changes so far; rows with different numbers do not compare."
        ),
        "week": column(DAY, "Monday of the week."),
        "is_after_break": column(FLAG, "True in the first week after a changed wording."),
        "n": column(INTEGER, "Scored responses."),
        "is_mixed_scales": IS_MIXED_SCALES,
        "effective_n": column(
            NUMBER, "Number of unweighted answers that would give the adjusted mean the same error."
        ),
        "weight_covered_share": column(
            NUMBER,
            "Share of the standard mix whose channels have an answer in this week, 0 to 1; the weights of these "
            "channels are scaled to sum to 1.",
        ),
        "raw_ease_0_100": column(
            NUMBER, "Unadjusted mean ease; null: fewer than the minimum n.", nullable=True
        ),
        "raw_ease_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval (Student t with 1.5 added answers); null: no estimate.",
            nullable=True,
        ),
        "raw_ease_high_0_100": column(
            NUMBER, "Upper end of that interval; null: no estimate.", nullable=True
        ),
        "adjusted_ease_0_100": column(
            NUMBER,
            "Mean ease at the channel mix of the full stretch; null: fewer than the minimum n.",
            nullable=True,
        ),
        "adjusted_ease_low_0_100": column(
            NUMBER,
            "Lower end of its 95 % interval; null: no estimate, or a channel never has two answers in a week.",
            nullable=True,
        ),
        "adjusted_ease_high_0_100": column(
            NUMBER, "Upper end of that interval; null: no estimate.", nullable=True
        ),
        "mix_part_0_100": column(
            NUMBER,
            "raw - adjusted: the part due to the channel mix of the week; null: no means.",
            nullable=True,
        ),
        "raw_change_0_100": column(
            NUMBER,
            "Raw mean minus that of the week before in this stretch; null: no such week.",
            nullable=True,
        ),
        "adjusted_change_0_100": column(
            NUMBER,
            "Adjusted mean minus that of the week before in this stretch; null: no raw_change.",
            nullable=True,
        ),
        "mix_change_0_100": column(
            NUMBER,
            "raw_change - adjusted_change: the part due to a changed mix; null: no raw_change.",
            nullable=True,
        ),
        "is_suppressed": column(FLAG, "True if n is below the minimum n: the figures are null, not zero."),
        "releases": column(
            TEXT, "Releases of the week that affect the series (releases.yaml); null: none.", nullable=True
        ),
    },
    sort=("series", "break_number", "week"),
)
