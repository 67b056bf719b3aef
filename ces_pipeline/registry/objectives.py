"""`objectives.yaml`: targets of the programme. Each names a figure, its baseline, its target and who is responsible.

Nothing is computed here; `mart.objectives` computes the progress of each objective.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.base import Entry, Slug

Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Dimension = Literal[
    "all",
    "survey",
    "channel",
    "persona",
    "product",
    "device",
    "journey_stage",
    "process",
    "language",
    "owner",
]

OBJECTIVE_FIGURES: dict[str, str] = {
    "mean_effort_0_100": "points 0 to 100",
    "mean_ease_0_100": "points 0 to 100",
    "easy_share": "share",
    "top_two_share": "share",
    "difficult_share": "share",
    "net_ease": "share",
}
"""Figure of answers that an objective may name, a column of `mart.ces_segments` -> its unit."""

PROGRAM_METRICS: dict[str, str] = {
    "captured_share": "share",
    "api_calls_ok_share": "share",
    "ease_variance_share": "share",
    "tickets_answered_share": "share",
    "responses_linked_share": "share",
    "detection_minutes": "minutes",
    "alerts": "alerts",
    "repeated_alerts": "alerts",
    "readable_checks_share": "share",
    "freshness_minutes": "minutes",
    "alert_response_minutes": "minutes",
    "alert_resolution_minutes": "minutes",
    "response_rate_1": "share",
    "response_rate_2": "share",
    "completed_views_share": "share",
    "latency_p50_minutes": "minutes",
    "latency_p95_minutes": "minutes",
    "model_precision_share": "share",
    "model_recall_share": "share",
    "routing_uplift_0_100": "points 0 to 100",
    "commented_share": "share",
    "mean_sentiment": "score",
    "rejected_share": "share",
    "suspect_share": "share",
    "anomalies": "anomalies",
    "duplicate_share": "share",
    "redelivered_share": "share",
    "superseded_share": "share",
    "mean_ease_0_100": "points 0 to 100",
    "fix_effort_change_0_100": "points 0 to 100",
    "fix_tickets_change_share": "share",
    "followed_up_share": "share",
}
"""Metric of `mart.program_metrics` -> its unit."""

_LARGEST = {"share": 1.0, "points 0 to 100": 100.0}


class Objective(Entry):
    """A target for one figure. The baseline is required: an unknown baseline is not 0, so measure it first."""

    id: Slug = Field(description="name of the objective: lower-case letters, digits, _")
    title: Text = Field(description="the objective in a few words")
    figure: Literal[tuple(OBJECTIVE_FIGURES)] | None = Field(  # type: ignore[valid-type]
        default=None, description="a figure of answers of one segment; or set `metric`"
    )
    metric: Literal[tuple(PROGRAM_METRICS)] | None = Field(  # type: ignore[valid-type]
        default=None, description="a metric of mart.program_metrics; or set `figure`"
    )
    dimension: Dimension = Field("all", description="with `figure`: the attribute that splits the answers")
    segment: Text = Field(
        "all", description="value of the dimension; with `metric`: the segment of the metric"
    )
    baseline: Number = Field(description="value at the start; required, because unknown is not 0")
    baseline_day: date = Field(description="last day of the data that the baseline was measured on")
    target: Number = Field(description="the value to reach")
    target_day: date = Field(description="the day by which to reach it")
    owner: Text | None = Field(None, description="who is responsible for it")
    sponsor: Text | None = Field(None, description="who supports and funds it")
    budget: Text | None = Field(None, description="a note on the budget")
    follow_up: Text | None = Field(None, description="who calls back customers with high effort")

    @model_validator(mode="after")
    def _can_be_measured(self) -> "Objective":
        if (self.figure is None) == (self.metric is None):
            raise ValueError("set exactly one of figure and metric")
        if self.metric and self.dimension != "all":
            raise ValueError("a metric has no dimension: set segment only")
        if self.figure and (self.dimension == "all") != (self.segment == "all"):
            raise ValueError("set both dimension and segment, or neither for a figure of all answers")
        for key in ("baseline", "target"):
            value, largest = getattr(self, key), _LARGEST.get(self.unit, float("inf"))
            if abs(value) > largest:
                hint = f": write {value / 100:g}" if self.unit == "share" else ""
                raise ValueError(f"{key} {value:g} is more than {largest:g}, the maximum ({self.unit}){hint}")
        if self.baseline == self.target:
            raise ValueError("baseline and target are equal: change one of them")
        if self.baseline_day >= self.target_day:
            raise ValueError("target_day must be later than baseline_day")
        return self

    @property
    def name(self) -> str:
        """The figure or metric."""
        return self.figure or self.metric or ""

    @property
    def unit(self) -> str:
        return OBJECTIVE_FIGURES[self.figure] if self.figure else PROGRAM_METRICS[self.name]
