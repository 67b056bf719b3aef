"""Takes a delivery back, for `ces unland`: the checks before it, the record, and the change."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ces_pipeline.corrections.landed import (
    SHORTEST_ID,
    find_delivery,
    holding_locks,
    published_deliveries,
)
from ces_pipeline.corrections.log import Correction, record
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.inbox import SeenFiles, inbox_files, seen_key
from ces_pipeline.land.ledger import Delivery, Ledger, forget
from ces_pipeline.land.lost import finish_interrupted, lost_deliveries
from ces_pipeline.land.step import land_source, take_back
from ces_pipeline.land.unland import Unlanding, plan_unlanding, unland
from ces_pipeline.registry import Registry
from ces_pipeline.storage.lake import Lake


@dataclass(frozen=True)
class TakenBack:
    """What taking a delivery back did, or would do.

    rows: landed rows of the delivery. returned: file name of a later delivery -> rows that now count as its own.
    landed_again: later deliveries that land again, because an earlier release did not record what they repeat.
    given_up: later deliveries that may have repeated rows and cannot land again.
    """

    delivery: Delivery
    rows: int
    days: tuple[date, ...]
    returned: dict[str, int]
    landed_again: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    was_lost: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "delivery_id": self.delivery.delivery_id,
            "source_id": self.delivery.source_id,
            "file_name": self.delivery.file_name,
            "rows": self.rows,
            "first_day": self.days[0].isoformat() if self.days else None,
            "last_day": self.days[-1].isoformat() if self.days else None,
            "rows_returned_by_file": self.returned,
            "landed_again": list(self.landed_again),
            "given_up": list(self.given_up),
        }


def take_delivery_back(
    home: Home,
    registry: Registry,
    named: str,
    *,
    source_id: str | None = None,
    why: str | None = None,
    is_dry: bool = False,
    gives_up: bool = False,
    now: datetime | None = None,
) -> TakenBack:
    """Take back the delivery of this id or file name. Its days are stale then; this cleans and publishes nothing.

    is_dry: only say what would happen. gives_up: also if rows of later deliveries that repeated it are lost by it.
    Raises CesError if no delivery or several have the name, if it was taken back before, or if later deliveries of an
    earlier release may have repeated its rows and their exports are not in the inbox.
    """
    lake = Lake(home.lake)
    at = now or datetime.now(UTC)
    again: list[Delivery] = []
    with holding_locks(home):
        finish_interrupted(lake)
        if (vanished := _vanished(home, named, source_id)) is not None:
            if not is_dry:
                record(lake, _correction(vanished, why), now=at)
            return vanished
        delivery = find_delivery(lake, named, source_id)
        if delivery.unlanded_at:
            raise CesError(
                f"delivery {delivery.delivery_id[:12]} was taken back before, at {delivery.unlanded_at:%Y-%m-%d %H:%M} "
                f"UTC. To land its file again, run `ces unland {delivery.delivery_id[:12]} --undo`"
            )
        landed = Ledger.read(lake, delivery.source_id).deliveries
        is_lost = delivery.delivery_id in lost_deliveries(lake, landed)
        plan = Unlanding(delivery) if is_lost else plan_unlanding(lake, delivery, landed)
        here = _in_inbox(home, registry, plan.unrecorded)
        again = [later for later in plan.unrecorded if later.delivery_id in here]
        lacking = [later for later in plan.unrecorded if later.delivery_id not in here]
        if lacking and not gives_up:
            raise CesError(
                f"rows of {delivery.file_name} may be in these later deliveries too, and they landed before ces "
                f"recorded that: {', '.join(later.file_name for later in lacking)}. Put their exports back into the "
                f"inbox, so that they land again; or add --give-up-repeated to do without those rows"
            )
        result = TakenBack(
            delivery=delivery,
            rows=plan.rows,
            days=tuple(plan.days),
            returned={heir.delivery.file_name: heir.rows.num_rows for heir in plan.heirs},
            landed_again=tuple(later.file_name for later in again),
            given_up=tuple(later.file_name for later in lacking),
            was_lost=is_lost,
        )
        if is_dry:
            return result
        record(lake, _correction(result, why), now=at)
        unland(lake, plan, landed, registry.settings, at)
        if again:
            source = registry.sources[delivery.source_id]
            take_back(lake, source, {later.delivery_id: later for later in again}, again)
    if again:
        land_source(home, registry, registry.sources[delivery.source_id])
    return result


def undo(home: Home, named: str, *, source_id: str | None = None, why: str | None = None) -> Delivery:
    """Forget that a delivery was taken back, so that its file lands again if it is in the inbox.

    Raises CesError if no delivery or several have the name, or if it was not taken back.
    """
    lake = Lake(home.lake)
    with holding_locks(home):
        finish_interrupted(lake)
        delivery = find_delivery(lake, named, source_id)
        if not delivery.unlanded_at:
            raise CesError(
                f"delivery {delivery.delivery_id[:12]} was not taken back, so there is nothing to undo"
            )
        detail = "undone: its file lands again from the inbox"
        record(lake, _of_delivery(delivery, sum(delivery.unlanded.values()), why, detail))
        forget(lake, [delivery])
    return delivery


def _vanished(home: Home, named: str, source_id: str | None) -> TakenBack | None:
    """A published delivery of this id that is not in the ledger any more; None if there is none.

    Its rows can only be given up: that is recorded, so that the next publish may do without them.
    """
    known = {delivery.delivery_id for delivery in Ledger.read(Lake(home.lake)).deliveries}
    found = [
        row
        for row in published_deliveries(home)
        if row["delivery_id"].startswith(named.lower())
        and row["delivery_id"] not in known
        and source_id in (None, row["source_id"])
    ]
    if len(named) < SHORTEST_ID or len(found) != 1:
        return None
    (row,) = found
    delivery = Delivery(
        **{
            name: row[name]
            for name in ("delivery_id", "source_id", "kind", "file_name", "size_bytes", "received_at")
        },
        as_of=row["as_of"],
        landed_with="",
        rows_read=row["rows_read"],
        rows_unreadable=row["rows_unreadable"],
        columns=(),
    )
    days = tuple(day for day in (row["first_day"], row["last_day"]) if day)
    return TakenBack(delivery=delivery, rows=row["rows_landed"], days=days, returned={}, was_lost=True)


def _correction(result: TakenBack, why: str | None) -> Correction:
    detail = json.dumps(
        {"rows_returned": sum(result.returned.values()), "landed_again": len(result.landed_again)}
    )
    return _of_delivery(result.delivery, result.rows, why, detail)


def _of_delivery(delivery: Delivery, rows: int, why: str | None, detail: str) -> Correction:
    days = delivery.all_days
    first, last = (days[0], days[-1]) if days else (None, None)
    ids = {"source_id": delivery.source_id, "delivery_id": delivery.delivery_id}
    return Correction("unland", rows, why=why, first_day=first, last_day=last, detail=detail, **ids)


def _in_inbox(home: Home, registry: Registry, deliveries: Sequence[Delivery]) -> set[str]:
    """The ids of those deliveries whose file is in the inbox, by the hashes of the last landing."""
    found: set[str] = set()
    for source_id in {delivery.source_id for delivery in deliveries} & registry.sources.keys():
        seen = SeenFiles(Lake(home.lake), source_id).load()
        hashes = (
            seen.sha256(seen_key(home, path), path) for path in inbox_files(home, registry.sources[source_id])
        )
        found |= {sha256 for sha256 in hashes if sha256}
    return found
