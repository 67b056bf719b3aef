"""Splits pages of Zendesk tickets into the values of the tickets and what is joined to each ticket.

`reader.py` decides what the values mean and which columns they become.
"""

from collections.abc import Container, Iterable
from contextlib import ExitStack

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import UnreadableRow
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import TEXT_LIMIT, JsonFile
from ces_pipeline.formats.json_tables import (
    TextColumns,
    chunks,
    concatenated,
    listed,
    listed_keys,
    look_like_json,
    open_listed,
    opened_as,
    parted,
    registered,
    repaired,
)
from ces_pipeline.storage.quote import quote_name

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
# Side-loaded list of a page -> (the key it is joined by, the key whose value is kept; empty: the full object is kept).
_SIDE_LOADS = {
    "users": ("id", "email"),
    "groups": ("id", "name"),
    "metric_sets": ("ticket_id", ""),
    "satisfaction_ratings": ("ticket_id", "score"),
}
# Only tickets have all of these keys and one of the requester's; their values may be null. A file that an administrator
# exports holds people and groups as objects, a page of the API holds their ids.
_ESSENTIAL = {"id", "status"}
_REQUESTERS = {"requester_id", "requester"}
PEOPLE = ("requester", "submitter", "assignee")


def _pointers(names: Iterable[str]) -> str:
    return ", ".join(f"'$.{name}'" for name in names)


def _kind(name: str) -> str:
    """SQL for the JSON type of a page's value under a name; null if the page has no such name."""
    return f"kinds[{_LISTS.index(name) + 1}]"


# The keys of a recorded exchange of request and response: the page is its body.
_EXCHANGE = ("uri", "body")
# Whether each document is a page already: an object with a list of tickets.
_ARE_PAGES = f"""
    SELECT coalesce(bool_and(coalesce(
        kinds[1] = 'ARRAY' AND (kinds[2] IS NULL OR kinds[3] IS NULL), false
    )), true)
    FROM (
        SELECT CASE WHEN doc[1] = '{{' THEN json_type(doc, [{_pointers(("tickets", *_EXCHANGE))}]) END AS kinds
        FROM docs
    )
"""
# If a key is repeated, the first counts.
_PAGES = f"""
    WITH bodies AS (
        SELECT
            place,
            CASE
                WHEN doc[1] = '{{' AND list_bool_and(json_exists(doc, [{_pointers(_EXCHANGE)}]))
                THEN json_extract(doc, '$.body')::VARCHAR
                ELSE doc
            END AS page
        FROM docs
    ),
    typed AS (
        SELECT place, page, CASE WHEN page[1] = '{{' THEN json_type(page, [{_pointers(_LISTS)}]) END AS kinds
        FROM bodies
        WHERE page[1] IN ('{{', '[')
    )
    SELECT
        place,
        CASE
            WHEN page[1] = '[' THEN '{{"tickets":' || page || '}}'
            WHEN {_kind("tickets")} = 'ARRAY' THEN page
            WHEN {_kind("results")} = 'ARRAY'
                THEN '{{"tickets":' || json_extract(page, '$.results')::VARCHAR || ',' || page[2:]
            WHEN {_kind("ticket")} = 'OBJECT'
                THEN '{{"tickets":[' || json_extract(page, '$.ticket')::VARCHAR || '],' || page[2:]
            WHEN len(json_keys(page)) > 0 THEN '{{"tickets":[' || page || '],' || page[2:]
            ELSE '{{"tickets":[{{}}]}}'
        END AS doc,
        coalesce({_kind("tickets")} = 'ARRAY', false) OR page = '[]' AS lists_tickets,
        list_filter(
            [{", ".join(f"'{name}'" for name in _LISTS)}], lambda name, number: kinds[number] IS NOT NULL
        ) AS held
    FROM typed
"""
# The entries in the list of tickets of each page, and the pages with only those entries that are tickets.
_RECORDS = f"""
    SELECT
        place,
        item,
        entry::VARCHAR AS record,
        coalesce(record[1] = '{{', false) AS is_object,
        coalesce(
            list_bool_and(json_exists(entry, [{_pointers(sorted(_ESSENTIAL))}]))
            AND list_bool_or(json_exists(entry, [{_pointers(sorted(_REQUESTERS))}])),
            false
        ) AS is_ticket
    FROM ({listed("tickets", "JSON")})
"""
_SIFTED = """
    SELECT place, '{"tickets":[' || string_agg(record, ',' ORDER BY item) || '],' || any_value(doc)[2:] AS doc
    FROM records JOIN docs USING (place)
    WHERE is_ticket
    GROUP BY place
    ORDER BY place
"""
_OPENED_SIDES = {
    name: [{key: "VARCHAR", kept: "VARCHAR"} if kept else "JSON"] for name, (key, kept) in _SIDE_LOADS.items()
}
_CHOSEN_SIDES = ", ".join(
    f"held.{name}{'' if kept else '::VARCHAR[]'} AS {name}" for name, (_, kept) in _SIDE_LOADS.items()
)
_SIDES = f"""
    SELECT place, {_CHOSEN_SIDES}
    FROM (SELECT place, {opened_as("doc", _OPENED_SIDES)} AS held FROM docs)
"""


def _text(value: str) -> str:
    """SQL for a text that is a JSON object or list; null for any other text."""
    return f"CASE WHEN {value}[1] IN ('{{', '[') AND json_valid({value}) THEN {value} END"


def _joined(objects: Container[str]) -> str:
    """SQL for the table of `Pages.joined`, from `tickets` and the side-loads.

    objects: which of the people and groups are objects.
    """

    def of(role: str, key: str) -> str:
        """The value under a key of a person or group; null if it is not an object."""
        found = f"found.{quote_name(role)}"
        return f"json_extract_string({_text(found)}, '$.{key}')" if role in objects else "NULL"

    def person(role: str) -> str:
        """The person's e-mail, else id; the value itself if it is not an object."""
        return f"coalesce({of(role, 'email')}, {of(role, 'id')}, found.{role})"

    # Custom fields come as a list of {id, value}; as one object of id -> value they are flattened like the rest.
    # A ticket's own metric set wins over the side-loaded one, a side-loaded rating over the ticket's own.
    return f"""
        WITH last_metrics AS (
            SELECT place, json_extract_string(kept, '$.ticket_id') AS metric_of, arg_max(kept, n) AS kept
            FROM metric_sets
            WHERE kept[1] = '{{'
            GROUP BY ALL
        ),
        last_ratings AS (
            SELECT place, id, arg_max(coalesce(kept, ''), n) AS kept FROM satisfaction_ratings GROUP BY ALL
        ),
        emails AS (SELECT id, arg_max(kept, n) AS kept FROM users WHERE kept <> '' GROUP BY id),
        group_names AS (SELECT id, arg_max(kept, n) AS kept FROM "groups" WHERE kept <> '' GROUP BY id),
        found AS (
            SELECT
                * REPLACE (
                    {_text("metric_set")} AS metric_set,
                    {_text("custom_fields")} AS custom_fields,
                    {_text("satisfaction_rating")} AS satisfaction_rating
                )
            FROM tickets
        )
        SELECT
            coalesce(emails.kept, {of("requester", "email")}, requester_id, {person("requester")}) AS requester,
            {person("submitter")} AS submitter,
            {person("assignee")} AS assignee,
            coalesce(
                group_names.kept, {of("group", "name")}, group_id, {of("group", "id")}, found."group"
            ) AS "group",
            (status = 'deleted')::VARCHAR AS is_deleted,
            split_part(coalesce(last_ratings.kept, satisfaction_rating ->> '$.score'), '_', 1) AS rating,
            CASE WHEN rating IN ('good', 'bad') THEN rating END AS csat,
            CASE
                WHEN custom_fields[1] = '{{' THEN custom_fields
                ELSE '{{' || array_to_string(
                    list_transform(
                        list_filter(
                            from_json(custom_fields, '[{{"id": "VARCHAR", "value": "JSON"}}]'),
                            lambda field: field.id IS NOT NULL
                        ),
                        lambda field: to_json(field.id) || ':' || coalesce(field.value, 'null')
                    ),
                    ','
                ) || '}}'
            END AS custom,
            CASE WHEN metric_set[1] = '{{' THEN metric_set ELSE last_metrics.kept END AS metric
        FROM found
        LEFT JOIN last_metrics ON last_metrics.place = found.place AND metric_of = found.id
        LEFT JOIN last_ratings ON last_ratings.place = found.place AND last_ratings.id = found.id
        LEFT JOIN emails ON emails.id = requester_id
        LEFT JOIN group_names ON group_names.id = group_id
        ORDER BY found.n
    """


_JOINED_BY = (
    "id",
    "status",
    "requester_id",
    "group_id",
    "metric_set",
    "custom_fields",
    "satisfaction_rating",
    "group",
    *PEOPLE,
)
_SIDE = pa.schema([("place", pa.int64()), ("id", pa.string()), ("kept", pa.string())])


class Pages:
    """The contents of a file's pages.

    tickets: the values of the tickets, a row for each ticket. numbers: their row numbers; unreadable rows are numbered
    too. unreadable: lines that are not JSON, and entries in the lists of tickets that are not objects. passed_over: how
    many objects in these lists are not tickets.
    """

    def __init__(self, file: DeliveredFile, connection: duckdb.DuckDBPyConnection):
        self._name, self._connection = file.name, connection
        self._others: set[str] = set()
        self._lists_tickets = False
        self._sides: dict[str, list[pa.Table]] = {name: [] for name in _SIDE_LOADS}
        # Of each: place, item, problem and text.
        self._unreadable: list[tuple[int, int, str, str]] = []
        self._parts: list[TextColumns] = []
        self._places: list[np.ndarray] = [np.empty(0, np.int64)]
        self._items: list[np.ndarray] = [np.empty(0, np.int64)]
        self.passed_over = 0
        for docs in chunks(JsonFile(file)):
            self._take(docs)
        self.tickets = concatenated(self._parts)
        self.numbers, self.unreadable = self._numbered()

    def _take(self, docs: pa.Table) -> None:
        with registered(self._connection, "docs", docs):
            try:
                are_pages = look_like_json(docs) and self._are_pages()
            except duckdb.InvalidInputException:
                are_pages = False
        if are_pages:
            self._lists_tickets = True
        else:
            docs = self._as_pages(self._repaired(docs))
        with registered(self._connection, "docs", docs):
            self._note_sides()
            key_lists = listed_keys(self._connection, "tickets")
            if all(keys >= _ESSENTIAL and keys & _REQUESTERS for keys in map(set, key_lists)):
                self._open(key_lists)
                return
            docs, items = self._sifted()
        with registered(self._connection, "docs", docs):
            self._open(listed_keys(self._connection, "tickets"), items)

    def _are_pages(self) -> bool:
        """Raises duckdb.InvalidInputException if a document is not JSON."""
        [(are_pages,)] = self._connection.execute(_ARE_PAGES).fetchall()
        return bool(are_pages)

    def _repaired(self, docs: pa.Table) -> pa.Table:
        docs, broken = repaired(self._connection, docs)
        problem = "this line is not a JSON object"
        self._unreadable += [(place, 0, problem, text) for place, text in broken.items()]
        return docs

    def _as_pages(self, docs: pa.Table) -> pa.Table:
        with registered(self._connection, "docs", docs):
            pages = self._connection.sql(_PAGES).to_arrow_table()
        self._lists_tickets |= bool(pc.any(pages["lists_tickets"]).as_py())
        self._others |= {*pc.unique(pc.list_flatten(pages["held"])).to_pylist()}
        return parted(pages.select(["place", "doc"]))

    def _note_sides(self) -> None:
        sides = self._connection.sql(_SIDES).to_arrow_table()
        for name, (_, kept) in _SIDE_LOADS.items():
            lists = sides[name].combine_chunks()
            objects = lists.flatten()
            if not len(objects):
                continue
            places = sides["place"].combine_chunks().take(pc.list_parent_indices(lists))
            ids, texts = objects.flatten() if kept else (pa.nulls(len(objects), pa.string()), objects)
            self._sides[name].append(pa.table([places, ids, texts], schema=_SIDE))

    def _sifted(self) -> tuple[pa.Table, np.ndarray]:
        """(The pages with only tickets in their lists; the original item number of each ticket.)"""
        with registered(self._connection, "records", self._connection.sql(_RECORDS).to_arrow_table()):
            execute = self._connection.execute
            for place, item, text in execute(
                "SELECT place, item, record::JSON ->> '$' FROM records WHERE NOT is_object"
            ).fetchall():
                self._unreadable.append((place, item, "a record that is not a JSON object", text or ""))
            self.passed_over += execute(
                "SELECT count(*) FROM records WHERE is_object AND NOT is_ticket"
            ).fetchall()[0][0]
            kept = self._connection.sql("SELECT item FROM records WHERE is_ticket ORDER BY place, item")
            items = kept.to_arrow_table()["item"].to_numpy()
            return parted(self._connection.sql(_SIFTED).to_arrow_table()), items

    def _open(self, key_lists: list[list[str]], items: np.ndarray | None = None) -> None:
        """items: the tickets' original item numbers, if other entries were removed from the lists."""
        if not key_lists:
            return
        columns, places, found = open_listed(self._connection, "tickets", key_lists)
        self._parts.append(columns)
        self._places.append(places)
        self._items.append(found if items is None else items)

    def _numbered(self) -> tuple[np.ndarray, list[UnreadableRow]]:
        """(Row numbers of the tickets; the unreadable rows, which are numbered with them.)"""
        places = np.concatenate([*self._places, [place for place, *_ in self._unreadable]])
        items = np.concatenate([*self._items, [item for _, item, *_ in self._unreadable]])
        numbers = np.empty(len(places), np.int64)
        numbers[np.lexsort((items, places))] = np.arange(1, len(places) + 1)
        tickets = len(places) - len(self._unreadable)
        unreadable = [
            UnreadableRow(int(number), problem, text[:TEXT_LIMIT])
            for number, (_, _, problem, text) in zip(numbers[tickets:], self._unreadable, strict=True)
        ]
        return numbers[:tickets], sorted(unreadable, key=lambda row: row.row_number)

    def joined(self) -> pa.Table:
        """What is joined to each ticket, in the order of the tickets.

        Columns: requester, group, submitter and assignee (if the page holds more of them than an id), is_deleted, csat;
        and as JSON objects custom (custom fields, id -> value) and metric.
        """
        places = pa.array(np.concatenate(self._places))
        nothing = pa.nulls(len(places), pa.string())
        tickets = {name: self.tickets.texts.get(name, nothing) for name in _JOINED_BY}
        with ExitStack() as tables:
            found = pa.table({"n": np.arange(len(places)), "place": places, **tickets})
            tables.enter_context(registered(self._connection, "tickets", found))
            for name, parts in self._sides.items():
                side = pa.concat_tables(parts) if parts else _SIDE.empty_table()
                numbered = side.append_column("n", pa.array(np.arange(len(side))))
                tables.enter_context(registered(self._connection, name, numbered))
            return self._connection.sql(_joined(self.tickets.objects)).to_arrow_table()

    def refuse_other_records(self) -> None:
        """Raise UnreadableFileError if the file holds records but no ticket."""
        if not (len(self.numbers) or self._lists_tickets):
            found = ", ".join(sorted(self._others & set(_OTHER_LISTS))) or "other records"
            raise UnreadableFileError(
                f"{self._name}: no Zendesk tickets in it (it holds {found}): deliver an export of tickets"
            )
