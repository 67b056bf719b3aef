"""The columns of each delivery and the kinds of their values: the rows of `audit.delivery_columns`.

Computed from landed rows, after files and after pulls. `sql/checks/schema_change.sql` looks for changes. No value of
a row is stored.
"""

from typing import Any

from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.paths import raw_file
from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.schemas.audit import DELIVERY_COLUMNS
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.storage.duck import readable
from ces_pipeline.storage.journal import add_rows, month_of, rows_of
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

LOOKED_AT = 20_000
"""The most rows of a delivery that are read: enough to know its columns."""
_KIND = """
    case
        when count(value) = 0 then 'empty'
        when bool_and(lower(value) in ('true', 'false')) filter (value is not null) then 'flag'
        when bool_and(try_cast(value as double) is not null) filter (value is not null) then 'number'
        when bool_and(try_cast(value as timestamptz) is not null) filter (value is not null) then 'time'
        else 'text'
    end
"""


_FOUND = f"""
    with looked_at as (select * from {{rows}} limit {LOOKED_AT}),
    cells as (
        select unnest(list_concat(
            [{{cells}}]::struct(key varchar, value varchar)[],
            map_entries(extra::json::map(varchar, varchar))
        ), recursive := true)
        from looked_at
    )
    select key, {_KIND} as kind, count(value) as filled, (select count(*) from looked_at) as looked_at
    from cells
    group by key
    order by key
"""


def note_columns(lake: Lake, source_id: str) -> None:
    """Store the columns of those deliveries of a source that have no rows here yet.

    Two at once store the same rows once: the log replaces rows by their keys. A damaged file of the log counts as
    missing, so its rows are made anew. A delivery whose landed rows cannot be read is left for a later run.
    """
    deliveries = [delivery for delivery in Ledger.read(lake, source_id).deliveries if delivery.rows_landed]
    noted = (
        {row["delivery_id"] for row in rows_of(lake, DELIVERY_COLUMNS, source_id)} if deliveries else set()
    )
    months: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if delivery.delivery_id not in noted:
            months.setdefault(month_of(delivery.received_at), []).append(delivery)
    for fresh in months.values():
        rows = [row for delivery in fresh for row in _columns(lake, delivery)]
        add_rows(lake, DELIVERY_COLUMNS, source_id, fresh[0].received_at, rows)


def _columns(lake: Lake, delivery: Delivery) -> list[dict[str, Any]]:
    paths = [
        raw_file(delivery.source_id, delivery.delivery_id, day)
        for day, (landed, _) in sorted(delivery.days.items())
        if landed
    ]
    fields = {field.name: field for field in field_table(delivery.kind)}
    mapped = [(fields[name], column) for name, column in delivery.mapping.items() if name in fields]
    cells = []
    for field, column in mapped:
        # The texts of persons and times are not stored, so the mapped field gives the kind.
        shown = {
            "person": f"case when {field.stored_as} is not null then 'person' end",
            "time": f"coalesce({field.name}::varchar, times_as_written::json ->> {quote_text(field.name)})",
        }.get(field.treatment, field.name)
        cells.append(f"struct_pack(key := {quote_text(column)}, value := {shown})")
    with scratch() as connection, readable(connection, lake, paths) as rows:
        try:
            found = connection.execute(_FOUND.format(rows=rows, cells=", ".join(cells))).fetchall()
        except UNREADABLE:
            return []
    named = {column: field.name for field, column in mapped}
    rows_found = {
        # If the header is missing, these names are answers, so they are redacted.
        redact_text(column): {
            "source_id": delivery.source_id,
            "delivery_id": delivery.delivery_id,
            "column_name": redact_text(column),
            "field": named.get(column),
            "kind": kind,
            "filled": filled,
            "looked_at": looked_at,
            "received_at": delivery.received_at,
        }
        for column, kind, filled, looked_at in found
    }
    return list(rows_found.values())
