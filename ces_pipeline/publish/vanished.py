"""Refuses a publish that would lose published rows without a command that asked for it.

The published file names the deliveries that it was made from. Each of them must still be in the ledger, or a recorded
correction must have taken it back.
"""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from ces_pipeline.errors import CesError
from ces_pipeline.registry.registry import Registry

PublishedDelivery = tuple[str, str]
"""Source id and delivery id."""

_NAMED = 3


def refuse_vanished(
    published: Mapping[PublishedDelivery, tuple[str, int]],
    deliveries: pa.Table,
    corrections: pa.Table,
    registry: Registry,
) -> None:
    """Raise CesError if a published delivery with rows is not in the ledger and no command took it back.

    published: delivery -> its file name and landed rows, from the published file. deliveries, corrections:
    `audit.deliveries` and `audit.corrections` as they are now.
    """
    ids = {old: source.id for source in registry.sources.values() for old in source.formerly}
    present = set(zip(*(deliveries[name].to_pylist() for name in ("source_id", "delivery_id")), strict=True))
    allowed = {
        (ids.get(source_id, source_id), delivery_id)
        for command, source_id, delivery_id in zip(
            *(corrections[name].to_pylist() for name in ("command", "source_id", "delivery_id")), strict=True
        )
        if command == "unland"
    }
    vanished = [
        (ids.get(source_id, source_id), delivery_id, name, rows)
        for (source_id, delivery_id), (name, rows) in sorted(published.items())
        if rows
        and not {(ids.get(source_id, source_id), delivery_id), (source_id, delivery_id)} & (present | allowed)
    ]
    if vanished:
        raise CesError(_message(vanished))


def _message(vanished: Sequence[tuple[str, str, str, int]]) -> str:
    named = ", ".join(
        f"{name} (source {source_id}, {rows:,} rows, delivery {delivery_id[:12]})"
        for source_id, delivery_id, name, rows in vanished[:_NAMED]
    )
    more = f" and {len(vanished) - _NAMED:,} more" if len(vanished) > _NAMED else ""
    deliveries = "1 delivery is" if len(vanished) == 1 else f"{len(vanished):,} deliveries are"
    return (
        f"not published, because published rows would vanish: {deliveries} not in lake/ledger any more: {named}{more}. "
        f"Restore the folders ledger, index and raw of the lake from a backup; or put the exports back into the inbox "
        f"and run `ces run`, which lands them again. To give the rows up, run `ces unland {vanished[0][1][:12]}`"
    )
