"""The steps as plain calls: land, which days are stale, clean, publish.

The command line and the Dagster assets both call these; neither holds logic of its own.
"""

from datetime import date

from ces_pipeline.days.clean import clean
from ces_pipeline.days.plan import KINDS, Planner
from ces_pipeline.days.work import DayResult
from ces_pipeline.landing.land import FeedLanding, land, land_feed
from ces_pipeline.registry.models import Registry
from ces_pipeline.settings import Home
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.warehouse import PublishResult, publish

__all__ = [
    "KINDS",
    "DayResult",
    "FeedLanding",
    "PublishResult",
    "clean",
    "land",
    "land_feed",
    "publish",
    "stale_days",
]


def stale_days(home: Home, registry: Registry, kind: str) -> list[date]:
    """The days of a kind (`survey` or `tickets`) that are not what their deliveries, registry and rules would give."""
    return Planner(Lake(home.lake), registry, kind).stale_days()
