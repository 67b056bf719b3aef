"""Pages of Zendesk tickets taken apart: blocks of tickets, and what is joined to each ticket.

What the values in them mean, and which columns they become, is said in `zendesk.py`.
"""

import json
from collections.abc import Iterable
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.sources.contract import ROW_NUMBER, UnreadableRow
from ces_pipeline.sources.files import DeliveredFile
from ces_pipeline.sources.json_records import TEXT_LIMIT, JsonFile
from ces_pipeline.sources.json_tables import chunks, look_like_json, mended
from ces_pipeline.storage.quote import quote_text

# A list of tickets as long as a page's is opened as it is; shorter and longer ones are cut anew.
_BLOCK_BYTES = 1 << 20
_LEAST_BLOCK_BYTES = 1 << 15
_MOST_BLOCK_BYTES = 4 << 20
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
# List beside the tickets of a page -> (the id it is joined by, what is kept of each; empty: all of it).
_SIDE_LOADS = {
    "users": ("id", "email"),
    "groups": ("id", "name"),
    "metric_sets": ("ticket_id", ""),
    "satisfaction_ratings": ("ticket_id", "score"),
}
# Only tickets have these three; that one of them is null does not matter.
_ESSENTIAL = ("id", "status", "requester_id")
# What is looked at in each ticket before all of it is opened.
_JOINED_BY = {
    **dict.fromkeys((*_ESSENTIAL, "group_id", "metric_set", "custom_fields"), "JSON"),
    "satisfaction_rating": {"score": "JSON"},
}


def _shape(opened: Any) -> str:
    return quote_text(json.dumps(opened))


_PAGE = _shape(
    {
        **dict.fromkeys(("tickets", "results", "ticket"), "JSON"),
        **{
            name: [{key: "JSON", kept: "JSON"} if kept else "JSON"]
            for name, (key, kept) in _SIDE_LOADS.items()
        },
    }
)


def _pointers(names: Iterable[str]) -> str:
    return ", ".join(f"'$.{name}'" for name in names)


def _scalar(value: str) -> str:
    """SQL for the text of a JSON value: only strings are written otherwise in JSON."""
    return f"CASE WHEN starts_with({value}::VARCHAR, '\"') THEN {value} ->> '$' ELSE {value}::VARCHAR END"


def _kind(name: str) -> str:
    """SQL for the JSON type of what a page holds under a name; null where it holds no such name."""
    return f"kinds[{_LISTS.index(name) + 1}]"


_TABLES = "; ".join(
    [
        "CREATE TEMP TABLE found (place BIGINT, item BIGINT, id VARCHAR, status VARCHAR, requester_id VARCHAR, "
        "group_id VARCHAR, metric VARCHAR, custom VARCHAR, score VARCHAR, problem VARCHAR, told VARCHAR)",
        *(
            f'CREATE TEMP TABLE "{name}" (place BIGINT, item BIGINT, id VARCHAR, told VARCHAR)'
            for name in _SIDE_LOADS
        ),
    ]
)
# In a recorded exchange the answer is its body.
_PAGES = f"""
    CREATE OR REPLACE TEMP TABLE pages AS
    WITH documents AS (
        SELECT
            place,
            doc,
            CASE WHEN doc[1] = '{{' THEN json_type(doc, ['$.uri', '$.body', {_pointers(_LISTS)}]) END AS kinds
        FROM docs
    ),
    told AS (
        SELECT *, coalesce(kinds[1] IS NOT NULL AND kinds[2] IS NOT NULL, false) AS is_exchange FROM documents
    ),
    answers AS (
        SELECT
            place,
            if(is_exchange, json_extract(doc, '$.body')::VARCHAR, doc) AS page,
            CASE WHEN NOT is_exchange THEN kinds[3:] END AS kinds
        FROM told
    ),
    typed AS (
        SELECT
            place,
            page,
            CASE WHEN page[1] = '{{' THEN coalesce(kinds, json_type(page, [{_pointers(_LISTS)}])) END AS kinds
        FROM answers
    ),
    opened AS (SELECT *, CASE WHEN page[1] = '{{' THEN from_json(page, {_PAGE}) END AS held FROM typed),
    listed AS (
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
    )
    SELECT
        *,
        from_json(listed, {_shape([_JOINED_BY])}) AS joined_by,
        CASE
            WHEN strlen(listed) BETWEEN {_LEAST_BLOCK_BYTES} AND {_MOST_BLOCK_BYTES}
            THEN json_structure(listed)::VARCHAR
        END AS structure
    FROM listed
"""
_IS_TICKET = " AND ".join(f"one.{name} IS NOT NULL" for name in _ESSENTIAL)
_LOOK = f"""
    SELECT
        list_distinct(flatten(list(list_transform(kinds, lambda one, place: if(one IS NULL, NULL, place))))),
        coalesce(bool_or(lists_tickets), false),
        coalesce(bool_and(
            structure IS NOT NULL AND list_bool_and(list_transform(joined_by, lambda one: {_IS_TICKET}))
        ) FILTER (listed <> '[]'), true),
        {", ".join(f"coalesce(sum(len({name})), 0) > 0" for name in _SIDE_LOADS)}
    FROM pages
"""
# The lists of the pages are blocks where they are all tickets, and of no odd size.
_BLOCKS = "SELECT listed, structure, len(joined_by) AS tickets FROM pages WHERE listed <> '[]'"
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
    SELECT
        *,
        sum(if(is_ticket, strlen(record), 0)) OVER (
            ORDER BY place, item ROWS UNBOUNDED PRECEDING
        ) // {_BLOCK_BYTES} AS block
    FROM looked_at
"""
_BLOCKS_ANEW = """
    SELECT
        '[' || string_agg(record, ',' ORDER BY place, item) || ']' AS listed,
        json_structure(listed)::VARCHAR AS structure,
        count(*) AS tickets
    FROM records WHERE is_ticket GROUP BY block ORDER BY block
"""
_ODD = """
    INSERT INTO found (place, item, problem, told)
    SELECT place, item, 'a record that is not a JSON object', record::JSON ->> '$' FROM records WHERE NOT is_object
"""
_BROKEN = """
    INSERT INTO found (place, item, problem, told) SELECT place, 0, 'this line is not a JSON object', told FROM broken
"""


# Custom fields come as a list of {id, value}; as one object of id -> value they are flattened like the rest.
def _found(query: str) -> str:
    """INSERT of what the tickets are joined by, which `query` gives as place, item, one."""
    return f"""
        INSERT INTO found
        SELECT
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
            {_scalar("one.satisfaction_rating.score")},
            NULL,
            NULL
        FROM ({query})
    """


_FOUND_IN_BLOCKS = _found(
    "SELECT place, unnest(range(len(joined_by))) AS item, unnest(joined_by) AS one FROM pages"
)
_FOUND_IN_RECORDS = _found(
    f"SELECT place, item, from_json(record, {_shape(_JOINED_BY)}) AS one FROM records WHERE is_ticket"
)


def _side_load(name: str) -> str:
    key, kept = _SIDE_LOADS[name]
    told = _scalar(f"told.{kept}") if kept else "told::VARCHAR"
    joined_by = _scalar(f"told.{key}") if kept else f"told ->> '$.{key}'"
    return f"""
        INSERT INTO "{name}"
        WITH items AS (SELECT place, unnest(range(len({name}))) AS item, unnest({name}) AS told FROM pages)
        SELECT place, item, {joined_by} AS id, {told} FROM items WHERE id IS NOT NULL
    """


# A ticket's own metric set wins over the side-loaded one, a side-loaded rating over the ticket's own.
_TICKETS = """
    WITH last_metrics AS (SELECT place, id, arg_max(told, item) AS told FROM metric_sets GROUP BY ALL),
    last_ratings AS (
        SELECT place, id, arg_max(coalesce(told, ''), item) AS told FROM satisfaction_ratings GROUP BY ALL
    ),
    emails AS (SELECT id, arg_max(told, (place, item)) AS told FROM users WHERE told <> '' GROUP BY id),
    group_names AS (SELECT id, arg_max(told, (place, item)) AS told FROM "groups" WHERE told <> '' GROUP BY id),
    joined AS (
        SELECT
            found.* EXCLUDE (metric),
            coalesce(metric, last_metrics.told) AS metric,
            split_part(coalesce(last_ratings.told, score), '_', 1) AS rating,
            coalesce(emails.told, requester_id) AS requester,
            coalesce(group_names.told, group_id) AS "group"
        FROM found
        LEFT JOIN last_metrics USING (place, id)
        LEFT JOIN last_ratings USING (place, id)
        LEFT JOIN emails ON emails.id = requester_id
        LEFT JOIN group_names ON group_names.id = group_id
    )
    SELECT
        requester,
        "group",
        (status = 'deleted')::VARCHAR AS is_deleted,
        CASE WHEN rating IN ('good', 'bad') THEN rating END AS csat,
        custom,
        metric,
        problem,
        told
    FROM joined
    ORDER BY place, item
"""
JOINED = (ROW_NUMBER, "requester", "group", "is_deleted", "csat", "custom", "metric")
"""What `Pages.blocks` has of each ticket beside itself."""


class Pages:
    """A file's pages, taken apart.

    blocks: listed, a JSON list of tickets, as a rule that of a page; structure, what `json_structure` says of it; and
    for each of JOINED a list that runs beside it. custom: custom fields as one JSON object. metric: the metric set.
    unreadable: lines that are not JSON, and items among the tickets that are no objects. passed_over: how many
    objects among them are no tickets.
    """

    def __init__(self, file: DeliveredFile, connection: duckdb.DuckDBPyConnection):
        self._name, self._connection = file.name, connection
        self._others: set[str] = set()
        self._lists_tickets = False
        self._blocks: list[pa.Table] = []
        self.passed_over = 0
        connection.execute(_TABLES)
        for docs in chunks(JsonFile(file)):
            self._take(docs)
        self.unreadable: list[UnreadableRow] = []
        self.blocks = self._joined()

    def _take(self, docs: pa.Table) -> None:
        if not (look_like_json(docs) and self._are_pages(docs)):
            self._open_pages(self._mended(docs))
        held, lists_tickets, are_blocks, *has_beside = self._connection.execute(_LOOK).fetchall()[0]
        self._others.update(_LISTS[place - 1] for place in held or () if place)
        self._lists_tickets |= lists_tickets
        for name, has_any in zip(_SIDE_LOADS, has_beside, strict=True):
            if has_any:
                self._connection.execute(_side_load(name))
        if are_blocks:
            self._blocks.append(self._connection.sql(_BLOCKS).to_arrow_table())
            self._connection.execute(_FOUND_IN_BLOCKS)
            return
        for query in (_RECORDS, _FOUND_IN_RECORDS, _ODD):
            self._connection.execute(query)
        self._blocks.append(self._connection.sql(_BLOCKS_ANEW).to_arrow_table())
        self.passed_over += self._connection.execute(
            "SELECT count(*) FROM records WHERE is_object AND NOT is_ticket"
        ).fetchall()[0][0]

    def _are_pages(self, docs: pa.Table) -> bool:
        """As `_open_pages`; False where a document is not JSON."""
        try:
            self._open_pages(docs)
        except duckdb.InvalidInputException:
            return False
        return True

    def _open_pages(self, docs: pa.Table) -> None:
        """Make the table `pages` of the documents."""
        self._connection.register("docs", docs)
        try:
            self._connection.execute(_PAGES)
        finally:
            self._connection.unregister("docs")

    def _mended(self, docs: pa.Table) -> pa.Table:
        docs, broken = mended(self._connection, docs)
        told = {
            "place": pa.array(list(broken), pa.int64()),
            "told": pa.array(list(broken.values()), pa.string()),
        }
        self._connection.register("broken", pa.table(told))
        self._connection.execute(_BROKEN)
        self._connection.unregister("broken")
        return docs

    def _joined(self) -> pa.Table:
        """The blocks, each with what is joined to its tickets, which run in the same order."""
        rows = self._connection.sql(_TICKETS).to_arrow_table()
        rows = rows.append_column(ROW_NUMBER, pa.array(np.arange(1, len(rows) + 1)))
        if rows["problem"].null_count < len(rows):
            odd = rows.filter(pc.is_valid(rows["problem"])).select([ROW_NUMBER, "problem", "told"])
            self.unreadable = [
                UnreadableRow(one[ROW_NUMBER], one["problem"], (one["told"] or "")[:TEXT_LIMIT])
                for one in odd.to_pylist()
            ]
            rows = rows.filter(pc.is_null(rows["problem"]))
        blocks = pa.concat_tables(self._blocks)
        ends = pa.array(np.concatenate([[0], np.cumsum(blocks["tickets"].to_numpy())]), pa.int32())
        for name in JOINED:
            blocks = blocks.append_column(name, pa.ListArray.from_arrays(ends, rows[name].combine_chunks()))
        return blocks

    def refuse_other_records(self) -> None:
        """Raise UnreadableFileError where the file holds other records and no ticket."""
        if not (len(self.blocks) or self._lists_tickets):
            held = ", ".join(sorted(self._others & set(_OTHER_LISTS))) or "other records"
            raise UnreadableFileError(
                f"{self._name}: no Zendesk tickets in it (it holds {held}): deliver ticket exports"
            )
