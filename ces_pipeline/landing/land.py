"""Landing: read every new file of a feed, drop what is already there, write the rest split by day, note it down.

A file that cannot be read fails alone. Rows are pseudonymised and redacted inside the query that stages them, so that
no person's value is ever written. Order of landing does not matter: what a day is later cleaned from depends only on
the set of deliveries.
"""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import HomeError, RegistryError, UnreadableFileError
from ces_pipeline.landing.day_parts import DayParts
from ces_pipeline.landing.ledger import Delivery, Ledger, commit, forget, index_file, moves_file, raw_file
from ces_pipeline.landing.privacy import Pseudonyms, load_pseudonyms, redact_text
from ces_pipeline.landing.statement import Reading, landing_query, unreadable_query
from ces_pipeline.registry.models import Registry, Source, fold
from ces_pipeline.settings import Home
from ces_pipeline.sources import READERS, DeliveredFile, Export, UnreadableRow
from ces_pipeline.sources.contract import ROW_NUMBER
from ces_pipeline.sources.delimited import read_head
from ces_pipeline.sources.people import looks_like_people
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.storage.quote import quote_text

_MEMORY = "700MB"
_BATCH_ROWS = 50_000
_MISFITS = pa.schema(
    [(ROW_NUMBER, pa.int64()), ("problem", pa.string()), ("content", pa.uint64()), ("written", pa.string())]
)
_ESSENTIAL = {"survey": ("score", "survey", "response_id", "recorded_at"), "tickets": ("ticket_id", "updated_at")}
_NOT_EXPORTS = {".keep", ".gitkeep", ".ds_store", "thumbs.db", "known_answers.json"}
_VALUE = re.compile(r"@|^\W*\d[\d\s:.,/+TZ-]*$")
"""What stands in the first row of a table without a header, and hardly ever in one."""
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*("(?:[^"\\]|\\.)*"?|[^,{}\[\]\s]+)')


@dataclass
class FeedLanding:
    """What landing one feed did. failures: one plain line per file that could not be read."""

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

    def add(self, delivery: Delivery) -> None:
        self.files_new += 1
        self.rows_read += delivery.rows_read
        self.rows_landed += delivery.rows_landed
        self.rows_redelivered += delivery.rows_redelivered
        self.rows_unreadable += delivery.rows_unreadable
        self.days = tuple(sorted({*self.days, *delivery.touches}))


@dataclass
class _Seen:
    """Which inbox files were already identified, by hash of the path, size and time: spares reading them again.

    A cache only: without it every file is read and hashed anew, with the same result.
    """

    lake: Lake
    source_id: str
    entries: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def _path(self) -> str:
        return f"ledger/{self.source_id}/.seen"

    def load(self) -> "_Seen":
        if self.lake.exists(self._path):
            self.entries = json.loads(self.lake.read_bytes(self._path))
        return self

    @staticmethod
    def _state(path: Path) -> list[Any]:
        stat = path.stat()
        return [stat.st_size, stat.st_mtime_ns]

    def sha256(self, key: str, path: Path) -> str | None:
        known = self.entries.get(key)
        return known[2] if known and known[:2] == self._state(path) else None

    def note(self, key: str, path: Path, sha256: str) -> None:
        self.entries[key] = [*self._state(path), sha256]

    def save(self) -> None:
        self.lake.write_bytes(self._path, json.dumps(self.entries, sort_keys=True).encode())


def _seen_key(home: Home, path: Path) -> str:
    """A file's name in the note of seen files: a hash, since exports are sometimes named after a person."""
    return hashlib.sha256(os.fsencode(path.relative_to(home.inbox))).hexdigest()


def inbox_files(home: Home, source: Source) -> list[Path]:
    """The feed's files, in name order. Hidden and unfinished (`.part`, `.tmp`) files are left alone."""
    folder = home.inbox / source.id
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.glob(source.inbox)
        if path.is_file()
        and not path.name.startswith(".")
        and path.name.lower() not in _NOT_EXPORTS
        and path.suffix.lower() not in {".part", ".tmp", ".crdownload"}
    )


def land_feed(home: Home, registry: Registry, source: Source, *, now: datetime | None = None) -> FeedLanding:
    """Land every new file of one feed. Files already landed under the same reading cost a look at their size.

    Raises HomeError where the lake cannot be written; a file that cannot be read is a line in `failures`.
    A delivery that is read anew keeps the time of its first receipt.
    """
    lake = Lake(home.lake)
    outcome = FeedLanding(source.id, source.kind)
    with exclusive(home.lake / ".landing.lock"):
        lake.clear_staging()
        pseudonyms = load_pseudonyms(home.root, lake)
        landed = {one.delivery_id: one for one in Ledger.read(lake).of_source(source.id)}
        seen = _Seen(lake, source.id).load()
        files = [(_seen_key(home, path), path) for path in inbox_files(home, source)]
        received = _take_back_other_readings(lake, registry, source, landed, files, seen, outcome)
        noted = dict(seen.entries)
        for key, path in files:
            try:
                file = DeliveredFile(path)
                sha256 = seen.sha256(key, path) or file.sha256
                if sha256 not in landed:
                    received_at = received.get(sha256) or now or datetime.now(UTC)
                    landed[sha256] = _land_file(
                        lake, registry, source, file, pseudonyms, list(landed.values()), received_at, outcome
                    )
                    outcome.add(landed[sha256])
                else:
                    outcome.files_known += 1
                seen.note(key, path, sha256)
            except (UnreadableFileError, RegistryError, OSError) as problem:
                outcome.failures += (_failure(source, path, problem),)
        if seen.entries != noted:
            seen.save()
    return outcome


def land(home: Home, registry: Registry, sources: Iterable[str] | None = None) -> list[FeedLanding]:
    """Land every feed (or the named ones), one after the other; a feed's failure never stops the others."""
    chosen = [registry.sources[name] for name in sources] if sources is not None else list(registry.sources.values())
    return [land_feed(home, registry, source) for source in chosen]


def _failure(source: Source, path: Path, problem: Exception) -> str:
    if isinstance(problem, OSError):
        return f"{source.id}: {path.name}: could not be read ({problem.strerror or problem}): mend or remove it"
    return f"{source.id}: {problem}" if path.name in str(problem) else f"{source.id}: {path.name}: {problem}"


def _reading_print(registry: Registry, source: Source) -> str:
    """Fingerprint of everything that decides how a feed's bytes become rows and on which days these lie."""
    settings = registry.settings
    told = [source.reading, settings.business_time_zone, settings.first_day.isoformat()]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _take_back_other_readings(
    lake: Lake,
    registry: Registry,
    source: Source,
    landed: dict[str, Delivery],
    files: list[tuple[str, Path]],
    seen: _Seen,
    outcome: FeedLanding,
) -> dict[str, datetime]:
    """Take back deliveries that were read under another mapping, zone or format; when each was received.

    They are then landed anew with the mapping of today. Those whose files are gone, or cannot be read with that
    mapping, stay as they are: a slip in the registry must not empty the lake.
    """
    other = {one.delivery_id for one in landed.values() if one.reading != _reading_print(registry, source)}
    again: dict[str, datetime] = {}
    for key, path in files if other else ():
        known = None
        try:
            file = DeliveredFile(path)
            known = landed.get(seen.sha256(key, path) or file.sha256)
            if known and known.delivery_id in other:
                _reading(source, READERS[source.reader].read(file, source), file, FeedLanding(source.id, source.kind))
                again[known.delivery_id] = known.received_at
        except (UnreadableFileError, RegistryError, OSError) as problem:
            # A file that was never landed is told of when its turn comes.
            if known:
                outcome.failures += (f"{_failure(source, path, problem)} (what it held before is kept as it was read)",)
    forget(lake, [landed.pop(one) for one in again])
    return again


def _reading(source: Source, export: Export, file: DeliveredFile, outcome: FeedLanding) -> Reading:
    """The reader's mapping with the registry's over it; every registry column must be in the export."""
    by_folded = {fold(name): name for name in reversed(export.columns)}
    mapping = {name: column for name, column in export.mapping.items() if column in export.columns}
    wanted = dict(source.columns)
    if source.survey_column:
        wanted["survey"] = source.survey_column
    absent = []
    for name, column in wanted.items():
        mapping.pop(name, None)
        if column in export.columns:
            mapping[name] = column
        elif fold(column) in by_folded:
            mapping[name] = by_folded[fold(column)]
        elif name in _ESSENTIAL[source.kind]:
            listed = _listed(export.columns)
            hint = " (one column only: a wrong delimiter? set options.delimiter)" if len(export.columns) == 1 else ""
            raise UnreadableFileError(
                f"{file.name}: there is no column {column!r}, which sources.yaml entry {source.id} maps to {name}{hint}; "
                f"columns in the file: {listed}. Correct columns.{name} or deliver the file with that column"
            )
        else:
            absent.append(column)
    if absent:
        outcome.notes += (f"{source.id}: {file.name}: mapped but not in this file: {', '.join(absent)}",)
    values = {name: dict(found) for name, found in export.values.items()}
    for name, found in source.values.items():
        values[name] = {**values.get(name, {}), **{old.strip().lower(): new for old, new in found.items()}}
    people = {*export.people, *source.people} | {name for name in export.columns if looks_like_people(name)}
    return Reading(
        kind=source.kind,
        source_id=source.id,
        columns=export.columns,
        mapping=mapping,
        values=values,
        time_formats=source.time_formats or export.time_formats,
        people=frozenset(people),
        ignored=frozenset(source.ignore),
        missing=source.missing,
    )


def _listed(columns: tuple[str, ...]) -> str:
    """The columns as a message may name them: where the header is missing, answers stand in its place."""
    if any(_VALUE.search(name) for name in columns):
        return "not shown, since the first row looks like an answer and not like a header"
    return ", ".join(columns[:40]) + (" ..." if len(columns) > 40 else "")


def _land_file(
    lake: Lake,
    registry: Registry,
    source: Source,
    file: DeliveredFile,
    pseudonyms: Pseudonyms,
    earlier: list[Delivery],
    now: datetime,
    outcome: FeedLanding,
) -> Delivery:
    export = READERS[source.reader].read(file, source)
    reading = _reading(source, export, file, outcome)
    try:
        with lake.staging() as folder, duckdb.connect() as connection:
            connection.execute(f"SET memory_limit='{_MEMORY}'; SET preserve_insertion_order=false; SET TimeZone='UTC'")
            connection.execute(f"SET temp_directory={quote_text(str(folder / 'spill'))}")
            staging = _Staging(connection, lake, source, registry, pseudonyms, now, folder)
            staging.fill(export, reading, file)
            as_of = staging.newest()
            days = staging.find_redelivered(earlier, (as_of or datetime.min.replace(tzinfo=UTC), file.sha256))
            touches = staging.write(file.sha256)
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        # DuckDB's own text may quote a cell, so only its kind is told.
        told = problem.strerror if isinstance(problem, OSError) and problem.strerror else type(problem).__name__
        raise HomeError(
            f"{source.id}: {file.name} could not be staged in the lake ({told}): free disk space or memory, then run again"
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
        reading=_reading_print(registry, source),
        rows_read=rows_read,
        rows_unreadable=len(export.unreadable),
        columns=tuple(export.columns),
        mapping=dict(reading.mapping),
        days=days,
        touches=tuple(sorted(touches)),
    )
    commit(lake, delivery)
    return delivery


@dataclass
class _Staging:
    """The rows of one delivery on their way into the lake: one Parquet file a day in a scratch folder beside it.

    All rows are written there in one pass; only their keys are then held in memory to find what is already landed.
    """

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    source: Source
    registry: Registry
    pseudonyms: Pseudonyms
    now: datetime
    folder: Path

    def _split(self, query: str, parameters: dict[str, Any], folder: str) -> None:
        parts = DayParts(self.folder / folder)
        reader = self.connection.sql(query, params=parameters).to_arrow_reader(_BATCH_ROWS)
        # The session's zone is how the feed's naive times are read; the instants themselves are stored in UTC.
        schema = pa.schema([one.with_type(_in_utc(one.type)) for one in reader.schema])
        for batch in reader:
            parts.write(batch.cast(schema))
        parts.close()

    def _copy(self, query: str, target: Path) -> None:
        self.connection.execute(f"COPY ({query}) TO {quote_text(str(target))} (FORMAT parquet, COMPRESSION zstd)")

    def fill(self, export: Export, reading: Reading, file: DeliveredFile) -> None:
        """Write every row of the export by day, the unreadable ones too, and load the keys of all."""
        failure: list[Exception] = []
        last: pa.RecordBatch | None = None

        def watched() -> Iterator[pa.RecordBatch]:
            # An exception inside a stream reaches DuckDB as a bare text: keep the original.
            nonlocal last
            try:
                for batch in export.batches:
                    last = batch.slice(batch.num_rows - 1) if batch.num_rows else last
                    yield _trimmed(batch)
            except Exception as problem:
                failure.append(problem)
                raise

        settings = self.registry.settings
        scope = {"received_at": self.now, "first_day": settings.first_day, "zone": settings.business_time_zone}
        schema = pa.schema([*((name, pa.string()) for name in export.columns), (ROW_NUMBER, pa.int64())])
        self.connection.register("incoming", pa.RecordBatchReader.from_batches(schema, watched()))
        self.connection.execute(f"SET TimeZone={quote_text(export.time_zone or self.source.time_zone)}")
        keys = self.pseudonyms.parameters if reading.names_people else {}
        try:
            self._split(landing_query(reading), {**keys, **scope}, "days")
        except (duckdb.Error, pa.ArrowException, OSError):
            if failure and isinstance(failure[0], OSError):
                raise UnreadableFileError(
                    f"{file.name}: could not be read to its end ({failure[0].strerror}): deliver it again"
                ) from None
            if failure:
                raise failure[0] from None
            raise
        finally:
            self.connection.execute("SET TimeZone='UTC'")
            self.connection.unregister("incoming")
        delimiter = _delimiter(file, self.source)
        if delimiter is not None:
            _refuse_open_quote(file, last, export.unreadable)
        if export.unreadable:
            misfits = [
                {
                    ROW_NUMBER: row.row_number,
                    "problem": row.problem,
                    # Of the text as it stood, since the shown one may have lost what tells two rows apart.
                    "content": int(self.pseudonyms.of(row.text)[:16], 16),
                    "written": _without_people(row.text, export.columns, reading.columns_with_people, delimiter),
                }
                for row in export.unreadable
            ]
            self.connection.register("misfits", pa.Table.from_pylist(misfits, schema=_MISFITS))
            self._split(unreadable_query(reading), scope, "unreadable")
            self.connection.unregister("misfits")
        self._load_keys()

    def _parts(self) -> dict[date, list[Path]]:
        """Day -> the scratch files that hold its rows."""
        found: dict[date, list[Path]] = {}
        for pass_name in ("days", "unreadable"):
            for partition in sorted((self.folder / pass_name).glob("day=*")):
                day = date.fromisoformat(partition.name.removeprefix("day="))
                found.setdefault(day, []).extend(sorted(partition.iterdir()))
        return found

    def _load_keys(self) -> None:
        columns = "row_number, key_hi, key_lo, content, event_at"
        parts = [part for found in self._parts().values() for part in found]
        if not parts:
            nothing = "NULL::BIGINT, NULL::UBIGINT, NULL::UBIGINT, NULL::UBIGINT, NULL::TIMESTAMPTZ"
            self.connection.execute(
                f"CREATE TABLE keys AS SELECT * FROM (SELECT {nothing}, NULL::DATE) t({columns}, day) WHERE false"
            )
            return
        listed = ", ".join(quote_text(str(part)) for part in parts)
        self.connection.execute(
            f"CREATE TABLE keys AS SELECT {columns}, day FROM read_parquet([{listed}], hive_partitioning=true, "
            f"hive_types={{'day': DATE}})"
        )

    def newest(self) -> datetime | None:
        """The newest time in the delivery that is not in the future: the moment the export shows."""
        row = self.connection.execute("SELECT epoch_us(max(event_at)) FROM keys WHERE event_at <= $1", [self.now]).fetchone()
        return datetime.fromtimestamp(row[0] / 1e6, UTC) if row and row[0] is not None else None

    def _load_earlier(self, earlier: list[Delivery]) -> None:
        """Table `before`: the landed keys of earlier deliveries that stand in this one too, with those deliveries' ranks."""
        self.connection.execute(
            "CREATE TABLE before (key_hi UBIGINT, key_lo UBIGINT, content UBIGINT, day DATE, event_at TIMESTAMPTZ, "
            "delivery_id VARCHAR, as_of TIMESTAMPTZ)"
        )
        files = [index_file(one.source_id, one.delivery_id) for one in earlier if one.rows_landed]
        if not files:
            return
        ranks = pa.Table.from_pylist(
            [{"delivery_id": one.delivery_id, "as_of": one.rank[0]} for one in earlier],
            schema=pa.schema([("delivery_id", pa.string()), ("as_of", pa.timestamp("us", "UTC"))]),
        )
        self.connection.register("ranks", ranks)
        self.connection.execute(
            f"""
            INSERT INTO before
            SELECT i.key_hi, i.key_lo, i.content, i.day, i.event_at, i.delivery_id, r.as_of
            FROM {self.lake.scan(self.connection, files, "landed_before")} i
            JOIN ranks r USING (delivery_id)
            SEMI JOIN keys USING (key_hi, key_lo)
            """
        )

    def find_redelivered(self, earlier: list[Delivery], rank: tuple[datetime, str]) -> dict[date, tuple[int, int]]:
        """Set apart the rows that are already landed, or stand twice in this delivery; (landed, redelivered) by day.

        A row already landed by a delivery that is newer than this one (they came out of order) is landed again: the
        older delivery owns it, and cleaning keeps one of the two.
        """
        self._load_earlier(earlier)
        self.connection.execute(
            """
            CREATE TABLE again AS
            SELECT k.row_number FROM keys k
            JOIN (
                SELECT key_hi, key_lo, content, min(row_number) AS kept FROM keys GROUP BY ALL HAVING count(*) > 1
            ) repeated USING (key_hi, key_lo, content)
            WHERE k.row_number <> repeated.kept
            UNION
            SELECT k.row_number FROM keys k
            SEMI JOIN (SELECT * FROM before WHERE (as_of, delivery_id) <= ($1, $2)) b USING (key_hi, key_lo, content)
            """,
            list(rank),
        )
        counted = self.connection.execute(
            """
            SELECT k.day, count(*) FILTER (a.row_number IS NULL), count(a.row_number)
            FROM keys k LEFT JOIN again a USING (row_number) GROUP BY k.day ORDER BY k.day
            """
        ).fetchall()
        return {day: (landed, again) for day, landed, again in counted}

    def write(self, delivery_id: str) -> set[date]:
        """Move the rows that are new or changed into the lake, with their keys; the days that they touch."""
        self.connection.execute("CREATE TABLE landed AS SELECT * FROM keys ANTI JOIN again USING (row_number)")
        held = dict(self.connection.execute("SELECT day, count(*) FROM landed GROUP BY day").fetchall())
        dropped = {
            day
            for (day,) in self.connection.execute("SELECT DISTINCT day FROM keys SEMI JOIN again USING (row_number)").fetchall()
        }
        for day, parts in self._parts().items():
            if day not in held:
                continue
            whole = parts[0]
            if len(parts) > 1 or day in dropped:
                whole = self.folder / "whole.parquet"
                listed = ", ".join(quote_text(str(part)) for part in parts)
                kept = f"SELECT * FROM read_parquet([{listed}], hive_partitioning=false) ANTI JOIN again USING (row_number)"
                self._copy(kept, whole)
            self.lake.adopt(whole, raw_file(self.source.id, delivery_id, day))
        if not held:
            return set()
        moved = self._note_moves(delivery_id)
        index = self.folder / "index.parquet"
        columns = "key_hi, key_lo, content, day, event_at"
        self._copy(f"SELECT {columns}, {quote_text(delivery_id)} AS delivery_id FROM landed", index)
        self.lake.adopt(index, index_file(self.source.id, delivery_id))
        return set(held) | moved

    def _note_moves(self, delivery_id: str) -> set[date]:
        """Write the versions of responses that now stand on several days; those days."""
        if self.source.kind != "survey":
            return set()
        moves = self.connection.sql(
            f"""
            WITH versions AS (
                SELECT key_hi, key_lo, content, day, event_at, {quote_text(delivery_id)} AS delivery_id FROM landed
                UNION
                SELECT key_hi, key_lo, content, day, event_at, delivery_id FROM before SEMI JOIN landed USING (key_hi, key_lo)
            ),
            moved AS (SELECT key_hi, key_lo FROM versions GROUP BY ALL HAVING min(day) <> max(day))
            SELECT * FROM versions SEMI JOIN moved USING (key_hi, key_lo) ORDER BY ALL
            """
        ).to_arrow_table()
        if not moves.num_rows:
            return set()
        self.lake.write_table(moves_file(self.source.id, delivery_id), moves)
        return set(moves["day"].to_pylist())


def _in_utc(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp(kind.unit, "UTC") if pa.types.is_timestamp(kind) else kind


def _refuse_open_quote(file: DeliveredFile, last: pa.RecordBatch | None, unreadable: list[UnreadableRow]) -> None:
    """Raise UnreadableFileError where the last row is only so long because a quote in it is never closed.

    It would hold all rows behind that quote, with the people in them, as one cell.
    """
    number, texts = 0, [""]
    if last is not None:
        *cells, number = (column[0].as_py() for column in last.columns)
        texts = [cell or "" for cell in cells]
    if unreadable and (beyond := max(unreadable, key=lambda row: row.row_number)).row_number > number:
        number, texts = beyond.row_number, [beyond.text.strip()]
    if not any("\n" in text for text in texts):
        return
    with file.open_utf8() as stream:
        quotes = sum(chunk.count(b'"') for chunk in iter(lambda: stream.read(1 << 20), b""))
    if quotes % 2:
        raise UnreadableFileError(
            f"{file.name}: a quote opened in row {number} is never closed, which hides the rows behind it: "
            "mend the export and deliver it again"
        )


def _trimmed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with white space around its texts removed (in Arrow, since SQL's trim costs ten times as much)."""
    return pa.RecordBatch.from_arrays(
        [pc.utf8_trim_whitespace(one) if pa.types.is_string(one.type) else one for one in batch.columns],
        names=batch.schema.names,
    )


def _delimiter(file: DeliveredFile, source: Source) -> str | None:
    """What splits the rows of a delimited text; None for other formats, whose unreadable rows are JSON text."""
    if file.is_spreadsheet or file.head.startswith(b"PAR1") or file.head_text.lstrip()[:1] in ("{", "["):
        return None
    return read_head(file, source).delimiter


def _without_people(text: str, columns: tuple[str, ...], hidden: set[str], delimiter: str | None) -> str:
    """An unreadable row's text without the cells under (or, shifted, beside) a column that holds people.

    Of JSON: without the members whose names are such columns, or speak of people.
    """
    if delimiter is not None:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        return delimiter.join(_without_people_cells(cells, columns, hidden))
    try:
        row = json.loads(text)
    except ValueError:
        row = None
    if isinstance(row, list):
        return json.dumps(_without_people_cells(row, columns, hidden), ensure_ascii=False)
    if hidden and not _MEMBER.search(text):
        return "[person]"
    names = hidden | {name.rpartition(".")[2] for name in hidden}

    def shown(member: re.Match[str]) -> str:
        name = member[1]
        return f'"{name}": "[person]"' if name in names or looks_like_people(name) else member[0]

    return _MEMBER.sub(shown, text)


def _without_people_cells(cells: list[Any], columns: tuple[str, ...], hidden: set[str]) -> list[Any]:
    places = {columns.index(name) for name in hidden if name in columns}
    shift = len(cells) - len(columns)
    span = range(min(shift, 0), max(shift, 0) + 1)
    return [
        "[person]" if any(position - step in places for step in span) else cell for position, cell in enumerate(cells)
    ]
