"""Publishing: writes one self-contained DuckDB file and puts it in place with one rename.

A publish copies the published file, updates changed days and stale derived tables in the copy, checks it and renames
it into place. If most days changed, or the file is missing or damaged, it is rebuilt from the lake. Readers keep the
file that they opened. Nothing here decides rows: `ces_pipeline.clean` writes day files, `sql/` fills derived tables.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.home import Home
from ces_pipeline.publish.checks import (
    KEYS_UNIQUE,
    POISONED_ROWS_CAUGHT,
    CheckResult,
    SqlCheck,
    all_checks,
    keys_unique,
    run_checks,
    sql_checks,
)
from ces_pipeline.publish.checksum import (
    file_sha256,
    give_checksum,
    is_sound,
    stored_checksums,
    write_checksums,
)
from ces_pipeline.publish.compaction import compacted
from ces_pipeline.publish.compare import differing_tables
from ces_pipeline.publish.derived import fill_derived, replace_rows
from ces_pipeline.publish.figure_history import add_figures, new_figures
from ces_pipeline.publish.fingerprints import (
    TableFingerprint,
    code_version,
    layout_fingerprint,
    state_fingerprint,
    table_fingerprints,
)
from ces_pipeline.publish.history import restore_history
from ces_pipeline.publish.incremental import ChangedRows, update_derived
from ces_pipeline.publish.inputs import (
    DAY_TABLES,
    DayFile,
    FileMarker,
    PublishInputs,
    disagreeing,
    stored_rows,
)
from ces_pipeline.publish.layout import attach_new, create_tables, describe_tables
from ces_pipeline.publish.publication import Publication, read_publication
from ces_pipeline.publish.reference import reference_tables
from ces_pipeline.publish.run_files import join_run_files
from ces_pipeline.publish.stored_tables import STORED_TABLES, damaged_days, store_days
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.publish.vanished import refuse_vanished
from ces_pipeline.publish.watcher import (
    WATCHED,
    Watcher,
    events_of_publish,
    followers,
    log_events,
    with_events,
)
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.snapshot import SNAPSHOT_TABLES
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.duck import (
    arrow_rows,
    count_rows,
    open_published,
    readable,
    session,
)
from ces_pipeline.storage.journal import without_repeats
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.local_files import damaged_suffix, sync_folder
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.storage.modes import file_mode
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import derived_files

RESTATED_TABLES = tuple(kind.accepted for kind in KINDS.values())

_WORK = ".publishing-"
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2
_DAMAGE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)


class ChangedDayError(CesError):
    """A day file is missing, or is not the one that its commit marker names."""


Prove = Callable[[], CheckResult]
"""Poisons rules, schemas and checks, and says whether each was caught (`ces_pipeline.proof`)."""


@dataclass(frozen=True)
class PublishResult:
    """The result of a publish.

    published: False if a blocking check failed; the old file is still in place.
    unchanged: True if the published file was up to date; nothing was written.
    rebuilt_because: why the file was rebuilt from the lake; empty if it was brought up to date.
    days_loaded: number of days loaded from the lake.
    restated_days: number of changed days that were published before.
    rows: published rows by table, without views; empty if not published.
    compacted: True if the file was written again without the space that updates had left unused.
    filled: derived tables with a changed row. fingerprints: derived table -> fingerprint of its inputs.
    notes: one line for each damaged file that was made good.
    compared: True if an updated file was compared with a rebuilt one; only `rebuild` does so.
    differences: one line for each table whose rows differed between the two.
    """

    path: Path
    published: bool
    unchanged: bool
    rebuilt_because: str
    days_loaded: int
    restated_days: int
    rows: dict[str, int]
    checks: tuple[CheckResult, ...]
    filled: tuple[str, ...] = ()
    fingerprints: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    compared: bool = False
    differences: tuple[str, ...] = ()
    compacted: bool = False

    @property
    def rebuilt(self) -> bool:
        return bool(self.rebuilt_because)

    @property
    def blocking_failures(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.checks if result.check.is_blocking and not result.passed)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.checks if not result.check.is_blocking and not result.passed)


def publish(
    home: Home,
    registry: Registry,
    read_inputs: Callable[[], PublishInputs],
    *,
    run_id: str,
    prove: Prove,
    watcher: Watcher,
) -> PublishResult:
    """Update the published file from the lake. A second publish waits until the first ends.

    read_inputs: reads the lake, called when this publish holds the lock. prove: gives the result of
    `poisoned_rows_caught`; not called if there is nothing new and the file was published today. watcher: finds the
    incidents of the figures. If a blocking check fails, the old file stays and the result has the check. Raises
    CesError if a day file differs from its commit marker or if published deliveries have vanished, HomeError if the
    disk cannot be written.
    """
    with _publishing(home) as notes:
        result = _publish_newest(home, registry, read_inputs, run_id, prove, watcher)
        return replace(result, notes=(*notes, *result.notes))


def rebuild(
    home: Home,
    registry: Registry,
    read_inputs: Callable[[], PublishInputs],
    *,
    run_id: str,
    prove: Prove,
    watcher: Watcher,
) -> PublishResult:
    """Publish, then rebuild the file from the lake, compare every table with the published one, and replace it.

    The result has a line for each table that differs. A file that `publish` has just rebuilt is not built twice. Raises
    as `publish`.
    """
    with _publishing(home) as notes:
        state = read_inputs()
        result = publish_state(home, registry, state, run_id=run_id, prove=prove, watcher=watcher)
        if not result.rebuilt and not result.blocking_failures:
            result = _compared_rebuild(home, registry, state, prove, watcher)
        return replace(result, notes=(*notes, *result.notes))


@contextmanager
def _publishing(home: Home) -> Iterator[tuple[str, ...]]:
    """The lock of a publish, with the history that the lake lost taken back from the published file.

    Gives a line for each file or table of it. Raises HomeError if the disk cannot be written.
    """
    try:
        with exclusive(home.warehouse / ".publish.lock"):
            sound = home.published if home.published.is_file() and not is_damaged(home) else None
            yield tuple(restore_history(Lake(home.lake), sound, _history_file))
            join_run_files(Lake(home.lake))
    except OSError as problem:
        raise HomeError(_unwritable(home, problem.strerror or str(problem))) from problem


def _publish_newest(
    home: Home,
    registry: Registry,
    read_inputs: Callable[[], PublishInputs],
    run_id: str,
    prove: Prove,
    watcher: Watcher,
) -> PublishResult:
    """Publish; if a day was cleaned again in the meantime (by the daemon, by a backfill), publish its new files.

    A day that is cleaned again may get the same bytes, and its files are replaced just before its commit marker: what
    looks like damage is read again a little later.
    """
    for attempt in range(_ATTEMPTS):
        state = read_inputs()
        try:
            return publish_state(home, registry, state, run_id=run_id, prove=prove, watcher=watcher)
        except ChangedDayError:
            time.sleep(_PAUSE_SECONDS * attempt)
    return publish_state(home, registry, read_inputs(), run_id=run_id, prove=prove, watcher=watcher)


def is_behind(home: Home, registry: Registry, state: PublishInputs) -> bool:
    """True if a publish of these inputs would change the published file, or if there is no file."""
    published = read_publication(home.published)
    return (
        published is None
        or published.inputs != state_fingerprint(registry, state)
        or bool(_damaged_stored_days(Lake(home.lake)))
    )


def check_published(
    home: Home, registry: Registry, names: Collection[str], prove: Prove
) -> list[CheckResult]:
    """The results of these checks, asked of the published file, by name. Raises HomeError if there is no file."""
    if not home.published.is_file():
        raise HomeError(f"there is no published file {home.published} to check. Run `ces run`")
    chosen = [check for check in sql_checks() if check.name in names]
    with open_published(home.published) as connection:
        found = run_checks(
            connection, chosen, business_date=registry.settings.business_date(datetime.now(UTC))
        )
    return [*found, *([prove()] if POISONED_ROWS_CAUGHT.name in names else [])]


def is_published_today(published: Publication, registry: Registry, now: datetime) -> bool:
    """Whether the file was published on the business date of `now`, and so passed the proof of this day."""
    return registry.settings.business_date(published.published_at) == registry.settings.business_date(now)


def is_damaged(home: Home) -> bool:
    """True if the published file is not as it was published. Reads it completely; False if there is none."""
    return home.published.exists() and not (home.published.is_file() and is_sound(home.published))


def publish_state(
    home: Home,
    registry: Registry,
    state: PublishInputs,
    *,
    run_id: str,
    prove: Prove,
    watcher: Watcher,
) -> PublishResult:
    """Publish the given inputs, without the lock."""
    for left_over in home.warehouse.glob(f"{_WORK}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    damaged = is_damaged(home)
    published = None if damaged else read_publication(home.published)
    if published is not None:
        give_checksum(home.published)
    inputs = state_fingerprint(registry, state)
    damaged_files = _damaged_stored_days(Lake(home.lake))
    if published is not None and published.inputs == inputs and not damaged_files:
        return _unchanged(home, registry, published, run_id, prove)
    if published is not None:
        refuse_vanished(published.deliveries, state.deliveries, state.logs["audit.corrections"], registry)
    notes = [f"{home.published} was damaged, so it was rebuilt from the lake"] if damaged else []
    notes += [f"lake/{path} was damaged, so it was written again" for path in damaged_files]
    with _work_folder(home) as work:
        now = datetime.now(UTC)
        job = _Publish(home, registry, state, run_id, inputs, work, now, prove, watcher, tuple(notes))
        if published is None:
            return job.run(
                None, "the published file was damaged" if damaged else "there was no published file"
            )
        try:
            return job.run(published, _why_rebuild(published, state))
        except _DAMAGE:
            # The old file has the bytes that were published, but DuckDB cannot read them.
            return job.run(None, "the published file could not be read")


def _compared_rebuild(
    home: Home, registry: Registry, state: PublishInputs, prove: Prove, watcher: Watcher
) -> PublishResult:
    """Rebuild the file of these inputs as its publish would have, at the same moment, and compare."""
    published = read_publication(home.published)
    if published is None:
        raise CesError(f"{home.published} cannot be read: `ces run` rebuilds it from the lake")
    with _work_folder(home) as work:
        job = _Publish(
            home,
            registry,
            state,
            published.run_id,
            published.inputs,
            work,
            published.published_at,
            prove,
            watcher,
            compares=True,
        )
        return job.run(published, "to compare it with the updated one")


@contextmanager
def _work_folder(home: Home) -> Iterator[Path]:
    """A folder for the new file, deleted afterwards. Raises HomeError if the disk cannot be written."""
    work = home.warehouse / f"{_WORK}{uuid4().hex}"
    try:
        work.mkdir()
        yield work
    except OSError as problem:
        raise HomeError(_unwritable(home, problem.strerror or str(problem))) from problem
    except duckdb.IOException as problem:
        raise HomeError(_unwritable(home, str(problem).splitlines()[0])) from problem
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _damaged_stored_days(lake: Lake) -> list[str]:
    """The files of derived tables in the lake that are not as they were written."""
    return [lake.day_file(name, day) for name in STORED_TABLES for day in sorted(damaged_days(lake, name))]


def _unwritable(home: Home, why: str) -> str:
    return f"{home.warehouse} cannot be written ({why}). Free disk space or correct its permissions, then run again"


def _why_rebuild(published: Publication, state: PublishInputs) -> str:
    """Why a readable published file is rebuilt from the lake; empty if it can be brought up to date."""
    old, wanted = published.day_files, state.day_files
    different = sum(old.get(key) != marker.sha256 for key, marker in wanted.items())
    different += len(old.keys() - wanted.keys())
    if published.layout != layout_fingerprint():
        return "this version of ces has other tables, columns or views"
    if published.erased != state.erased:
        # A deleted row stays in the free blocks of a file that is brought up to date.
        return "a person was erased"
    if 2 * different > len(old):
        return "more than half of its day files changed"
    return ""


@dataclass(frozen=True)
class _Publish:
    """One publish: its inputs, and its steps in order."""

    home: Home
    registry: Registry
    state: PublishInputs
    run_id: str
    inputs: str
    work: Path
    now: datetime
    prove: Prove
    watcher: Watcher
    notes: tuple[str, ...] = ()
    compares: bool = False
    """Whether it rebuilds a file that is up to date, to compare the two."""

    def run(self, published: Publication | None, rebuilt_because: str) -> PublishResult:
        """Publish; published: what the published file was made from, None if it cannot be read."""
        lake, now = Lake(self.home.lake), self.now
        wanted = self.state.day_files
        updated = None if rebuilt_because else published
        old = published.day_files if published else {}
        changed = {key: marker for key, marker in wanted.items() if old.get(key) != marker.sha256}
        removed = sorted(old.keys() - wanted.keys())
        fresh = self.work / "ces.duckdb"
        fresh.unlink(missing_ok=True)
        loaded = wanted if rebuilt_because else changed
        verified = _states(lake, loaded)
        _verify(lake, loaded)
        if not rebuilt_because:
            shutil.copyfile(self.home.published, fresh)
        with session(self.work) as connection:
            before = self._attach_before(connection) if published else None
            attach_new(connection, fresh)
            # Each statement commits, because one transaction cannot also write to the catalogs of `ChangedRows`.
            # Checkpoints are explicit: one at the end, and one after each large part of an update, so that the next
            # part is written into the space that it freed.
            connection.execute("SET checkpoint_threshold = '1TB'")
            if rebuilt_because:
                create_tables(connection)
                describe_tables(connection)
                changes = None
            else:
                changes = ChangedRows(connection)
                self._unload(connection, [*changed, *removed])
            self._load(connection, lake, loaded)
            for key, state in _states(lake, loaded).items():
                if state != verified[key]:
                    raise _changed(*key)
            restated = (
                self._own_restatements(lake)
                if self.compares
                else self._restatements(connection, before, [*changed, *removed], old, now)
            )
            self._fill(connection, "audit.published_days", _published_days(wanted))
            small = self._small_tables(lake, now, restated, updated)
            for name, table_rows in small.items():
                self._fill(connection, name, table_rows)
            fingerprints = table_fingerprints(self.state.day_files, small)
            if changes is None or updated is None:
                filled = [file.table for file in derived_files()]
                fill_derived(connection, derived_files())
            else:
                connection.execute("CHECKPOINT ces")
                for name in DAY_TABLES:
                    changes.add_days(
                        name, sorted(day for table, day in [*changed, *removed] if table == name)
                    )
                filled = update_derived(changes, updated.tables, fingerprints, derived_files())
            self._record_tables(connection, fingerprints, filled, None if rebuilt_because else before)
            checks = self._checked(connection, _checks_of(changes), [self.prove()])
            events = self._events(connection, lake, checks)
            if events.num_rows:
                fingerprints, later = self._fill_watched(connection, changes, fingerprints, small, events)
                filled = list(dict.fromkeys([*filled, *later]))
                self._record_tables(connection, fingerprints, filled, None if rebuilt_because else before)
                checks = self._checked(connection, _checks_of_watched(), checks)
            results = _check_rows(self.run_id, checks, now)
            lake.write_table(_history_file("audit.check_results", self.run_id), results)
            if any(result.check.is_blocking and not result.passed for result in checks):
                return self._result(checks, published=False, rebuilt_because=rebuilt_because)
            self._log(lake, events)
            self._fill(
                connection, "audit.check_results", pa.concat_tables([small["audit.check_results"], results])
            )
            earlier = stored_rows(lake, TABLES["audit.figure_history"])
            earlier = earlier.filter(
                pc.not_equal(earlier["published_at"], pa.scalar(now, pa.timestamp("us", "UTC")))
            )
            figures = new_figures(connection, earlier, self.run_id, now)
            self._fill(connection, "audit.figure_history", pa.concat_tables([earlier, figures]))
            for name in STORED_TABLES:
                days = changes.days_of(name) if changes else None
                store_days(connection, lake, PUBLISHED_TABLES[name], before, days)
            rows = _rows(connection)
            # Explicit, because DETACH does not report a full disk.
            connection.execute("CHECKPOINT ces")
            differences = differing_tables(connection, "ces", "before") if self.compares else []
            compact = compacted(connection, fresh, updated)
            connection.execute("USE memory")
            connection.execute("DETACH ces")
        # Before the rename: a publish that is killed in between adds no figure that the next one would not.
        add_figures(lake, figures, now)
        _swap(compact or fresh, self.home.published)
        if restated.num_rows:
            lake.write_table(_history_file("audit.restatements", self.run_id), restated)
        return self._result(
            checks,
            published=True,
            rebuilt_because=rebuilt_because,
            days_loaded=len({day for _, day in loaded}),
            restated_days=len(set(restated.column("day").to_pylist())),
            rows=rows,
            filled=tuple(filled),
            fingerprints={name: found.inputs for name, found in fingerprints.items()},
            differences=tuple(differences),
            compacted=compact is not None,
        )

    def _result(
        self,
        checks: list[CheckResult],
        *,
        published: bool,
        rebuilt_because: str,
        days_loaded: int = 0,
        restated_days: int = 0,
        rows: Mapping[str, int] | None = None,
        filled: tuple[str, ...] = (),
        fingerprints: Mapping[str, str] | None = None,
        differences: tuple[str, ...] = (),
        compacted: bool = False,
    ) -> PublishResult:
        return PublishResult(
            path=self.home.published,
            published=published,
            unchanged=False,
            rebuilt_because=rebuilt_because,
            days_loaded=days_loaded,
            restated_days=restated_days,
            rows=dict(rows or {}),
            checks=tuple(checks),
            filled=filled,
            fingerprints=dict(fingerprints or {}),
            notes=self.notes,
            compared=self.compares,
            differences=differences,
            compacted=compacted,
        )

    def _checked(
        self, connection: duckdb.DuckDBPyConnection, checks: Sequence[SqlCheck], known: Sequence[CheckResult]
    ) -> list[CheckResult]:
        """The results of checks that are run now and of those that are known; by name."""
        found = run_checks(connection, checks, business_date=self.registry.settings.business_date(self.now))
        results = {result.check.name: result for result in (*known, *found)}
        return [results[name] for name in sorted(results)]

    def _events(
        self, connection: duckdb.DuckDBPyConnection, lake: Lake, checks: Sequence[CheckResult]
    ) -> pa.Table:
        """The events that the filled figures add to the log; none for a file that is not published.

        A rebuild of a published file has those of its publish.
        """
        if any(result.check.is_blocking and not result.passed for result in checks):
            return TABLES[WATCHED[0]].arrow.empty_table()
        if self.compares:
            return events_of_publish(lake, self.run_id)
        logged = self.state.logs[WATCHED[0]]
        return self.watcher.new_events(connection, checks, logged, run_id=self.run_id, now=self.now)

    def _log(self, lake: Lake, events: pa.Table) -> None:
        """Log the events before the file is swapped: what a killed publish logged, the next one finds again."""
        if not self.compares:
            log_events(lake, events, self.now)

    def _fill_watched(
        self,
        connection: duckdb.DuckDBPyConnection,
        changes: ChangedRows | None,
        before: Mapping[str, TableFingerprint],
        small: Mapping[str, pa.Table],
        events: pa.Table,
    ) -> tuple[dict[str, TableFingerprint], list[str]]:
        """Add events to the log of the file, and bring the tables that follow from it up to date.

        before: the fingerprints that the derived tables have now. Returns their new fingerprints, and the names of the
        derived tables with a changed row.
        """
        logged = with_events(self.state.logs[WATCHED[0]], events)
        now = {**small, WATCHED[0]: logged, WATCHED[1]: self.watcher.incidents(logged)}
        for name in WATCHED:
            self._fill(connection, name, now[name])
        fingerprints = table_fingerprints(self.state.day_files, now)
        if changes is None:
            fill_derived(connection, followers())
            return fingerprints, [file.table for file in followers()]
        return fingerprints, update_derived(changes, before, fingerprints, followers())

    def _attach_before(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Attach the published file under another name: this process may have an older file open under its own name."""
        linked = self.work / "before.duckdb"
        linked.unlink(missing_ok=True)
        os.link(self.home.published, linked)
        connection.execute(f"ATTACH {quote_text(str(linked))} AS before (READ_ONLY)")
        return "before"

    def _load(
        self, connection: duckdb.DuckDBPyConnection, lake: Lake, markers: Mapping[DayFile, FileMarker]
    ) -> None:
        for name in DAY_TABLES:
            paths = [marker.path for (table, _), marker in sorted(markers.items()) if table == name]
            if not paths:
                continue
            columns = ", ".join(PUBLISHED_TABLES[name].columns)
            with readable(connection, lake, paths) as rows:
                connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {rows}")

    def _unload(self, connection: duckdb.DuckDBPyConnection, keys: list[DayFile]) -> None:
        for name in DAY_TABLES:
            days = sorted(day for table, day in keys if table == name)
            if days:
                connection.execute(f"DELETE FROM {name} WHERE day IN (SELECT unnest($days))", {"days": days})

    def _restatements(
        self,
        connection: duckdb.DuckDBPyConnection,
        before: str | None,
        keys: list[DayFile],
        old: Mapping[DayFile, str],
        now: datetime,
    ) -> pa.Table:
        """The rows of `audit.restatements`: days that were published before and that this publish changes."""
        schema = PUBLISHED_TABLES["audit.restatements"].arrow
        parts = [schema.empty_table()]
        for name in RESTATED_TABLES if before else ():
            days = sorted(day for table, day in keys if table == name and (table, day) in old)
            if days:
                ease = (
                    "sum(ease_0_100::DECIMAL(9, 6))::DOUBLE" if name == "core.responses" else "NULL::DOUBLE"
                )
                query = f"""
                    WITH days AS (SELECT unnest($days::DATE[]) AS day),
                    was AS (SELECT day, count(*) AS n, {ease} AS ease FROM {before}.{name} GROUP BY day),
                    new AS (SELECT day, count(*) AS n, {ease} AS ease FROM {name} GROUP BY day)
                    SELECT
                        $run_id AS run_id, $name AS table_name, day,
                        coalesce(was.n, 0) AS rows_before, coalesce(new.n, 0) AS rows_after,
                        was.ease AS ease_sum_before, new.ease AS ease_sum_after, $now AS restated_at
                    FROM days LEFT JOIN was USING (day) LEFT JOIN new USING (day) ORDER BY day
                """
                values = {"days": days, "run_id": self.run_id, "name": name, "now": now}
                parts.append(arrow_rows(connection, query, schema, values))
        return pa.concat_tables(parts)

    def _own_restatements(self, lake: Lake) -> pa.Table:
        """The rows that this run added to `audit.restatements` when it published."""
        rows = stored_rows(lake, TABLES["audit.restatements"])
        return rows.filter(pc.equal(rows["run_id"], self.run_id))

    def _small_tables(
        self, lake: Lake, now: datetime, restated: pa.Table, updated: Publication | None
    ) -> dict[str, pa.Table]:
        """Tables that no query fills: the reference tables, and the audit of landing, cleaning and publishing.

        updated: what the file is updated from; None: it is rebuilt.
        """
        pending = [{"kind": kind, "day": day} for kind, day in self.state.pending]
        restatements = TABLES["audit.restatements"]
        publication = {
            "run_id": self.run_id,
            "published_at": now,
            "inputs": self.inputs,
            "layout": layout_fingerprint(),
            "erased": self.state.erased,
            "rebuilt_size_bytes": updated.rebuilt_size if updated else None,
            "rebuilt_rows": updated.rebuilt_rows if updated else None,
        }
        return {
            **reference_tables(self.registry),
            "audit.load_audit": self.state.load_audit,
            "audit.deliveries": self.state.deliveries,
            "audit.delivery_days": self.state.delivery_days,
            **self.state.logs,
            WATCHED[1]: self.watcher.incidents(self.state.logs[WATCHED[0]]),
            "audit.restatements": without_repeats(
                pa.concat_tables([stored_rows(lake, restatements), restated]), restatements.key
            ),
            # Results of earlier publishes; the results of this one are added after its checks.
            "audit.check_results": _of_other_runs(lake, "audit.check_results", self.run_id),
            "audit.pending_days": pa.Table.from_pylist(
                pending, schema=SNAPSHOT_TABLES["audit.pending_days"].arrow
            ),
            "audit.publication": pa.Table.from_pylist(
                [publication], schema=SNAPSHOT_TABLES["audit.publication"].arrow
            ),
        }

    def _record_tables(
        self,
        connection: duckdb.DuckDBPyConnection,
        fingerprints: Mapping[str, TableFingerprint],
        filled: Sequence[str],
        before: str | None,
    ) -> None:
        """Fill `audit.published_tables`: the fingerprints of each derived table, and the run that changed it."""
        runs = {}
        if before:
            query = f"SELECT table_name, filled_by_run FROM {before}.audit.published_tables"
            runs = dict(connection.execute(query).fetchall())
        runs |= dict.fromkeys(filled, self.run_id)
        rows = [
            {
                "table_name": file.table,
                "code_version": code_version(file),
                "inputs": fingerprints[file.table].inputs,
                "code_and_registry": fingerprints[file.table].code_and_registry,
                "filled_by_run": runs[file.table],
            }
            for file in derived_files()
        ]
        schema = SNAPSHOT_TABLES["audit.published_tables"].arrow
        self._fill(connection, "audit.published_tables", pa.Table.from_pylist(rows, schema=schema))

    def _fill(self, connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
        """Replace the rows of a small table, in its own order."""
        table = PUBLISHED_TABLES[name]
        order = f" ORDER BY {', '.join(table.sort)}" if table.sort else ""
        connection.register("incoming", rows)
        replace_rows(connection, table, f"SELECT * FROM incoming{order}")
        connection.unregister("incoming")


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each table; without views, which would be computed for it."""
    return {
        table.name: count_rows(connection, table.name)
        for table in PUBLISHED_TABLES.values()
        if not table.is_view
    }


def _unchanged(
    home: Home, registry: Registry, published: Publication, run_id: str, prove: Prove
) -> PublishResult:
    """The result if the published file is up to date.

    Its other blocking checks passed when it was published. Warnings run again, because they depend on today's date, and
    so does the proof, once a day. A proof that fails is noted in the lake, since there is no new file to note it in.
    """
    now = datetime.now(UTC)
    is_of_today = is_published_today(published, registry, now)
    proof = CheckResult(POISONED_ROWS_CAUGHT, 0, None) if is_of_today else prove()
    warnings = [check for check in sql_checks() if not check.is_blocking]
    with open_published(home.published) as connection:
        found = run_checks(connection, warnings, business_date=registry.settings.business_date(now))
        rows = _rows(connection)
    results = {result.check.name: result for result in (*found, proof)}
    checks = [results.get(check.name, CheckResult(check, 0, None)) for check in all_checks()]
    if not proof.passed:
        Lake(home.lake).write_table(
            _history_file("audit.check_results", run_id), _check_rows(run_id, checks, now)
        )
    return PublishResult(
        path=home.published,
        published=proof.passed,
        unchanged=True,
        rebuilt_because="",
        days_loaded=0,
        restated_days=0,
        rows=rows,
        fingerprints={name: table.inputs for name, table in published.tables.items()},
        checks=tuple(checks),
    )


def _verify(lake: Lake, markers: Mapping[DayFile, FileMarker]) -> None:
    """Raise ChangedDayError if a day file differs from its commit marker."""
    for table, day in disagreeing(lake, markers):
        raise _changed(table, day)


def _changed(table: str, day: date) -> ChangedDayError:
    return ChangedDayError(
        f"{table} of {day}: the lake file is missing or was changed after cleaning. "
        f"Run `ces run`, which cleans that day again"
    )


def _states(lake: Lake, markers: Mapping[DayFile, FileMarker]) -> dict[DayFile, tuple[object, object]]:
    """Size and time of each day file: another one if it was replaced while it was read."""
    infos = lake.files.get_file_info([marker.path for marker in markers.values()])
    return {key: (info.size, info.mtime) for key, info in zip(markers, infos, strict=True)}


def _swap(fresh: Path, published: Path) -> None:
    """Put the new file in place: sync it, rename it, sync the folder. Its checksum is valid before and after."""
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.chmod(file_mode(published.parent))
    sha256 = file_sha256(fresh)
    write_checksums(published, [*stored_checksums(published)[-1:], sha256])
    if published.is_dir():
        published.replace(published.with_name(f".{published.name}{damaged_suffix()}"))
    fresh.replace(published)
    sync_folder(published.parent)
    write_checksums(published, [sha256])


def _checks_of(changes: ChangedRows | None) -> list[SqlCheck]:
    """The checks of a publish; those of keys ask only about tables and rows that changed, if they are known."""
    if changes is None:
        return list(sql_checks())
    return [keys_unique(changes.counts) if check.name == KEYS_UNIQUE else check for check in sql_checks()]


def _checks_of_watched() -> list[SqlCheck]:
    """The checks that read a table that `_fill_watched` fills; of keys, those of these tables."""
    names = {*WATCHED, *(file.table for file in followers())}
    return [
        keys_unique({name: None if name in names else 0 for name in PUBLISHED_TABLES})
        if check.name == KEYS_UNIQUE
        else check
        for check in sql_checks()
        if any(re.search(rf"\b{re.escape(name)}\b", check.query) for name in names)
    ]


def _published_days(markers: Mapping[DayFile, FileMarker]) -> pa.Table:
    rows = [
        {"table_name": table, "day": day, "size_bytes": marker.size, "sha256": marker.sha256}
        for (table, day), marker in sorted(markers.items())
    ]
    return pa.Table.from_pylist(rows, schema=SNAPSHOT_TABLES["audit.published_days"].arrow)


def _check_rows(run_id: str, checks: list[CheckResult], now: datetime) -> pa.Table:
    rows = [
        {
            "run_id": run_id,
            "check_name": result.check.name,
            "is_blocking": result.check.is_blocking,
            "passed": result.passed,
            "failures": result.failures,
            "detail": result.detail,
            "checked_at": now,
        }
        for result in checks
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["audit.check_results"].arrow)


def _history_file(name: str, run_id: str) -> str:
    """Path of a run's rows of a history table. A run id may have characters that a file name may not have."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in run_id)
    return f"{name.replace('.', '/')}/{safe}.parquet"


def _of_other_runs(lake: Lake, name: str, run_id: str) -> pa.Table:
    rows = stored_rows(lake, TABLES[name])
    return rows.filter(pc.not_equal(rows["run_id"], run_id))
