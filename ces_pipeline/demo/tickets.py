"""Draws the sample's tickets, and writes them as Zendesk and ServiceNow exports.

Every ticket that a response refers to is drawn from that response, so the correct link is known. Other tickets have no
response; some of these are open, some are deleted.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from ces_pipeline.demo.known import Bools, Ints
from ces_pipeline.demo.responses import PHONE, PRODUCTS, Link, Responses
from ces_pipeline.demo.surveys import email, wall_clock
from ces_pipeline.storage.quote import quote_text

ZENDESK, SERVICENOW = "zendesk_support", "servicenow_it"
_PAGE = 100
_REPEATED_A_PAGE = 2
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SECOND_TICKET = 500_000_000
_UNANSWERED = 900_000_000
OPEN, SOLVED, CLOSED, DELETED = 0, 1, 2, 3
"""Last state of a ticket. SOLVED and CLOSED come after a solve, DELETED after the opening."""


def ticket_source(responses: Responses) -> str:
    """The ticket system that a source's answers refer to."""
    return SERVICENOW if responses.source is PHONE else ZENDESK


@dataclass
class Tickets:
    """One array element per ticket. Times are seconds since 1970, UTC. requester, order: numbers; 0: none."""

    number: Ints
    requester: Ints
    order: Ints
    created: Ints
    replied: Ints
    solved: Ints
    end: Ints
    ended: Ints
    product: Ints

    def __len__(self) -> int:
        return len(self.number)

    def take(self, chosen: Bools | Ints) -> "Tickets":
        return Tickets(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


def draw_tickets(responses: Responses, *, last_second: int, seed: list[int]) -> Tickets:
    """The tickets that a chunk's responses refer to, plus one ticket without a response per ten responses.

    last_second: time of the exports. No ticket changes later.
    """
    rng = np.random.default_rng(seed)
    owned = responses.take(responses.owns_ticket)
    both = owned.take(owned.link == Link.AMBIGUOUS)
    drawn = np.arange(len(responses)) % 10 == 3
    others = responses.take(drawn & responses.has_day)
    by_person_only = np.isin(owned.link, (Link.REQUESTER_WINDOW, Link.AMBIGUOUS))

    solved = owned.recorded - rng.integers(_HOUR, 2 * _DAY, len(owned))
    ids = owned.source.number * 1_000_000_000 + owned.row + 1
    first = _assemble(rng, ids, owned, solved)
    first.order[by_person_only] = 0
    second = _assemble(
        rng, ids[owned.link == Link.AMBIGUOUS] + _SECOND_TICKET, both, solved[owned.link == Link.AMBIGUOUS]
    )
    rest = _assemble(
        rng,
        others.source.number * 1_000_000_000 + _UNANSWERED + others.row,
        others,
        others.recorded - rng.integers(_HOUR, 2 * _DAY, len(others)),
    )
    # No respondent requested these tickets.
    rest.requester = rest.number
    rest.order[:] = 0
    # ServiceNow's log contains no deletions.
    gone = 0.2 if ticket_source(responses) == ZENDESK else 0.0
    rest.end = rng.choice([OPEN, SOLVED, DELETED], len(rest), p=[0.3, 0.7 - gone, gone])
    rest.ended = np.where(rest.end == DELETED, rest.solved, rest.ended)

    parts = (first, second, rest)
    tickets = Tickets(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in first.__dataclass_fields__
        }
    )
    closes = (tickets.end == SOLVED) & (tickets.ended <= last_second) & (rng.random(len(tickets)) < 0.7)
    tickets.end[closes] = CLOSED
    return tickets


def _assemble(rng: np.random.Generator, number: Ints, answers: Responses, solved: Ints) -> Tickets:
    n = len(answers)
    created = solved - rng.integers(30 * _MINUTE, 20 * _HOUR, n)
    return Tickets(
        number=number,
        requester=answers.person.copy(),
        order=answers.order.copy(),
        created=created,
        replied=created + rng.integers(2 * _MINUTE, 25 * _MINUTE, n),
        solved=solved,
        end=np.full(n, SOLVED, np.int64),
        ended=solved + 4 * _DAY,
        product=answers.product.copy(),
    )


@dataclass
class Versions:
    """Ticket versions in the order of their export.

    state: the ticket's state in this version (OPEN ... DELETED). repeated: whether the export contains it twice.
    is_scrubbed: a second record of an update, without its texts. is_superseded: an update with a scrubbed record.
    """

    tickets: Tickets
    state: Ints
    updated: Ints
    repeated: Bools
    is_scrubbed: Bools
    is_superseded: Bools


def zendesk_versions(tickets: Tickets) -> Versions:
    """The versions of each ticket's history. The last versions of a page are repeated on the next page."""
    versions = _versions(tickets, _history(tickets))
    index = np.arange(len(versions.state))
    versions.repeated = (index % _PAGE >= _PAGE - _REPEATED_A_PAGE) & (
        index // _PAGE < (len(index) - 1) // _PAGE
    )
    return versions


def servicenow_versions(tickets: Tickets) -> Versions:
    """Versions of an event log. Its times have minute precision, so a ticket has one update per minute at most."""
    rounded = Tickets(
        **{
            name: value // _MINUTE * _MINUTE if name in ("created", "replied", "solved", "ended") else value
            for name, value in vars(tickets).items()
        }
    )
    # Every third open ticket has a note that a wrong clock dated before the opening. It counts as an update.
    wrong = (rounded.end == OPEN) & (rounded.number % 3 == 0)
    return _versions(rounded, [*_history(rounded), (wrong, OPEN, rounded.created - _HOUR, False)])


_Part = tuple[Bools, int, Ints, bool]
"""The tickets that reach a state, the state, the times, and whether these versions are scrubbed records."""


def _history(tickets: Tickets) -> list[_Part]:
    deleted = tickets.end == DELETED
    # Half of the deleted tickets are scrubbed later, which adds a second record of the same update.
    scrubbed = deleted & (tickets.number % 2 == 0)
    return [
        (tickets.end >= OPEN, OPEN, tickets.created, False),
        ((tickets.end >= SOLVED) & ~deleted, SOLVED, tickets.solved, False),
        (tickets.end == CLOSED, CLOSED, tickets.ended, False),
        (deleted, DELETED, tickets.ended, False),
        (scrubbed, DELETED, tickets.ended, True),
    ]


def _versions(tickets: Tickets, parts: list[_Part]) -> Versions:
    place = np.concatenate([np.flatnonzero(has) for has, *_ in parts])
    state = np.concatenate([np.full(int(has.sum()), reached, np.int64) for has, reached, *_ in parts])
    updated = np.concatenate([at[has] for has, _, at, _ in parts])
    again = np.concatenate([np.full(int(has.sum()), is_scrub) for has, _, _, is_scrub in parts])
    order = np.lexsort((again, tickets.number[place], updated))
    place, state, updated, again = place[order], state[order], updated[order], again[order]
    is_scrubbed_later = np.isin(tickets.number[place], tickets.number[place[again]])
    return Versions(
        tickets=tickets.take(place),
        state=state,
        updated=updated,
        repeated=np.zeros(len(place), np.bool_),
        is_scrubbed=again,
        is_superseded=is_scrubbed_later & (state == DELETED) & ~again,
    )


def _table(versions: Versions) -> pa.Table:
    tickets = versions.tickets
    columns = {name: pa.array(getattr(tickets, name)) for name in ("number", "requester", "order", "end")}
    columns |= {
        name: wall_clock(getattr(tickets, name), "UTC") for name in ("created", "replied", "solved", "ended")
    }
    columns["product"] = pa.array(PRODUCTS).take(pa.array(tickets.product))
    columns["state"] = pa.array(versions.state)
    columns["updated"] = wall_clock(versions.updated, "UTC")
    columns["generated_seconds"] = pa.array(versions.updated + versions.is_scrubbed * _HOUR)
    columns["is_scrubbed"] = pa.array(versions.is_scrubbed)
    columns |= {
        f"{name}_seconds": pa.array(getattr(tickets, name)) for name in ("created", "replied", "solved")
    }
    return pa.table(columns)


def _text(parts: list[str]) -> str:
    """SQL that joins texts and expressions. `parts` alternates between them and starts with a text."""
    return (
        "concat("
        + ", ".join(quote_text(part) if at % 2 == 0 else part for at, part in enumerate(parts))
        + ")"
    )


def zendesk_lines(connection: duckdb.DuckDBPyConnection, versions: Versions) -> list[str]:
    """Pages of the cursor-based incremental ticket export, with the users and metric sets of their tickets.

    Python joins the texts to pages, because grouping so many texts in SQL takes three times as long.
    """
    solved = f"state IN ({SOLVED}, {CLOSED})"
    ticket = [
        '{"id":', "number", ',"external_id":', "coalesce('\"ORD-' || nullif(\"order\", 0) || '\"', 'null')",
        ',"via":{"channel":"', "(['email', 'web', 'chat'])[1 + number % 3]", '"},"created_at":"',
        "zulu(created)",
        '","updated_at":"', "zulu(updated)", '","generated_timestamp":', "generated_seconds", ',"subject":"',
        "CASE WHEN is_scrubbed THEN 'SCRUBBED' ELSE 'Question about ' || product END", '","status":"',
        "(['open', 'solved', 'closed', 'deleted'])[1 + state]", '","priority":',
        "(['\"low\"', '\"normal\"', '\"high\"', 'null'])[1 + number % 4]", ',"type":"',
        "(['question', 'incident', 'problem'])[1 + number % 3]", '","requester_id":', "requester",
        ',"group_id":', "1 + number % 4", ',"tags":["', "lower(product)", '"]}',
    ]  # fmt: skip
    metrics = [
        '{"id":', "number + 1", ',"ticket_id":', "number", ',"reopens":', "number % 2", ',"replies":',
        "1 + number % 3", ',"group_stations":', "1 + number % 2", ',"assignee_stations":1,"solved_at":',
        f"CASE WHEN {solved} THEN '\"' || zulu(solved) || '\"' ELSE 'null' END",
        ',"reply_time_in_minutes":{"calendar":',
        f"CASE WHEN {solved} THEN ((replied_seconds - created_seconds) // 60)::VARCHAR ELSE 'null' END",
        ',"business":null},"full_resolution_time_in_minutes":{"calendar":',
        f"CASE WHEN {solved} THEN ((solved_seconds - created_seconds) // 60)::VARCHAR ELSE 'null' END",
        ',"business":null}}',
    ]  # fmt: skip
    user = ['{"id":', "requester", ',"name":"Customer ', "requester", '","email":"', email("requester"), '"}']
    sql = (
        f"SELECT {_text(ticket)} AS ticket, {_text(user)} AS user, {_text(metrics)} AS metrics FROM versions"
    )
    place = np.arange(len(versions.state))
    again = np.flatnonzero(versions.repeated)
    shown = np.concatenate([place, again])
    page = np.concatenate([place // _PAGE, again // _PAGE + 1])
    order = np.lexsort((shown, page))
    shown, page = shown[order], page[order]
    # A page has at most one version of a ticket, because its side-loads do not name the version.
    part = (
        pd.Series(versions.tickets.number[shown]).groupby([page, versions.tickets.number[shown]]).cumcount()
    )
    order = np.lexsort((shown, part, page))
    shown, leaf = shown[order], page[order] * 8 + part.to_numpy()[order]
    starts = np.flatnonzero(np.diff(leaf, prepend=-1))
    records = [column.take(pa.array(shown)).to_pylist() for column in _columns(connection, versions, sql)]
    page_of = (
        '{{"tickets":[{0}],"users":[{1}],"metric_sets":[{2}],'
        '"after_url":"https://example.zendesk.com/api/v2/incremental/tickets/cursor.json?cursor={3}",'
        '"after_cursor":"{3}","before_url":null,"before_cursor":null,"end_of_stream":{4}}}'
    ).format
    return [
        page_of(
            *(",".join(texts[since:until]) for texts in records),
            until,
            "true" if until == len(shown) else "false",
        )
        for since, until in zip(starts.tolist(), [*starts[1:].tolist(), len(shown)], strict=True)
    ]


def servicenow_lines(connection: duckdb.DuckDBPyConnection, versions: Versions) -> list[str]:
    """Rows of an incident event log, one per update. Every row has the final resolve and close times. `?`: no value."""
    final = f'"end" IN ({SOLVED}, {CLOSED})'
    cells = [
        "'INC' || number",
        "(['New', 'Resolved', 'Closed'])[1 + state]",
        f"CASE WHEN state = {CLOSED} THEN 'false' ELSE 'true' END",
        "(number % 3)::VARCHAR",
        "(number % 2)::VARCHAR",
        "(state * 2)::VARCHAR",
        "'Caller ' || requester",
        "clock(created)",
        "clock(updated)",
        "(['Phone', 'Email'])[1 + number % 2]",
        "'Category ' || (1 + number % 20)",
        "(['1 - Critical', '2 - High', '3 - Moderate', '4 - Low'])[1 + number % 4]",
        "CASE WHEN number % 5 = 0 THEN '?' ELSE 'Group ' || (1 + number % 30) END",
        f"CASE WHEN {final} THEN clock(solved) ELSE '?' END",
        f"CASE WHEN \"end\" = {CLOSED} THEN clock(ended) ELSE '?' END",
    ]
    row = " || ',' || ".join(cells)
    lines: list[str] = _columns(connection, versions, f"SELECT {row} AS line FROM versions")[0].to_pylist()
    return lines


SERVICENOW_HEADER = (
    "number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,caller_id,opened_at,sys_updated_at,"
    "contact_type,category,priority,assignment_group,resolved_at,closed_at\n"
)

_MACROS = """
CREATE OR REPLACE TEMP MACRO zulu(wall) AS replace(wall::VARCHAR, ' ', 'T') || 'Z';
CREATE OR REPLACE TEMP MACRO clock(wall) AS strftime(wall, '%-d/%-m/%Y %H:%M');
"""


def _columns(connection: duckdb.DuckDBPyConnection, versions: Versions, sql: str) -> list[pa.ChunkedArray]:
    """The columns of `sql`, which reads the table `versions`. A plain SELECT keeps the order of the rows."""
    connection.execute(_MACROS)
    connection.register("versions", _table(versions))
    try:
        return list(connection.sql(sql).to_arrow_table().columns)
    finally:
        connection.unregister("versions")
