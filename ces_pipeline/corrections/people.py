"""What is held of a person, and erasing it: raw rows, keys, exports' ledgers, the handlers' contacts.

A person is found by the keyed hash of an e-mail address or id, in every column that holds people. Rows leave the lake;
cleaning and publishing then leave them out. The address is neither stored nor logged.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.activation.ledger import forget_person, ledgers_with, person_fingerprint
from ces_pipeline.corrections.landed import holding_locks
from ces_pipeline.corrections.log import Correction, record
from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.change_set import ChangeSet
from ces_pipeline.land.erased_rows import holds_any
from ces_pipeline.land.inbox import inbox_files, received_files
from ces_pipeline.land.ledger import KEYS, Delivery, Ledger
from ces_pipeline.land.lost import finish_interrupted
from ces_pipeline.land.paths import CROSS_DAY_SUFFIX, index_file, raw_file, repeats_file
from ces_pipeline.land.step import open_file
from ces_pipeline.land.unland import read_repeats
from ces_pipeline.privacy.erased import Erased
from ces_pipeline.privacy.key import load_pseudonyms
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.audit import VERDICT_CHANGES
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.triggers.contacts import forget_contacts
from ces_pipeline.triggers.handler import STORE_VARIABLE
from ces_pipeline.triggers.store import SqliteStore


@dataclass(frozen=True)
class DeliveryRows:
    """The rows of a person in one delivery: day -> their row numbers."""

    delivery: Delivery
    rows: dict[date, list[int]]

    @property
    def n(self) -> int:
        return sum(len(numbers) for numbers in self.rows.values())


@dataclass(frozen=True)
class Held:
    """What a home holds of a person.

    deliveries: landed rows. sent: export -> events that it recorded as sent. contacts: contacts in the handlers' store.
    inbox: files of the inbox that hold the address in clear; unread: files of the inbox that cannot be searched.
    """

    deliveries: tuple[DeliveryRows, ...]
    sent: dict[str, int] = field(default_factory=dict)
    contacts: int = 0
    inbox: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    is_erased: bool = False

    @property
    def rows(self) -> int:
        return sum(found.n for found in self.deliveries)

    @property
    def days(self) -> list[date]:
        return sorted({day for found in self.deliveries for day in found.rows})

    def by_source(self) -> dict[tuple[str, str], tuple[int, date, date]]:
        """(source, kind) -> rows, first day and last day."""
        counted: dict[tuple[str, str], tuple[int, date, date]] = {}
        for found in self.deliveries:
            key = (found.delivery.source_id, found.delivery.kind)
            n, first, last = counted.get(key, (0, min(found.rows), max(found.rows)))
            counted[key] = (n + found.n, min(first, *found.rows), max(last, *found.rows))
        return dict(sorted(counted.items()))

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": [
                {"source_id": source, "kind": kind, "rows": n, "first_day": str(first), "last_day": str(last)}
                for (source, kind), (n, first, last) in self.by_source().items()
            ],
            "events_sent_by_export": self.sent,
            "contacts": self.contacts,
            "inbox_files": list(self.inbox),
            "inbox_files_not_searched": list(self.unread),
            "is_erased": self.is_erased,
        }


def held_of(home: Home, registry: Registry, person: str) -> Held:
    """What the home holds of a person. person: an e-mail address or id, as exports write it.

    Raises HomeError if a raw file cannot be read.
    """
    lake = Lake(home.lake)
    pseudonyms = load_pseudonyms(home.root, lake)
    key = pseudonyms.of(person)
    inbox, unread = _in_inbox(home, registry, person)
    return Held(
        deliveries=tuple(_rows_of(lake, key)),
        sent=ledgers_with(Lake(home.root), person_fingerprint(key)),
        contacts=_contacts(key),
        inbox=inbox,
        unread=unread,
        is_erased=Erased.load(lake, pseudonyms).mark_of(key) in Erased.load(lake, pseudonyms).marks,
    )


def erase(
    home: Home, registry: Registry, person: str, *, why: str | None = None, now: datetime | None = None
) -> Held:
    """Erase a person from landed rows and keys, exports' ledgers and the handlers' contacts; returns what was held.

    Later exports cannot bring the person back. The days concerned are stale then; this cleans and publishes nothing.
    A call that is killed changes no landed row, or all of them. Raises HomeError if a file cannot be read.
    """
    lake = Lake(home.lake)
    with holding_locks(home):
        finish_interrupted(lake)
        pseudonyms = load_pseudonyms(home.root, lake)
        key = pseudonyms.of(person)
        held = held_of(home, registry, person)
        first, last = (held.days[0], held.days[-1]) if held.days else (None, None)
        detail = json.dumps({"sources": sorted({found.delivery.source_id for found in held.deliveries})})
        correction = Correction("forget", held.rows, why=why, first_day=first, last_day=last, detail=detail)
        record(lake, correction, now=now or datetime.now(UTC))
        changes = ChangeSet(lake)
        for source_id in sorted({found.delivery.source_id for found in held.deliveries}):
            of_source = [found for found in held.deliveries if found.delivery.source_id == source_id]
            keys = pa.concat_tables(_remove(lake, changes, found) for found in of_source)
            _remove_repeats(lake, changes, source_id, of_source)
            _remove_cross_day_revisions(lake, changes, source_id, keys)
            if of_source[0].delivery.kind == "survey":
                first_id = (
                    registry.sources[source_id].first_id if source_id in registry.sources else source_id
                )
                _remove_verdicts(lake, changes, first_id, of_source)
        Erased.load(lake, pseudonyms).with_person(key).save(changes.write_bytes)
        changes.apply()
        _delete_uncommitted(lake)
        forget_person(Lake(home.root), person_fingerprint(key))
        if store := _store():
            forget_contacts(store, key)
    return held


def _rows_of(lake: Lake, key: str) -> Iterator[DeliveryRows]:
    deliveries = [delivery for delivery in Ledger.read(lake).deliveries if delivery.rows_landed]
    for source_id, kind in sorted({(delivery.source_id, delivery.kind) for delivery in deliveries}):
        files = [
            (delivery, day, raw_file(source_id, delivery.delivery_id, day))
            for delivery in deliveries
            if (delivery.source_id, delivery.kind) == (source_id, kind)
            for day, (landed, _) in sorted(delivery.days.items())
            if landed
        ]
        found: dict[str, dict[date, list[int]]] = {}
        try:
            with scratch() as connection:
                rows = lake.scan(connection, [path for _, _, path in files], "searched")
                hits = connection.execute(
                    f"SELECT place, list(row_number) FROM {rows} WHERE {holds_any(kind, [key])} GROUP BY place"
                ).fetchall()
        except (*UNREADABLE, duckdb.Error) as problem:
            raise HomeError(
                f"raw rows of source {source_id} cannot be read ({type(problem).__name__}), so ces cannot say what it "
                f"holds of the person. Run `ces doctor`, which names the damaged file"
            ) from None
        for place, numbers in hits:
            delivery, day, _ = files[place]
            found.setdefault(delivery.delivery_id, {})[day] = sorted(numbers)
        for delivery in deliveries:
            if delivery.source_id == source_id and delivery.delivery_id in found:
                yield DeliveryRows(delivery, found[delivery.delivery_id])


def _remove(lake: Lake, changes: ChangeSet, found: DeliveryRows) -> pa.Table:
    """Take rows out of a delivery: its raw files, its keys and its counts. Returns their keys and contents."""
    delivery = found.delivery
    own = (delivery.source_id, delivery.delivery_id)
    days, erased, checksums = dict(delivery.days), dict(delivery.erased), dict(delivery.checksums)
    gone: list[pa.Table] = []
    for day, numbers in found.rows.items():
        path = raw_file(*own, day)
        rows = lake.read_table(path)
        is_gone = pc.is_in(rows["row_number"], pa.array(numbers, rows["row_number"].type))
        gone.append(rows.filter(is_gone).select(["key_hi", "key_lo", "content"]))
        checksum = changes.write_table(path, rows.filter(pc.invert(is_gone)))
        if checksum:
            checksums[day.isoformat()] = checksum
        else:
            checksums.pop(day.isoformat(), None)
        landed, again = days[day]
        days[day] = (landed - len(numbers), again)
        erased[day] = erased.get(day, 0) + len(numbers)
    keys = pa.concat_tables(gone)
    checksum = changes.write_table(index_file(*own), _without(lake.read_table(index_file(*own)), keys))
    if checksum:
        checksums[KEYS] = checksum
    changes.commit_entry(replace(delivery, days=days, erased=erased, checksums=checksums))
    return keys


def _remove_repeats(lake: Lake, changes: ChangeSet, source_id: str, held: Sequence[DeliveryRows]) -> None:
    """Later deliveries do not repeat a row that is gone: it must not come back if its delivery is taken back."""
    for later in Ledger.read(lake, source_id).deliveries:
        repeats = read_repeats(lake, later)
        is_gone = pa.array([False] * repeats.num_rows, pa.bool_())
        for found in held:
            numbers = [number for of_day in found.rows.values() for number in of_day]
            is_repeat = pc.and_(
                pc.equal(repeats["of_delivery"], found.delivery.delivery_id),
                pc.is_in(repeats["of_row_number"], pa.array(numbers, pa.int64())),
            )
            is_gone = pc.or_(is_gone, pc.fill_null(is_repeat, False))
        if pc.any(is_gone).as_py():
            path = repeats_file(later.source_id, later.delivery_id)
            changes.write_table(path, repeats.filter(pc.invert(is_gone)))


def _remove_cross_day_revisions(lake: Lake, changes: ChangeSet, source_id: str, keys: pa.Table) -> None:
    for info in lake.list(f"index/{source_id}"):
        if info.base_name.endswith(CROSS_DAY_SUFFIX):
            revisions = lake.read_table(info.path)
            kept = _without(revisions, keys)
            if kept.num_rows < revisions.num_rows:
                changes.write_table(info.path, kept)


def _remove_verdicts(lake: Lake, changes: ChangeSet, first_id: str, held: Sequence[DeliveryRows]) -> None:
    """Remove the history of verdicts of the rows that are gone. first_id: the id that the source had first."""
    gone: dict[date, set[str]] = {}
    for found in held:
        for day, numbers in found.rows.items():
            path = raw_file(found.delivery.source_id, found.delivery.delivery_id, day)
            rows = lake.read_table(path, ["row_number", "response_id"])
            rows = rows.filter(pc.is_in(rows["row_number"], pa.array(numbers, rows["row_number"].type)))
            ids = rows["response_id"].to_pylist()
            gone.setdefault(day, set()).update(
                hashlib.md5(f"{first_id}\x1f{response_id}".encode(), usedforsecurity=False).hexdigest()
                for response_id in ids
            )
    for day, keys in gone.items():
        path = lake.day_file(VERDICT_CHANGES.name, day)
        if lake.exists(path):
            history = lake.read_table(path)
            kept = history.filter(
                pc.invert(pc.is_in(history["response_key"], pa.array(sorted(keys), pa.string())))
            )
            if kept.num_rows < history.num_rows:
                changes.write_table(path, kept)


def _delete_uncommitted(lake: Lake) -> None:
    """Delete the raw files and keys that killed landings left: nothing reads them, and they may hold the person."""
    known = {delivery.delivery_id for delivery in Ledger.read(lake).deliveries}
    for folder in ("raw", "index"):
        for info in lake.list(folder, recursive=True):
            if info.base_name.endswith(".parquet") and info.base_name.partition(".")[0] not in known:
                lake.delete(info.path)


def _without(rows: pa.Table, keys: pa.Table) -> pa.Table:
    """The rows whose key and content are not among `keys`."""
    on = ["key_hi", "key_lo", "content"]
    with scratch() as connection:
        connection.register("index_rows", rows)
        connection.register("gone", keys)
        kept = connection.sql(f"FROM index_rows ANTI JOIN gone USING ({', '.join(on)})").to_arrow_table()
    return kept.cast(rows.schema)


def _in_inbox(home: Home, registry: Registry, person: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files of the inbox in which a cell holds the text, and those that cannot be read; below the inbox."""
    found, unread = [], []
    for source in registry.sources.values():
        for path in (*inbox_files(home, source), *received_files(home, source)):
            name = str(path.relative_to(home.inbox))
            try:
                export = open_file(source, DeliveredFile(path)).export
                if any(_holds(batch, person) for batch in export.batches) or any(
                    person.lower() in row.text.lower() for row in export.unreadable
                ):
                    found.append(name)
            except (CesError, OSError, ValueError, pa.ArrowException, duckdb.Error):
                unread.append(name)
    return tuple(found), tuple(unread)


def _holds(batch: pa.RecordBatch, person: str) -> bool:
    texts = (column for column in batch.columns if pa.types.is_string(column.type))
    return any(pc.any(pc.match_substring(text, person.strip(), ignore_case=True)).as_py() for text in texts)


def _store() -> SqliteStore | None:
    """The handlers' store, if this environment names one that exists."""
    path = os.environ.get(STORE_VARIABLE)
    return SqliteStore(Path(path)) if path and Path(path).exists() else None


def _contacts(key: str) -> int:
    store = _store()
    return len(store.rows(f"contact/{key}")) if store else 0
