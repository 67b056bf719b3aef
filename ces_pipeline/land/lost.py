"""Deliveries whose files in the lake are gone: which they are, and what still has their rows.

Landing reads such a delivery again from its export, and so do later deliveries that repeated its rows. If its export
is gone too, other deliveries may have all of its rows; if not, a person decides.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.land.change_set import ChangeSet, finish_change
from ces_pipeline.land.ledger import Delivery, restore
from ces_pipeline.land.paths import index_file
from ces_pipeline.land.unland import may_repeat, read_repeats
from ces_pipeline.storage.lake import UNREADABLE, Lake

TAKEN_BACK = ".taken_back"
"""File of a source with the first receipts of deliveries that are landed again."""
_CONTENT = ["key_hi", "key_lo", "content"]


def finish_interrupted(lake: Lake, source_id: str | None = None) -> tuple[str, ...]:
    """Finish an interrupted correction, and restore lost ledger entries from their copies; returns what was done.

    source_id: the source whose entries are restored; None: all.
    Call it with the landing lock.
    """
    notes = []
    if finish_change(lake):
        notes.append("a correction that was interrupted has been finished")
    for name in sorted(lake.names("ledger")) if source_id is None else [source_id]:
        path = f"ledger/{name}/{TAKEN_BACK}"
        if TAKEN_BACK in lake.names(f"ledger/{name}") and not _is_json(lake, path):
            lake.set_aside(path)
            notes.append(
                f"{path} was damaged and has been set aside: deliveries whose landing was interrupted count as "
                "received now"
            )
    notes += [
        f"{path} was lost or damaged and has been restored from its copy" for path in restore(lake, source_id)
    ]
    return tuple(notes)


def _is_json(lake: Lake, path: str) -> bool:
    try:
        return isinstance(json.loads(lake.read_bytes(path)), dict)
    except (OSError, ValueError):
        return False


def lost_deliveries(lake: Lake, landed: Iterable[Delivery]) -> dict[str, Delivery]:
    """Delivery id -> each delivery of a source with a file that is missing or has another size than was written.

    landed: the deliveries of one source.
    """
    deliveries = [delivery for delivery in landed if delivery.rows_landed]
    if not deliveries:
        return {}
    source_id = deliveries[0].source_id
    sizes = {
        path: state.size
        for folder in (f"raw/{source_id}", f"index/{source_id}")
        for path, state in lake.states(
            folder,
            [
                path
                for delivery in deliveries
                for path in delivery.stored_files
                if path.startswith(f"{folder}/")
            ],
        ).items()
    }
    return {
        delivery.delivery_id: delivery
        for delivery in deliveries
        if any(
            path not in sizes or (checksum is not None and sizes[path] != checksum[0])
            for path, checksum in delivery.stored_files.items()
        )
    }


def resting_on(lake: Lake, lost: Collection[Delivery], landed: Iterable[Delivery]) -> list[str]:
    """The ids of deliveries whose redelivered rows may be rows of a lost delivery."""
    ids = pa.array([delivery.delivery_id for delivery in lost], pa.string())
    found = []
    for delivery in landed if lost else ():
        if delivery.unlanded_at or not delivery.rows_redelivered:
            continue
        if delivery.repeats is None:
            is_resting = any(may_repeat(delivery, other) for other in lost)
        else:
            try:
                is_resting = (
                    pc.any(pc.is_in(read_repeats(lake, delivery)["of_delivery"], ids)).as_py() or False
                )
            except UNREADABLE:
                is_resting = True
        if is_resting:
            found.append(delivery.delivery_id)
    return found


def give_to_others(
    lake: Lake, delivery: Delivery, landed: Iterable[Delivery]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Count the rows of a lost delivery as redelivered, if other deliveries have all of them.

    landed: all deliveries of its source. Returns notes and failures. Call it with the landing lock.
    """
    name = f"{delivery.source_id}: {delivery.file_name} (delivery {delivery.delivery_id[:12]})"
    missing = _rows_that_no_other_has(lake, delivery, landed)
    if missing == 0:
        changes = ChangeSet(lake)
        changes.commit_entry(
            replace(
                delivery,
                days={day: (0, rows + again) for day, (rows, again) in delivery.days.items()},
                checksums={},
                repeats=None,
            )
        )
        changes.delete([*delivery.raw_files, index_file(delivery.source_id, delivery.delivery_id)])
        changes.apply()
        return (f"{name}: its files in the lake are gone, and later deliveries have all of its rows",), ()
    rows = (
        f"{delivery.rows_landed:,} rows"
        if missing is None
        else f"{missing:,} rows that no other delivery has"
    )
    return (), (
        f"{name}: its files in the lake are missing or damaged, with {rows}. What was published of them stays. Restore "
        f"lake/raw/{delivery.source_id} and lake/index/{delivery.source_id} from a backup, or put the export back into "
        f"the inbox, then run `ces run`. To give the rows up, run `ces unland {delivery.delivery_id[:12]}`",
    )


def _rows_that_no_other_has(lake: Lake, delivery: Delivery, landed: Iterable[Delivery]) -> int | None:
    """How many of its landed rows no other delivery has; None if its key file cannot be read."""
    others = [
        index_file(other.source_id, other.delivery_id)
        for other in landed
        if other.delivery_id != delivery.delivery_id and other.rows_landed
    ]
    try:
        own = lake.read_table(index_file(delivery.source_id, delivery.delivery_id), _CONTENT)
        parts = [lake.read_table(path, _CONTENT) for path in others if lake.exists(path)]
    except UNREADABLE:
        return None
    if not parts:
        return int(own.num_rows)
    return int(own.join(pa.concat_tables(parts), _CONTENT, join_type="left anti").num_rows)
