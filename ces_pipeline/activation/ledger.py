"""The ledger: what was sent to each receiver. It lies in the home and is written after every response, atomically.

Before a request, its items are recorded as in doubt. If the process is killed before the response, they stay in doubt:
they may or may not have arrived. The caller then decides, by how long the receiver recognises a repeated item.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.locks import exclusive

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
"""item: id of what was sent. content: fingerprint of its content. person: fingerprint of its person. at_ms: its time,
as sent. state: `sent`; `unknown` if a killed export may or may not have sent it; or a state of the caller."""
_FOLDER = "exports"
_MOST_FILES = 64


@dataclass(frozen=True)
class Item:
    """One item that is sent, with the columns of SCHEMA."""

    item: str
    content: int | None = None
    person: int | None = None
    at_ms: int | None = None


class Ledger:
    """The ledger of one receiver. Only one process at a time may open it (see `exclusive`)."""

    def __init__(self, lake: Lake, name: str):
        self._lake = lake
        self._folder = f"{_FOLDER}/{name}"
        self._doubts: dict[str, tuple[Item, datetime]] = {}
        if lake.exists(self._pending):
            for row in _read(self._lake, self._pending).to_pylist():
                item = Item(row["item"], row["content"], row["person"], row["at_ms"])
                self._doubts[item.item] = (item, row["sent_at"])
        self._next = 1 + max((int(path.rpartition("/")[2][:8]) for path in self._files()), default=0)

    def newest(self) -> pa.Table:
        """The newest row of every item, with SCHEMA."""
        paths = self._files()
        if not paths:
            return SCHEMA.empty_table()
        rows = pa.concat_tables([_read(self._lake, path) for path in paths])
        index = pa.array(range(rows.num_rows), pa.int64())
        last = rows.append_column("index", index).group_by("item").aggregate([("index", "max")])["index_max"]
        found = rows.take(last)
        if len(paths) > _MOST_FILES:
            self._write(found)
            for path in paths:
                self._lake.delete(path)
        return found

    def begin(self, items: Sequence[Item], now: datetime) -> list[Item]:
        """Record that these items are about to be sent. Returns those that were not in doubt before.

        An item that was already in doubt keeps its first time, unless this attempt succeeds.
        """
        fresh = [item for item in items if item.item not in self._doubts]
        self._doubts |= {item.item: (item, now) for item in fresh}
        self._write_doubts()
        return fresh

    def end(
        self, ended: Sequence[Item], not_stored: Sequence[Item], now: datetime, state: str = SENT
    ) -> None:
        """Record the items that ended in `state`. Neither they nor the items not stored are in doubt any more."""
        if ended:
            self._write(_rows([(item, now) for item in ended], state))
        for item in (*ended, *not_stored):
            self._doubts.pop(item.item, None)
        self._write_doubts()

    def in_doubt(self, before: datetime) -> list[Item]:
        """The items that killed exports were sending before this time."""
        return [item for item, since in self._doubts.values() if since < before]

    def _write_doubts(self) -> None:
        if self._doubts:
            self._lake.write_table(self._pending, _rows(list(self._doubts.values()), UNKNOWN))
        else:
            self._lake.delete(self._pending)

    def _write(self, rows: pa.Table) -> None:
        self._lake.write_table(f"{self._folder}/{self._next:08}.parquet", rows)
        self._next += 1

    def _files(self) -> list[str]:
        """The ledger's files, oldest first. Their names are numbers, that of the pending file is not."""
        found = (info for info in self._lake.list(self._folder) if info.base_name.endswith(".parquet"))
        return sorted(info.path for info in found if info.base_name[:8].isdigit())

    @property
    def _pending(self) -> str:
        return f"{self._folder}/pending.parquet"


def _rows(items: Sequence[tuple[Item, datetime]], state: str) -> pa.Table:
    rows = [{**vars(item), "state": state, "sent_at": at} for item, at in items]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def person_fingerprint(person_key: str) -> int:
    """A 64-bit fingerprint of a person's key, to detect that the person changed."""
    return int(hashlib.sha256(person_key.encode()).hexdigest()[:16], 16)


def ledgers_with(lake: Lake, person: int) -> dict[str, int]:
    """Receiver -> events of a person in its ledger. lake: the home's root. person: the fingerprint."""
    counted: dict[str, int] = {}
    for path, rows in _with_person(lake, person):
        name = path.removeprefix(f"{_FOLDER}/").rpartition("/")[0]
        counted[name] = counted.get(name, 0) + pc.sum(_is_person(rows, person)).as_py()
    return counted


def forget_person(lake: Lake, person: int) -> None:
    """Remove a person's events from every ledger. lake: the home's root. person: the fingerprint."""
    for path, _ in list(_with_person(lake, person)):
        with _locked(lake, path):
            rows = lake.read_table(path).cast(SCHEMA)
            kept = rows.filter(pc.invert(_is_person(rows, person)))
            lake.write_table(path, kept)


def _with_person(lake: Lake, person: int) -> Iterator[tuple[str, pa.Table]]:
    """(Path, rows) of each ledger file with events of a person."""
    for info in lake.list(_FOLDER, recursive=True):
        if info.base_name.endswith(".parquet") and not info.base_name.startswith("."):
            rows = _read(lake, info.path)
            if pc.any(_is_person(rows, person)).as_py():
                yield info.path, rows


def _is_person(rows: pa.Table, person: int) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(rows["person"], pa.scalar(person, pa.uint64())), False)


@contextmanager
def _locked(lake: Lake, path: str) -> Iterator[None]:
    """The receiver's lock, as an export holds it."""
    if lake.local is None:
        yield
        return
    with exclusive((lake.local / path).parent / ".lock"):
        yield


def _read(lake: Lake, path: str) -> pa.Table:
    try:
        return lake.read_table(path).cast(SCHEMA)
    except UNREADABLE as problem:
        raise HomeError(
            f"{path} of the home cannot be read ({type(problem).__name__}). Restore it from a backup; without it, "
            "ces would send again what the file records as sent"
        ) from None
