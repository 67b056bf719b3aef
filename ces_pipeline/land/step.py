"""Landing: read each new file of a source, drop rows that have landed before, write the rest by day, record it.

An unreadable file does not stop the others. Rows are pseudonymised and redacted before they are written, so no
person's value reaches the disk. A day depends on the set of deliveries and on the order of their receipt, which the
ledger keeps: deliveries that are landed again keep their places.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from traceback import extract_tb
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.errors import CesError, HomeError, MemoryLimitError, UnreadableFileError
from ces_pipeline.formats.contract import Export, within_bounds
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.slash_dates import contradicts
from ces_pipeline.home import Home
from ces_pipeline.land import early_receipt
from ces_pipeline.land.column_mapping import column_mapping_of
from ces_pipeline.land.date_order import KeptOrder, contradiction, decided_order, elsewhere
from ces_pipeline.land.inbox import (
    FileState,
    SeenFiles,
    file_state,
    hand_over_received,
    inbox_files,
    seen_key,
)
from ces_pipeline.land.inputs import landing_fingerprint
from ces_pipeline.land.key_index import KeyIndex
from ces_pipeline.land.landing_sql import CONTENTS, ColumnMapping, own_id
from ces_pipeline.land.ledger import Delivery, Ledger, commit, forget
from ces_pipeline.land.lost import TAKEN_BACK, finish_interrupted, give_to_others, lost_deliveries, resting_on
from ces_pipeline.land.rounded_ids import refusal
from ces_pipeline.land.staging import Staging
from ces_pipeline.privacy.erased import Erased
from ces_pipeline.privacy.key import load_pseudonyms
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.storage.machine import machine, memory_advice, within_memory
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.vendors.catalog import READERS

_NAMED = 3


@dataclass
class SourceLanding:
    """The result of landing one source.

    failures: one line per file or pull that could not be read. records_pulled: records in the vendor's pages.
    records_expected: the vendor's own count, None if unknown. is_transient: whether a retry alone may succeed.
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

    @property
    def changed_nothing(self) -> bool:
        """Whether no row landed and nothing failed."""
        return not (self.files_new or self.requests or self.failures)

    def add(self, delivery: Delivery) -> None:
        self.files_new += 1
        self.rows_read += delivery.rows_read
        self.rows_landed += delivery.rows_landed
        self.rows_redelivered += delivery.rows_redelivered
        self.rows_unreadable += delivery.rows_unreadable
        self.days = tuple(sorted({*self.days, *delivery.touches}))

    def with_pull(self, pulled: "SourceLanding") -> "SourceLanding":
        """The inbox's result and the pull's together. Only a failure of the pull can be transient."""
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
class Receipt:
    """When a delivery was first received: its place in the order of receipt (0: not recorded), and the time."""

    received_order: int
    received_at: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> "Receipt":
        return cls(delivery.received_order, delivery.received_at)

    @classmethod
    def after(
        cls, landed: Sequence[Delivery], received: dict[str, "Receipt"], received_at: datetime
    ) -> "Receipt":
        """The receipt after all that have landed and all that are being landed again."""
        places = [delivery.received_order for delivery in landed]
        places += [receipt.received_order for receipt in received.values()]
        return cls(max(places, default=0) + 1, received_at)

    def to_json(self) -> list[Any]:
        return [self.received_order, self.received_at.isoformat()]

    @classmethod
    def from_json(cls, entry: Any) -> "Receipt":
        """Earlier releases saved the time alone."""
        order, received_at = entry if isinstance(entry, list) else (0, entry)
        return cls(order, datetime.fromisoformat(received_at))


@dataclass(frozen=True)
class Opened:
    """A file opened by its source's reader, with its column mapping; its rows are not read yet.

    notes: what a person should know about the mapping.
    """

    file: DeliveredFile
    export: Export
    mapping: ColumnMapping
    notes: tuple[str, ...]

    def in_order(self, kept: KeptOrder) -> "Opened":
        """The same with the order of day and month in its dates. Raises UnreadableFileError if it cannot be known."""
        order = kept.order_of(self.export, self.mapping.time_columns, self.file.name)
        return replace(self, mapping=replace(self.mapping, date_order=order))


def open_file(source: Source, file: DeliveredFile) -> Opened:
    """Open a file. Raises UnreadableFileError or RegistryError if the source's reader or mapping does not fit it."""
    notes: list[str] = []
    export = within_bounds(READERS[source.reader].read(file, source), file)
    notes += [f"{source.id}: {file.name}: {doubt}" for doubt in export.doubts]
    mapping = column_mapping_of(source, export, file, notes)
    return Opened(file, export, mapping, tuple(notes))


def land_source(
    home: Home, registry: Registry, source: Source, *, now: datetime | None = None
) -> SourceLanding:
    """Land every new file of one source, and land stale deliveries again. Of other files only size and time are read.

    Raises HomeError if the lake cannot be written. An unreadable file is a line in `failures`. A delivery that is
    landed again keeps the time of its first receipt, unless its rows have later times of their own.
    """
    lake = Lake(home.lake)
    outcome = SourceLanding(source.id, source.kind)
    with exclusive(home.lake / ".landing.lock"), ExitStack() as resources:
        lake.clear_staging()
        outcome.notes += finish_interrupted(lake, source.id)
        try:
            hand_over_received(home, source)
        except (HomeError, OSError) as problem:
            # The files that are there already still land.
            outcome.failures += (
                f"{source.id}: the received payloads cannot be handed over ({_reason(problem)})",
            )
        pseudonyms = load_pseudonyms(home.root, lake)
        landed = {delivery.delivery_id: delivery for delivery in Ledger.read(lake, source.id).deliveries}
        lost = lost_deliveries(lake, landed.values())
        seen = SeenFiles(lake, source.id).load()
        files = [(seen_key(home, path), path) for path in inbox_files(home, source)]
        opened_later = [partial(_export_and_times, source, path) for _, path in files]
        kept = KeptOrder.of(source, landed.values(), lambda: elsewhere(opened_later))
        incomplete = {*lost, *resting_on(lake, lost.values(), landed.values())}
        moment = now or datetime.now(UTC)
        early = early_receipt.due(lake, source.id, moment)
        stale = _stale_deliveries(registry, source, landed, files, seen, kept, outcome, incomplete | early)
        received = take_back(lake, source, landed, stale, dict.fromkeys(early, moment))
        files = _in_order_of_receipt(files, seen, received)
        seen_before = dict(seen.entries)
        key_index: KeyIndex | None = None
        for key, path in files:
            state = None
            try:
                state = file_state(path)
                file = DeliveredFile(path)
                sha256 = seen.sha256(key, path) or file.sha256
                if sha256 not in landed:
                    receipt = received.get(sha256) or Receipt.after([*landed.values()], received, moment)
                    opened = open_file(source, file).in_order(kept)
                    outcome.notes += opened.notes
                    key_index = key_index or KeyIndex(
                        resources.enter_context(_workspace()),
                        lake,
                        [delivery for delivery in landed.values() if delivery.delivery_id not in lost],
                    )
                    landed[sha256], notes = _land_opened(
                        lake,
                        registry,
                        source,
                        opened,
                        pseudonyms,
                        key_index,
                        receipt,
                        sha256 in received,
                        partial(_changes, path, state),
                    )
                    outcome.notes += notes
                    outcome.add(landed[sha256])
                    early_receipt.note(lake, landed[sha256])
                else:
                    outcome.files_known += 1
                seen.note(key, state, sha256)
            except HomeError:
                raise
            except Exception as problem:
                if state is not None and _changes(path, state):
                    # Whatever was read of it is not what the file holds now.
                    outcome.notes += (
                        f"{source.id}: {shown_name(path.name)} changed while it was read, so it waits for the next run",
                    )
                    continue
                # Parsers raise many kinds of errors of their own: whatever it is, the file fails alone.
                outcome.failures += (_failure(source, path, problem),)
        if seen.entries != seen_before:
            seen.save()
        for delivery in [
            found for found in lost.values() if found.delivery_id in landed and found not in stale
        ]:
            notes, failures = give_to_others(lake, delivery, landed.values())
            outcome.notes += notes
            outcome.failures += failures
        if not received.keys() - landed.keys():
            lake.delete(_taken_back_file(source))
    outcome.notes += _landed_again(source, stale, incomplete, early)
    return outcome


def land_opened(
    home: Home, registry: Registry, source: Source, opened: Opened, now: datetime
) -> Delivery | None:
    """Land content that is not a file, such as pages of an API, as one delivery; None if it has landed before.

    It was received after every delivery before it, so its content counts among equal times: a vendor may send an edit
    without a new time. The same content with the same mapping lands once.
    Raises UnreadableFileError if the rows cannot be read to the end, HomeError if the lake cannot be written.
    """
    lake = Lake(home.lake)
    with exclusive(home.lake / ".landing.lock"):
        lake.clear_staging()
        finish_interrupted(lake, source.id)
        pseudonyms = load_pseudonyms(home.root, lake)
        landed = {delivery.delivery_id: delivery for delivery in Ledger.read(lake, source.id).deliveries}
        known = landed.get(opened.file.sha256)
        lost = lost_deliveries(lake, landed.values())
        if known and known.unlanded_at:
            return None
        if (
            known
            and known.landed_with == landing_fingerprint(registry, source)
            and known.delivery_id not in lost
        ):
            return None
        if known:
            forget(lake, [landed.pop(known.delivery_id)])
        receipt = Receipt.of(known) if known else Receipt.after([*landed.values()], {}, now)
        opened = opened.in_order(KeptOrder.of(source, landed.values()))
        with _workspace() as connection:
            present = [found for found in landed.values() if found.delivery_id not in lost]
            key_index = KeyIndex(connection, lake, present)
            delivery, _ = _land_opened(
                lake, registry, source, opened, pseudonyms, key_index, receipt, known is not None
            )
            return delivery


@contextmanager
def _workspace() -> Iterator[duckdb.DuckDBPyConnection]:
    with scratch(machine().session_mb) as connection:
        # Rows are identified by their numbers, so their order does not matter.
        connection.execute("SET SESSION preserve_insertion_order = false")
        yield connection


def _failure(source: Source, path: Path, problem: Exception) -> str:
    name = shown_name(path.name)
    if isinstance(problem, OSError):
        why = problem.strerror or type(problem).__name__
        return f"{source.id}: {name}: cannot be read ({why}). Correct the file or remove it"
    if isinstance(problem, duckdb.OutOfMemoryException):
        return f"{source.id}: {name}: {memory_advice(machine().session_mb)}"
    if not isinstance(problem, CesError):
        # The texts of other errors may quote a cell.
        return f"{source.id}: {name}: reading it failed ({_where(problem)}). Check the file, or remove it"
    return f"{source.id}: {problem}" if name in str(problem) else f"{source.id}: {name}: {problem}"


def _reason(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return f"{problem.strerror or type(problem).__name__}: correct the permissions of inbox/"
    return str(problem)


def _where(problem: Exception) -> str:
    """The kind of an unexpected error, and the line of code that raised it."""
    frame = extract_tb(problem.__traceback__)[-1]
    return f"{type(problem).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def _stale_deliveries(
    registry: Registry,
    source: Source,
    landed: dict[str, Delivery],
    files: list[tuple[str, Path]],
    seen: SeenFiles,
    kept: KeptOrder,
    outcome: SourceLanding,
    again: Set[str],
) -> list[Delivery]:
    """Deliveries that landed with another mapping, zone, format or code, or that are in `again`, and whose files can
    be read now.

    Deliveries whose files are missing or unreadable are kept, so that a mistake in the registry never empties the lake.
    """
    current = landing_fingerprint(registry, source)
    other = {
        delivery.delivery_id
        for delivery in landed.values()
        if not delivery.unlanded_at and (delivery.landed_with != current or delivery.delivery_id in again)
    }
    stale: dict[str, Delivery] = {}
    for key, path in files if other else ():
        known = None
        try:
            file = DeliveredFile(path)
            known = landed.get(seen.sha256(key, path) or file.sha256)
            if known and known.delivery_id in other:
                open_file(source, file).in_order(kept)
                stale[known.delivery_id] = known
        except HomeError:
            raise
        except Exception as problem:
            # A file that has never landed is reported later, when it is landed.
            if known:
                outcome.failures += (
                    f"{_failure(source, path, problem)} (its rows from the last landing are kept)",
                )
    return list(stale.values())


def _landed_again(
    source: Source, stale: list[Delivery], incomplete: Set[str], early: Set[str]
) -> tuple[str, ...]:
    """A note for each cause of landing files again."""
    causes: dict[str, list[Delivery]] = {}
    for delivery in stale:
        if delivery.delivery_id in incomplete:
            cause = "files of the lake were missing"
        elif delivery.delivery_id in early:
            cause = "the times of rows in them were after their receipt, and have passed by now"
        else:
            cause = "their source's entry or the code that reads them has changed"
        causes.setdefault(cause, []).append(delivery)
    return tuple(
        f"{source.id}: {'1 file was' if len(again) == 1 else f'{len(again)} files were'} landed again, because "
        f"{cause}: {_named(again)}"
        for cause, again in causes.items()
    )


def _named(deliveries: list[Delivery]) -> str:
    """The file names of deliveries, as a note shows them."""
    names = [delivery.file_name for delivery in deliveries[:_NAMED]]
    more = len(deliveries) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _taken_back_file(source: Source) -> str:
    return f"ledger/{source.id}/{TAKEN_BACK}"


def take_back(
    lake: Lake,
    source: Source,
    landed: dict[str, Delivery],
    stale: list[Delivery],
    early: Mapping[str, datetime] = MappingProxyType({}),
) -> dict[str, Receipt]:
    """Remove the stale deliveries from the lake and from `landed`; returns the first receipt of each.

    early: deliveries that count as received at another time; they keep their place in the order of receipt.

    The receipts are saved first: if a call is killed before the files land again, the next call uses the saved ones.
    """
    path = _taken_back_file(source)
    saved = json.loads(lake.read_bytes(path)) if lake.exists(path) else {}
    receipts = {delivery_id: Receipt.from_json(entry) for delivery_id, entry in saved.items()}
    receipts |= {
        delivery.delivery_id: replace(
            Receipt.of(delivery), received_at=early.get(delivery.delivery_id, delivery.received_at)
        )
        for delivery in stale
    }
    if stale:
        entries = {delivery_id: receipt.to_json() for delivery_id, receipt in receipts.items()}
        lake.write_bytes(path, json.dumps(entries, sort_keys=True).encode())
        forget(lake, [landed.pop(delivery.delivery_id) for delivery in stale])
    return receipts


def _in_order_of_receipt(
    files: Sequence[tuple[str, Path]], seen: SeenFiles, received: dict[str, Receipt]
) -> list[tuple[str, Path]]:
    """First the files that land again, in the order of their receipt; then the others by their time of change."""

    def place(item: tuple[str, Path]) -> tuple[bool, int, datetime, int, Path]:
        key, path = item
        known = received.get(seen.sha256(key, path) or "")
        if known:
            return (False, known.received_order, known.received_at, 0, path)
        return (True, 0, datetime.min.replace(tzinfo=UTC), _changed_at(path), path)

    return sorted(files, key=place)


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        # A file that is gone by now is reported when it is read.
        return 0


def _changes(path: Path, state: FileState) -> bool:
    """Whether a file is not the one any more that had this state; False if it is gone."""
    try:
        return file_state(path) != state
    except OSError:
        return False


def _export_and_times(source: Source, path: Path) -> tuple[Export, list[str]]:
    opened = open_file(source, DeliveredFile(path))
    return opened.export, opened.mapping.time_columns


def _land_opened(
    lake: Lake,
    registry: Registry,
    source: Source,
    opened: Opened,
    pseudonyms: Pseudonyms,
    key_index: KeyIndex,
    receipt: Receipt,
    is_landed_again: bool,
    changes: Callable[[], bool] = lambda: False,
) -> tuple[Delivery, tuple[str, ...]]:
    """The committed delivery, and notes about its rows.

    changes: whether the file has changed since it was hashed, asked when all rows were read.
    Raises UnreadableFileError if the file has changed meanwhile, or if its rows need more memory than is allowed.
    Raises UnreadableFileError if its dates contradict the order of day and month of the source, or if its ids were
    rounded. A delivery that is landed again is noted instead, because its rows have been taken out of the lake.
    """
    file, export, mapping = opened.file, opened.export, opened.mapping
    # Rows without an id are known again by their contents, so all deliveries of a source make them in one way.
    mapping = replace(mapping, contents=key_index.contents or CONTENTS)
    rank = (receipt.received_order, receipt.received_at, file.sha256)
    notes: tuple[str, ...] = ()
    try:
        with within_memory(machine().session_mb), lake.staging() as folder:
            staging = Staging(key_index, lake, source, registry, pseudonyms, receipt.received_at, folder)
            rows = staging.fill(export, mapping, file, lambda: open_file(source, file).export)
            if changes():
                raise UnreadableFileError(f"{file.name} changed while it was read")
            problems = _problems(staging, source, mapping, file.name)
            if problems and not is_landed_again:
                raise UnreadableFileError(problems[0])
            notes += tuple(f"{source.id}: {problem}" for problem in problems)
            erased = staging.leave_out(Erased.load(lake, pseudonyms))
            as_of = staging.newest()
            days = staging.find_redelivered(rank, has_times=bool(mapping.time_columns))
            if older := staging.outdated():
                rows_hold = "1 row holds" if older == 1 else f"{older:,} rows hold"
                notes += (
                    f"{source.id}: {file.name}: {rows_hold} an older content than an earlier delivery, by their own "
                    "times, so the earlier delivery's content counts",
                )
            surveys = staging.surveys_named()
            written = staging.write(file.sha256)
    except MemoryLimitError as problem:
        raise UnreadableFileError(f"{file.name}: {problem}; or deliver it in smaller files") from None
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        if not isinstance(problem, duckdb.IOException | OSError):
            # The disk is not to blame. DuckDB's message may quote a cell, so only the kind of error is reported.
            raise UnreadableFileError(
                f"{file.name}: its rows cannot be stored ({type(problem).__name__}): check the export, or deliver it "
                "in smaller files"
            ) from None
        why = (
            problem.strerror if isinstance(problem, OSError) and problem.strerror else type(problem).__name__
        )
        raise HomeError(
            f"{source.id}: {file.name} cannot be written to the lake ({why}). Free disk space, then run again"
        ) from None
    rows_read = sum(landed + again for landed, again in days.values()) + sum(erased.values())
    delivery = Delivery(
        delivery_id=file.sha256,
        source_id=source.id,
        kind=source.kind,
        file_name=rows.redaction.names.in_text(file.name),
        size_bytes=file.size,
        received_at=receipt.received_at,
        as_of=as_of,
        landed_with=landing_fingerprint(registry, source),
        rows_read=rows_read,
        rows_unreadable=len(export.unreadable),
        columns=tuple(rows.mapping.shown.values()),
        mapping={name: shown_name(column) for name, column in mapping.column_of.items()},
        days=days,
        touches=tuple(sorted(written.touches)),
        surveys=surveys,
        received_order=receipt.received_order,
        contents=mapping.contents,
        date_order=None if decided_order(source, export) else mapping.date_order,
        repeats=written.repeats,
        checksums=written.checksums,
        erased=erased,
    )
    commit(lake, delivery)
    key_index.add(delivery)
    return delivery, notes


def _problems(staging: Staging, source: Source, mapping: ColumnMapping, name: str) -> list[str]:
    """What makes all rows of a staged file doubtful; empty if nothing does."""
    found = []
    if mapping.time_columns and (dates := staging.unread_dates(contradicts(mapping.date_order))):
        found.append(contradiction(source, mapping.date_order, *dates, name))
    identifier = own_id(source.kind)
    is_named = identifier.name in mapping.column_of and identifier.treatment == "text"
    if is_named and (ids := staging.rounded_ids(identifier.name)):
        found.append(refusal(name, mapping.column_of[identifier.name], *ids))
    return found
