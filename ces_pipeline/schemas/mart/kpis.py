"""Columns of the marts that compare effort with satisfaction and recommendation."""

from typing import Any

from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "how_effort_goes_with_satisfaction"

_KPI = column(
    TEXT,
    "`csat` or `nps` of the same response, or `ticket_csat`: the rating of the linked ticket.",
)
_SURVEY = column(TEXT, "The survey of the effort question.")
_EFFORT_BAND = column(TEXT, "`easy`, `neutral` or `difficult`, by the boxes of the scale.")
_OTHER_BAND = column(
    TEXT,
    "`positive`, `neutral` or `negative`: for nps 9-10, 7-8, 0-6; for csat by the boxes of its scale; for the rating "
    "of a ticket good, in between, bad.",
)
_OTHER = column(NUMBER, "Value of the other KPI: csat 0 to 100, nps 0 to 10; higher is better.")
_EASE = column(NUMBER, "Ease, 0 to 100, higher is easier.")


def _figure(name: str, ends: tuple[str, str], means: str, method: str, null: str) -> dict[str, Any]:
    return {
        name: column(NUMBER, f"{means}; null: {null}.", nullable=True),
        ends[0]: column(
            NUMBER, f"Lower end of its 95 % interval ({method}); null: no estimate.", nullable=True
        ),
        ends[1]: column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
    }


_FEW = "fewer than the minimum n"

_CSAT_AND_NPS: dict[str, Any] = {
    "csat_n": column(INTEGER, "Responses with satisfaction; 0: not asked or not answered."),
    **_figure(
        "mean_csat_0_100",
        ("csat_low_0_100", "csat_high_0_100"),
        "Mean satisfaction, higher is better",
        "Student t with 1.5 added answers",
        _FEW,
    ),
    "nps_n": column(INTEGER, "Responses with recommendation; 0: not asked or not answered."),
    "promoters": column(INTEGER, "Answers 9 and 10."),
    "passives": column(INTEGER, "Answers 7 and 8."),
    "detractors": column(INTEGER, "Answers 0 to 6."),
    **_figure(
        "net_promoter_score",
        ("net_promoter_score_low", "net_promoter_score_high"),
        "Percentage of promoters minus percentage of detractors, -100 to 100",
        "adjusted Wald",
        _FEW,
    ),
}

KPI_DAILY = Table(
    "mart.kpi_daily",
    "One row per day x survey with at least one answer on effort, satisfaction or recommendation.",
    ("day", "survey_id"),
    {
        "day": column(DAY, "Business-zone date of recorded_at."),
        "survey_id": column(TEXT, "The survey."),
        "ease_n": column(INTEGER, "Scored responses; 0: effort not asked or not answered."),
        **_figure(
            "mean_ease_0_100",
            ("ease_low_0_100", "ease_high_0_100"),
            "Mean ease",
            "Student t with 1.5 added answers",
            _FEW,
        ),
        **_CSAT_AND_NPS,
    },
    sort=("day", "survey_id"),
)

KPI_PERIODS = Table(
    "mart.kpi_periods",
    "One row per period x survey with at least one answer on satisfaction or recommendation.",
    ("period", "period_start", "survey_id"),
    {
        "period": column(TEXT, "`week` (from Monday), `month` or `quarter`."),
        "period_start": column(DAY, "First day of the period."),
        "survey_id": column(TEXT, "The survey."),
        **_CSAT_AND_NPS,
    },
    sort=("period", "period_start", "survey_id"),
)

KPI_PAIRS = Table(
    "mart.kpi_pairs",
    "One row per scored response and other KPI of the same interaction.",
    ("response_key", "kpi"),
    {
        "response_key": column(TEXT, "The response."),
        "kpi": _KPI,
        "day": column(DAY, "The response's day."),
        "survey_id": _SURVEY,
        "ease_0_100": _EASE,
        "effort_band": _EFFORT_BAND,
        "other": _OTHER,
        "other_band": _OTHER_BAND,
    },
    sort=("response_key", "kpi"),
)

KPI_CROSSTAB = Table(
    "mart.kpi_crosstab",
    "One row per other KPI x survey x effort band x band of the other KPI that occurs together.",
    ("kpi", "survey_id", "effort_band", "other_band"),
    {
        "kpi": _KPI,
        "survey_id": _SURVEY,
        "effort_band": _EFFORT_BAND,
        "other_band": _OTHER_BAND,
        "n": column(INTEGER, "Number of pairs."),
        "band_n": column(INTEGER, "Pairs of the effort band."),
        **_figure(
            "share_of_band",
            ("share_of_band_low", "share_of_band_high"),
            "n / band_n, 0 to 1",
            "Wilson",
            "band_n below the minimum n",
        ),
        "is_suppressed": column(FLAG, "True if band_n is below the minimum n."),
    },
    sort=("kpi", "survey_id", "effort_band", "other_band"),
)

KPI_DISAGREEMENTS = Table(
    "mart.kpi_disagreements",
    "One row per scored response and other KPI that contradict each other.",
    ("response_key", "kpi"),
    {
        "day": column(DAY, "The response's day."),
        "response_key": column(TEXT, "The response."),
        "kpi": _KPI,
        "survey_id": _SURVEY,
        "effort_band": _EFFORT_BAND,
        "other_band": _OTHER_BAND,
        "ease_0_100": _EASE,
        "other": _OTHER,
        "ticket_key": column(TEXT, "The linked ticket; null: none.", nullable=True),
    },
    sort=("day", "response_key", "kpi"),
)

KPI_ASSOCIATION = Table(
    "mart.kpi_association",
    "One row per other KPI x survey with both on the same interaction.",
    ("kpi", "survey_id"),
    {
        "kpi": _KPI,
        "survey_id": _SURVEY,
        "n": column(INTEGER, "Number of pairs."),
        **_figure(
            "spearman",
            ("spearman_low", "spearman_high"),
            "Spearman's rank correlation of ease with the other KPI, -1 to 1",
            "Bonett and Wright",
            "see why_null",
        ),
        "is_suppressed": column(FLAG, "True if n is below the minimum n, or below 10."),
        "why_null": column(TEXT, "Why there is no figure; null: there is a figure.", nullable=True),
    },
    sort=("kpi", "survey_id"),
)
