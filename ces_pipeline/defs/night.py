"""The night: runs that belong together carry its date as a tag, so that the page of runs can be filtered by it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ces_pipeline.registry import Registry

NIGHT_TAG = "ces/night"


def night_began(registry: Registry, now: datetime) -> datetime:
    """When the newest night began: at `schedule_hour` of settings.yaml, in the business zone. now: with a zone."""
    at = now.astimezone(ZoneInfo(registry.settings.business_time_zone))
    night = at.replace(hour=registry.settings.schedule_hour, minute=0, second=0, microsecond=0)
    return night if night <= at else night - timedelta(days=1)


def night_tags(registry: Registry, now: datetime) -> dict[str, str]:
    """The tag of all runs that begin at `now` or later in the same night or the day after it."""
    return {NIGHT_TAG: night_began(registry, now).date().isoformat()}
