"""`surveys.yaml`: surveys, each one question asked at one moment, and how their answers are judged."""

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from ces_pipeline.registry.base import Entry, Slug
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES
from ces_pipeline.rules.contract import Severity

CHANNELS = (
    "email",
    "chat",
    "phone",
    "web",
    "in_app",
    "mobile",
    "chatbot",
    "sms",
    "kiosk",
    "portal",
    "social",
    "api",
    "other",
    "unknown",
)


class ResponseRules(Entry):
    """How the answers of one survey are judged: every threshold, and the severity of each reason."""

    min_duration_seconds: float = Field(
        default=2.0, ge=0, description="answers faster than this are too_fast"
    )
    max_duration_seconds: float | None = Field(default=None, description="answers slower than this are slow")
    duplicate_window_hours: float = Field(default=24.0, ge=0)
    double_submit_seconds: float = Field(default=10.0, ge=0)
    fast_sd: float = Field(
        default=2.5, gt=0, description="how many SDs of log time below the mean is fast_for_survey"
    )
    fast_minimum_n: int = Field(default=100, ge=10)
    keep_partial: bool = Field(
        default=True, description="false: unfinished answers are incomplete, even with a score"
    )
    shared_device_people: int = Field(
        default=3, ge=2, description="one device or address with so many people a day"
    )
    severities: dict[str, Severity] = Field(default={})

    @model_validator(mode="after")
    def _known_reasons(self) -> "ResponseRules":
        if stray := set(self.severities) - set(DEFAULT_SEVERITIES):
            raise ValueError(
                f"severities names {sorted(stray)}; known reasons: {', '.join(DEFAULT_SEVERITIES)}"
            )
        return self

    def severity(self, reason: str) -> str:
        return self.severities.get(reason, DEFAULT_SEVERITIES[reason])


def _survey_link(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must be an https URL such as https://surveys.example.com/effort, without user or #")
    return url


class Survey(Entry):
    """A survey: one question asked at one moment of one process."""

    id: Slug
    title: str = ""
    also_known_as: tuple[str, ...] = Field(
        (), description="values of a source's survey column that mean this survey"
    )
    scale: str | None = Field(
        None, description="scale of the CES score; none when only CSAT, NPS or comments"
    )
    csat_scale: str | None = None
    has_nps: bool = False
    required: tuple[Literal["score", "csat", "nps", "comment"], ...] | None = Field(
        None, description="answers without which a response is incomplete; the score unless set"
    )
    channel: Literal[CHANNELS] = "unknown"  # type: ignore[valid-type]
    product: str = "unknown"
    journey_stage: str = "unknown"
    process: str = "unknown"
    trigger_event: str | None = None
    owner: str | None = None
    live_from: date | None = None
    live_to: date | None = None
    wording_version: str = "1"
    wording_changes: dict[str, date] = Field(
        {}, description="each later wording version: the first day on which it was asked"
    )
    expected_per_day: int | None = Field(None, ge=0)
    questions: int | None = Field(None, ge=1, description="how many questions the survey asks in total")
    wording: str | None = Field(
        None, min_length=1, description="the question as it is asked, in the newest wording"
    )
    link: Annotated[str, AfterValidator(_survey_link)] | None = Field(
        None, description="where it is answered: what an invitation's signed link begins with"
    )
    expect: dict[str, str] = Field({}, description="export column -> the only answer that passes")
    link_window_days: float = Field(
        14.0, gt=0, description="days after a solve in which an answer may be about it"
    )
    rules: ResponseRules = ResponseRules()

    @model_validator(mode="after")
    def _newest_wording(self) -> "Survey":
        if self.wording_changes:
            newest = max(self.wording_changes, key=lambda version: self.wording_changes[version])
            if newest != self.wording_version:
                raise ValueError(
                    f"wording_version is {self.wording_version!r}, but the newest of wording_changes is {newest!r}"
                )
        return self

    @property
    def required_answers(self) -> tuple[str, ...]:
        """The answers that make a response complete."""
        if self.required is not None:
            return self.required
        return (
            ("score",) if self.scale else ("csat",) if self.csat_scale else ("nps",) if self.has_nps else ()
        )
