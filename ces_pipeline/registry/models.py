"""The shape of the registry: one pydantic model per kind of entry, and the whole with its cross-checks.

No file is read here (`load.py` does) and nothing is guessed: a score without a registered scale has no meaning.
"""

import hashlib
import json
import re
import unicodedata
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from ces_pipeline.registry.base import Entry, Slug
from ces_pipeline.registry.improvements import Fix, Priorities, Release
from ces_pipeline.registry.objectives import Objective
from ces_pipeline.schemas.kinds import ALWAYS, KINDS, KindName

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

Severity = Literal["reject", "suspect", "info", "off"]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone (such as Europe/London or UTC)")
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]


def fold(text: str) -> str:
    """The form in which labels and answers are compared: NFKC, white space folded, case-folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


class Scale(Entry):
    """An answer scale: its ends, which end is hard, the boxes that count as easy and difficult, its labels."""

    id: Slug
    title: str
    min: int
    max: int
    higher_means: Literal["easier", "harder"]
    easy: tuple[int, ...] = Field(min_length=1)
    difficult: tuple[int, ...] = Field(min_length=1)
    labels: dict[str, dict[int, str | tuple[str, ...]]] = Field(default={})

    @model_validator(mode="after")
    def _boxes_fit(self) -> "Scale":
        if self.min >= self.max:
            raise ValueError("min must be below max")
        values = set(range(self.min, self.max + 1))
        for box in ("easy", "difficult"):
            if stray := set(getattr(self, box)) - values:
                raise ValueError(f"{box} names {sorted(stray)}, outside {self.min} to {self.max}")
        if set(self.easy) & set(self.difficult):
            raise ValueError("a value cannot be easy and difficult at once")
        easier_end = self.max if self.higher_means == "easier" else self.min
        if easier_end not in self.easy:
            raise ValueError(f"the easiest value {easier_end} is not among easy: check higher_means")
        for language, labels in self.labels.items():
            if stray := set(labels) - values:
                raise ValueError(f"labels.{language} names {sorted(stray)}, outside the scale")
        return self

    @cached_property
    def by_label(self) -> dict[str, int]:
        """Folded answer label -> value, over all languages."""
        found: dict[str, int] = {}
        for labels in self.labels.values():
            for value, texts in labels.items():
                for text in (texts,) if isinstance(texts, str) else texts:
                    found[fold(text)] = value
        return found

    def effort_0_100(self, value: int) -> float:
        """Percent of maximum possible effort: 0 at the easy end, 100 at the hard end."""
        share = (value - self.min) / (self.max - self.min)
        return round(100 * (1 - share if self.higher_means == "easier" else share), 6)

    def band(self, value: int) -> str:
        """`easy`, `neutral` or `difficult` by this scale's own boxes."""
        return "easy" if value in self.easy else "difficult" if value in self.difficult else "neutral"


class ResponseRules(Entry):
    """How the answers of one touchpoint are judged. Every threshold and every severity of the reasons."""

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
        default=True, description="False: unfinished answers are incomplete even with a score"
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


DEFAULT_SEVERITIES: dict[str, Severity] = {
    "unreadable_row": "reject",
    "unregistered_survey": "reject",
    "test_response": "reject",
    "incomplete": "reject",
    "score_off_scale": "reject",
    "unknown_answer": "reject",
    "failed_attention_check": "reject",
    "too_fast": "reject",
    "missing_time": "reject",
    "time_order": "reject",
    "in_the_future": "reject",
    "duplicate": "reject",
    "partial": "suspect",
    "fast_for_survey": "suspect",
    "comment_contradicts": "suspect",
    "shared_device": "info",
    "slow": "info",
}
"""Reason -> severity, in the order in which reasons are listed on a row."""


def _survey_link(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must be an https URL such as https://surveys.example.com/effort, without user or #")
    return url


class Survey(Entry):
    """A touchpoint: one question asked at one moment of one process."""

    id: Slug
    title: str = ""
    also_known_as: tuple[str, ...] = Field(
        (), description="values of a feed's survey column that mean this one"
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
    questions: int | None = Field(None, ge=1, description="how many questions the whole survey asks")
    wording: str | None = Field(
        None, min_length=1, description="the question as it is asked, in the newest wording"
    )
    link: Annotated[str, AfterValidator(_survey_link)] | None = Field(
        None, description="where it is answered: what an invitation's signed link begins with"
    )
    expect: dict[str, str] = Field({}, description="export column -> the only answer that passes")
    link_window_days: float = Field(
        14.0, gt=0, description="how long after a solve an answer may still mean it"
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


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        # The text itself is not shown: it may be the secret, pasted where its variable's name belongs.
        raise ValueError("must be the NAME of an environment variable (capitals, digits, _), never its value")
    return name


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError("must be a plain URL such as https://example.zendesk.com")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must be https: credentials are not sent unencrypted")
    return url.rstrip("/")


Variable = Annotated[str, AfterValidator(_variable)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]


class BasicToken(Entry):
    """HTTP Basic. Where the vendor wants a token as the user name, no password is named."""

    kind: Literal["basic_token"]
    user: Variable
    password: Variable | None = None


class Bearer(Entry):
    """A token that is sent as it is, `Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: Variable


class HeaderKey(Entry):
    """A key in a header of the vendor's own."""

    kind: Literal["header_key"]
    header: str
    key: Variable


class OAuthClient(Entry):
    """OAuth client credentials. client_in: where the token request carries id and secret."""

    kind: Literal["oauth_client"]
    token_url: BaseUrl
    client_id: Variable
    client_secret: Variable
    scope: str | None = None
    client_in: Literal["basic", "form", "json"] = "basic"


class OAuthRefresh(Entry):
    """OAuth with a refresh token, which the vendor may replace at every use; the newest is kept in the home."""

    kind: Literal["oauth_refresh"]
    token_url: BaseUrl
    client_id: Variable
    client_secret: Variable
    refresh_token: Variable
    client_in: Literal["basic", "form", "json"] = "form"


Auth = Annotated[BasicToken | Bearer | HeaderKey | OAuthClient | OAuthRefresh, Field(discriminator="kind")]


class Api(Entry):
    """Where a feed is pulled from. Secrets are named by their environment variables, never written here."""

    connector: str
    base_url: BaseUrl
    auth: Auth | None = None
    since: date = Field(description="the first pull asks for records from this day on")
    page_size: int | None = Field(None, ge=1, description="records a page; the vendor's maximum unless set")
    requests_per_minute: float | None = Field(None, gt=0, description="a pace below the vendor's own limits")
    options: dict[str, Any] = Field({}, description="further settings of the connector")


class WriteBack(Entry):
    """That the score of a ticket's answer is written to the ticket, and where. Only `ces export scores` does it."""

    field: str = Field(
        pattern=r"^\w+$",
        description="Zendesk: the field's id; Freshdesk: its name (cf_...); ServiceNow: its column",
    )
    value: Literal["score", "effort_0_100", "ease_0_100", "effort_band"] = "score"


class Source(Entry):
    """A feed: where deliveries of one system arrive and how their columns are to be read."""

    id: Slug
    kind: KindName
    reader: str
    inbox: str = Field("**/*", description="which files below inbox/<id>/ belong to the feed")
    time_zone: TimeZone = Field(
        "UTC", description="zone of times that carry none (one stated in the file wins)"
    )
    time_formats: tuple[str, ...] = Field((), description="strptime formats of times that are not ISO 8601")
    survey: str | None = Field(None, description="the touchpoint of every answer of this feed")
    survey_column: str | None = Field(None, description="or: the column whose value names it")
    columns: dict[str, str] = Field(
        {}, description="our field -> the export's column; added to the reader's own"
    )
    values: dict[str, dict[str, str]] = Field({}, description="our field -> export value -> our value")
    people: tuple[str, ...] = Field((), description="further columns that hold people, to be pseudonymised")
    hashed: tuple[str, ...] = Field(
        (), description="our fields of people whose column holds this installation's own keyed hash already"
    )
    ignore: tuple[str, ...] = Field((), description="columns never kept, such as the time of the export")
    missing: tuple[str, ...] = Field((), description="texts that mean: no value (the empty cell always does)")
    options: dict[str, Any] = Field(
        {}, description="further settings of the reader, such as delimiter or record_path"
    )
    api: Api | None = Field(None, description="where it is pulled from, beside what lies in its inbox")
    write_back: WriteBack | None = Field(None, description="what `ces export scores` writes to its tickets")

    @model_validator(mode="after")
    def _survey_named_once(self) -> "Source":
        if self.kind == "survey" and (self.survey is None) == (self.survey_column is None):
            raise ValueError("a survey feed names its touchpoint by exactly one of survey and survey_column")
        if self.survey and self.survey_column:
            raise ValueError("a feed names its touchpoint by survey or survey_column, not by both")
        if not KINDS[self.kind].has_survey and (self.survey or self.survey_column):
            raise ValueError(f"a feed of kind {self.kind} has no survey")
        return self

    @property
    def reading(self) -> str:
        """Fingerprint of everything that decides how this feed's bytes become rows."""
        unset = set() if self.hashed else {"hashed"}
        told = self.model_dump(mode="json", exclude={"inbox", "survey", "api", "write_back", *unset})
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


ACCOUNT_PREFIX = "account."
"""What the name of an account's attribute begins with in the conditions of a rule."""


TICKET_ATTRIBUTES = (
    "source_id",
    "status",
    "priority",
    "category",
    "channel",
    "product",
    "group_name",
    "replies",
    "handoffs",
    "reopens",
)
"""What a rule about the handling of tickets may ask for: columns of `core.tickets`."""


class Segment(Entry):
    """A persona, journey-stage or handling rule. All conditions must hold; the first rule that matches wins.

    A condition is on an attribute of the answer, or, as `account.<attribute>`, of the respondent's account; of a rule
    about handling, on one of TICKET_ATTRIBUTES.
    """

    id: Slug
    assigns: Literal["persona", "journey_stage", "handling"] = "persona"
    value: str
    when: dict[str, str | float | int | tuple[str | float | int, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _asks_a_ticket(self) -> "Segment":
        if self.assigns == "handling" and (stray := sorted(set(self.when) - set(TICKET_ATTRIBUTES))):
            raise ValueError(
                f"a rule about handling asks tickets, and {stray[0]!r} is no attribute of theirs "
                f"(known: {', '.join(TICKET_ATTRIBUTES)})"
            )
        return self

    def wanted(self, attribute: str) -> tuple[str | float | int, ...]:
        """The values that the rule accepts of an attribute that it asks for."""
        values = self.when[attribute]
        return values if isinstance(values, tuple) else (values,)


def _minutes(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", text):
        raise ValueError(
            f"{text!r} is not a time of day such as '09:00' (in quotes; midnight at the end: '24:00')"
        )
    return text


TimeOfDay = Annotated[str, AfterValidator(_minutes)]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class OpenHours(Entry):
    """When support works on a day of the week."""

    opens: TimeOfDay
    closes: TimeOfDay

    @model_validator(mode="after")
    def _open_at_all(self) -> "OpenHours":
        if self.opens_minute >= self.closes_minute:
            raise ValueError("closes must be later than opens; leave out a day on which it is closed")
        return self

    @property
    def opens_minute(self) -> int:
        """Minutes after midnight."""
        return int(self.opens[:2]) * 60 + int(self.opens[3:])

    @property
    def closes_minute(self) -> int:
        """Minutes after midnight."""
        return int(self.closes[:2]) * 60 + int(self.closes[3:])


_OFFICE = OpenHours(opens="09:00", closes="17:00")


class EffortIndexComponent(Entry):
    """One observed input of the effort index. full_at: the count at which it says all that it can."""

    weight: float = Field(gt=0)
    full_at: float = Field(default=1, gt=0)


class EffortIndex(Entry):
    """Weights of the effort index. Another version's figures do not compare: change it with any of them."""

    version: str = "1"
    resolution: EffortIndexComponent = EffortIndexComponent(weight=3)
    first_reply: EffortIndexComponent = EffortIndexComponent(weight=2)
    replies: EffortIndexComponent = EffortIndexComponent(weight=2, full_at=8)
    handoffs: EffortIndexComponent = EffortIndexComponent(weight=2, full_at=4)
    reopens: EffortIndexComponent = EffortIndexComponent(weight=3, full_at=2)
    channel_switches: EffortIndexComponent = EffortIndexComponent(weight=2, full_at=2)

    @model_validator(mode="after")
    def _places_are_full_at_one(self) -> "EffortIndex":
        for name in ("resolution", "first_reply"):
            if getattr(self, name).full_at != 1:
                raise ValueError(f"{name} is a place among its category's tickets: it has no full_at")
        return self


class Product(Entry):
    """A product or service, and the names by which exports call it."""

    id: Slug
    title: str = ""
    also_known_as: tuple[str, ...] = Field((), description="values of a feed's product that mean this one")
    area: str | None = Field(None, description="what it belongs to, for products that are looked at together")
    owner: str | None = None


class Restatement(Entry):
    """Days whose personas and stages are decided by the accounts as they were on another day."""

    id: Slug
    first_day: date
    last_day: date
    as_of: date = Field(description="the day whose accounts decide")
    why: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> "Restatement":
        if self.first_day > self.last_day:
            raise ValueError("first_day must not be after last_day")
        return self


class Settings(Entry):
    """What holds for the whole installation."""

    business_time_zone: TimeZone = "UTC"
    first_day: date = date(2005, 1, 1)
    minimum_n: int = Field(30, ge=1)
    speed_window_days: int = Field(28, ge=1)
    schedule_hour: int = Field(2, ge=0, le=23)
    reject_share_warning: float = Field(0.25, ge=0, le=1)
    business_hours: dict[Literal[WEEKDAYS], OpenHours] = Field(  # type: ignore[valid-type]
        dict.fromkeys(WEEKDAYS[:5], _OFFICE), description="weekday: when support works, in the business zone"
    )
    holidays: tuple[date, ...] = Field((), description="days without business hours")
    repeat_contact_days: float = Field(
        7, gt=0, description="a ticket so soon after another of the same person and category is a repeat"
    )
    survey_ineligible: dict[Literal["channel", "product", "category", "priority"], tuple[str, ...]] = Field(
        {}, description="tickets that are never surveyed, by the values of an attribute"
    )
    effort_index: EffortIndex = EffortIndex()
    tag_coverage_warning: float = Field(
        0.5, ge=0, le=1, description="share of known tags below which it warns"
    )
    silent_touchpoint_days: int = Field(7, ge=1, description="days without an answer after which it warns")
    contact_limit: int = Field(3, ge=1, description="invitations within the window that are not too many")
    contact_window_days: int = Field(30, ge=1)
    invitation_window_days: int = Field(30, ge=1, description="how long after it an answer may come of it")
    most_questions: int = Field(3, ge=1, description="a survey that asks more is told as long")
    journey_window_days: int = Field(365, ge=1, description="days of a customer's journey that are added up")
    effort_half_life_days: float = Field(90.0, gt=0, description="days after which an effort counts half")
    priority_window_days: int = Field(90, ge=1, description="newest days of tickets that priorities count")
    fix_window_weeks: int = Field(8, ge=3, description="weeks before and after a fix that are compared")
    release_window_days: int = Field(14, ge=3, description="days before and after a release, likewise")
    smallest_effect_0_100: float = Field(
        5.0, gt=0, le=100, description="a difference of effort that matters: how many answers would show it?"
    )
    smallest_ticket_change: float = Field(
        0.1, gt=0, lt=1, description="a change of ticket volume that matters, as a share of it"
    )
    most_lag_days: int = Field(
        7, ge=0, le=28, description="how long after a backend measure effort may follow"
    )
    outcome_window_days: int = Field(90, ge=28, description="first and last days that outcomes compare")
    workers: int | None = Field(None, ge=1, description="processes that clean days side by side")


class Registry(Entry):
    """The whole registry, cross-checked: every reference points at an entry."""

    sources: dict[str, Source]
    surveys: dict[str, Survey]
    scales: dict[str, Scale]
    segments: tuple[Segment, ...]
    handling: tuple[Segment, ...] = ()
    settings: Settings
    restatements: tuple[Restatement, ...] = ()
    fixes: tuple[Fix, ...] = ()
    releases: tuple[Release, ...] = ()
    priorities: Priorities = Priorities()
    products: tuple[Product, ...] = ()
    objectives: tuple[Objective, ...] = ()

    @cached_property
    def product_names(self) -> dict[str, str]:
        """Folded product id or other name -> product id."""
        return {
            fold(name): product.id
            for product in self.products
            for name in (product.id, *product.also_known_as)
        }

    @cached_property
    def survey_names(self) -> dict[str, str]:
        """Folded survey id or other name -> survey id."""
        names = {}
        for survey in self.surveys.values():
            for name in (survey.id, *survey.also_known_as):
                names[fold(name)] = survey.id
        return names

    def survey_of_feed(self, source_id: str, named: str) -> str | None:
        """The touchpoint of a feed's answers that name it so: the feed's own, where it has one for all of them."""
        source = self.sources.get(source_id)
        return source.survey if source and source.survey else self.survey_names.get(fold(named))

    @cached_property
    def judging(self) -> str:
        """Fingerprint of everything that a day's verdicts depend on besides its rows."""
        told = self.model_dump(
            mode="json",
            include={
                "surveys": True,
                "scales": True,
                "segments": True,
                "settings": {"business_time_zone", "first_day", "speed_window_days"},
            },
            exclude={"surveys": {"__all__": {"link", "questions", "wording"}}},
        )
        told["touchpoints"] = {source.id: source.survey for source in self.sources.values()}
        if self.products:
            told["products"] = self.product_names
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def asks_accounts(self) -> bool:
        """Whether a rule asks for an attribute of accounts."""
        return any(name.startswith(ACCOUNT_PREFIX) for segment in self.segments for name in segment.when)

    def accounts_as_of(self, day: date) -> date:
        """The day whose accounts decide the personas of this day: itself, unless it is restated."""
        for one in self.restatements:
            if one.first_day <= day <= one.last_day:
                return one.as_of
        return day

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of feed that this home works with, in the order in which a run cleans them."""
        return tuple(name for name in KINDS if name in ALWAYS or self.feeds(name))

    def feeds(self, kind: str) -> list[Source]:
        return [source for source in self.sources.values() if source.kind == kind]
