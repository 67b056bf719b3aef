"""Paths of a delivery's files in the lake, relative to its root."""

from datetime import date

CROSS_DAY_SUFFIX = ".moves.parquet"


def raw_file(source_id: str, delivery_id: str, day: date) -> str:
    """A delivery's landed rows of a day."""
    return f"raw/{source_id}/day={day.isoformat()}/{delivery_id}.parquet"


def index_file(source_id: str, delivery_id: str) -> str:
    """A delivery's keys: key_hi, key_lo, content, day, event_at, delivery_id of every landed row."""
    return f"index/{source_id}/{delivery_id}.parquet"


def cross_day_file(source_id: str, delivery_id: str) -> str:
    """A delivery's cross-day revisions: all landed versions of its rows whose versions lie on more than one day."""
    return f"index/{source_id}/{delivery_id}{CROSS_DAY_SUFFIX}"
