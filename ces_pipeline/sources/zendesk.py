"""Zendesk tickets as JSON: pages of the incremental export, ticket lists, single tickets, recorded exchanges.

Side-loaded users, groups, metric sets and satisfaction ratings of a page are joined into its tickets here.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import duckdb
import pyarrow as pa

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import (
    ROW_NUMBER,
    Export,
    Reader,
    UnreadableRow,
    map_columns,
    pick_columns,
)
from ces_pipeline.sources.delimited import unique_names
from ces_pipeline.sources.files import DeliveredFile
from ces_pipeline.sources.json_records import TEXT_LIMIT, JsonFile, names_in_head
from ces_pipeline.sources.json_tables import Leaves, chunks, structure_of, workspace
from ces_pipeline.storage.quote import quote_name, quote_text

_FIELDS = {
    "ticket_id": ("id",),
    "external_id": ("external_id",),
    "status": ("status",),
    "priority": ("priority",),
    "category": ("type",),
    "channel": ("via.channel",),
    "requester": ("requester",),
    "group_name": ("group",),
    "created_at": ("created_at",),
    "solved_at": ("metric_set.solved_at",),
    "updated_at": ("updated_at",),
    "version": ("generated_timestamp",),
    "first_reply_minutes": ("metric_set.reply_time_in_minutes.calendar",),
    "resolution_minutes": ("metric_set.full_resolution_time_in_minutes.calendar",),
    "reopens": ("metric_set.reopens",),
    "handoffs": ("handoffs",),
    "replies": ("metric_set.replies",),
    "csat": ("csat",),
    "is_deleted": ("is_deleted",),
}
_PEOPLE = (
    "requester_id",
    "submitter_id",
    "assignee_id",
    "recipient",
    "collaborator_ids",
    "follower_ids",
    "email_cc_ids",
    "via.source.from.address",
    "via.source.from.name",
    "via.source.from.phone",
    "via.source.from.formatted_phone",
    "via.source.from.username",
    "via.source.from.profile_url",
    "via.source.from.original_recipients",
    "via.source.to.address",
    "via.source.to.name",
    "via.source.to.phone",
    "via.source.to.formatted_phone",
    "via.source.to.username",
    "via.source.to.profile_url",
    "via.source.to.email_ccs",
)
_BATCH_ROWS = 5_000
_BLOCKS_AT_ONCE = 4
_BLOCK_LEAST = 100
_BLOCK_BYTES = 1 << 20
_BLOCK_MOST_BYTES = 4 << 20
_OTHER_LISTS = (
    "audits",
    "users",
    "organizations",
    "ticket_metrics",
    "ticket_events",
    "ticket_fields",
    "comments",
)


_LISTS = (
    "tickets",
    "results",
    "ticket",
    "users",
    "groups",
    "metric_sets",
    "satisfaction_ratings",
    *_OTHER_LISTS,
)
# What `read_zendesk` puts into a ticket itself; `fields` is a copy of custom_fields.
_OWN = ("fields", "custom_fields", "metric_set", "handoffs", "csat", "requester", "group", "is_deleted")
# List beside the tickets of a page -> (the id it is joined by, what is kept of each; empty: all of it).
_SIDE_LOADS = {
    "users": ("id", "email"),
    "groups": ("id", "name"),
    "metric_sets": ("ticket_id", ""),
    "satisfaction_ratings": ("ticket_id", "score"),
}


def _shape(opened: Any) -> str:
    return quote_text(json.dumps(opened))


def _scalar(value: str) -> str:
    """SQL for the text of a JSON value: only strings are written otherwise in JSON."""
    return f"CASE WHEN starts_with({value}::VARCHAR, '\"') THEN {value} ->> '$' ELSE {value}::VARCHAR END"


def _kind(name: str) -> str:
    """SQL for the JSON type of what a page holds under a name; null where it holds no such name."""
    return f"kinds[{_LISTS.index(name) + 1}]"


_TABLES = "; ".join(
    [
        "CREATE TEMP TABLE blocks (block BIGINT, listed VARCHAR)",
        "CREATE TEMP TABLE found (block BIGINT, place BIGINT, item BIGINT, id VARCHAR, status VARCHAR, "
        "requester_id VARCHAR, group_id VARCHAR, metric VARCHAR, custom VARCHAR, score VARCHAR)",
        "CREATE TEMP TABLE odd (place BIGINT, item BIGINT, told VARCHAR)",
        *(
            f'CREATE TEMP TABLE "{name}" (place BIGINT, item BIGINT, id VARCHAR, told VARCHAR)'
            for name in _SIDE_LOADS
        ),
    ]
)
def _pointers(names: Iterable[str]) -> str:
    return ", ".join(f"'$.{name}'" for name in names)


# In a recorded exchange the answer is its body.
_PAGES = f"""
    CREATE OR REPLACE TEMP TABLE pages AS
    WITH documents AS (
        SELECT place, doc, CASE WHEN doc[1] = '{{' THEN json_type(doc, ['$.uri', '$.body', {_pointers(_LISTS)}]) END AS kinds
        FROM docs
    ),
    answers AS (
        SELECT
            place,
            if(is_exchange, json_extract(doc, '$.body')::VARCHAR, doc) AS page,
            CASE WHEN NOT is_exchange THEN kinds[3:] END AS kinds
        FROM (SELECT *, coalesce(kinds[1] IS NOT NULL AND kinds[2] IS NOT NULL, false) AS is_exchange FROM documents)
    ),
    typed AS (
        SELECT
            place,
            page,
            CASE WHEN page[1] = '{{' THEN coalesce(kinds, json_type(page, [{_pointers(_LISTS)}])) END AS kinds
        FROM answers
    ),
    opened AS (
        SELECT *, CASE WHEN page[1] = '{{' THEN from_json(page, {_shape({
    "tickets": "JSON",
    "results": "JSON",
    "ticket": "JSON",
    **{name: [{key: "JSON", kept: "JSON"} if kept else "JSON"] for name, (key, kept) in _SIDE_LOADS.items()},
})}) END AS held
        FROM typed
    )
    SELECT
        place,
        kinds,
        {_kind("tickets")} = 'ARRAY' OR page = '[]' AS lists_tickets,
        CASE
            WHEN page[1] = '[' THEN page
            WHEN page[1] <> '{{' THEN NULL
            WHEN {_kind("tickets")} = 'ARRAY' THEN held.tickets::VARCHAR
            WHEN {_kind("results")} = 'ARRAY' THEN held.results::VARCHAR
            WHEN {_kind("ticket")} = 'OBJECT' THEN '[' || held.ticket::VARCHAR || ']'
            ELSE '[' || page || ']'
        END AS listed,
        {", ".join(f"held.{name} AS {name}" for name in _SIDE_LOADS)}
    FROM opened
"""
# What `found` keeps of a ticket. Only tickets have these three; that one of them is null does not matter.
_FOUND = {
    "id": "JSON",
    "status": "JSON",
    "requester_id": "JSON",
    "group_id": "JSON",
    "metric_set": "JSON",
    "custom_fields": "JSON",
    "satisfaction_rating": {"score": "JSON"},
}
_ESSENTIAL = ("id", "status", "requester_id")
# The lists of a page that are all tickets, and of no odd size, are blocks as they are.
_OPENED = f"""
    CREATE OR REPLACE TEMP TABLE opened AS
    WITH parted AS (
        SELECT place, from_json(listed, {_shape([_FOUND])}) AS parts FROM pages WHERE listed IS NOT NULL
    )
    SELECT place, unnest(range(len(parts))) AS item, unnest(parts) AS one FROM parted
"""
_ARE_BLOCKS = f"""
    SELECT coalesce(bool_and({" AND ".join(f"one.{name} IS NOT NULL" for name in _ESSENTIAL)}), true)
        AND count(*) >= {_BLOCK_LEAST} * count(DISTINCT place)
        AND (SELECT coalesce(max(strlen(listed)), 0) <= {_BLOCK_MOST_BYTES} FROM pages)
    FROM opened
"""
_BLOCKS = """
    INSERT INTO blocks
    SELECT $block + row_number() OVER (ORDER BY place), listed FROM pages WHERE listed IS NOT NULL
"""
# Otherwise the records are parted, and those that are tickets put together anew.
_RECORDS = f"""
    CREATE OR REPLACE TEMP TABLE records AS
    WITH parted AS (SELECT place, from_json(listed, '["JSON"]') AS parts FROM pages),
    items AS (SELECT place, unnest(range(len(parts))) AS item, unnest(parts)::VARCHAR AS record FROM parted),
    looked_at AS (
        SELECT
            *,
            coalesce(record[1] = '{{', false) AS is_object,
            coalesce(list_bool_and(json_exists(record, [{_pointers(_ESSENTIAL)}])), false) AS is_ticket
        FROM items
    )
    SELECT *, $block + CASE WHEN is_ticket THEN sum(if(is_ticket, strlen(record), 0)) OVER (
        ORDER BY place, item ROWS UNBOUNDED PRECEDING
    ) // {_BLOCK_BYTES} + 1 END AS block
    FROM looked_at
"""
_BLOCKS_ANEW = """
    INSERT INTO blocks
    SELECT block, '[' || string_agg(record, ',' ORDER BY place, item) || ']'
    FROM records WHERE is_ticket GROUP BY block ORDER BY block
"""
_ODD = "INSERT INTO odd SELECT place, item, record::JSON ->> '$' FROM records WHERE NOT is_object"


# Custom fields come as a list of {{id, value}}; as one object of id -> value they are flattened like the rest.
def _found(query: str) -> str:
    """INSERT of what is kept of the tickets that `query` gives as block, place, item, one."""
    return f"""
        INSERT INTO found
        SELECT
            block,
            place,
            item,
            {_scalar("one.id")},
            {_scalar("one.status")},
            {_scalar("one.requester_id")},
            {_scalar("one.group_id")},
            CASE WHEN starts_with(one.metric_set::VARCHAR, '{{') THEN one.metric_set::VARCHAR END,
            CASE (one.custom_fields::VARCHAR)[1]
                WHEN '{{' THEN one.custom_fields::VARCHAR
                WHEN '[' THEN '{{' || array_to_string(
                    list_transform(
                        list_filter(
                            from_json(one.custom_fields, '[{{"id": "VARCHAR", "value": "JSON"}}]'),
                            lambda field: field.id IS NOT NULL
                        ),
                        lambda field: to_json(field.id) || ':' || coalesce(field.value, 'null')
                    ),
                    ','
                ) || '}}'
            END,
            {_scalar("one.satisfaction_rating.score")}
        FROM ({query})
    """


_FOUND_IN_BLOCKS = _found(
    "SELECT $block + dense_rank() OVER (ORDER BY place) AS block, place, item, one FROM opened"
)
_FOUND_IN_RECORDS = _found(
    f"SELECT block, place, item, from_json(record, {_shape(_FOUND)}) AS one FROM records WHERE is_ticket"
)


def _side_load(name: str) -> str:
    key, kept = _SIDE_LOADS[name]
    told = {"": "told::VARCHAR", "score": f"coalesce({_scalar('told.score')}, '')"}.get(
        kept, _scalar(f"told.{kept}")
    )
    joined_by = _scalar(f"told.{key}") if kept else f"told ->> '$.{key}'"
    return f"""
        INSERT INTO "{name}"
        WITH items AS (SELECT place, unnest(range(len({name}))) AS item, unnest({name}) AS told FROM pages)
        SELECT place, item, {joined_by} AS id, {told} FROM items WHERE id IS NOT NULL
    """


_NUMBERED = """
    CREATE TEMP TABLE numbered AS
    SELECT place, item, is_ticket, told, row_number() OVER (ORDER BY place, item) AS row_number
    FROM (
        SELECT place, item, true AS is_ticket, NULL AS told FROM found
        UNION ALL
        SELECT place, item, false, told FROM odd
        UNION ALL
        SELECT place, 0, false, told FROM broken
    )
"""
# A ticket's own metric set wins over the side-loaded one, a side-loaded rating over the ticket's own.
_READY = """
    CREATE TEMP TABLE ready AS
    WITH last_metrics AS (SELECT place, id, arg_max(told, item) AS told FROM metric_sets GROUP BY ALL),
    last_ratings AS (SELECT place, id, arg_max(told, item) AS told FROM satisfaction_ratings GROUP BY ALL),
    emails AS (SELECT id, arg_max(told, (place, item)) AS told FROM users WHERE told <> '' GROUP BY id),
    group_names AS (SELECT id, arg_max(told, (place, item)) AS told FROM "groups" WHERE told <> '' GROUP BY id),
    joined AS (
        SELECT
            block,
            row_number,
            custom,
            coalesce(metric, last_metrics.told) AS metric,
            split_part(coalesce(last_ratings.told, score), '_', 1) AS rating,
            coalesce(emails.told, requester_id) AS requester,
            coalesce(group_names.told, group_id) AS "group",
            (status = 'deleted')::VARCHAR AS is_deleted
        FROM found
        JOIN numbered USING (place, item)
        LEFT JOIN last_metrics USING (place, id)
        LEFT JOIN last_ratings USING (place, id)
        LEFT JOIN emails ON emails.id = requester_id
        LEFT JOIN group_names ON group_names.id = group_id
        WHERE is_ticket
    )
    SELECT
        block,
        list(row_number ORDER BY row_number) AS row_number,
        list(requester ORDER BY row_number) AS requester,
        list("group" ORDER BY row_number) AS "group",
        list(is_deleted ORDER BY row_number) AS is_deleted,
        list(CASE WHEN rating IN ('good', 'bad') THEN rating END ORDER BY row_number) AS csat,
        '[' || string_agg(coalesce(custom, 'null'), ',' ORDER BY row_number) || ']' AS custom,
        '[' || string_agg(coalesce(metric, 'null'), ',' ORDER BY row_number) || ']' AS metric
    FROM joined
    GROUP BY block
"""


def read_zendesk(file: DeliveredFile, _source: Source | None) -> Export:
    """Tickets of all pages, in order; overlapping pages repeat a ticket, which is left to landing.

    `version` is generated_timestamp, which also moves where updated_at does not (deletion, scrubbing).
    `handoffs` is stations less the first, of agents or groups, whichever is more. `csat` is `good` or `bad`,
    blank while unrated. `requester` is the e-mail where any page names it, else the id.
    Raises UnreadableFileError where the file holds other Zendesk records and no ticket.
    """
    with ExitStack() as open_things:
        pages = _Pages(file, open_things.enter_context(workspace()))
        pages.refuse_other_records()
        columns = pages.columns()
        export = Export(columns=unique_names(list(columns)), batches=iter(()))
        export.unreadable += pages.unreadable()
        if not columns:
            export.notes.append("no records: no rows")
        if pages.passed_over:
            export.notes.append(f"{pages.passed_over:,} records that are not tickets were passed over")
        export.mapping = map_columns(export.columns, _FIELDS)
        export.people = pick_columns(export.columns, _PEOPLE)
        export.time_zone = "UTC"
        if columns:
            export.batches = _closing(open_things.pop_all(), pages.batches(columns, export.columns))
    return export


def _closing(open_things: ExitStack, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with open_things:
        yield from batches


class _Pages:
    """A file's pages, taken apart: blocks of tickets, and what stands beside them.

    A block is a JSON list of tickets, as a rule that of a page; it is opened once for all values in it.
    """

    def __init__(self, file: DeliveredFile, connection: duckdb.DuckDBPyConnection):
        self._name, self._connection = file.name, connection
        self._others: set[str] = set()
        self._lists_tickets = False
        self._tickets = self.passed_over = 0
        broken: dict[int, str] = {}
        connection.execute(_TABLES)
        for docs, broken_lines in chunks(connection, JsonFile(file)):
            broken |= broken_lines
            connection.register("docs", docs)
            for query in (_PAGES, _OPENED, *map(_side_load, _SIDE_LOADS)):
                connection.execute(query)
            connection.unregister("docs")
            self._look_at_pages()
            self._put_in_blocks()
        told = {
            "place": pa.array(list(broken), pa.int64()),
            "told": pa.array(list(broken.values()), pa.string()),
        }
        connection.register("broken", pa.table(told))
        connection.execute(f"{_NUMBERED}; {_READY}")
        [(self._tickets,)] = connection.execute("SELECT count(*) FROM found").fetchall()

    def _put_in_blocks(self) -> None:
        [(block,)] = self._connection.execute("SELECT coalesce(max(block), 0) FROM blocks").fetchall()
        [(are_blocks,)] = self._connection.execute(_ARE_BLOCKS).fetchall()
        if are_blocks:
            for query in (_BLOCKS, _FOUND_IN_BLOCKS):
                self._connection.execute(query, {"block": block})
            return
        self._connection.execute(_RECORDS, {"block": block})
        for query in (_BLOCKS_ANEW, _FOUND_IN_RECORDS, _ODD):
            self._connection.execute(query)
        [(others,)] = self._connection.execute(
            "SELECT count(*) FROM records WHERE is_object AND NOT is_ticket"
        ).fetchall()
        self.passed_over += others

    def _look_at_pages(self) -> None:
        held, lists_tickets = self._connection.execute(
            """
            SELECT
                list_distinct(flatten(list(list_transform(kinds, lambda one, place: if(one IS NULL, NULL, place))))),
                coalesce(bool_or(lists_tickets), false)
            FROM pages
            """
        ).fetchall()[0]
        self._others.update(_LISTS[place - 1] for place in held or () if place)
        self._lists_tickets |= lists_tickets

    def refuse_other_records(self) -> None:
        if not (self._tickets or self._lists_tickets):
            held = ", ".join(sorted(self._others & set(_OTHER_LISTS))) or "other records"
            raise UnreadableFileError(
                f"{self._name}: no Zendesk tickets in it (it holds {held}): deliver ticket exports"
            )

    def unreadable(self) -> list[UnreadableRow]:
        """Lines that are not JSON, and items among the tickets that are no objects."""
        found = self._connection.execute(
            """
            SELECT row_number, broken.place IS NOT NULL, coalesce(numbered.told, '')
            FROM numbered LEFT JOIN broken USING (place) WHERE NOT is_ticket ORDER BY row_number
            """
        ).fetchall()
        return [
            UnreadableRow(
                number,
                "this line is not a JSON object" if is_line else "a record that is not a JSON object",
                text[:TEXT_LIMIT],
            )
            for number, is_line, text in found
        ]

    def columns(self) -> dict[str, str]:
        """Column -> SQL over the query of `batches`; none where there are no tickets."""
        if not self._tickets:
            return {}
        return {
            **self._leaves["listed"].columns("listed"),
            **self._leaves["custom"].columns("custom", "custom_fields."),
            **self._leaves["metric"].columns("metric", "metric_set."),
            "handoffs": f"greatest(greatest({self._stations('assignee')}, {self._stations('group')}) - 1, 0)::VARCHAR",
            "csat": "csat",
            "requester": "requester",
            "group": '"group"',
            "is_deleted": "is_deleted",
        }

    def _stations(self, whose: str) -> str:
        places = self._leaves["metric"].columns("metric")
        return f"try_cast({places.get(f'{whose}_stations', 'NULL')} AS BIGINT)"

    @cached_property
    def _leaves(self) -> dict[str, Leaves]:
        """The values of each of the three objects that a ticket is made of."""
        structures = {
            name: structure_of(self._connection, f"SELECT block, {name} FROM {table}")
            for name, table in (("listed", "blocks"), ("custom", "ready"), ("metric", "ready"))
        }
        return {
            name: Leaves.of(told, self._name, _OWN if name == "listed" else ())
            for name, told in structures.items()
        }

    def batches(self, columns: dict[str, str], names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """The tickets' columns under these names, with row numbers, in order."""
        chosen = ", ".join(
            f"{sql} AS {quote_name(name)}" for name, sql in zip(names, columns.values(), strict=True)
        )
        opened = ", ".join(
            f"unnest({leaves.opened(name)}) AS {name}" for name, leaves in self._leaves.items() if leaves.places
        )
        told = ("row_number", "requester", '"group"', "is_deleted", "csat")
        blocks = self._connection.sql(
            "SELECT * FROM blocks JOIN ready USING (block) ORDER BY block"
        ).to_arrow_reader(_BLOCKS_AT_ONCE)
        cursor = self._connection.cursor()
        cursor.register("ordered", blocks)
        yield from cursor.sql(
            f"""
            SELECT {chosen}, {ROW_NUMBER}
            FROM (SELECT {opened}, {", ".join(f"unnest({name}) AS {name}" for name in told)} FROM ordered)
            """
        ).to_arrow_reader(_BATCH_ROWS)


def _recognises(file: DeliveredFile) -> int:
    names = names_in_head(file)
    if not {"status", "requester_id", "via"} <= names:
        return 0
    return 97 if {"tickets", "generated_timestamp", "brand_id", "custom_status_id"} & names else 70


ZENDESK_JSON = Reader(
    name="zendesk_json", title="Zendesk tickets", kind="tickets", read=read_zendesk, recognises=_recognises
)
