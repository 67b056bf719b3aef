"""What was sent, per receiver, in the home: written behind every answer of the receiver, atomically.

Before a request its items are noted as in doubt. Who is killed in between leaves them so: whether they arrived is then
not known, and the caller decides by how long the receiver itself would know them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.lake import UNREADABLE, Lake

SENT = "sent"
UNKNOWN = "unknown"
SCHEMA = pa.schema(
    [
        ("item", pa.string()),
        ("content", pa.uint64()),
        ("person", pa.uint64()),
        ("at_ms", pa.int64()),
        ("state", pa.string()),
        ("sent_at", pa.timestamp("us", "UTC")),
    ]
)
"""item: what was sent, by its own id. content: fingerprint of what was said of it. person: of whom. at_ms: its time, as
sent. state: `sent`, or `unknown` where a killed export may or may not have sent it, or a word of the caller's."""
_MOST_FILES = 64


@dataclass(frozen=True)
class Item:
    """One thing that is sent."""

    item: str
    content: int | None = None
    person: int | None = None
    at_ms: int | None = None


class Ledger:
    """The ledger of one receiver. One process at a time (see `exclusive`) may have it."""

    def __init__(self, lake: Lake, name: str):
        self._lake = lake
        self._folder = f"exports/{name}"
        self._doubts: dict[str, tuple[Item, datetime]] = {}
        if lake.exists(self._pending):
            for row in self._read(self._pending).to_pylist():
                one = Item(row["item"], row["content"], row["person"], row["at_ms"])
                self._doubts[one.item] = (one, row["sent_at"])
        self._next = 1 + max((int(path.rpartition("/")[2][:8]) for path in self._files()), default=0)

    def newest(self) -> pa.Table:
        """The newest row of every item, with SCHEMA."""
        paths = self._files()
        if not paths:
            return SCHEMA.empty_table()
        rows = pa.concat_tables([self._read(path) for path in paths])
        place = pa.array(range(rows.num_rows), pa.int64())
        last = rows.append_column("place", place).group_by("item").aggregate([("place", "max")])["place_max"]
        found = rows.take(last)
        if len(paths) > _MOST_FILES:
            self._write(found)
            for path in paths:
                self._lake.delete(path)
        return found

    def begin(self, items: Sequence[Item], now: datetime) -> list[Item]:
        """Note that these are about to be sent; those of them that were not in doubt already.

        What was in doubt stays so since when it was first sent, whatever becomes of this attempt, unless it succeeds.
        """
        fresh = [one for one in items if one.item not in self._doubts]
        self._doubts |= {one.item: (one, now) for one in fresh}
        self._note_doubts()
        return fresh

    def end(self, sent: Sequence[Item], not_taken: Sequence[Item], now: datetime, state: str = SENT) -> None:
        """Note those that ended in `state`; neither they nor those not taken are in doubt any more."""
        if sent:
            self._write(_rows([(one, now) for one in sent], state))
        for one in (*sent, *not_taken):
            self._doubts.pop(one.item, None)
        self._note_doubts()

    def in_doubt(self, before: datetime) -> list[Item]:
        """What killed exports were sending before a moment."""
        return [one for one, since in self._doubts.values() if since < before]

    def _note_doubts(self) -> None:
        if self._doubts:
            self._lake.write_table(self._pending, _rows(list(self._doubts.values()), UNKNOWN))
        else:
            self._lake.delete(self._pending)

    def _read(self, path: str) -> pa.Table:
        try:
            return self._lake.read_table(path).cast(SCHEMA)
        except UNREADABLE as problem:
            raise HomeError(
                f"{path} of the home cannot be read ({type(problem).__name__}): restore it from your backup; without "
                "it, what it notes would be sent again"
            ) from None

    def _write(self, rows: pa.Table) -> None:
        self._lake.write_table(f"{self._folder}/{self._next:08}.parquet", rows)
        self._next += 1

    def _files(self) -> list[str]:
        """The ledger's files, oldest first. Their names are numbers; the pending file's is not."""
        found = (info for info in self._lake.list(self._folder) if info.base_name.endswith(".parquet"))
        return sorted(info.path for info in found if info.base_name[:8].isdigit())

    @property
    def _pending(self) -> str:
        return f"{self._folder}/pending.parquet"


def _rows(items: Sequence[tuple[Item, datetime]], state: str) -> pa.Table:
    rows = [{**vars(one), "state": state, "sent_at": at} for one, at in items]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
