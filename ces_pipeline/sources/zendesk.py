"""Zendesk tickets as JSON: pages of the incremental export, ticket lists, single tickets, recorded exchanges.

Side-loaded users, groups, metric sets and satisfaction ratings of a page are joined into its tickets here.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property

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
from ces_pipeline.storage.quote import quote_name

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
_BATCH_ROWS = 20_000
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
_TICKET = ("id", "status", "requester_id", "group_id", "metric_set", "custom_fields", "satisfaction_rating")
# List beside the tickets of a page -> (the id it is joined by, what is kept of each).
_SIDE_LOADS = {
    "users": ("$.id", "told->>'$.email'"),
    "groups": ("$.id", "told->>'$.name'"),
    "metric_sets": ("$.ticket_id", "told"),
    "satisfaction_ratings": ("$.ticket_id", "coalesce(told->>'$.score', '')"),
}


def _pointers(names: Iterable[str]) -> str:
    return ", ".join(f"'$.{name}'" for name in names)


_TABLES = "; ".join(
    [
        "CREATE TABLE records (place BIGINT, item BIGINT, record VARCHAR, own VARCHAR[], is_object BOOLEAN, "
        "is_ticket BOOLEAN)",
        *(
            f'CREATE TABLE "{name}" (place BIGINT, item BIGINT, id VARCHAR, told VARCHAR)'
            for name in _SIDE_LOADS
        ),
    ]
)
# In a recorded exchange the answer is its body.
_PAGES = f"""
    CREATE OR REPLACE TEMP TABLE pages AS
    WITH documents AS (
        SELECT place, doc, CASE WHEN doc[1] = '{{' THEN
            json_extract(doc, ['$.uri', '$.body', {_pointers(_LISTS)}])::VARCHAR[]
        END AS held
        FROM docs
    )
    SELECT
        place,
        if(is_exchange, held[2], doc) AS page,
        CASE
            WHEN NOT is_exchange THEN held[3:]
            WHEN held[2][1] = '{{' THEN json_extract(held[2], [{_pointers(_LISTS)}])::VARCHAR[]
        END AS lists
    FROM (SELECT *, coalesce(held[1] IS NOT NULL AND held[2] IS NOT NULL, false) AS is_exchange FROM documents)
"""
_RECORDS = f"""
    INSERT INTO records
    WITH listed AS (
        SELECT
            place,
            CASE
                WHEN page[1] = '[' THEN page
                WHEN page[1] <> '{{' THEN NULL
                WHEN lists[1][1] = '[' THEN lists[1]
                WHEN lists[2][1] = '[' THEN lists[2]
                WHEN lists[3][1] = '{{' THEN '[' || lists[3] || ']'
                ELSE '[' || page || ']'
            END AS listed
        FROM pages
    ),
    parted AS (SELECT place, from_json(listed, '["JSON"]') AS parts FROM listed),
    items AS (SELECT place, unnest(range(len(parts))) AS item, unnest(parts)::VARCHAR AS record FROM parted),
    opened AS (SELECT *, json_extract(record, [{_pointers(_TICKET)}])::VARCHAR[] AS own FROM items)
    SELECT
        *,
        coalesce(record[1] = '{{', false) AS is_object,
        own[1] IS NOT NULL AND own[2] IS NOT NULL AND own[3] IS NOT NULL AS is_ticket
    FROM opened
"""


def _side_load(name: str) -> str:
    place = _LISTS.index(name) + 1
    key, kept = _SIDE_LOADS[name]
    return f"""
        INSERT INTO "{name}"
        WITH parted AS (
            SELECT place, from_json(lists[{place}], '["JSON"]') AS parts FROM pages WHERE lists[{place}][1] = '['
        ),
        items AS (SELECT place, unnest(range(len(parts))) AS item, unnest(parts) AS told FROM parted)
        SELECT place, item, told->>'{key}', {kept} FROM items WHERE told->>'{key}' IS NOT NULL
    """


# Custom fields come as a list of {{id, value}}; as one object of id -> value they are flattened like the rest.
# A ticket's own metric set wins over the side-loaded one, a side-loaded rating over the ticket's own.
_TICKETS = """
    CREATE TABLE tickets AS
    WITH last_metrics AS (SELECT place, id, arg_max(told, item) AS metric FROM metric_sets GROUP BY ALL),
    last_ratings AS (SELECT place, id, arg_max(told, item) AS score FROM satisfaction_ratings GROUP BY ALL),
    named AS (
        SELECT
            place,
            item,
            record,
            own[1]::JSON->>'$' AS id,
            own[2]::JSON->>'$' AS status,
            own[3]::JSON->>'$' AS requester_id,
            own[4]::JSON->>'$' AS group_id,
            CASE WHEN own[5][1] = '{' THEN own[5] END AS own_metric,
            CASE own[6][1]
                WHEN '{' THEN own[6]
                WHEN '[' THEN '{' || array_to_string(
                    list_transform(
                        list_filter(
                            from_json(own[6]::JSON, '[{"id": "VARCHAR", "value": "JSON"}]'),
                            lambda one: one.id IS NOT NULL
                        ),
                        lambda one: to_json(one.id) || ':' || coalesce(one.value, 'null')
                    ),
                    ','
                ) || '}'
            END AS custom,
            own[7]::JSON->>'$.score' AS own_score
        FROM records
        WHERE is_object AND is_ticket
    )
    SELECT
        place,
        item,
        record,
        custom,
        coalesce(own_metric, metric) AS metric,
        coalesce(score, own_score) AS score,
        status,
        requester_id,
        group_id
    FROM named
    LEFT JOIN last_metrics USING (place, id)
    LEFT JOIN last_ratings USING (place, id)
"""
_NUMBERED = """
    CREATE TABLE numbered AS
    SELECT place, item, is_ticket, told, row_number() OVER (ORDER BY place, item) AS row_number
    FROM (
        SELECT place, item, is_object AS is_ticket, CASE WHEN NOT is_object THEN record::JSON->>'$' END AS told
        FROM records
        WHERE NOT is_object OR is_ticket
        UNION ALL
        SELECT place, 0, false, told FROM broken
    )
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
    """A file's pages, taken apart into tables: tickets, and what stands beside them."""

    def __init__(self, file: DeliveredFile, connection: duckdb.DuckDBPyConnection):
        self._name, self._connection = file.name, connection
        self._others: set[str] = set()
        self._lists_tickets = False
        broken: dict[int, str] = {}
        connection.execute(_TABLES)
        for docs, broken_lines in chunks(connection, JsonFile(file)):
            broken |= broken_lines
            connection.register("docs", docs)
            for query in (_PAGES, _RECORDS, *map(_side_load, _SIDE_LOADS)):
                connection.execute(query)
            connection.unregister("docs")
            self._look_at_pages()
        told = {
            "place": pa.array(list(broken), pa.int64()),
            "told": pa.array(list(broken.values()), pa.string()),
        }
        connection.register("broken", pa.table(told))
        connection.execute(f"{_TICKETS}; {_NUMBERED}")
        self._tickets, self.passed_over = connection.execute(
            "SELECT count(*) FILTER (is_ticket), count(*) FILTER (NOT is_ticket) FROM records WHERE is_object"
        ).fetchall()[0]

    def _look_at_pages(self) -> None:
        held, lists_tickets = self._connection.execute(
            """
            SELECT
                list_distinct(flatten(list(list_transform(lists, lambda one, place: if(one IS NULL, NULL, place))))),
                coalesce(bool_or(lists[1][1] = '[' OR page = '[]'), false)
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
        leaves = self._leaves
        return {
            **leaves["record"].columns("record_values"),
            **leaves["custom"].columns("custom_values", "custom_fields."),
            **leaves["metric"].columns("metric_values", "metric_set."),
            "handoffs": "greatest(stations - 1, 0)::VARCHAR",
            "csat": "CASE WHEN split_part(score, '_', 1) IN ('good', 'bad') THEN split_part(score, '_', 1) END",
            "requester": "coalesce(emails.told, requester_id)",
            "group": "coalesce(group_names.told, group_id)",
            "is_deleted": "(status = 'deleted')::VARCHAR",
        }

    @cached_property
    def _leaves(self) -> dict[str, Leaves]:
        """The values of each of the three objects that a ticket is made of."""
        structures = {
            name: structure_of(self._connection, f"SELECT {name} FROM tickets WHERE {name} IS NOT NULL")
            for name in ("record", "custom", "metric")
        }
        return {
            name: Leaves.of(told, self._name, _OWN if name == "record" else ())
            for name, told in structures.items()
        }

    def batches(self, columns: dict[str, str], names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """The tickets' columns under these names, with row numbers, in order."""
        values = ", ".join(f"{one.values(name)} AS {name}_values" for name, one in self._leaves.items())
        chosen = ", ".join(
            f"{sql} AS {quote_name(name)}" for name, sql in zip(names, columns.values(), strict=True)
        )
        yield from self._connection.sql(
            f"""
            WITH opened AS (
                SELECT *, {values}, greatest(
                    try_cast(metric->>'$.assignee_stations' AS BIGINT),
                    try_cast(metric->>'$.group_stations' AS BIGINT)
                ) AS stations
                FROM tickets
            ),
            emails AS (SELECT id, arg_max(told, (place, item)) AS told FROM users WHERE told <> '' GROUP BY id),
            group_names AS (SELECT id, arg_max(told, (place, item)) AS told FROM "groups" WHERE told <> '' GROUP BY id)
            SELECT {chosen}, row_number AS {ROW_NUMBER}
            FROM opened
            JOIN numbered USING (place, item)
            LEFT JOIN emails ON emails.id = requester_id
            LEFT JOIN group_names ON group_names.id = group_id
            WHERE is_ticket
            ORDER BY row_number
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
