"""What the programme is to reach: a figure, where it stood, where it shall be and when, and who stands behind it.

No figure is computed here; `mart.objectives` says how far each one has come.
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
    "difficult_share": "share",
    "net_ease": "share",
}
"""Figures of answers that an objective may name, as in `mart.ces_segments` -> their unit."""

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
"""Metrics of `mart.program_metrics` -> their unit."""

_FURTHEST = {"share": 1.0, "points 0 to 100": 100.0}


class Objective(Entry):
    """One figure and the way from its baseline to its target. A baseline that nobody knows is no 0: measure first."""

    id: Slug
    title: Text
    figure: Literal[tuple(OBJECTIVE_FIGURES)] | None = Field(  # type: ignore[valid-type]
        default=None, description="a figure of answers, of one segment"
    )
    metric: Literal[tuple(PROGRAM_METRICS)] | None = Field(  # type: ignore[valid-type]
        default=None, description="or: a metric of mart.program_metrics"
    )
    dimension: Dimension = Field("all", description="of a figure: by what the answers are split")
    segment: Text = Field("all", description="which part of it; of a metric its segment")
    baseline: Number = Field(description="where it stood; required, since an unknown one is no 0")
    baseline_day: date = Field(description="last day of the figures that the baseline was read from")
    target: Number
    target_day: date
    owner: Text | None = Field(None, description="who answers for it")
    sponsor: Text | None = Field(None, description="who stands behind it and pays")
    budget: Text | None = Field(None, description="a note on what may be spent")
    follow_up: Text | None = Field(None, description="who has time to call back those who had it hard")

    @model_validator(mode="after")
    def _can_be_measured(self) -> "Objective":
        if (self.figure is None) == (self.metric is None):
            raise ValueError("an objective names exactly one of figure and metric")
        if self.metric and self.dimension != "all":
            raise ValueError("a metric has no dimension: name its segment alone")
        if self.figure and (self.dimension == "all") != (self.segment == "all"):
            raise ValueError("a figure of all answers has neither dimension nor segment, any other has both")
        for key in ("baseline", "target"):
            value, furthest = getattr(self, key), _FURTHEST.get(self.unit, float("inf"))
            if abs(value) > furthest:
                hint = f": write {value / 100:g}" if self.unit == "share" else ""
                raise ValueError(f"{key} {value:g} lies beyond {furthest:g}, the most of a {self.unit}{hint}")
        if self.baseline == self.target:
            raise ValueError("baseline and target are the same: there is no way between them")
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
