"""Pages of Zendesk tickets taken apart: the values in the tickets, and what is joined to each ticket.

What the values mean, and which columns they become, is said in `zendesk.py`.
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
    at_hand,
    chunks,
    listed,
    listed_keys,
    look_like_json,
    mended,
    open_listed,
    opened_as,
    parted,
    together,
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
# List beside the tickets of a page -> (the key it is joined by, the key of what is kept of each; none: all of it).
_SIDE_LOADS = {
    "users": ("id", "email"),
    "groups": ("id", "name"),
    "metric_sets": ("ticket_id", ""),
    "satisfaction_ratings": ("ticket_id", "score"),
}
# Only tickets have these, and one of their requesters; that one of them is null does not matter. A file that an
# administrator exports names people and groups as objects, the API by their ids.
_ESSENTIAL = {"id", "status"}
_REQUESTERS = {"requester_id", "requester"}
PEOPLE = ("requester", "submitter", "assignee")


def _pointers(names: Iterable[str]) -> str:
    return ", ".join(f"'$.{name}'" for name in names)


def _kind(name: str) -> str:
    """SQL for the JSON type of what a page holds under a name; null where it holds no such name."""
    return f"kinds[{_LISTS.index(name) + 1}]"


# What shows an exchange that was recorded: the answer is its body.
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
# Of a repeated key the first counts.
_PAGES = f"""
    WITH answers AS (
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
        FROM answers
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
# What is among the tickets of each page, and the page with those alone that are tickets.
_RECORDS = f"""
    SELECT
        place,
        item,
        one::VARCHAR AS record,
        coalesce(record[1] = '{{', false) AS is_object,
        coalesce(
            list_bool_and(json_exists(one, [{_pointers(sorted(_ESSENTIAL))}]))
            AND list_bool_or(json_exists(one, [{_pointers(sorted(_REQUESTERS))}])),
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
    """SQL for a JSON object or list among texts; null for all else."""
    return f"CASE WHEN {value}[1] IN ('{{', '[') AND json_valid({value}) THEN {value} END"


def _joined(objects: Container[str]) -> str:
    """SQL for what `Pages.joined` gives, from `tickets` and the side-loads.

    objects: which of the people and groups are objects.
    """

    def of(whom: str, key: str) -> str:
        """What is under a key of a person or group; null where it is no object."""
        found = f"found.{quote_name(whom)}"
        return f"json_extract_string({_text(found)}, '$.{key}')" if whom in objects else "NULL"

    def person(whom: str) -> str:
        """By e-mail, else by id; one who is no object as told."""
        return f"coalesce({of(whom, 'email')}, {of(whom, 'id')}, found.{whom})"

    # Custom fields come as a list of {id, value}; as one object of id -> value they are flattened like the rest.
    # A ticket's own metric set wins over the side-loaded one, a side-loaded rating over the ticket's own.
    return f"""
        WITH last_metrics AS (
            SELECT place, json_extract_string(told, '$.ticket_id') AS metric_of, arg_max(told, n) AS told
            FROM metric_sets
            WHERE told[1] = '{{'
            GROUP BY ALL
        ),
        last_ratings AS (
            SELECT place, id, arg_max(coalesce(told, ''), n) AS told FROM satisfaction_ratings GROUP BY ALL
        ),
        emails AS (SELECT id, arg_max(told, n) AS told FROM users WHERE told <> '' GROUP BY id),
        group_names AS (SELECT id, arg_max(told, n) AS told FROM "groups" WHERE told <> '' GROUP BY id),
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
            coalesce(emails.told, {of("requester", "email")}, requester_id, {person("requester")}) AS requester,
            {person("submitter")} AS submitter,
            {person("assignee")} AS assignee,
            coalesce(
                group_names.told, {of("group", "name")}, group_id, {of("group", "id")}, found."group"
            ) AS "group",
            (status = 'deleted')::VARCHAR AS is_deleted,
            split_part(coalesce(last_ratings.told, satisfaction_rating ->> '$.score'), '_', 1) AS rating,
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
            CASE WHEN metric_set[1] = '{{' THEN metric_set ELSE last_metrics.told END AS metric
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
_SIDE = pa.schema([("place", pa.int64()), ("id", pa.string()), ("told", pa.string())])


class Pages:
    """A file's pages, taken apart.

    tickets: the values in them, a ticket to a row. numbers: their row numbers; what is not readable takes one too.
    unreadable: lines that are not JSON, and items among the tickets that are no objects. passed_over: how many
    objects among them are no tickets.
    """

    def __init__(self, file: DeliveredFile, connection: duckdb.DuckDBPyConnection):
        self._name, self._connection = file.name, connection
        self._others: set[str] = set()
        self._lists_tickets = False
        self._sides: dict[str, list[pa.Table]] = {name: [] for name in _SIDE_LOADS}
        self._odd: list[tuple[int, int, str, str]] = []
        self._parts: list[TextColumns] = []
        self._places: list[np.ndarray] = [np.empty(0, np.int64)]
        self._items: list[np.ndarray] = [np.empty(0, np.int64)]
        self.passed_over = 0
        for docs in chunks(JsonFile(file)):
            self._take(docs)
        self.tickets = together(self._parts)
        self.numbers, self.unreadable = self._numbered()

    def _take(self, docs: pa.Table) -> None:
        with at_hand(self._connection, "docs", docs):
            try:
                are_pages = look_like_json(docs) and self._are_pages()
            except duckdb.InvalidInputException:
                are_pages = False
        if are_pages:
            self._lists_tickets = True
        else:
            docs = self._as_pages(self._mended(docs))
        with at_hand(self._connection, "docs", docs):
            self._note_sides()
            key_lists = listed_keys(self._connection, "tickets")
            if all(keys >= _ESSENTIAL and keys & _REQUESTERS for keys in map(set, key_lists)):
                self._open(key_lists)
                return
            docs, items = self._sifted()
        with at_hand(self._connection, "docs", docs):
            self._open(listed_keys(self._connection, "tickets"), items)

    def _are_pages(self) -> bool:
        """Raises duckdb.InvalidInputException where a document is not JSON."""
        [(are_pages,)] = self._connection.execute(_ARE_PAGES).fetchall()
        return bool(are_pages)

    def _mended(self, docs: pa.Table) -> pa.Table:
        docs, broken = mended(self._connection, docs)
        self._odd += [(place, 0, "this line is not a JSON object", told) for place, told in broken.items()]
        return docs

    def _as_pages(self, docs: pa.Table) -> pa.Table:
        with at_hand(self._connection, "docs", docs):
            pages = self._connection.sql(_PAGES).to_arrow_table()
        self._lists_tickets |= bool(pc.any(pages["lists_tickets"]).as_py())
        self._others |= {*pc.unique(pc.list_flatten(pages["held"])).to_pylist()}
        return parted(pages.select(["place", "doc"]))

    def _note_sides(self) -> None:
        sides = self._connection.sql(_SIDES).to_arrow_table()
        for name, (_, kept) in _SIDE_LOADS.items():
            lists = sides[name].combine_chunks()
            told = lists.flatten()
            if not len(told):
                continue
            places = sides["place"].combine_chunks().take(pc.list_parent_indices(lists))
            ids, texts = told.flatten() if kept else (pa.nulls(len(told), pa.string()), told)
            self._sides[name].append(pa.table([places, ids, texts], schema=_SIDE))

    def _sifted(self) -> tuple[pa.Table, np.ndarray]:
        """(The pages with nothing but tickets in their lists, where in them each of these stood.)"""
        with at_hand(self._connection, "records", self._connection.sql(_RECORDS).to_arrow_table()):
            ask = self._connection.execute
            for place, item, told in ask(
                "SELECT place, item, record::JSON ->> '$' FROM records WHERE NOT is_object"
            ).fetchall():
                self._odd.append((place, item, "a record that is not a JSON object", told or ""))
            self.passed_over += ask(
                "SELECT count(*) FROM records WHERE is_object AND NOT is_ticket"
            ).fetchall()[0][0]
            stood = self._connection.sql("SELECT item FROM records WHERE is_ticket ORDER BY place, item")
            items = stood.to_arrow_table()["item"].to_numpy()
            return parted(self._connection.sql(_SIFTED).to_arrow_table()), items

    def _open(self, key_lists: list[list[str]], items: np.ndarray | None = None) -> None:
        """items: where the tickets stood before others among them were taken out."""
        if not key_lists:
            return
        columns, places, found = open_listed(self._connection, "tickets", key_lists)
        self._parts.append(columns)
        self._places.append(places)
        self._items.append(found if items is None else items)

    def _numbered(self) -> tuple[np.ndarray, list[UnreadableRow]]:
        """Row numbers of the tickets, and what takes a number between them."""
        places = np.concatenate([*self._places, [place for place, *_ in self._odd]])
        items = np.concatenate([*self._items, [item for _, item, *_ in self._odd]])
        numbers = np.empty(len(places), np.int64)
        numbers[np.lexsort((items, places))] = np.arange(1, len(places) + 1)
        tickets = len(places) - len(self._odd)
        unreadable = [
            UnreadableRow(int(number), problem, told[:TEXT_LIMIT])
            for number, (_, _, problem, told) in zip(numbers[tickets:], self._odd, strict=True)
        ]
        return numbers[:tickets], sorted(unreadable, key=lambda row: row.row_number)

    def joined(self) -> pa.Table:
        """What is joined to each ticket, in their order.

        requester, group, submitter and assignee (where they are told by more than an id), is_deleted, csat; and as
        JSON objects custom (custom fields, id -> value) and metric.
        """
        places = pa.array(np.concatenate(self._places))
        nothing = pa.nulls(len(places), pa.string())
        tickets = {name: self.tickets.texts.get(name, nothing) for name in _JOINED_BY}
        with ExitStack() as tables:
            found = pa.table({"n": np.arange(len(places)), "place": places, **tickets})
            tables.enter_context(at_hand(self._connection, "tickets", found))
            for name, parts in self._sides.items():
                side = pa.concat_tables(parts) if parts else _SIDE.empty_table()
                numbered = side.append_column("n", pa.array(np.arange(len(side))))
                tables.enter_context(at_hand(self._connection, name, numbered))
            return self._connection.sql(_joined(self.tickets.objects)).to_arrow_table()

    def refuse_other_records(self) -> None:
        """Raise UnreadableFileError where the file holds other records and no ticket."""
        if not (len(self.numbers) or self._lists_tickets):
            held = ", ".join(sorted(self._others & set(_OTHER_LISTS))) or "other records"
            raise UnreadableFileError(
                f"{self._name}: no Zendesk tickets in it (it holds {held}): deliver ticket exports"
            )
