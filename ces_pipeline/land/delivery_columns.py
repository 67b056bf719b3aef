"""The columns of each delivery, the kinds of their values and how often listed values occur: `audit.delivery_columns`.

Computed from landed rows, after files and after pulls, and compared with the deliveries before: the rows of
`audit.schema_changes`. Only listed values are stored (`Field.is_listed`), redacted.
"""

import json
from collections.abc import Mapping
from functools import partial
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.schema_changes import Contract
from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.schemas.audit import DELIVERY_COLUMNS, SCHEMA_CHANGES
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.storage.duck import readable
from ces_pipeline.storage.journal import add_rows, month_of, rows_of, values_of
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch

LOOKED_AT = 20_000
"""The most rows of a delivery that are read: enough to know its columns."""
_MOST_VALUES, _LONGEST_VALUE = 50, 40
"""A column with more values, or longer ones, has no list of them."""
_SAME_SHARE = 0.5
"""Share of values in common from which two columns hold the same; of the one with fewer values."""
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
    select
        key,
        {_KIND} as kind,
        count(value) as filled,
        (select count(*) from looked_at) as looked_at,
        case
            when count(distinct value) filter (key in ({{listed}})) between 1 and {_MOST_VALUES}
                and max(length(value)) <= {_LONGEST_VALUE}
            then to_json(histogram(value) filter (value is not null))
        end as value_counts
    from cells
    group by key
    order by key
"""


def note_columns(lake: Lake, source_id: str) -> None:
    """Store the columns of those deliveries of a source that have no rows here yet, and what they changed.

    Two at once store the same rows once: the log replaces rows by their keys. A damaged file of the log counts as
    missing, so its rows are made anew. A delivery whose landed rows cannot be read is left for a later run.
    """
    deliveries = [delivery for delivery in Ledger.read(lake, source_id).deliveries if delivery.rows_landed]
    noted = values_of(lake, DELIVERY_COLUMNS, source_id, "delivery_id") if deliveries else set()
    months: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        if delivery.delivery_id not in noted:
            months.setdefault(month_of(delivery.received_at), []).append(delivery)
    rows: dict[str, list[dict[str, Any]]] = {}
    for fresh in months.values():
        found = {delivery.delivery_id: _columns(lake, delivery) for delivery in fresh}
        add_rows(
            lake,
            DELIVERY_COLUMNS,
            source_id,
            fresh[0].received_at,
            [row for part in found.values() for row in part],
        )
        rows |= found
    _note_changes(lake, source_id, deliveries, rows)


def newest_changes(lake: Lake, source_id: str, time_zone: str) -> list[dict[str, Any]]:
    """The rows of `audit.schema_changes` of the newest day, in this zone, on which deliveries of the source landed."""
    received = [
        delivery.received_at for delivery in Ledger.read(lake, source_id).deliveries if delivery.rows_landed
    ]
    if not received:
        return []
    zone = ZoneInfo(time_zone)
    newest = max(received).astimezone(zone).date()
    of_day = [at for at in received if at.astimezone(zone).date() == newest]
    months = sorted({month_of(at) for at in of_day})
    rows = [row for month in months for row in rows_of(lake, SCHEMA_CHANGES, source_id, month)]
    return [row for row in rows if row["received_at"] in of_day]


def _note_changes(
    lake: Lake, source_id: str, deliveries: list[Delivery], fresh: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Add the deliveries after those of the kept contract to it, and store what they changed.

    fresh: delivery -> its rows, of deliveries that were summed up just now. Without a readable contract, all deliveries
    are compared again from their summaries, which gives the same rows.
    """
    contract = _contract(lake, source_id)
    after = [delivery for delivery in deliveries if _rank(delivery) > contract.after]
    if not after:
        return
    rows = dict(fresh)
    if any(delivery.delivery_id not in rows for delivery in after):
        for row in rows_of(lake, DELIVERY_COLUMNS, source_id):
            if row["delivery_id"] not in fresh:
                rows.setdefault(row["delivery_id"], []).append(row)
    by_id = {delivery.delivery_id: delivery for delivery in deliveries}
    found: list[dict[str, Any]] = []
    for received_at, together in groupby(sorted(after, key=_rank), key=lambda delivery: delivery.received_at):
        landed = list(together)
        summed = [row for delivery in landed for row in rows.get(delivery.delivery_id, [])]
        changes = contract.add(summed, partial(_same_values, lake, by_id))
        found += [{"source_id": source_id, "received_at": received_at, **change} for change in changes]
        contract.after = _rank(landed[-1])
    for _, of_month in groupby(found, key=lambda change: month_of(change["received_at"])):
        changes = list(of_month)
        add_rows(lake, SCHEMA_CHANGES, source_id, changes[0]["received_at"], changes)
    lake.write_bytes(_contract_file(source_id), contract.to_json())


def _rank(delivery: Delivery) -> list[Any]:
    order, received_at, delivery_id = delivery.rank
    return [order, received_at.isoformat(), delivery_id]


def _contract(lake: Lake, source_id: str) -> Contract:
    """What the source's deliveries had so far; nothing if the file is missing or damaged."""
    try:
        return Contract.from_json(lake.read_bytes(_contract_file(source_id)))
    except (OSError, ValueError, KeyError, TypeError):
        return Contract()


def _contract_file(source_id: str) -> str:
    return f"{SCHEMA_CHANGES.name.replace('.', '/')}/{source_id}/.contract"


def _same_values(
    lake: Lake, deliveries: Mapping[str, Delivery], before: str, column: str, now: str, new_column: str
) -> bool | None:
    """Whether a column of a delivery and one of a later delivery hold the same values.

    None: they cannot tell, because nearly every row has a value of its own or the rows cannot be read.
    """
    found = []
    for delivery_id, name in ((before, column), (now, new_column)):
        delivery = deliveries.get(delivery_id)
        cells = None if delivery is None else _distinct(lake, delivery, name)
        if cells is None:
            return None
        values, filled = cells
        if len(values) > filled / 2:
            return None
        found.append(values)
    common = len(found[0] & found[1])
    return bool(common) and common >= _SAME_SHARE * min(map(len, found))


def _distinct(lake: Lake, delivery: Delivery, name: str) -> tuple[set[str], int] | None:
    """The different values of a column of a delivery, and its filled rows; None: it cannot be read, or has persons."""
    fields = {field.name: field for field in field_table(delivery.kind)}
    if any(
        of == name and fields[key].treatment == "person"
        for key, of in delivery.mapping.items()
        if key in fields
    ):
        return None
    cells = dict(_cells(delivery))
    shown = cells.get(name, f"json_extract_string(extra, {quote_text('$.' + json.dumps(name))})")
    with scratch() as connection, readable(connection, lake, delivery.raw_files) as rows:
        try:
            values = connection.execute(
                f"select {shown}::varchar as value, count(*) from (from {rows} limit {LOOKED_AT}) "
                "where value is not null group by value"
            ).fetchall()
        except UNREADABLE:
            return None
    return ({str(value) for value, _ in values}, sum(n for _, n in values)) if values else None


def _cells(delivery: Delivery) -> list[tuple[str, str]]:
    """The mapped columns of a delivery and SQL for their values. Of persons it says only that there is one."""
    fields = {field.name: field for field in field_table(delivery.kind)}
    found = []
    for name, column in delivery.mapping.items():
        if (field := fields.get(name)) is None:
            continue
        # The texts of persons and times are not stored, so the mapped field gives the kind.
        shown = {
            "person": f"case when {field.stored_as} is not null then 'person' end",
            "time": f"coalesce({field.name}::varchar, times_as_written::json ->> {quote_text(field.name)})",
        }.get(field.treatment, field.name)
        found.append((column, shown))
    return found


def _columns(lake: Lake, delivery: Delivery) -> list[dict[str, Any]]:
    fields = {field.name: field for field in field_table(delivery.kind)}
    named = {column: fields[name] for name, column in delivery.mapping.items() if name in fields}
    cells = ", ".join(
        f"struct_pack(key := {quote_text(column)}, value := {shown})" for column, shown in _cells(delivery)
    )
    listed = ", ".join(quote_text(column) for column, field in named.items() if field.is_listed) or "null"
    with scratch() as connection, readable(connection, lake, delivery.raw_files) as rows:
        try:
            found = connection.execute(_FOUND.format(rows=rows, cells=cells, listed=listed)).fetchall()
        except UNREADABLE:
            return []
    rows_found = {
        # If the header is missing, these names are answers, so they are redacted.
        redact_text(column): {
            "source_id": delivery.source_id,
            "delivery_id": delivery.delivery_id,
            "column_name": redact_text(column),
            "field": named[column].name if column in named else None,
            "kind": kind,
            "filled": filled,
            "looked_at": looked_at,
            "value_counts": _redacted(value_counts),
            "received_at": delivery.received_at,
        }
        for column, kind, filled, looked_at, value_counts in found
    }
    return list(rows_found.values())


def _redacted(value_counts: str | None) -> str | None:
    """The values with their counts, redacted, as JSON in the order of the values."""
    if value_counts is None:
        return None
    found: dict[str, int] = {}
    for value, n in json.loads(value_counts).items():
        word = redact_text(value.strip())
        found[word] = found.get(word, 0) + int(n)
    return json.dumps(found, sort_keys=True, ensure_ascii=False)
