"""`alerts.yaml`: what opens an incident, who owns it, and the channels that send messages about it.

The models only; `alert_figures.py` knows the columns that a threshold compares. A channel names environment variables;
it never holds an address or a secret.
"""

import math
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ces_pipeline.registry.api import Variable
from ces_pipeline.registry.base import Entry, Slug, Text
from ces_pipeline.registry.objectives import OBJECTIVE_FIGURES, PROGRAM_METRICS, Dimension
from ces_pipeline.schemas.vocabularies import EVENT_KINDS, SERIES_DIMENSIONS, SERIES_DIRECTIONS, SERIES_KINDS

Severity = Literal["warning", "critical"]
Number = Annotated[float, Field(allow_inf_nan=False)]

WORSE: dict[str, Literal["above", "below"]] = {
    "mean_effort_0_100": "above",
    "difficult_share": "above",
    "mean_ease_0_100": "below",
    "easy_share": "below",
    "net_ease": "below",
    "top_two_share": "below",
}
"""Figure of answers -> the side on which it is worse: higher effort is harder, higher ease is easier."""


MADE_CHECKS = ("keys_unique", "nulls_described", "poisoned_rows_caught", "schema")
"""The checks of a publish that no file of `sql/checks/` holds."""
SeriesKind = Literal[SERIES_KINDS]  # type: ignore[valid-type]
SeriesDimension = Literal[SERIES_DIMENSIONS]  # type: ignore[valid-type]
Direction = Literal[SERIES_DIRECTIONS]  # type: ignore[valid-type]


_OPERATIONS = {"checks": "failed checks", "sources": "failed sources", "runs": "failed runs or missed nights"}
ALL = "all"
CHECK_WORDS = (ALL, "blocking", "warnings")
"""Words that a rule may write in place of names of checks."""


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


_OneOrMore = (BeforeValidator(_listed), Field(min_length=1))


def _link(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError(
            "must be an address such as https://grafana.example.org, without a user or a password"
        )
    return url


Link = Annotated[str, AfterValidator(_link)]


class Channel(Entry):
    """Where messages go."""

    id: Slug = Field(description="name of the channel")
    kind: Literal["apprise", "webhook"] = Field(
        description="`apprise`: Slack, Teams, e-mail and a hundred more services; `webhook`: a signed POST "
        "(Standard Webhooks)"
    )
    url: Variable = Field(
        description="NAME of the environment variable that holds the address: an Apprise URL, or that of the webhook"
    )
    secret: Variable | None = Field(
        None,
        description="of a webhook: NAME of the variable that holds the signing secret, such as `whsec_...`",
    )
    severities: tuple[Severity, ...] = Field(
        ("warning", "critical"), min_length=1, description="the severities whose incidents it sends"
    )
    events: tuple[Literal[EVENT_KINDS], ...] = Field(  # type: ignore[valid-type]
        (),
        description="of a webhook: what it also sends, as flat JSON; `published`: there are new figures; "
        "`report_ready`: the report of a new week, month or quarter is there",
    )
    links: dict[Slug, Link] = Field(
        default_factory=dict,
        description="name: address, such as that of your Grafana or of the report; at the end of every message, and "
        "`link_<name>` in every event",
    )

    @model_validator(mode="after")
    def _is_signed(self) -> "Channel":
        if self.kind != "webhook" and self.events:
            raise ValueError("`events` is for the kind webhook: remove it")
        if (self.kind == "webhook") != (self.secret is not None):
            raise ValueError(
                "a webhook needs `secret`: its messages are signed"
                if self.kind == "webhook"
                else "`secret` is for the kind webhook: remove it"
            )
        return self


class Threshold(Entry):
    """A published figure, and the value that its 95 % interval must be beyond."""

    figure: Literal[tuple(OBJECTIVE_FIGURES)] | None = Field(  # type: ignore[valid-type]
        default=None, description="a figure of mart.ces_segments; or set `metric`, or `table` and `column`"
    )
    metric: Literal[tuple(PROGRAM_METRICS)] | None = Field(  # type: ignore[valid-type]
        default=None, description="a metric of mart.program_metrics"
    )
    table: Text | None = Field(None, description="another mart, such as `mart.response_rates`")
    column: Text | None = Field(None, description="the column of `table` that is compared")
    above: Number | None = Field(None, description="the lower end of the interval must be above it")
    below: Number | None = Field(None, description="the upper end of the interval must be below it")
    dimension: Dimension = Field("all", description="with `figure`: the attribute that splits the answers")
    segment: Text | None = Field(
        None, description="one segment of the dimension or metric; without it: each of them"
    )
    period: Literal["day", "week", "month"] = Field(
        "day", description="with `figure`: each day, or each complete week or month"
    )
    where: dict[str, str | int | float] = Field(
        default_factory=dict, description="with `table`: columns and the value that a row must have"
    )
    day: Text | None = Field(
        None, description="with `table`: its column of the day; default: day, week or period_start"
    )
    low: Text | None = Field(
        None,
        description="with `table`: the column of the interval's lower end; default: the column with _low",
    )
    high: Text | None = Field(
        None,
        description="with `table`: the column of the interval's upper end; default: the column with _high",
    )
    n: Text | None = Field(None, description="with `table`: the column of n; default: n")
    is_exact: bool = Field(
        False,
        description="with `table`: true for a count of all there is, which has no interval: its value is compared",
    )

    @model_validator(mode="after")
    def _can_be_compared(self) -> "Threshold":
        named = [name for name in ("figure", "metric", "column") if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError("set exactly one of figure, metric, and table with column")
        if (self.table is None) != (self.column is None):
            raise ValueError("set both table and column, or neither")
        if (self.above is None) == (self.below is None):
            raise ValueError("set exactly one of above and below")
        for key, default in (("dimension", "all"), ("period", "day")):
            if not self.figure and getattr(self, key) != default:
                raise ValueError(f"`{key}` is for a figure of mart.ces_segments: use `where`")
        if self.table and self.segment is not None:
            raise ValueError("`segment` is for a figure or a metric: use `where`")
        strays = [name for name in ("where", "day", "low", "high", "n", "is_exact") if getattr(self, name)]
        if strays and not self.table:
            raise ValueError(f"`{strays[0]}` is for `table` and `column`: remove it")
        self._check_side()
        return self

    def _check_side(self) -> None:
        worse = WORSE.get(self.figure or self.metric or "")
        if worse and self.side != worse:
            raise ValueError(
                f"{self.name} {self.side} {self.limit:g} would report an improvement: {self.name} is worse "
                f"{worse} a value. Write `{worse}`"
            )
        unit = OBJECTIVE_FIGURES.get(self.figure or "") or PROGRAM_METRICS.get(self.metric or "")
        largest = {"share": 1.0, "points 0 to 100": 100.0}.get(unit or "", math.inf)
        if abs(self.limit) > largest:
            hint = f": write {self.limit / 100:g}" if unit == "share" else ""
            raise ValueError(f"{self.limit:g} is more than {largest:g}, the maximum ({unit}){hint}")

    @property
    def name(self) -> str:
        """The figure, the metric or the column."""
        return self.figure or self.metric or self.column or ""

    @property
    def side(self) -> Literal["above", "below"]:
        """The side of the limit on which an incident begins."""
        return "above" if self.above is not None else "below"

    @property
    def limit(self) -> float:
        """The value that the interval must be beyond."""
        return float(self.above if self.above is not None else self.below or 0.0)


class Anomaly(Entry):
    """Incidents of mart.anomalies_daily. A key that is left out means every value."""

    series_kind: Annotated[tuple[SeriesKind, ...], *_OneOrMore] | None = Field(
        None, description="figures, such as `effort` or `responses`, as in mart.anomalies_daily"
    )
    dimension: Annotated[tuple[SeriesDimension, ...], *_OneOrMore] | None = Field(
        None, description="what splits them, such as `survey` or `source`"
    )
    segment: Annotated[tuple[Text, ...], *_OneOrMore] | None = Field(
        None, description="values of the dimension"
    )
    direction: Annotated[tuple[Direction, ...], *_OneOrMore] | None = Field(
        None, description="only changes of this direction"
    )


class Rule(Entry):
    """What opens an incident: exactly one of threshold, anomaly, checks, sources and runs."""

    id: Slug = Field(description="name of the rule; the incidents of a renamed rule are closed")
    owner: Text = Field(description="who looks after its incidents: a team or a role")
    severity: Severity = Field(
        description="`critical`: a message for each incident; `warning`: one message a day"
    )
    channels: tuple[Slug, ...] = Field((), description="ids of the channels that send; none: nothing is sent")
    cooldown_days: Annotated[int, Field(ge=0, le=366)] = Field(
        14, description="a repeat within so many days after the recovery belongs to the same incident"
    )
    minimum_n: Annotated[int, Field(ge=1)] | None = Field(
        None, description="of a threshold: fewer answers are no evidence; default: minimum_n of settings.yaml"
    )
    threshold: Threshold | None = Field(None, description="a published figure beyond a value")
    anomaly: Anomaly | None = Field(None, description="an unusual figure; `{}` means every figure")
    checks: Annotated[tuple[Text, ...], *_OneOrMore] | None = Field(
        None, description="failed checks of a publish: `all`, `blocking`, `warnings`, or names of checks"
    )
    sources: Annotated[tuple[Text, ...], *_OneOrMore] | None = Field(
        None, description="sources that did not land completely: `all`, or ids of sources"
    )
    runs: Literal["all", "failed", "missed"] | None = Field(
        None, description="`failed` runs, `missed` nights, or `all` of both"
    )
    late_hours: Annotated[int, Field(ge=1, le=72)] = Field(
        6, description="of runs: a night is missed if nothing was published so many hours after schedule_hour"
    )

    @model_validator(mode="after")
    def _has_one_condition(self) -> "Rule":
        named = [
            name
            for name in ("threshold", "anomaly", "checks", "sources", "runs")
            if getattr(self, name) is not None
        ]
        if len(named) != 1:
            raise ValueError("set exactly one of threshold, anomaly, checks, sources and runs")
        if self.minimum_n is not None and self.threshold is None:
            raise ValueError("`minimum_n` is for a threshold: remove it")
        if self.late_hours != 6 and self.runs is None:
            raise ValueError("`late_hours` is for runs: remove it")
        return self

    @property
    def kind(self) -> str:
        """`threshold`, `anomaly`, `checks`, `sources` or `runs`."""
        return next(
            name
            for name in ("threshold", "anomaly", "checks", "sources", "runs")
            if getattr(self, name) is not None
        )

    @property
    def condition(self) -> str:
        """What opens an incident, in words."""
        if self.threshold is not None:
            return f"{self.threshold.name} {self.threshold.side} {self.threshold.limit:g}"
        if self.anomaly is not None:
            parts = [
                f"{name} {', '.join(values)}"
                for name in Anomaly.model_fields
                if (values := getattr(self.anomaly, name)) is not None
            ]
            return f"unusual figure: {'; '.join(parts) or 'any'}"
        wanted = getattr(self, self.kind)
        return f"{_OPERATIONS[self.kind]}: {wanted if isinstance(wanted, str) else ', '.join(wanted)}"


class Alerts(Entry):
    """The file. Without rules nothing opens an incident; without channels nothing is sent."""

    channels: tuple[Channel, ...] = Field(default=(), description="where messages go")
    rules: tuple[Rule, ...] = Field(default=(), description="what opens an incident")
