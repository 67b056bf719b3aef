"""`surveys.yaml`: surveys. An entry is one question asked at one moment, with the rules that judge its answers."""

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from ces_pipeline.registry.base import MOST_DAYS, Entry, Slug
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


class StraightLining(Entry):
    """Columns of a matrix question, and how alike answers must be for the rule `straight_lining` to mark them."""

    columns: tuple[str, ...] = Field(
        min_length=3, description="export columns of the matrix, in the order in which they are shown"
    )
    longest_run: int | None = Field(
        None, ge=3, description="so many equal answers in a row are straight-lining; unset: not judged"
    )
    identical_share: float = Field(
        1.0, gt=0, le=1, description="such a share of equal answers, of all given, is straight-lining"
    )


class ResponseRules(Entry):
    """Thresholds of the rules that judge the answers of a survey, and the severities of their reasons."""

    min_duration_seconds: float = Field(
        default=2.0, ge=0, description="answers faster than this are too_fast"
    )
    max_duration_seconds: float | None = Field(default=None, description="answers slower than this are slow")
    duplicate_window_hours: float = Field(
        default=24.0,
        ge=0,
        le=24 * MOST_DAYS,
        description="a second answer of the same person, survey and ticket within so many hours is a duplicate",
    )
    double_submit_seconds: float = Field(
        default=10.0,
        ge=0,
        le=86_400 * MOST_DAYS,
        description="equal answers from one device within so many seconds are a double submit",
    )
    fast_sd: float = Field(
        default=2.5,
        gt=0,
        description="an answer is fast_for_survey if its log time is so many SDs below the mean",
    )
    fast_minimum_n: int = Field(
        default=100,
        ge=10,
        description="fewest answers in the days before that `fast_for_survey` needs to compare with",
    )
    keep_partial: bool = Field(
        default=True, description="false: unfinished answers are incomplete, even with a score"
    )
    shared_device_people: int = Field(
        default=3, ge=2, description="a device or address with so many people on a day is shared"
    )
    straight_lining: StraightLining | None = Field(
        default=None, description="a matrix question whose equal answers are marked; unset: none is"
    )
    severities: dict[str, Severity] = Field(default={}, description="reason: its severity for this survey")

    @model_validator(mode="after")
    def _known_reasons(self) -> "ResponseRules":
        if stray := set(self.severities) - set(DEFAULT_SEVERITIES):
            raise ValueError(
                f"severities: unknown reason {sorted(stray)[0]!r} (known: {', '.join(DEFAULT_SEVERITIES)})"
            )
        return self

    def severity(self, reason: str) -> str:
        return self.severities.get(reason, DEFAULT_SEVERITIES[reason])


def _survey_link(url: str) -> str:
    parts = urlsplit(url)
    _ = parts.port  # raises ValueError for a port that no address has
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must be an https URL such as https://surveys.example.com/effort, without user or #")
    return url


class Survey(Entry):
    """A registered survey: one question asked at one moment of one process."""

    id: Slug = Field(description="name of the survey in every table: lower-case letters, digits, _")
    title: str = Field("", description="display name")
    also_known_as: tuple[str, ...] = Field(
        (), description="values of a source's survey column that mean this survey"
    )
    scale: str | None = Field(
        None, description="scale of the CES score; none if the survey asks only for CSAT, NPS or comments"
    )
    scale_changes: dict[date, str] = Field(
        {}, description="first day: the scale of the score from that day on, if it is not `scale` any more"
    )
    csat_scale: str | None = Field(None, description="scale of the satisfaction score")
    has_nps: bool = Field(False, description="whether it asks for the likelihood to recommend")
    required: tuple[Literal["score", "csat", "nps", "comment"], ...] | None = Field(
        None, description="answers that a complete response needs; the score unless set"
    )
    channel: Literal[CHANNELS] = Field(  # type: ignore[valid-type]
        "unknown", description="channel of every answer whose export has none"
    )
    product: str = Field("unknown", description="product of every answer whose export has none")
    journey_stage: str = Field("unknown", description="stage of every answer whose export has none")
    process: str = Field(
        "unknown", description="process of every answer whose export has none: support, renewal ..."
    )
    trigger_event: str | None = Field(None, description="type of event after which it is asked")
    owner: str | None = Field(None, description="who is responsible for it")
    live_from: date | None = Field(None, description="first day on which it is asked")
    live_to: date | None = Field(None, description="last day on which it is asked")
    wording_version: str = Field("1", description="version of the wording that is asked now")
    wording_changes: dict[str, date] = Field(
        {}, description="each later wording version: the first day on which it was asked"
    )
    expected_per_day: int | None = Field(None, ge=0, description="answers on a usual day; documentation only")
    questions: int | None = Field(None, ge=1, description="number of questions of the survey")
    wording: str | None = Field(
        None, min_length=1, description="the question as it is asked, in the newest wording"
    )
    link: Annotated[str, AfterValidator(_survey_link)] | None = Field(
        None, description="address of the survey; the signed link of an invitation begins with it"
    )
    expect: dict[str, str | tuple[str, ...]] = Field(
        {}, description="export column -> the only answer that passes"
    )
    link_window_days: float = Field(
        14.0, gt=0, le=MOST_DAYS, description="days after a solve in which an answer may be about the ticket"
    )
    rules: ResponseRules = Field(ResponseRules(), description="how its answers are judged")

    @model_validator(mode="after")
    def _changed_from_a_scale(self) -> "Survey":
        if self.scale_changes and self.scale is None:
            raise ValueError("scale_changes needs scale, the scale before the first change: add it")
        return self

    @model_validator(mode="after")
    def _newest_wording(self) -> "Survey":
        if self.wording_changes:
            newest = max(self.wording_changes, key=lambda version: self.wording_changes[version])
            if newest != self.wording_version:
                raise ValueError(
                    f"wording_version is {self.wording_version!r}, but the newest of wording_changes is {newest!r}: "
                    "change one of them"
                )
        return self

    @property
    def expected(self) -> dict[str, tuple[str, ...]]:
        """Export column -> the answers that pass."""
        return {name: (texts,) if isinstance(texts, str) else texts for name, texts in self.expect.items()}

    @property
    def scales(self) -> tuple[tuple[date | None, str | None], ...]:
        """(First day, scale of the score from that day on), in order; the first has no first day."""
        return (None, self.scale), *sorted(self.scale_changes.items())

    @property
    def required_answers(self) -> tuple[str, ...]:
        """The answers that a complete response needs."""
        if self.required is not None:
            return self.required
        return (
            ("score",) if self.scale else ("csat",) if self.csat_scale else ("nps",) if self.has_nps else ()
        )
