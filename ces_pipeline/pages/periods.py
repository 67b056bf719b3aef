"""The calendar of the report: weeks from Monday, months and quarters."""

from datetime import date, timedelta
from typing import Literal

PeriodName = Literal["week", "month", "quarter"]
PERIODS: tuple[PeriodName, ...] = ("week", "month", "quarter")


def last_day(period: PeriodName, start: date) -> date:
    """The last day of a period."""
    if period == "week":
        return start + timedelta(days=6)
    months = 1 if period == "month" else 3
    year, month = divmod(start.month - 1 + months, 12)
    return date(start.year + year, month + 1, 1) - timedelta(days=1)


def first_day(period: PeriodName, day: date) -> date:
    """The first day of the period that a day is in."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def steps_back(period: PeriodName, start: date, steps: int) -> date:
    """The first day of the period so many periods before."""
    if period == "week":
        return start - timedelta(weeks=steps)
    months = start.year * 12 + start.month - 1 - steps * (1 if period == "month" else 3)
    return date(months // 12, months % 12 + 1, 1)
