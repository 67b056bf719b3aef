"""What columns each delivery brought and of what kind their values were: the rows of `audit.delivery_columns`.

Noted after landing, for files and pulls alike, from landed rows. Whether something changed is asked in
`sql/checks/schema_change.sql`. No value of a row is kept.
"""

from typing import Any

from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.paths import raw_file
from ces_pipeline.privacy.redaction import redacted
from ces_pipeline.schemas.audit import DELIVERY_COLUMNS
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.storage.duck import readable
from ces_pipeline.storage.journal import add_rows, month_of, rows_of
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

LOOKED_AT = 20_000
"""Rows of a delivery that are looked at: enough to know a column, however large the delivery is."""
_KIND = """
    case
        when count(value) = 0 then 'empty'
        when bool_and(lower(value) in ('true', 'false')) filter (value is not null) then 'flag'
        when bool_and(try_cast(value as double) is not null) filter (value is not null) then 'number'
        when bool_and(try_cast(value as timestamptz) is not null) filter (value is not null) then 'time'
        else 'text'
    end
"""


def note_columns(lake: Lake, source_id: str) -> None:
    """Note the columns of the feed's deliveries that are not noted yet."""
    deliveries = [one for one in Ledger.read(lake).of_source(source_id) if one.rows_landed]
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
    fields = {one.name: one for one in field_table(delivery.kind)}
    mapped = [(fields[name], column) for name, column in delivery.mapping.items() if name in fields]
    cells = []
    for one, column in mapped:
        # What a hash or an instant was made from is not kept: such a column has the kind that it is mapped as.
        shown = {
            "person": f"case when {one.stored_as} is not null then 'person' end",
            "time": f"coalesce({one.name}::varchar, times_as_written::json ->> {quote_text(one.name)})",
        }.get(one.treatment, one.name)
        cells.append(f"struct_pack(key := {quote_text(column)}, value := {shown})")
    with scratch() as connection, readable(connection, lake, paths) as rows:
        found = connection.execute(
            f"""
            with looked_at as (select * from {rows} limit {LOOKED_AT}),
            cells as (
                select unnest(list_concat(
                    [{", ".join(cells)}]::struct(key varchar, value varchar)[],
                    map_entries(extra::json::map(varchar, varchar))
                ), recursive := true)
                from looked_at
            )
            select key, {redacted("key", sentence=True)} as column_name, {_KIND} as kind, count(value) as filled,
                (select count(*) from looked_at) as looked_at
            from cells
            group by key
            order by key
            """
        ).fetchall()
    named = {column: one.name for one, column in mapped}
    rows_found = {
        # Where a header is missing, answers stand in its place.
        shown: {
            "source_id": delivery.source_id,
            "delivery_id": delivery.delivery_id,
            "column_name": shown,
            "field": named.get(column),
            "kind": kind,
            "filled": filled,
            "looked_at": looked_at,
            "received_at": delivery.received_at,
        }
        for column, shown, kind, filled, looked_at in found
    }
    return list(rows_found.values())
