"""The calendar: which days are partitions, and runs of neighbouring days."""

from collections.abc import Iterable
from datetime import date, timedelta

from dagster import DailyPartitionsDefinition

from ces_pipeline.registry import Registry


def daily_partitions(registry: Registry) -> DailyPartitionsDefinition:
    """Every day from the first day of the settings to today, both in the business zone."""
    settings = registry.settings
    return DailyPartitionsDefinition(
        start_date=settings.first_day.isoformat(), timezone=settings.business_time_zone, end_offset=1
    )


def within_calendar(registry: Registry, days: Iterable[date]) -> list[date]:
    """Those of `days` that are partitions; rows with a wrong year may lie on days that are not."""
    first, last = calendar_ends(registry)
    return sorted(day for day in days if first <= day <= last)


def calendar_ends(registry: Registry) -> tuple[date, date]:
    """First day and today."""
    partitions = daily_partitions(registry)
    last = partitions.get_last_partition_key()
    first = registry.settings.first_day
    return first, date.fromisoformat(last) if last else first


def ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """Days as (first, last) of each unbroken run of neighbours, ascending."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def stale_ranges(registry: Registry, stale: Iterable[date]) -> list[tuple[date, date]]:
    """Ranges of partitions to be run so that all stale days are cleaned.

    Stale days outside the calendar have no partition. Every run cleans them too, so where nothing else waits
    a run of today stands for them.
    """
    days = list(stale)
    inside = within_calendar(registry, days)
    if days and not inside:
        today = calendar_ends(registry)[1]
        return [(today, today)]
    return ranges(inside)


def range_tags(first: date, last: date) -> dict[str, str]:
    """The run tags that make one run of a range of days."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
