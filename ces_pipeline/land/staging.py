"""Staging of one delivery: its rows are written to scratch files, compared with landed rows, then moved to the lake.

`landing_sql.py` defines the landed rows; `ledger.py` records the deliveries.
"""

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
from ces_pipeline.land.key_index import KeyIndex
from ces_pipeline.land.landing_sql import ColumnMapping, landing_query, unreadable_query
from ces_pipeline.land.partition_writer import PartitionWriter
from ces_pipeline.land.paths import cross_day_file, index_file, raw_file
from ces_pipeline.land.unreadable_rows import delimiter_of, refuse_open_quote, without_people
from ces_pipeline.land.without_people import WithoutPeople
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.privacy.regions import phone_regions
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.quote import quote_text

_BATCH_ROWS = 50_000
_UNREADABLE_ROWS = pa.schema(
    [(ROW_NUMBER, pa.int64()), ("problem", pa.string()), ("content", pa.uint64()), ("written", pa.string())]
)


@dataclass
class Staging:
    """The rows of one delivery as Parquet files by day, in a scratch folder next to the lake.

    All rows are written in one pass. Only their keys are then held in memory, to find the rows that already landed.
    """

    key_index: KeyIndex
    lake: Lake
    source: Source
    registry: Registry
    pseudonyms: Pseudonyms
    now: datetime
    folder: Path

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
        for batch in reader:
            if rows:
                place = batch.schema.get_field_index("times_as_written")
                batch = batch.set_column(place, batch.schema.field(place), rows.as_written(batch[place]))
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

        def keep(batch: pa.RecordBatch) -> None:
            nonlocal last
            last = batch.slice(batch.num_rows - 1) if batch.num_rows else last

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
            refuse_open_quote(file, last, export.unreadable)
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
        return rows

    def _parts(self) -> dict[date, list[Path]]:
        """Day -> the scratch files with its rows."""
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
                "CREATE OR REPLACE TEMP TABLE keys AS "
                f"SELECT * FROM (SELECT {nothing}, NULL::DATE) t({columns}, day) WHERE false"
            )
            return
        listed = ", ".join(quote_text(str(part)) for part in parts)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE keys AS SELECT {columns}, day "
            f"FROM read_parquet([{listed}], hive_partitioning=true, hive_types={{'day': DATE}})"
        )

    def newest(self) -> datetime | None:
        """The newest time in the delivery that is not in the future; None if there is none."""
        row = self.connection.execute(
            "SELECT epoch_us(max(event_at)) FROM keys WHERE event_at <= $1", [self.now]
        ).fetchone()
        return datetime.fromtimestamp(row[0] / 1e6, UTC) if row and row[0] is not None else None

    def find_redelivered(self, rank: tuple[datetime, str]) -> dict[date, tuple[int, int]]:
        """Find rows that landed before or occur twice in this delivery; returns (landed, redelivered) by day.

        Creates table `again` with the numbers of redelivered rows, and table `shared` with the keys that several rows
        have, in this delivery or with earlier ones (usually few).

        If the delivery that landed a row is newer than this one (they came out of order), the row is landed again: the
        older delivery owns it, and cleaning keeps one of the two.
        """
        self.key_index.match()
        self.connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE shared AS
            SELECT key_hi, key_lo FROM keys GROUP BY ALL HAVING count(*) > 1 UNION
            SELECT key_hi, key_lo FROM known_keys
            """
        )
        self.connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE again AS
            SELECT k.row_number FROM keys k
            JOIN (
                SELECT key_hi, key_lo, content, min(row_number) AS kept
                FROM keys SEMI JOIN shared USING (key_hi, key_lo) GROUP BY ALL HAVING count(*) > 1
            ) repeated USING (key_hi, key_lo, content)
            WHERE k.row_number <> repeated.kept
            UNION
            SELECT k.row_number FROM keys k
            SEMI JOIN (SELECT * FROM known_keys WHERE (as_of, delivery_id) <= ($1, $2)) b
                USING (key_hi, key_lo, content)
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

    def write(self, delivery_id: str) -> set[date]:
        """Move the new and changed rows into the lake, with their keys; returns the days whose verdicts may change."""
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE landed AS SELECT * FROM keys ANTI JOIN again USING (row_number)"
        )
        landed_by_day = dict(
            self.connection.execute("SELECT day, count(*) FROM landed GROUP BY day").fetchall()
        )
        dropped = {
            day
            for (day,) in self.connection.execute(
                "SELECT DISTINCT day FROM keys SEMI JOIN again USING (row_number)"
            ).fetchall()
        }
        staged = {}
        for day, parts in self._parts().items():
            if day not in landed_by_day:
                continue
            staged_file = parts[0]
            if len(parts) > 1 or day in dropped:
                staged_file = self.folder / f"{day}.parquet"
                listed = ", ".join(quote_text(str(part)) for part in parts)
                rows = f"read_parquet([{listed}], hive_partitioning=false)"
                kept = f"SELECT * FROM {rows} ANTI JOIN again USING (row_number)"
                self._copy(kept, staged_file)
            staged[raw_file(self.source.id, delivery_id, day)] = staged_file
        self.lake.adopt_all(staged)
        if not landed_by_day:
            return set()
        cross_day = self._write_cross_day_revisions(delivery_id)
        index = self.folder / "index.parquet"
        columns = "key_hi, key_lo, content, day, event_at"
        self._copy(f"SELECT {columns}, {quote_text(delivery_id)} AS delivery_id FROM landed", index)
        self.lake.adopt(index, index_file(self.source.id, delivery_id))
        return set(landed_by_day) | cross_day

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


def _stopped(file: DeliveredFile, problem: OSError) -> UnreadableFileError:
    return UnreadableFileError(
        f"{file.name}: reading stopped before the end ({problem.strerror}). Deliver the file again"
    )


def _in_utc(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp(kind.unit, "UTC") if pa.types.is_timestamp(kind) else kind
