"""The published file: one self-contained DuckDB file, replaced by one rename.

A publish copies the published file, brings changed days and stale derived tables up to date in the copy, checks it,
and renames it into place; where most days changed, or the file is missing or damaged, it is made anew from the lake.
Readers keep the file they opened. Which rows a table holds is decided elsewhere: day files in `ces_pipeline.clean`,
derived tables in `sql/`.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.home import Home
from ces_pipeline.publish.checks import CheckResult, all_checks, run_checks
from ces_pipeline.publish.derived import fill_derived, replace_rows
from ces_pipeline.publish.fingerprints import (
    code_version,
    layout_fingerprint,
    state_fingerprint,
    table_fingerprints,
)
from ces_pipeline.publish.inputs import (
    DAY_TABLES,
    DayFile,
    FileMarker,
    PublishInputs,
    disagreeing,
    stored_rows,
)
from ces_pipeline.publish.layout import STORAGE_VERSION, create_tables
from ces_pipeline.publish.reference import reference_tables
from ces_pipeline.publish.stored_tables import STORED_TABLES, store_days
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.snapshot import SNAPSHOT_TABLES
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.duck import (
    arrow_rows,
    attach_published,
    count_rows,
    open_published,
    readable,
    session,
)
from ces_pipeline.storage.lake import Lake, sync_folder
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.sql_files import SqlFile, derived_files

RESTATED_TABLES = tuple(kind.accepted for kind in KINDS.values())

_WORK = ".publishing-"
_DAMAGE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)


@dataclass(frozen=True)
class PublishResult:
    """What a publish did.

    published: False where a blocking check failed; the old file is still in place.
    unchanged: True where the published file already held everything; nothing was written.
    days_loaded: day files loaded; rebuilt: True where the file was made anew.
    rows: published rows by table; empty where not published.
    restated_days: days published before that changed.
    filled: derived tables that were stale and filled anew. fingerprints: derived table -> what it was filled from.
    """

    path: Path
    published: bool
    unchanged: bool
    rebuilt: bool
    days_loaded: int
    restated_days: int
    rows: dict[str, int]
    checks: tuple[CheckResult, ...]
    filled: tuple[str, ...] = ()
    fingerprints: dict[str, str] = field(default_factory=dict)

    @property
    def blocking_failures(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.checks if result.check.is_blocking and not result.passed)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.checks if not result.check.is_blocking and not result.passed)


def publish(
    home: Home, registry: Registry, read_inputs: Callable[[], PublishInputs], *, run_id: str
) -> PublishResult:
    """Bring the published file up to date with the lake; a second publish at the same time waits for the first.

    read_inputs: reads what the lake holds, once the publish has its turn. A failed blocking check leaves the old file
    as it was and is in the result. Raises CesError where a day file is not the one of its commit marker, HomeError
    where the disk cannot be written.
    """
    try:
        with exclusive(home.warehouse / ".publish.lock"):
            return publish_state(home, registry, read_inputs(), run_id=run_id)
    except OSError as problem:
        raise HomeError(_unwritable(home, problem.strerror or str(problem))) from problem


def is_behind(home: Home, registry: Registry, state: PublishInputs) -> bool:
    """True where a publish of these inputs would change the published file, or there is none."""
    held = _publication(home.published)
    return held is None or held.inputs != state_fingerprint(registry, state)


def publish_state(home: Home, registry: Registry, state: PublishInputs, *, run_id: str) -> PublishResult:
    """`publish` of given inputs, without the lock."""
    for left_over in home.warehouse.glob(f"{_WORK}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    held = _publication(home.published)
    inputs = state_fingerprint(registry, state)
    if held is not None and held.inputs == inputs:
        return _unchanged(home, registry, held)
    work = home.warehouse / f"{_WORK}{uuid4().hex}"
    try:
        work.mkdir()
        job = _Publish(home, registry, state, run_id, inputs, work)
        if held is None:
            return job.run(None)
        try:
            return job.run(held)
        except _DAMAGE:
            # The old file opened, but some of its blocks do not read: the lake has everything.
            return job.run(None)
    except OSError as problem:
        raise HomeError(_unwritable(home, problem.strerror or str(problem))) from problem
    except (duckdb.IOException, duckdb.OutOfMemoryException) as problem:
        raise HomeError(_unwritable(home, str(problem).splitlines()[0])) from problem
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unwritable(home: Home, why: str) -> str:
    return (
        f"{home.warehouse} could not be written ({why}): free space or mend its permissions, then run again"
    )


@dataclass(frozen=True)
class _Publication:
    """What the published file says of itself."""

    inputs: str
    layout: str
    day_files: dict[DayFile, str]
    tables: dict[str, str]
    """Derived table -> fingerprint of what it was filled from."""


@dataclass(frozen=True)
class _Publish:
    """One publish: everything it needs, and its steps in order."""

    home: Home
    registry: Registry
    state: PublishInputs
    run_id: str
    inputs: str
    work: Path

    def run(self, held: _Publication | None) -> PublishResult:
        lake = Lake(self.home.lake)
        now = datetime.now(UTC)
        wanted = self.state.day_files
        old = held.day_files if held else {}
        changed = {key: mark for key, mark in wanted.items() if old.get(key) != mark.sha256}
        removed = sorted(old.keys() - wanted.keys())
        anew = (
            held is None
            or held.layout != layout_fingerprint()
            or 2 * (len(changed) + len(removed)) > len(old)
        )
        fresh = self.work / "ces.duckdb"
        fresh.unlink(missing_ok=True)
        _verify(lake, changed if not anew else wanted)
        if not anew:
            shutil.copyfile(self.home.published, fresh)
        with session(self.work) as connection:
            before = self._attach_before(connection) if held else None
            # Nobody recovers the copy of a killed publish: a write-ahead log would only write the small tables twice.
            connection.execute(
                f"ATTACH {quote_text(str(fresh))} AS ces "
                f"(STORAGE_VERSION '{STORAGE_VERSION}', RECOVERY_MODE no_wal_writes)"
            )
            connection.execute("USE ces")
            connection.execute("BEGIN")
            if anew:
                create_tables(connection)
                self._load(connection, lake, wanted)
            else:
                self._unload(connection, [*changed, *removed])
                self._load(connection, lake, changed)
            restated = self._restatements(connection, before, [*changed, *removed], old, now)
            self._fill(connection, "audit.published_days", _published_days(wanted))
            small = self._small_tables(lake, now, restated)
            for name, table_rows in small.items():
                self._fill(connection, name, table_rows)
            fingerprints = table_fingerprints(self.state.day_files, small)
            known = held.tables if held and not anew else {}
            filled = [file for file in derived_files() if known.get(file.table) != fingerprints[file.table]]
            fill_derived(connection, filled)
            self._note_tables(connection, fingerprints, filled, before if not anew else None)
            checks = run_checks(connection, all_checks(), business_date=_business_date(self.registry))
            results = _check_rows(self.run_id, checks, now)
            lake.write_table(_history_file("audit.check_results", self.run_id), results)
            if any(result.check.is_blocking and not result.passed for result in checks):
                return self._result(
                    checks, published=False, rebuilt=anew, days_loaded=0, restated_days=0, rows={}
                )
            self._fill(
                connection, "audit.check_results", _history(lake, "audit.check_results", self.run_id, results)
            )
            for name in STORED_TABLES:
                store_days(connection, lake, PUBLISHED_TABLES[name], before)
            rows = {name: count_rows(connection, name) for name in PUBLISHED_TABLES}
            connection.execute("COMMIT")
            # Once, at the end: it writes every changed table. By name, since DETACH would not tell of a full disk.
            connection.execute("CHECKPOINT ces")
            connection.execute("USE memory")
            connection.execute("DETACH ces")
        _swap(fresh, self.home.published)
        if restated.num_rows:
            lake.write_table(_history_file("audit.restatements", self.run_id), restated)
        return self._result(
            checks,
            published=True,
            rebuilt=anew,
            days_loaded=len({day for _, day in (wanted if anew else changed)}),
            restated_days=len(set(restated.column("day").to_pylist())),
            rows=rows,
            filled=tuple(file.table for file in filled),
            fingerprints=fingerprints,
        )

    def _result(
        self,
        checks: list[CheckResult],
        *,
        published: bool,
        rebuilt: bool,
        days_loaded: int,
        restated_days: int,
        rows: dict[str, int],
        filled: tuple[str, ...] = (),
        fingerprints: Mapping[str, str] | None = None,
    ) -> PublishResult:
        return PublishResult(
            path=self.home.published,
            published=published,
            unchanged=False,
            rebuilt=rebuilt,
            days_loaded=days_loaded,
            restated_days=restated_days,
            rows=rows,
            checks=tuple(checks),
            filled=filled,
            fingerprints=dict(fingerprints or {}),
        )

    def _attach_before(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The published file under another name: this process may hold an older one open under its own."""
        linked = self.work / "before.duckdb"
        linked.unlink(missing_ok=True)
        os.link(self.home.published, linked)
        connection.execute(f"ATTACH {quote_text(str(linked))} AS before (READ_ONLY)")
        return "before"

    def _load(
        self, connection: duckdb.DuckDBPyConnection, lake: Lake, marks: Mapping[DayFile, FileMarker]
    ) -> None:
        for name in DAY_TABLES:
            paths = [mark.path for (table, _), mark in sorted(marks.items()) if table == name]
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
        """The days published before that this publish changes, as `audit.restatements`."""
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

    def _small_tables(self, lake: Lake, now: datetime, restated: pa.Table) -> dict[str, pa.Table]:
        """The tables that no query fills: reference, and the audit of landing, cleaning and publishing."""
        pending = [{"kind": kind, "day": day} for kind, day in self.state.pending]
        publication = {
            "run_id": self.run_id,
            "published_at": now,
            "inputs": self.inputs,
            "layout": layout_fingerprint(),
        }
        return {
            **reference_tables(self.registry),
            "audit.load_audit": self.state.load_audit,
            "audit.deliveries": self.state.deliveries,
            "audit.delivery_days": self.state.delivery_days,
            **self.state.logs,
            "audit.restatements": _history(lake, "audit.restatements", self.run_id, restated),
            # Of earlier publishes; this one's verdicts come when there are any.
            "audit.check_results": stored_rows(
                lake, TABLES["audit.check_results"], without=_history_file("audit.check_results", self.run_id)
            ),
            "audit.pending_days": pa.Table.from_pylist(
                pending, schema=SNAPSHOT_TABLES["audit.pending_days"].arrow
            ),
            "audit.publication": pa.Table.from_pylist(
                [publication], schema=SNAPSHOT_TABLES["audit.publication"].arrow
            ),
        }

    def _note_tables(
        self,
        connection: duckdb.DuckDBPyConnection,
        fingerprints: Mapping[str, str],
        filled: Sequence[SqlFile],
        before: str | None,
    ) -> None:
        """Fill `audit.published_tables`: what each derived table was filled from, and by which run."""
        runs = {}
        if before:
            query = f"SELECT table_name, filled_by_run FROM {before}.audit.published_tables"
            runs = dict(connection.execute(query).fetchall())
        runs |= dict.fromkeys((file.table for file in filled), self.run_id)
        rows = [
            {
                "table_name": file.table,
                "code_version": code_version(file),
                "inputs": fingerprints[file.table],
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


def _publication(path: Path) -> _Publication | None:
    """What the published file says of itself; None where there is none, or it is cut off or damaged."""
    if not path.is_file():
        return None
    try:
        with session(None) as connection:
            attach_published(connection, path)
            written = connection.execute("SELECT inputs, layout FROM audit.publication").fetchone()
            days = connection.execute("SELECT table_name, day, sha256 FROM audit.published_days").fetchall()
            tables = connection.execute("SELECT table_name, inputs FROM audit.published_tables").fetchall()
            size = connection.execute(
                "SELECT block_size * total_blocks FROM pragma_database_size() WHERE database_name = 'ces'"
            ).fetchone()
    except duckdb.Error:
        return None
    if size is None or path.stat().st_size < size[0]:
        return None
    if written is None:
        return None
    day_files = {(table, day): sha256 for table, day, sha256 in days}
    return _Publication(written[0], written[1], day_files, dict(tables))


def _unchanged(home: Home, registry: Registry, held: _Publication) -> PublishResult:
    """The answer where the published file already holds everything.

    Its blocking checks passed when it was published; warnings are asked again: they depend on today's date.
    """
    warnings = [check for check in all_checks() if not check.is_blocking]
    with open_published(home.published) as connection:
        results = {
            result.check.name: result
            for result in run_checks(connection, warnings, business_date=_business_date(registry))
        }
        rows = {name: count_rows(connection, name) for name in PUBLISHED_TABLES}
    return PublishResult(
        path=home.published,
        published=True,
        unchanged=True,
        rebuilt=False,
        days_loaded=0,
        restated_days=0,
        rows=rows,
        fingerprints=held.tables,
        checks=tuple(results.get(check.name, CheckResult(check, 0, None)) for check in all_checks()),
    )


def _verify(lake: Lake, marks: Mapping[DayFile, FileMarker]) -> None:
    """Raise CesError where a day file is not the one that its mark tells of."""
    for table, day in disagreeing(lake, marks):
        raise CesError(
            f"{table} of {day}: its file in the lake is missing or not the one that was cleaned: "
            f"run `ces run`, which cleans that day again"
        )


def _swap(fresh: Path, published: Path) -> None:
    """Put the finished file in place: synced, renamed, the rename synced."""
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(published)
    sync_folder(published.parent)


def _published_days(marks: Mapping[DayFile, FileMarker]) -> pa.Table:
    rows = [
        {"table_name": table, "day": day, "size_bytes": mark.size, "sha256": mark.sha256}
        for (table, day), mark in sorted(marks.items())
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
    """Where a run's rows of a history table lie; a run id may hold what a file name may not."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in run_id)
    return f"{name.replace('.', '/')}/{safe}.parquet"


def _history(lake: Lake, name: str, run_id: str, own: pa.Table) -> pa.Table:
    """All runs' rows of a history table, with `own` in place of what this run id wrote before."""
    return pa.concat_tables([stored_rows(lake, TABLES[name], without=_history_file(name, run_id)), own])


def _business_date(registry: Registry) -> date:
    return datetime.now(ZoneInfo(registry.settings.business_time_zone)).date()
