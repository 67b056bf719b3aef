"""Rows that were received before their own time: a clock was wrong, so their day and verdict are not final.

When their time has come, such a row lands again: with a later delivery that holds it, or from its file if that is still
in the inbox. The later receipt then counts (`clean/versions.py`).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.land.ledger import Delivery
from ces_pipeline.land.paths import index_file
from ces_pipeline.rules.in_the_future import CLOCK_SKEW_SECONDS
from ces_pipeline.storage.lake import Lake

_SKEW = timedelta(seconds=CLOCK_SKEW_SECONDS)


def final(received_now: str) -> str:
    """SQL condition on landed rows with event_at and received_at: false if they were early and are not any more.

    received_now: SQL for the time of the delivery that is landing.
    """
    skew = f"INTERVAL {CLOCK_SKEW_SECONDS:.0f} SECOND"
    return f"(event_at IS NULL OR event_at <= received_at + {skew} OR event_at > {received_now}::TIMESTAMPTZ + {skew})"


def note(lake: Lake, delivery: Delivery) -> None:
    """Note when the first of a delivery's early rows is early no more; nothing if it has none."""
    noted = _noted(lake, delivery.source_id)
    found = _first_early(lake, delivery)
    if found is None and delivery.delivery_id not in noted:
        return
    noted.pop(delivery.delivery_id, None)
    if found is not None:
        noted[delivery.delivery_id] = found
    _save(lake, delivery.source_id, noted)


def due(lake: Lake, source_id: str, now: datetime) -> frozenset[str]:
    """Deliveries with early rows that are early no more."""
    return frozenset(name for name, since in _noted(lake, source_id).items() if since <= now)


def _first_early(lake: Lake, delivery: Delivery) -> datetime | None:
    path = index_file(delivery.source_id, delivery.delivery_id)
    if not delivery.rows_landed or not lake.exists(path):
        return None
    times = lake.read_table(path, ["event_at"])["event_at"]
    limit = pa.scalar(delivery.received_at + _SKEW, times.type)
    first = pc.min(times.filter(pc.greater(times, limit))).as_py()
    return None if first is None else first.astimezone(UTC) - _SKEW


def _path(source_id: str) -> str:
    return f"ledger/{source_id}/.early"


def _noted(lake: Lake, source_id: str) -> dict[str, datetime]:
    """Delivery -> when its first early row is early no more. Without the note, a later delivery still decides."""
    try:
        entries = json.loads(lake.read_bytes(_path(source_id)))
        return {name: datetime.fromisoformat(since) for name, since in entries.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _save(lake: Lake, source_id: str, noted: Mapping[str, datetime]) -> None:
    entries = {name: since.isoformat() for name, since in sorted(noted.items())}
    lake.write_bytes(_path(source_id), json.dumps(entries).encode())
