"""`settings.yaml`: what holds for the installation."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ces_pipeline.registry.base import Entry, TimeZone


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
    invitation_window_days: int = Field(
        30, ge=1, description="days after it in which an answer may belong to it"
    )
    most_questions: int = Field(3, ge=1, description="`ces doctor` warns of a survey that asks more")
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
