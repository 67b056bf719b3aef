"""Staging of one delivery: its rows are written to scratch files, compared with landed rows, then moved to the lake.

`landing_sql.py` defines the landed rows; `ledger.py` records the deliveries.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.folding import folded_hash
from ces_pipeline.formats.contract import ROW_NUMBER, Export
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.land import early_receipt
from ces_pipeline.land.erased_rows import are_erased
from ces_pipeline.land.key_index import KeyIndex
from ces_pipeline.land.landing_sql import (
    ColumnMapping,
    landing_query,
    numbered_key,
    numbered_rows,
    own_id,
    unreadable_query,
)
from ces_pipeline.land.ledger import KEYS, Rank
from ces_pipeline.land.partition_writer import PartitionWriter
from ces_pipeline.land.paths import cross_day_file, index_file, raw_file, repeats_file
from ces_pipeline.land.rounded_ids import may_be_rounded, rounded, rounded_counts
from ces_pipeline.land.unreadable_rows import delimiter_of, refuse_open_quote, without_people
from ces_pipeline.land.without_people import WithoutPeople
from ces_pipeline.privacy.erased import Erased
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.privacy.regions import phone_regions
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.fields import version_at
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.quote import quote_text

_BATCH_ROWS = 50_000
_UNREADABLE_ROWS = pa.schema(
    [(ROW_NUMBER, pa.int64()), ("problem", pa.string()), ("content", pa.uint64()), ("written", pa.string())]
)


@dataclass(frozen=True)
class Written:
    """What was moved into the lake.

    touches: the days whose verdicts may change. repeats: rows that repeat a row of an earlier delivery.
    checksums: day or `keys` -> (size in bytes, SHA-256) of the file.
    """

    touches: set[date]
    repeats: int
    checksums: dict[str, tuple[int, str]]


@dataclass
class Staging:
    """The rows of one delivery as Parquet files by day, in a scratch folder next to the lake.

    All rows are written in one pass. Only their keys are then held in memory, to find the rows that already landed.
    What a pass shows not to occur (unread times, rounded ids) is not looked for in the files.
    """

    key_index: KeyIndex
    lake: Lake
    source: Source
    registry: Registry
    pseudonyms: Pseudonyms
    now: datetime
    folder: Path
    _has_unread_times: bool = False
    _may_have_rounded_ids: bool = False

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self.key_index.connection

    def _split(
        self, query: str, parameters: dict[str, Any], folder: str, rows: WithoutPeople | None = None
    ) -> None:
        parts = PartitionWriter(self.folder / folder)
        reader = self.connection.sql(query, params=parameters).to_arrow_reader(_BATCH_ROWS)
        # DuckDB reads times without a zone in the session's zone, which is the source's. Instants are stored in UTC.
        schema = pa.schema([field.with_type(_in_utc(field.type)) for field in reader.schema])
        identifier = own_id(self.source.kind)
        for batch in reader:
            if rows:
                place = batch.schema.get_field_index("times_as_written")
                if batch[place].null_count < batch.num_rows:
                    self._has_unread_times = True
                    batch = batch.set_column(place, batch.schema.field(place), rows.as_written(batch[place]))
                if identifier.treatment == "text":
                    self._may_have_rounded_ids |= may_be_rounded(batch[identifier.name])
            parts.write(batch.cast(schema))
        parts.close()

    def _copy(self, query: str, target: Path) -> None:
        self.connection.execute(
            f"COPY ({query}) TO {quote_text(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        )

    def fill(
        self, export: Export, mapping: ColumnMapping, file: DeliveredFile, again: Callable[[], Export]
    ) -> WithoutPeople:
        """Write all rows of the export by day, unreadable rows too, and load their keys into table `keys`.

        again: opens the export a second time, which a large one needs. Returns how people were taken out of the rows.
        """
        failure: list[Exception] = []
        last: pa.RecordBatch | None = None
        rows_read, are_in_order = 0, True

        def keep(batch: pa.RecordBatch) -> None:
            nonlocal last, rows_read, are_in_order
            if not batch.num_rows:
                return
            numbers = batch[ROW_NUMBER].to_numpy()
            follows = last is None or numbers[0] > last[ROW_NUMBER][0].as_py()
            are_in_order = are_in_order and follows and bool((numbers[1:] > numbers[:-1]).all())
            rows_read += batch.num_rows
            last = batch.slice(batch.num_rows - 1)

        def watched() -> Iterator[pa.RecordBatch]:
            # DuckDB turns an exception inside a stream into plain text: keep the original.
            try:
                yield from rows.batches(keep)
            except Exception as problem:
                failure.append(problem)
                raise

        settings = self.registry.settings
        scope = {
            "received_at": self.now,
            "first_day": settings.first_day,
            "zone": settings.business_time_zone,
        }
        regions = phone_regions(settings.phone_regions, settings.business_time_zone)
        try:
            rows = WithoutPeople.of(export, mapping, regions, self.pseudonyms, again)
        except OSError as problem:
            raise _stopped(file, problem) from None
        mapping = rows.mapping
        self.connection.register("incoming", pa.RecordBatchReader.from_batches(rows.schema, watched()))
        self.connection.execute(
            f"SET SESSION TimeZone={quote_text(export.time_zone or self.source.time_zone)}"
        )
        try:
            self._split(landing_query(mapping), scope, "days", rows)
        except (duckdb.Error, pa.ArrowException, OSError):
            if failure and isinstance(failure[0], OSError):
                raise _stopped(file, failure[0]) from None
            if failure:
                raise failure[0] from None
            raise
        finally:
            self.connection.execute("SET SESSION TimeZone='UTC'")
            self.connection.unregister("incoming")
        delimiter = delimiter_of(file, self.source)
        if delimiter is not None:
            refuse_open_quote(file, self.source, last, export.unreadable)
        if export.unreadable:
            # Hashed before redaction, because two different rows may have the same redacted text.
            contents = self.pseudonyms.of_all(row.text for row in export.unreadable)
            hidden = {cells.column for cells in mapping.people_cells.values()}
            shown = [
                {
                    ROW_NUMBER: row.row_number,
                    "problem": row.problem,
                    "content": int(content[:16], 16),
                    "written": rows.redaction.of_text(
                        without_people(row.text, export.columns, hidden, delimiter)
                    ),
                }
                for row, content in zip(export.unreadable, contents, strict=True)
            ]
            self.connection.register("unreadable_rows", pa.Table.from_pylist(shown, schema=_UNREADABLE_ROWS))
            self._split(unreadable_query(mapping), scope, "unreadable")
            self.connection.unregister("unreadable_rows")
        self._load_keys()
        # Numbers in order are distinct, so the rows need only be counted.
        are_in_order = are_in_order and not export.unreadable
        self._refuse_lost(file, rows_read + len(export.unreadable), are_distinct=are_in_order)
        return rows

    def _refuse_lost(self, file: DeliveredFile, rows: int, *, are_distinct: bool) -> None:
        """Raise UnreadableFileError if not every row that was read is staged, once each."""
        counted = "count(*)" if are_distinct else "count(DISTINCT row_number)"
        [(staged,)] = self.connection.execute(f"SELECT {counted} FROM keys").fetchall()
        if staged != rows:
            raise UnreadableFileError(
                f"{file.name}: {rows:,} rows were read and {staged:,} can be landed, so some would be lost: "
                "this is a mistake of the program: report it, with the layout of the file"
            )

    def _parts(self) -> dict[date, list[Path]]:
        """Day -> the scratch files with its rows."""
        found: dict[date, list[Path]] = {}
        for pass_name in ("days", "unreadable"):
            for partition in sorted((self.folder / pass_name).glob("day=*")):
                day = date.fromisoformat(partition.name.removeprefix("day="))
                found.setdefault(day, []).extend(sorted(partition.iterdir()))
        return found

    def _load_keys(self) -> None:
        # The key index keeps the time that decides between two versions as `event_at`.
        columns = "row_number, key_hi, key_lo, content, event_at"
        times = f"row_number, key_hi, key_lo, content, {version_at(self.source.kind)} AS event_at"
        parts = [part for found in self._parts().values() for part in found]
        if not parts:
            nothing = "NULL::BIGINT, NULL::UBIGINT, NULL::UBIGINT, NULL::UBIGINT, NULL::TIMESTAMPTZ"
            self.connection.execute(
                "CREATE OR REPLACE TEMP TABLE keys AS "
                f"SELECT * FROM (SELECT {nothing}, NULL::DATE) t({columns}, day) WHERE false"
            )
            self._number_equal_rows()
            return
        listed = ", ".join(quote_text(str(part)) for part in parts)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE keys AS SELECT {times}, day "
            f"FROM read_parquet([{listed}], hive_partitioning=true, hive_types={{'day': DATE}})"
        )
        self._number_equal_rows()

    def _number_equal_rows(self) -> None:
        """Give equal rows without an id keys of their own, and list them in table `numbered`.

        The second of several equal rows of a file is another answer than the first, and it is the same answer as the
        second of them in a later file.
        """
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE numbered (row_number BIGINT, number BIGINT, day DATE)"
        )
        if not self._has_repeats() or KINDS[self.source.kind].is_versioned:
            return
        hi, lo = numbered_key("content", "number")
        first_hi, first_lo = numbered_key("content", "1")
        self.connection.execute(
            f"""
            INSERT INTO numbered
            SELECT row_number, number, day FROM (
                SELECT row_number, day, row_number() OVER (PARTITION BY content ORDER BY row_number) AS number
                FROM keys SEMI JOIN (
                    SELECT key_hi, key_lo, content FROM repeated
                    WHERE contents = 1 AND key_hi = {first_hi} AND key_lo = {first_lo}
                ) equal USING (key_hi, key_lo)
            ) WHERE number > 1;
            UPDATE keys SET key_hi = {hi}, key_lo = {lo} FROM numbered WHERE keys.row_number = numbered.row_number;
            DELETE FROM repeated WHERE contents = 1 AND key_hi = {first_hi} AND key_lo = {first_lo}
            """
        )

    def _has_repeats(self) -> bool:
        """Whether rows of this delivery share a key; table `repeated` lists these keys."""
        self.connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE repeated AS
            SELECT key_hi, key_lo, any_value(content) AS content, count(DISTINCT content) AS contents
            FROM keys SEMI JOIN (SELECT key_hi, key_lo FROM keys GROUP BY ALL HAVING count(*) > 1)
            USING (key_hi, key_lo) GROUP BY key_hi, key_lo
            """
        )
        return bool(self.connection.execute("SELECT 1 FROM repeated LIMIT 1").fetchall())

    def leave_out(self, erased: Erased) -> dict[date, int]:
        """Leave out the rows of erased people; returns their number by day. Table `left_out` lists them."""
        self.connection.execute("CREATE OR REPLACE TEMP TABLE left_out (row_number BIGINT, day DATE)")
        parts = [str(part) for found in self._parts().values() for part in found]
        if not parts:
            return {}
        listed = ", ".join(map(quote_text, parts))
        rows = f"read_parquet([{listed}], hive_partitioning=true, hive_types={{'day': DATE}})"
        condition = are_erased(self.connection, erased, self.source.kind, rows)
        if condition is None:
            return {}
        self.connection.execute(f"INSERT INTO left_out SELECT row_number, day FROM {rows} WHERE {condition}")
        self.connection.execute("DELETE FROM keys USING left_out WHERE keys.row_number = left_out.row_number")
        counted = self.connection.execute("SELECT day, count(*) FROM left_out GROUP BY day").fetchall()
        return dict(counted)

    def rounded_ids(self, field: str) -> tuple[int, int] | None:
        """(Number of rows whose id in a text field was rounded, the first of them); None if there are none."""
        if not self._may_have_rounded_ids:
            return None
        listed = ", ".join(quote_text(str(part)) for found in self._parts().values() for part in found)
        counts = self.connection.execute(
            f"SELECT {', '.join(rounded_counts(field))} FROM read_parquet([{listed}], hive_partitioning=false)"
        ).fetchall()[0]
        return rounded(counts)

    def unread_dates(self, pattern: str) -> tuple[int, int] | None:
        """(Number of rows with an unread time that begins like `pattern`, the first row); None if there are none."""
        if not self._has_unread_times:
            return None
        listed = ", ".join(quote_text(str(part)) for found in self._parts().values() for part in found)
        rows, first_row = self.connection.execute(
            f"SELECT count(*), min(row_number) FROM read_parquet([{listed}], hive_partitioning=false) "
            "WHERE times_as_written IS NOT NULL AND regexp_matches(times_as_written, $1)",
            [f'":"{pattern}'],
        ).fetchall()[0]
        return (rows, first_row) if rows else None

    def newest(self) -> datetime | None:
        """The newest time in the delivery that is not in the future; None if there is none."""
        # `fetchone` would leave the result open, and DuckDB 2 then refuses to register the key files of a remote lake.
        [(newest,)] = self.connection.execute(
            "SELECT epoch_us(max(event_at)) FROM keys WHERE event_at <= $1", [self.now]
        ).fetchall()
        return datetime.fromtimestamp(newest / 1e6, UTC) if newest is not None else None

    def find_redelivered(self, rank: Rank, has_times: bool = True) -> dict[date, tuple[int, int]]:
        """Find rows that landed before or occur twice in this delivery; returns (landed, redelivered) by day.

        Creates table `again` with the numbers of redelivered rows, each with the landed row of an earlier delivery that
        it repeats (null: a row of this delivery), and table `shared` with the keys that several rows have, in this
        delivery or with earlier ones (usually few).

        A row is redelivered if the version of its key and time that was received last before it has the same content.
        A content that comes back after another one of the same time is landed again, because the later receipt counts;
        so is a row that was received before its own time.
        has_times: whether the rows have times of their own; else they have the time of receipt.
        """
        time = "round(epoch_us(event_at) / 1e6)" if has_times else "NULL"
        self.key_index.match()
        self.connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE shared AS
            SELECT key_hi, key_lo FROM repeated UNION
            SELECT key_hi, key_lo FROM known_keys
            """
        )
        self.connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE again AS
            WITH versions AS (
                SELECT key_hi, key_lo, event_at, content, row_number,
                    NULL::BIGINT AS received_order, NULL::TIMESTAMPTZ AS received_at, NULL::VARCHAR AS delivery_id
                FROM keys SEMI JOIN shared USING (key_hi, key_lo)
                UNION ALL
                SELECT key_hi, key_lo, event_at, content, row_number, received_order, received_at, delivery_id
                FROM known_keys WHERE (received_order, received_at, delivery_id) <= ($1, $2, $3)
                    AND {early_receipt.final("$2")}
            ),
            in_order AS (
                SELECT row_number, content, delivery_id,
                    lag(content) OVER earlier AS content_before,
                    lag(delivery_id) OVER earlier AS of_delivery,
                    lag(row_number) OVER earlier AS of_row_number
                FROM versions
                WINDOW earlier AS (
                    PARTITION BY key_hi, key_lo, {time}
                    ORDER BY received_order NULLS LAST, received_at, delivery_id, row_number
                )
            )
            SELECT row_number, of_delivery, of_row_number
            FROM in_order WHERE delivery_id IS NULL AND content = content_before
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

    def outdated(self) -> int:
        """How many landed rows are older, by their own time, than what an earlier delivery landed."""
        if KINDS[self.source.kind].is_versioned:
            return 0
        [(found,)] = self.connection.execute(
            """
            SELECT count(DISTINCT k.row_number) FROM keys k JOIN known_keys b USING (key_hi, key_lo)
            WHERE k.event_at < b.event_at AND k.content <> b.content
                AND k.row_number NOT IN (SELECT row_number FROM again)
            """
        ).fetchall()
        return int(found)

    def surveys_named(self) -> dict[date, tuple[str, ...]] | None:
        """Day -> hashes of the survey names in its rows; None if the source's entry names one survey for all rows."""
        if not self.source.survey_column:
            return None
        parts = [part for found in self._parts().values() for part in found]
        if not parts:
            return {}
        listed = ", ".join(quote_text(str(part)) for part in parts)
        found = self.connection.execute(
            f"SELECT day, list(DISTINCT coalesce(survey, '')) "
            f"FROM read_parquet([{listed}], hive_partitioning=true, hive_types={{'day': DATE}}) GROUP BY day"
        ).fetchall()
        return {day: tuple(sorted({folded_hash(name) for name in names})) for day, names in found}

    def write(self, delivery_id: str) -> Written:
        """Move the new and changed rows into the lake, with their keys."""
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE landed AS SELECT * FROM keys ANTI JOIN again USING (row_number)"
        )
        landed_by_day = dict(
            self.connection.execute("SELECT day, count(*) FROM landed GROUP BY day").fetchall()
        )
        dropped = {
            day
            for (day,) in self.connection.execute(
                "SELECT DISTINCT day FROM keys SEMI JOIN again USING (row_number) UNION SELECT day FROM left_out"
            ).fetchall()
        }
        numbered = dict(self.connection.execute("SELECT day, count(*) FROM numbered GROUP BY day").fetchall())
        staged, checksums = {}, {}
        for day, parts in self._parts().items():
            if day not in landed_by_day:
                continue
            staged_file = parts[0]
            if len(parts) > 1 or day in dropped or day in numbered:
                staged_file = self.folder / f"{day}.parquet"
                listed = ", ".join(quote_text(str(part)) for part in parts)
                rows = f"read_parquet([{listed}], hive_partitioning=false)"
                kept = f"SELECT * FROM {rows} ANTI JOIN again USING (row_number) ANTI JOIN left_out USING (row_number)"
                if day in numbered:
                    kept = numbered_rows(self.source.kind, kept)
                self._copy(kept, staged_file)
            staged[raw_file(self.source.id, delivery_id, day)] = staged_file
            checksums[day.isoformat()] = _checksum(staged_file)
        self.lake.adopt_all(staged)
        repeats = self._write_repeats(delivery_id)
        if not landed_by_day:
            return Written(set(), repeats, checksums)
        cross_day = self._write_cross_day_revisions(delivery_id)
        index = self.folder / "index.parquet"
        columns = "key_hi, key_lo, content, day, event_at, row_number"
        self._copy(f"SELECT {columns}, {quote_text(delivery_id)} AS delivery_id FROM landed", index)
        checksums[KEYS] = _checksum(index)
        self.lake.adopt(index, index_file(self.source.id, delivery_id))
        return Written(set(landed_by_day) | cross_day, repeats, checksums)

    def _write_repeats(self, delivery_id: str) -> int:
        """Store which landed rows of earlier deliveries the redelivered rows repeat; returns their number.

        If an earlier delivery is taken back, these rows count. The numbers of a cumulative export are almost
        consecutive, so the file is small.
        """
        repeats = (
            "SELECT row_number, of_delivery, of_row_number FROM again WHERE of_delivery IS NOT NULL "
            "ORDER BY of_delivery, row_number"
        )
        [(rows,)] = self.connection.execute("SELECT count(of_delivery) FROM again").fetchall()
        if not rows:
            return 0
        file = self.folder / "repeats.parquet"
        self.connection.execute(
            f"COPY ({repeats}) TO {quote_text(str(file))} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )
        self.lake.adopt(file, repeats_file(self.source.id, delivery_id))
        return int(rows)

    def _write_cross_day_revisions(self, delivery_id: str) -> set[date]:
        """Store all versions of the rows that now have versions on several days; returns those days."""
        if KINDS[self.source.kind].is_versioned:
            return set()
        revisions = self.connection.sql(
            f"""
            WITH versions AS (
                SELECT key_hi, key_lo, content, day, event_at, {quote_text(delivery_id)} AS delivery_id
                FROM landed SEMI JOIN shared USING (key_hi, key_lo)
                UNION
                SELECT key_hi, key_lo, content, day, event_at, delivery_id
                FROM known_keys SEMI JOIN landed USING (key_hi, key_lo)
            ),
            cross_day AS (SELECT key_hi, key_lo FROM versions GROUP BY ALL HAVING min(day) <> max(day))
            SELECT * FROM versions SEMI JOIN cross_day USING (key_hi, key_lo) ORDER BY ALL
            """
        ).to_arrow_table()
        if not revisions.num_rows:
            return set()
        self.lake.write_table(cross_day_file(self.source.id, delivery_id), revisions)
        return set(revisions["day"].to_pylist())


def _checksum(path: Path) -> tuple[int, str]:
    with path.open("rb") as stream:
        return path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()


def _stopped(file: DeliveredFile, problem: OSError) -> UnreadableFileError:
    return UnreadableFileError(
        f"{file.name}: reading stopped before the end ({problem.strerror}). Deliver the file again"
    )


def _in_utc(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp(kind.unit, "UTC") if pa.types.is_timestamp(kind) else kind
