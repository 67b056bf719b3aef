"""Paths of a delivery's files in the lake, relative to its root."""

from datetime import date

CROSS_DAY_SUFFIX = ".moves.parquet"
COPY_SUFFIX = ".entry.json"


def raw_file(source_id: str, delivery_id: str, day: date) -> str:
    """A delivery's landed rows of a day."""
    return f"raw/{source_id}/day={day.isoformat()}/{delivery_id}.parquet"


def index_file(source_id: str, delivery_id: str) -> str:
    """A delivery's keys: key_hi, key_lo, content, day, event_at, delivery_id, row_number of every landed row.

    Earlier releases wrote no row_number.
    """
    return f"index/{source_id}/{delivery_id}.parquet"


def cross_day_file(source_id: str, delivery_id: str) -> str:
    """A delivery's cross-day revisions: all landed versions of its rows whose versions lie on more than one day."""
    return f"index/{source_id}/{delivery_id}{CROSS_DAY_SUFFIX}"


def repeats_file(source_id: str, delivery_id: str) -> str:
    """A delivery's redelivered rows: row_number, of_delivery and of_row_number (the landed row that each repeats)."""
    return f"index/{source_id}/{delivery_id}.repeats.parquet"


def entry_copy_file(source_id: str, delivery_id: str) -> str:
    """The copy of a delivery's ledger entry."""
    return f"index/{source_id}/{delivery_id}{COPY_SUFFIX}"
