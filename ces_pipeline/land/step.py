"""Landing: read every new file of a feed, drop what is already there, write the rest split by day, note it down.

A file that cannot be read fails alone. Rows are pseudonymised and redacted inside the query that stages them, so that
no person's value is ever written. Order of landing does not matter: what a day is later cleaned from depends only on
the set of deliveries.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from ces_pipeline.errors import HomeError, RegistryError, UnreadableFileError
from ces_pipeline.formats.contract import Export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.column_mapping import column_mapping_of
from ces_pipeline.land.inbox import SeenFiles, inbox_files, seen_key
from ces_pipeline.land.inputs import landing_fingerprint
from ces_pipeline.land.key_index import KeyIndex
from ces_pipeline.land.landing_sql import ColumnMapping
from ces_pipeline.land.ledger import Delivery, Ledger, commit, forget
from ces_pipeline.land.staging import Staging
from ces_pipeline.privacy.key import load_pseudonyms
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.vendors.catalog import READERS

_MEMORY = "700MB"


@dataclass
class SourceLanding:
    """What landing one feed did. failures: one plain line per file or pull that could not be read.

    records_pulled: records that the vendor's pages held. records_expected: how many it says there are, null: unknown.
    is_transient: whether the failures may be gone when it is tried again unchanged.
    """

    source_id: str
    kind: str
    files_new: int = 0
    files_known: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_redelivered: int = 0
    rows_unreadable: int = 0
    days: tuple[date, ...] = ()
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    requests: int = 0
    records_pulled: int = 0
    records_expected: int | None = None
    is_transient: bool = False

    def add(self, delivery: Delivery) -> None:
        self.files_new += 1
        self.rows_read += delivery.rows_read
        self.rows_landed += delivery.rows_landed
        self.rows_redelivered += delivery.rows_redelivered
        self.rows_unreadable += delivery.rows_unreadable
        self.days = tuple(sorted({*self.days, *delivery.touches}))

    def with_pull(self, pulled: "SourceLanding") -> "SourceLanding":
        """What its inbox and its API gave together. Only a pull's failure may be gone at the next try."""
        counts = (
            "files_new",
            "files_known",
            "rows_read",
            "rows_landed",
            "rows_redelivered",
            "rows_unreadable",
        )
        return replace(
            pulled,
            **{name: getattr(self, name) + getattr(pulled, name) for name in counts},
            days=tuple(sorted({*self.days, *pulled.days})),
            failures=self.failures + pulled.failures,
            notes=self.notes + pulled.notes,
            is_transient=pulled.is_transient and not self.failures,
        )


@dataclass(frozen=True)
class Opened:
    """A file opened by its feed's reader: how it is to be read is settled, its rows are still to come.

    notes: what a person should know about how it is read.
    """

    file: DeliveredFile
    export: Export
    reading: ColumnMapping
    notes: tuple[str, ...]


def open_file(source: Source, file: DeliveredFile) -> Opened:
    """Raises UnreadableFileError or RegistryError where the feed's reader, or its mapping, does not fit the file."""
    notes: list[str] = []
    export = READERS[source.reader].read(file, source)
    reading = column_mapping_of(source, export, file, notes)
    return Opened(file, export, reading, tuple(notes))


def land_source(
    home: Home, registry: Registry, source: Source, *, now: datetime | None = None
) -> SourceLanding:
    """Land every new file of one source, and every stale one again; other files cost a look at their size.

    Raises HomeError where the lake cannot be written; a file that cannot be read is a line in `failures`.
    A delivery that is landed again keeps the time of its first receipt.
    """
    lake = Lake(home.lake)
    outcome = SourceLanding(source.id, source.kind)
    with exclusive(home.lake / ".landing.lock"), ExitStack() as resources:
        lake.clear_staging()
        pseudonyms = load_pseudonyms(home.root, lake)
        landed = {one.delivery_id: one for one in Ledger.read(lake).of_source(source.id)}
        seen = SeenFiles(lake, source.id).load()
        files = [(seen_key(home, path), path) for path in inbox_files(home, source)]
        stale = _stale_deliveries(registry, source, landed, files, seen, outcome)
        received = _take_back(lake, source, landed, stale)
        noted = dict(seen.entries)
        earlier: KeyIndex | None = None
        for key, path in files:
            try:
                file = DeliveredFile(path)
                sha256 = seen.sha256(key, path) or file.sha256
                if sha256 not in landed:
                    received_at = received.get(sha256) or now or datetime.now(UTC)
                    opened = open_file(source, file)
                    outcome.notes += opened.notes
                    earlier = earlier or KeyIndex(
                        resources.enter_context(_workspace()), lake, [*landed.values()]
                    )
                    landed[sha256] = _land_opened(
                        lake, registry, source, opened, pseudonyms, earlier, received_at
                    )
                    outcome.add(landed[sha256])
                else:
                    outcome.files_known += 1
                seen.note(key, path, sha256)
            except (UnreadableFileError, RegistryError, OSError) as problem:
                outcome.failures += (_failure(source, path, problem),)
        if seen.entries != noted:
            seen.save()
        if not received.keys() - landed.keys():
            lake.delete(_taken_back_file(source))
    if stale:
        outcome.notes += (
            f"{source.id}: {len(stale)} files are landed again: how they are read has changed since",
        )
    return outcome


def land_opened(
    home: Home, registry: Registry, source: Source, opened: Opened, now: datetime
) -> Delivery | None:
    """Land content that was never a file, such as pages of an API, as one delivery; None where it is there already.

    It shows the moment `now`, and is newer than every delivery before it, even where it only holds what an overlap
    read again: vendors list in the order of their pages, and an edit may come without a new time.
    The same content again, read the same way, adds nothing. Raises UnreadableFileError where its rows cannot be
    read to the end, HomeError where the lake cannot be written.
    """
    lake = Lake(home.lake)
    with exclusive(home.lake / ".landing.lock"):
        lake.clear_staging()
        pseudonyms = load_pseudonyms(home.root, lake)
        landed = {one.delivery_id: one for one in Ledger.read(lake).of_source(source.id)}
        known = landed.get(opened.file.sha256)
        if known and known.reading == landing_fingerprint(registry, source):
            return None
        if known:
            forget(lake, [landed.pop(known.delivery_id)])
        received_at = known.received_at if known else now
        shown = [one.as_of + timedelta(microseconds=1) for one in landed.values() if one.as_of]
        as_of = known.as_of if known else max([now, *shown])
        with _workspace() as connection:
            earlier = KeyIndex(connection, lake, [*landed.values()])
            return _land_opened(lake, registry, source, opened, pseudonyms, earlier, received_at, as_of)


@contextmanager
def _workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    with scratch(_MEMORY) as connection:
        # Rows are told apart by their numbers.
        connection.execute("SET SESSION preserve_insertion_order = false")
        yield connection


def _failure(source: Source, path: Path, problem: Exception) -> str:
    if isinstance(problem, OSError):
        return (
            f"{source.id}: {path.name}: could not be read ({problem.strerror or problem}): mend or remove it"
        )
    return f"{source.id}: {problem}" if path.name in str(problem) else f"{source.id}: {path.name}: {problem}"


def _stale_deliveries(
    registry: Registry,
    source: Source,
    landed: dict[str, Delivery],
    files: list[tuple[str, Path]],
    seen: SeenFiles,
    outcome: SourceLanding,
) -> list[Delivery]:
    """The deliveries that were read by another mapping, zone, format or code, and whose files can be read anew.

    Those whose files are gone, or cannot be read any more, stay as they are: a slip in the registry must not empty the
    lake.
    """
    current = landing_fingerprint(registry, source)
    other = {delivery.delivery_id for delivery in landed.values() if delivery.reading != current}
    stale: dict[str, Delivery] = {}
    for key, path in files if other else ():
        known = None
        try:
            file = DeliveredFile(path)
            known = landed.get(seen.sha256(key, path) or file.sha256)
            if known and known.delivery_id in other:
                open_file(source, file)
                stale[known.delivery_id] = known
        except (UnreadableFileError, RegistryError, OSError) as problem:
            # A file that was never landed is reported when its turn comes.
            if known:
                outcome.failures += (
                    f"{_failure(source, path, problem)} (its landed rows are kept as they were read before)",
                )
    return list(stale.values())


def _taken_back_file(source: Source) -> str:
    return f"ledger/{source.id}/.taken_back"


def _take_back(
    lake: Lake, source: Source, landed: dict[str, Delivery], stale: list[Delivery]
) -> dict[str, datetime]:
    """Take the stale deliveries out of the lake and of `landed`; when each delivery taken back was first received.

    The times are noted before: a call killed before they are landed again leaves them to the next one.
    """
    path = _taken_back_file(source)
    noted = json.loads(lake.read_bytes(path)) if lake.exists(path) else {}
    noted |= {delivery.delivery_id: delivery.received_at.isoformat() for delivery in stale}
    if stale:
        lake.write_bytes(path, json.dumps(noted, sort_keys=True).encode())
        forget(lake, [landed.pop(delivery.delivery_id) for delivery in stale])
    return {delivery_id: datetime.fromisoformat(at) for delivery_id, at in noted.items()}


def _land_opened(
    lake: Lake,
    registry: Registry,
    source: Source,
    opened: Opened,
    pseudonyms: Pseudonyms,
    earlier: KeyIndex,
    now: datetime,
    as_of: datetime | None = None,
) -> Delivery:
    file, export, reading = opened.file, opened.export, opened.reading
    try:
        with lake.staging() as folder:
            staging = Staging(earlier, lake, source, registry, pseudonyms, now, folder)
            staging.fill(export, reading, file)
            as_of = as_of or staging.newest()
            days = staging.find_redelivered((as_of or datetime.min.replace(tzinfo=UTC), file.sha256))
            surveys = staging.surveys_named()
            touches = staging.write(file.sha256)
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        # DuckDB's own text may quote a cell, so only its kind is told.
        told = (
            problem.strerror if isinstance(problem, OSError) and problem.strerror else type(problem).__name__
        )
        raise HomeError(
            f"{source.id}: {file.name} could not be staged in the lake ({told}): "
            "free disk space or memory, then run again"
        ) from None
    rows_read = sum(landed + again for landed, again in days.values())
    delivery = Delivery(
        delivery_id=file.sha256,
        source_id=source.id,
        kind=source.kind,
        file_name=redact_text(file.name),
        size_bytes=file.size,
        received_at=now,
        as_of=as_of,
        reading=landing_fingerprint(registry, source),
        rows_read=rows_read,
        rows_unreadable=len(export.unreadable),
        columns=tuple(export.columns),
        mapping=dict(reading.mapping),
        days=days,
        touches=tuple(sorted(touches)),
        surveys=surveys,
    )
    commit(lake, delivery)
    earlier.add(delivery)
    return delivery
