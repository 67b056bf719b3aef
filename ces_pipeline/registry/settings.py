"""`settings.yaml`: settings of the installation."""

import re
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import AfterValidator, Field, model_validator

from ces_pipeline.registry.api import Variable
from ces_pipeline.registry.base import MOST_DAYS, Days, Entry, Text, TimeZone
from ces_pipeline.registry.public_holidays import calendar_problem
from ces_pipeline.registry.reports import ReportSettings


def _minutes(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", text):
        raise ValueError(
            f"{text!r} is not a time of day such as '09:00' (in quotes; midnight at the end: '24:00')"
        )
    return text


def _region(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{code!r} is no country code of two letters, such as DE or GB")
    return code


def _calendar(code: str) -> str:
    if problem := calendar_problem(code):
        raise ValueError(problem)
    return code


def _role(name: str) -> str:
    if not name or len(name.encode()) > 63 or "\0" in name:
        raise ValueError("a role has a name of 1 to 63 bytes")
    return name


Role = Annotated[str, AfterValidator(_role)]
PhoneRegion = Annotated[str, AfterValidator(_region)]
HolidayCalendar = Annotated[str, AfterValidator(_calendar)]
TimeOfDay = Annotated[str, AfterValidator(_minutes)]


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class OpenHours(Entry):
    """Opening hours of support on one day of the week."""

    opens: TimeOfDay = Field(description='time of day in quotes, such as "09:00"')
    closes: TimeOfDay = Field(
        description='time of day in quotes, such as "17:00"; midnight at the end is "24:00"'
    )

    @model_validator(mode="after")
    def _open_at_all(self) -> "OpenHours":
        if self.opens_minute >= self.closes_minute:
            raise ValueError("closes must be later than opens; leave out the day if support is closed")
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
    """One observed component of the effort index."""

    weight: float = Field(gt=0, description="weight in the mean")
    full_at: float = Field(
        default=1, gt=0, description="the count from which the component is at its maximum"
    )


class EffortIndex(Entry):
    """Weights of the effort index. Figures of two versions do not compare: change the version with any weight."""

    version: str = Field(
        default="1", description="name of this set of weights; figures of two versions do not compare"
    )
    resolution: EffortIndexComponent = Field(
        default=EffortIndexComponent(weight=3),
        description="time until the latest solve, as a percentile rank within the ticket's category",
    )
    first_reply: EffortIndexComponent = Field(
        default=EffortIndexComponent(weight=2),
        description="time until the first reply, as a percentile rank within the ticket's category",
    )
    replies: EffortIndexComponent = Field(
        default=EffortIndexComponent(weight=2, full_at=8), description="public replies by agents"
    )
    handoffs: EffortIndexComponent = Field(
        default=EffortIndexComponent(weight=2, full_at=4),
        description="times the ticket went to another agent or group",
    )
    reopens: EffortIndexComponent = Field(
        default=EffortIndexComponent(weight=3, full_at=2), description="times the ticket was reopened"
    )
    channel_switches: EffortIndexComponent = Field(
        default=EffortIndexComponent(weight=2, full_at=2),
        description="further channels on which the customer had to ask",
    )

    @model_validator(mode="after")
    def _ranks_take_no_full_at(self) -> "EffortIndex":
        for name in ("resolution", "first_reply"):
            if getattr(self, name).full_at != 1:
                raise ValueError(
                    f"{name} takes no `full_at`: it is already a percentile rank within the ticket's category"
                )
        return self


class MachineSettings(Entry):
    """What a run may use of the machine."""

    threads: int | None = Field(
        default=None,
        ge=1,
        le=1_000,
        description="threads of each DuckDB session; by default one for each processor that the process may use, and "
        "for each 125 MB of `memory_mb`",
    )
    memory_mb: int | None = Field(
        default=None,
        ge=1,
        description="memory of each DuckDB session, in MB; by default a quarter of what the machine or the container "
        "has, at least 600 and at most 4000",
    )


class PostgresExport(Entry):
    """The PostgreSQL database that receives a copy of the published tables."""

    url: Variable = Field(
        description="NAME of the environment variable that holds the address, such as "
        "`postgresql://ces:password@host/ces`: a role that may create schemas in this database"
    )
    readers: tuple[Role, ...] = Field(
        default=(), description="roles of the database that may read every table that is copied"
    )
    has_core: bool = Field(
        default=False,
        description="true: also the `core` tables, with a row per answer and ticket; comments never",
    )


class Exports(Entry):
    """Copies that every publish updates. None unless they are set."""

    postgres: PostgresExport | None = Field(
        default=None, description="the database for Grafana and other tools; needs the extra `postgres`"
    )
    bi_files: bool = Field(
        default=False, description="true: the `bi` tables as Parquet files in `exports/bi/` of the home"
    )
    metrics_file: Text | None = Field(
        default=None,
        description="file of metrics for Prometheus, written after every run; a relative path begins at the home. It "
        "ends in `.prom`",
    )

    @model_validator(mode="after")
    def _is_collected(self) -> "Exports":
        if self.metrics_file is not None and not self.metrics_file.endswith(".prom"):
            raise ValueError("metrics_file must end in .prom: node_exporter reads no other file")
        return self


class Settings(Entry):
    """Settings of the installation."""

    business_time_zone: TimeZone = Field(
        "UTC", description="zone of a day, an IANA name such as Europe/Berlin"
    )
    phone_regions: tuple[PhoneRegion, ...] = Field(
        (),
        description="countries whose phone numbers comments hold without a country code, such as [DE, AT]; by default "
        "the country of the business time zone. Without any (zone UTC), they are known by their shape alone",
    )
    shared_with: Literal["nobody", "group", "everyone"] = Field(
        "nobody",
        description="who besides the owner may read the lake, the warehouse and the reports, which hold comments",
    )
    first_day: date = Field(
        date(2005, 1, 1), ge=date(1970, 1, 1), description="rows with an earlier time have no usable time"
    )
    minimum_n: int = Field(30, ge=1, description="a figure of fewer answers is suppressed")
    speed_window_days: Days = Field(28, description="days before a day that `fast_for_survey` compares with")
    schedule_hour: int = Field(
        2, ge=0, le=23, description="hour of the nightly run, in the business time zone"
    )
    land_every_minutes: Literal[5, 6, 10, 12, 15, 20, 30, 60] | None = Field(
        None,
        description="minutes between two landings of every source by the services, in addition to the nightly run; the "
        "days that they change are cleaned and published; unset: only at night",
    )
    probe_every_minutes: Literal[5, 6, 10, 12, 15, 20, 30, 60] | None = Field(
        60, description="minutes between two probes of the published file by the services; `null`: none"
    )
    probe_limit_seconds: float = Field(
        5.0, gt=0, le=600, description="seconds in which each question of a probe must be answered"
    )
    reject_share_warning: float = Field(
        0.25, ge=0, le=1, description="share of rejected rows of a day above which a check warns"
    )
    business_hours: dict[Literal[WEEKDAYS], OpenHours] = Field(  # type: ignore[valid-type]
        dict.fromkeys(WEEKDAYS[:5], _OFFICE),
        description="weekday: opening hours of support, in the business time zone",
    )
    holidays: tuple[date, ...] = Field((), description="days without business hours")
    holiday_calendars: tuple[HolidayCalendar, ...] = Field(
        (),
        description="countries and regions whose public holidays have no business hours either, such as [DE-BY, AT]; "
        "needs the extra `holidays`",
    )
    repeat_contact_days: float = Field(
        7,
        gt=0,
        le=MOST_DAYS,
        description="a ticket within so many days after another one of the same person and category is a repeat",
    )
    survey_ineligible: dict[Literal["channel", "product", "category", "priority"], tuple[str, ...]] = Field(
        {}, description="tickets that are never surveyed; attribute: list of values"
    )
    effort_index: EffortIndex = Field(EffortIndex(), description="weights of the effort index")
    tag_coverage_warning: float = Field(
        0.5,
        ge=0,
        le=1,
        description="a check warns if a tag's known share falls below this fraction of its earlier share",
    )
    silent_touchpoint_days: Days = Field(7, description="days without an answer, after which a check warns")
    contact_limit: int = Field(3, ge=1, description="most invitations of a person within the window")
    contact_window_days: Days = Field(30, description="the window of `contact_limit`, in days")
    invitation_window_days: Days = Field(
        30, description="days after an invitation in which an answer may belong to it"
    )
    invite_window_days: Days = Field(
        2, description="days after an event in which its invitation may still be sent and delivered"
    )
    follow_up_window_days: Days = Field(
        14, description="days after a difficult answer in which it may still be followed up"
    )
    reopen_window_days: Days = Field(
        7, description="days after its solve in which a ticket may still be reopened"
    )
    most_questions: int = Field(3, ge=1, description="`ces doctor` warns about a survey with more questions")
    journey_window_days: Days = Field(365, description="days of a customer's journey that are summed")
    effort_half_life_days: float = Field(
        90.0, gt=0, le=MOST_DAYS, description="days after which the effort of an answer counts half"
    )
    priority_window_days: Days = Field(90, description="newest days of tickets that the priorities use")
    fix_window_weeks: int = Field(
        8, ge=3, le=MOST_DAYS // 7, description="weeks before and after a fix that are compared"
    )
    release_window_days: int = Field(
        14, ge=3, le=MOST_DAYS, description="days before and after a release that are compared"
    )
    smallest_effect_0_100: float = Field(
        5.0,
        gt=0,
        le=100,
        description="smallest difference of effort that matters; the weeks to detect it are computed",
    )
    smallest_ticket_change: float = Field(
        0.1, gt=0, lt=1, description="smallest change of ticket volume that matters, as a share of the volume"
    )
    most_lag_days: int = Field(
        7, ge=0, le=28, description="most days between a backend measure and the effort that follows it"
    )
    outcome_window_days: int = Field(
        90, ge=28, le=MOST_DAYS, description="first days and last days that outcomes compare"
    )
    machine: MachineSettings = Field(MachineSettings(), description="what a run may use of the machine")
    exports: Exports = Field(Exports(), description="copies of the published figures that other tools read")
    reports: ReportSettings = Field(
        ReportSettings.model_validate({}), description="the pages that a run writes"
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="processes that clean days in parallel; by default one for each thread and for each 300 MB of "
        "`machine.memory_mb`",
    )

    def business_date(self, at: datetime) -> date:
        """The day of an instant in the business zone. at: with a zone."""
        return at.astimezone(ZoneInfo(self.business_time_zone)).date()
