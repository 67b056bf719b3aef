"""Reads the raw rows of days from the lake, as frames."""

from collections.abc import Sequence

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from ces_pipeline.clean.plan import DayPlan, RawFile
from ces_pipeline.land.corrected_entry import FIELD, HIDDEN, in_extra
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.segments import ACCOUNT_PREFIX
from ces_pipeline.schemas.fields import field_table, fields_of, version_at
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.table import DAY
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.quote import quote_name, quote_text
from ces_pipeline.storage.scratch import scratch

_FILES = pa.schema(
    [
        ("place", pa.int64()),
        ("source_id", pa.string()),
        ("delivery_id", pa.string()),
        ("day", pa.date32()),
        ("received_at", pa.timestamp("us", "UTC")),
        ("as_of", pa.timestamp("us", "UTC")),
        ("received_order", pa.int64()),
        ("first_id", pa.string()),
    ]
)


def scan_files(
    connection: duckdb.DuckDBPyConnection, lake: Lake, kind: str, files: Sequence[RawFile], name: str
) -> str:
    """SQL for the rows of these files with their deliveries' columns of _FILES; registers tables `name_...`."""
    facts = pa.Table.from_pylist(
        [
            {
                "place": place,
                "source_id": file.source_id,
                "delivery_id": file.delivery_id,
                "day": file.day,
                "received_at": file.received_at,
                "as_of": file.as_of,
                "received_order": file.received_order,
                "first_id": file.first_id,
            }
            for place, file in enumerate(files)
        ],
        schema=_FILES,
    )
    connection.register(f"{name}_facts", facts)
    rows = lake.scan(connection, [file.path for file in files], name)
    # Raw files of an earlier release lack the fields that were added since.
    typed = ", ".join(
        f"NULL::{type_} AS {column}"
        for field in field_table(kind)
        for column, type_ in field.raw_types.items()
    )
    raw = f"(FROM {rows} UNION ALL BY NAME SELECT {typed} WHERE false)"
    return f"(SELECT {_as_mapped(files)} FROM {raw} JOIN {name}_facts USING (place))"


def _as_mapped(files: Sequence[RawFile]) -> str:
    """SQL for all columns, with fields that are mapped to other columns by now read from those.

    The landed values of such fields are in columns named by `_landed`.
    """
    fields = sorted({field for file in files for field in file.reread})
    if not fields:
        return "*"
    landed = ", ".join(f"{field} AS {_landed(field)}" for field in fields)
    replaced = []
    for field in fields:
        cases = " ".join(
            f"WHEN {place} THEN {_read_anew(file.reread[field])}"
            for place, file in enumerate(files)
            if field in file.reread
        )
        replaced.append(f"CASE place {cases} ELSE {field} END AS {field}")
    return f"* REPLACE ({', '.join(replaced)}), {landed}"


def _landed(field: str) -> str:
    return quote_name(f"{field} as it landed")


def _read_anew(places: Sequence[tuple[str, str]]) -> str:
    """SQL for the first filled of these places; null where it was redacted or hashed when it landed."""
    cells = [name if where == FIELD else in_extra(name) for where, name in places]
    if not cells:
        return "NULL::VARCHAR"
    cell = f"coalesce({', '.join(cells)})"
    return f"CASE WHEN NOT regexp_matches({cell}, {quote_text(HIDDEN)}) THEN {cell} END"


def read_rows(lake: Lake, plans: Sequence[DayPlan]) -> pd.DataFrame:
    """The raw rows of days of one kind, with the earlier rows that their rules look back on (`is_lookback`).

    Earlier rows: rows of the same respondents or devices, and all versions of rows with several versions, because only
    all versions show which one counts. People's keys are hex text, times are UTC instants, other values are text.
    """
    days = {plan.day for plan in plans}
    files = [file for plan in plans for file in plan.files]
    lookback = sorted(
        {file.path: file for plan in plans for file in plan.lookback if file.day not in days}.items()
    )
    before = [file for _, file in lookback]
    with scratch() as connection:
        own = connection.sql(
            _select(plans[0], files, scan_files(connection, lake, plans[0].kind, files, "own"), "FALSE")
        ).to_arrow_table()
        parts = [own]
        if before:
            past = scan_files(connection, lake, plans[0].kind, before, "lookback")
            connection.register("own_rows", own)
            if _find_wanted(connection, past):
                wanted = f"(SELECT * FROM {past} SEMI JOIN wanted USING (place, row_number))"
                parts.append(connection.sql(_select(plans[0], before, wanted, "TRUE")).to_arrow_table())
    # Copied, because DuckDB's buffers are twice as large as their content and each one keeps its full batch in memory.
    rows = pa.concat_tables(parts).combine_chunks()
    del own, parts
    for field in field_table(plans[0].kind):
        if field.key_column:
            place = rows.schema.get_field_index(field.key_column)
            rows = rows.set_column(place, field.key_column, hex_texts(rows[field.key_column]))
    frame: pd.DataFrame = rows.to_pandas(types_mapper={pa.date32(): DAY}.get)
    return frame


_HEX = np.array([f"{byte:02x}" for byte in range(256)], dtype="S2").view(np.uint16)


def hex_texts(keys: pa.ChunkedArray) -> pa.ChunkedArray:
    """Binary keys as hex text in lower case; null stays null. (SQL's `lower(hex())` takes four times as long.)"""
    parts = [pa.array([], pa.large_string())]
    for chunk in keys.chunks:
        binary = chunk.cast(pa.large_binary())
        if binary.offset:
            binary = pa.concat_arrays([binary])
        validity, offsets, data = binary.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[: len(binary) + 1]
        letters = _HEX[np.frombuffer(data or b"", dtype=np.uint8)[ends[0] : ends[-1]]]
        places = pa.py_buffer((ends - ends[0]) * 2)
        parts.append(
            pa.LargeStringArray.from_buffers(
                len(binary), places, pa.py_buffer(letters), validity, binary.null_count
            )
        )
    return pa.chunked_array(parts)


def _find_wanted(connection: duckdb.DuckDBPyConnection, past: str) -> bool:
    """Create table `wanted`: place and row_number of the earlier rows that `own_rows` need; False if there are none.

    Reads only keys: most earlier rows belong to other people, and a row has about forty columns.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE keys AS SELECT place, row_number, respondent_key, device_key, key_hi, key_lo FROM {past};
        CREATE TEMP TABLE wanted AS
        SELECT place, row_number FROM keys
        WHERE respondent_key IN (SELECT respondent_key FROM own_rows)
            OR device_key IN (SELECT device_key FROM own_rows)
            OR (key_hi, key_lo) IN (SELECT (key_hi, key_lo) FROM keys GROUP BY ALL HAVING count(*) > 1)
        """
    )
    return bool(connection.execute("SELECT place FROM wanted LIMIT 1").fetchall())


def _select(plan: DayPlan, files: Sequence[RawFile], rows: str, is_lookback: str) -> str:
    kind = KINDS[plan.kind]
    own_id = fields_of(plan.kind)[kind.own_id]
    named = (
        f"coalesce(lower(hex({own_id.stored_as})), content::VARCHAR)"
        if own_id.treatment == "person"
        else own_id.name
    )
    columns = [
        "source_id", "delivery_id", "received_order", "received_at", "day", f"{version_at(plan.kind)} AS version_at",
        "coalesce(as_of, TIMESTAMPTZ '1900-01-01 00:00:00Z') AS as_of",
        "row_number", "content", "key_hi", "key_lo", "event_at", "times_as_written", "extra", "problem",
        f"md5(first_id || '\x1f' || {named}) AS {kind.key}", f"{is_lookback} AS is_lookback",
    ]  # fmt: skip
    for field in field_table(plan.kind):
        columns += dict.fromkeys(name for name in (field.stored_as, field.key_column) if name)
    if kind.name == "survey":
        columns.append("answers::VARCHAR AS answers")
        columns += [
            f"{_asked(name, files)} AS asked_{place}"
            for place, name in enumerate(plan.asked)
            if not name.startswith(ACCOUNT_PREFIX)
        ]
    if kind.is_versioned:
        # The day is part of the key: an update without a usable time lies on its day of receipt, as a row of its own.
        columns.append(
            f"{kind.key} || '@' || coalesce(epoch_us(event_at)::VARCHAR, '') || '@' || day AS update_key"
        )
    return f"SELECT {', '.join(columns)} FROM {rows}"


def _asked(name: str, files: Sequence[RawFile]) -> str:
    """SQL for an export column: from `extra`, or from the field that the delivery maps it to."""
    cases = "".join(
        f" WHEN {place} THEN {_landed_of(files, file.mapping[name])}::VARCHAR"
        for place, file in enumerate(files)
        if name in file.mapping
    )
    unmapped = in_extra(shown_name(name))
    return f"CASE place{cases} ELSE {unmapped} END" if cases else unmapped


def _landed_of(files: Sequence[RawFile], field: str) -> str:
    """SQL for a field as it landed."""
    return _landed(field) if any(field in other.reread for other in files) else field


def read_cross_day_revisions(lake: Lake, plans: Sequence[DayPlan]) -> pd.DataFrame:
    """All versions of the rows that have versions on several days, for `resolve_versions`.

    The key column is missing: source_id, key_hi and key_lo identify a row, because sources may use the same ids.
    """
    files = sorted({file for plan in plans for file in plan.cross_day_files})
    if not files:
        return pd.DataFrame()
    received = {delivery: rank for plan in plans for delivery, rank in plan.received.items()}
    unknown = (0, pd.Timestamp("1900-01-01", tz="UTC"))
    parts = []
    for source_id, path in files:
        part = lake.read_table(path).to_pandas(types_mapper={pa.date32(): DAY}.get)
        ranks = [received.get((source_id, delivery_id), unknown) for delivery_id in part["delivery_id"]]
        parts.append(
            part.rename(columns={"event_at": "version_at"}).assign(
                source_id=source_id,
                received_order=[order for order, _ in ranks],
                received_at=pd.DatetimeIndex([moment for _, moment in ranks], tz="UTC").as_unit("us"),
            )
        )
    revisions = pd.concat(parts, ignore_index=True)
    distinct: pd.DataFrame = revisions.drop_duplicates(
        ["source_id", "key_hi", "key_lo", "content", "delivery_id"]
    )
    return distinct
