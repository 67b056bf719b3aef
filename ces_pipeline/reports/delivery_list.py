"""The deliveries of the ledger as a person reads them: newest first, with rows, days and state."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.storage.lake import Lake

COUNTS = "counts"
"""The state of a delivery whose rows count."""


def delivery_list(lake: Lake, source: str | None = None) -> list[dict[str, Any]]:
    """Every delivery, or those of a source, newest first. Raises CesError if the ledger cannot be read."""
    ledger = Ledger.read(lake)
    deliveries = ledger.deliveries if source is None else ledger.of_source(source)
    return [
        _row(delivery)
        for delivery in sorted(deliveries, key=lambda delivery: delivery.rank[1:], reverse=True)
    ]


def short_ids(deliveries: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Delivery id -> its first letters, as many as tell all apart, and at least 12."""
    ids = sorted({row["delivery_id"] for row in deliveries})
    length = 12
    while len({name[:length] for name in ids}) < len(ids):
        length += 4
    return {name: name[:length] for name in ids}


def _row(delivery: Delivery) -> dict[str, Any]:
    days = delivery.all_days
    return {
        "delivery_id": delivery.delivery_id,
        "source_id": delivery.source_id,
        "kind": delivery.kind,
        "file_name": delivery.file_name,
        "size_bytes": delivery.size_bytes,
        "received_at": delivery.received_at,
        "rows_read": delivery.rows_read,
        "rows_landed": delivery.rows_landed,
        "rows_redelivered": delivery.rows_redelivered,
        "rows_unreadable": delivery.rows_unreadable,
        "rows_taken_back": sum(delivery.unlanded.values()),
        "rows_erased": sum(delivery.erased.values()),
        "first_day": days[0] if days else None,
        "last_day": days[-1] if days else None,
        "state": _state(delivery),
    }


def _state(delivery: Delivery) -> str:
    if delivery.unlanded_at:
        return f"taken back {delivery.unlanded_at.astimezone(UTC):%Y-%m-%d}"
    if delivery.erased:
        return "counts, except erased people"
    return COUNTS if delivery.rows_landed else "adds nothing"
