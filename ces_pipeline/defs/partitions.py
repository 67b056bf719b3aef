"""The calendar: the days that are partitions, and ranges of consecutive days.

It begins with the first day that has landed, so that no page shows years without data. An older day that lands later
is cleaned as a day outside the calendar, and is a partition as soon as Dagster loads the definitions again.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from dagster import DailyPartitionsDefinition

from ces_pipeline import pipeline
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry


def daily_partitions(home: Home, registry: Registry) -> DailyPartitionsDefinition:
    """Every day from the first landed one to today, in the business time zone."""
    return DailyPartitionsDefinition(
        start_date=pipeline.first_landed_day(home, registry).isoformat(),
        timezone=registry.settings.business_time_zone,
        end_offset=1,
    )


def within_calendar(home: Home, registry: Registry, days: Iterable[date]) -> list[date]:
    """The days that are partitions, sorted. Rows with a wrong year may lie on other days."""
    first, last = calendar_ends(home, registry)
    return sorted(day for day in days if first <= day <= last)


def calendar_ends(home: Home, registry: Registry) -> tuple[date, date]:
    """(First landed day, today), in the business time zone."""
    partitions = daily_partitions(home, registry)
    first, last = partitions.start.date(), partitions.get_last_partition_key()
    return first, date.fromisoformat(last) if last else first


def ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """(first, last) of each range of consecutive days, ascending."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def stale_ranges(home: Home, registry: Registry, stale: Iterable[date]) -> list[tuple[date, date]]:
    """The ranges of partitions to run, so that all stale days are cleaned.

    Stale days outside the calendar have no partition. Every run also cleans those days, so if no other day is stale,
    today is run.
    """
    days = list(stale)
    inside = within_calendar(home, registry, days)
    if days and not inside:
        today = calendar_ends(home, registry)[1]
        return [(today, today)]
    return ranges(inside)


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags of a run that cleans a range of days."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
