"""Writes the sample's responses in the export format of each survey tool.

One SQL statement per tool converts a chunk's arrays to lines of text. `responses.py` plants the flaws; this module
only decides how each flaw looks in a tool's export.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from ces_pipeline.demo.known import Ints
from ces_pipeline.demo.responses import (
    CHAT,
    COMMENTS,
    DEVICE_TYPES,
    LANGUAGES,
    PHONE,
    PRODUCTS,
    QUALTRICS,
    ZIGPOLL,
    Kind,
    Responses,
)
from ces_pipeline.storage.machine import machine

QUALTRICS_ZONE = "America/New_York"
PHONE_ZONE = "Europe/London"
POLL_ID, UNREGISTERED_POLL_ID = "64f0c2a7e1b2d30012a4c501", "64f0c2a7e1b2d30012a4c5ff"
EASE_SLIDE, COMMENT_SLIDE = "64f0c2a7e1b2d30012a4c511", "64f0c2a7e1b2d30012a4c512"
_EASE_LABELS = ("Very difficult", "Difficult", "Neither easy nor difficult", "Easy", "Very easy")
_QUEUES = ("Billing", "Technik & Geräte", "Café orders")

_MACROS = """
CREATE MACRO cell(text) AS CASE WHEN text IS NULL THEN ''
    WHEN contains(text, ',') OR contains(text, '"') THEN '"' || replace(text, '"', '""') || '"' ELSE text END;
CREATE MACRO iso(wall) AS strftime(wall, '%Y-%m-%dT%H:%M:%S');
CREATE MACRO british(wall) AS strftime(wall, '%-d/%-m/%Y %H:%M:%S');
"""


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory database with the macros of this module's SQL."""
    connection = duckdb.connect(config=machine().duckdb_config(machine().session_mb))
    connection.execute(_MACROS)
    return connection


def email(person: str) -> str:
    """SQL that gives the e-mail address of a person's number; null for 0."""
    return f"CASE WHEN {person} > 0 THEN 'customer.' || {person} || '@example.com' END"


def wall_clock(seconds: Ints, zone: str) -> pa.Array:
    """Seconds since 1970 as wall-clock times of a zone."""
    instants = pd.DatetimeIndex(seconds.astype("datetime64[s]"), tz="UTC")
    return pa.array(instants.tz_convert(zone).tz_localize(None).to_numpy())


def _table(responses: Responses, zone: str) -> pa.Table:
    """The chunk as a table, with wall-clock times of `zone`; null if the answer has no time."""
    timeless = pa.array(responses.kind == Kind.MISSING_TIME)
    columns: dict[str, pa.Array] = {
        name: pa.array(getattr(responses, name))
        for name in ("row", "kind", "duration_seconds", "score", "person", "ticket", "order", "network")
    }
    for name in ("recorded", "submitted", "started"):
        clock = wall_clock(getattr(responses, name), zone)
        columns[name] = pa.compute.if_else(timeless, pa.scalar(None, clock.type), clock)
    for name, words in (("language", LANGUAGES), ("product", PRODUCTS), ("device_type", DEVICE_TYPES)):
        columns[name] = pa.array(words).take(pa.array(getattr(responses, name)))
    columns["comment"] = pa.array([*COMMENTS, None]).take(pa.array(responses.comment % (len(COMMENTS) + 1)))
    columns["position"] = pa.array(np.arange(len(responses)))
    return pa.table(columns)


def _lines(connection: duckdb.DuckDBPyConnection, responses: Responses, zone: str, sql: str) -> list[str]:
    """The column `line` of `sql`, which reads the chunk as `drawn`."""
    address = email("person")
    connection.register("drawn_raw", _table(responses, zone))
    try:
        prepared = (
            f"SELECT * REPLACE (replace(comment, '{{email}}', coalesce({address}, 'me')) AS comment), "
            f"{address} AS email, kind = {Kind.INCOMPLETE:d} AS is_blank, "
            f"kind = {Kind.UNKNOWN_ANSWER:d} AS is_unknown FROM drawn_raw"
        )
        lines: list[str] = (
            connection.sql(f"WITH drawn AS ({prepared}) {sql}").to_arrow_table()["line"].to_pylist()
        )
        return lines
    finally:
        connection.unregister("drawn_raw")


def _row(cells: list[str]) -> str:
    return " || ',' || ".join(cells)


def qualtrics_lines(connection: duckdb.DuckDBPyConnection, responses: Responses) -> list[str]:
    """Data rows of a Qualtrics CSV export with numeric values and local times without an offset."""
    k = Kind
    cells = [
        "coalesce(strftime(started, '%Y-%m-%d %H:%M:%S'), '')",
        "coalesce(strftime(submitted, '%Y-%m-%d %H:%M:%S'), '')",
        f"CASE WHEN kind = {k.TEST:d} THEN (['2', '8', '1'])[1 + row % 3] ELSE '0' END",
        "concat_ws('.', 20 + (network >> 24) % 150, network >> 16 & 255, network >> 8 & 255, network & 255)",
        f"CASE kind WHEN {k.INCOMPLETE:d} THEN '40' WHEN {k.PARTIAL:d} THEN '80' ELSE '100' END",
        "duration_seconds",
        f"CASE WHEN kind IN ({k.INCOMPLETE:d}, {k.PARTIAL:d}) THEN '0' ELSE '1' END",
        "coalesce(strftime(recorded, '%Y-%m-%d %H:%M:%S'), '')",
        "'R_1Q' || printf('%013d', row)",
        "''", "''", "coalesce(email, '')", "''", "''", "''",
        f"CASE WHEN kind = {k.TEST:d} THEN 'preview' ELSE 'email' END",
        "language",
        f"CASE WHEN kind = {k.FAILED_CHECK:d} THEN '2' ELSE '5' END",
        "CASE WHEN is_blank THEN '' WHEN is_unknown THEN 'no idea' ELSE score::VARCHAR END",
        "cell(comment)",
        "CASE WHEN ticket > 0 THEN ticket::VARCHAR ELSE '' END",
        "product",
    ]  # fmt: skip
    return _lines(
        connection, responses, QUALTRICS_ZONE,
        f"SELECT {_row(cells)} AS line FROM drawn ORDER BY position",
    )  # fmt: skip


def zigpoll_lines(connection: duckdb.DuckDBPyConnection, responses: Responses) -> list[str]:
    """Zigpoll answer objects, one per answered slide: the ease question and, half a minute later, the comment."""
    labels = ", ".join(f"'{label}'" for label in _EASE_LABELS)
    poll = f"CASE WHEN kind = {Kind.UNREGISTERED:d} THEN '{UNREGISTERED_POLL_ID}' ELSE '{POLL_ID}' END"
    metadata = (
        "struct_pack(url := 'https://shop.example.com/checkout', email := email, "
        'order_id := CASE WHEN "order" > 0 THEN \'ORD-\' || "order" END)'
    )

    def answer(slide: str, at: str, text: str, value_type: str, where: str, number: int) -> str:
        return (
            f"SELECT position, {number} AS slide, to_json(struct_pack(_id := printf('%d-%d', {number}, row), "
            f"participantId := 'p' || person, pollId := {poll}, slideId := '{slide}', "
            f"createdAt := iso({at}) || '.000Z', response := {text}, valueType := '{value_type}', "
            f"answers := [{text}], metadata := {metadata})) AS line FROM drawn WHERE {where}"
        )

    ease = answer(
        EASE_SLIDE, "recorded - INTERVAL 30 SECONDS",
        f"CASE WHEN kind = {Kind.UNKNOWN_ANSWER:d} THEN 'Not sure' ELSE ([{labels}])[score] END",
        "vote", f"kind <> {Kind.INCOMPLETE:d}", 1,
    )  # fmt: skip
    comment = answer(COMMENT_SLIDE, "recorded", "comment", "dynamic-response", "comment IS NOT NULL", 2)
    return _lines(
        connection, responses, "UTC",
        f"SELECT line::VARCHAR AS line FROM ({ease} UNION ALL {comment}) ORDER BY position DESC, slide DESC",
    )  # fmt: skip


def chat_lines(connection: duckdb.DuckDBPyConnection, responses: Responses) -> list[str]:
    """One JSON object per rating. Some lines are repeated, some are cut off."""
    record = (
        "struct_pack(id := printf('chat_%09d', row), "
        "user := struct_pack(email := email), "
        "ticket := CASE WHEN ticket > 0 THEN ticket::VARCHAR END, "
        f"rating := CASE WHEN kind <> {Kind.INCOMPLETE:d} THEN score END, comment := comment, "
        "started_at := iso(started) || '+00:00', submitted_at := iso(submitted) || '+00:00', "
        "device_id := printf('%016x', network * 7919), device_type := device_type, "
        "page := '/help/' || lower(product), product := product)"
    )
    return _lines(
        connection, responses, "UTC",
        f"SELECT CASE WHEN kind = {Kind.UNREADABLE:d} THEN left(text, 40) ELSE text END AS line FROM "
        f"(SELECT kind, position, to_json({record})::VARCHAR AS text, "
        f"unnest(range(CASE WHEN kind = {Kind.REPEATED:d} THEN 2 ELSE 1 END)) AS copy FROM drawn) "
        "ORDER BY position, copy",
    )  # fmt: skip


def phone_lines(connection: duckdb.DuckDBPyConnection, responses: Responses) -> list[str]:
    """Data rows of a telephone system's CSV, with British local times. Some rows have too many cells.

    Callers with less effort are mostly more satisfied, and recommend more. One of thirty says the contrary.
    """
    eased = f"CASE WHEN person % 30 = 7 THEN score ELSE {PHONE.scale_max + 1} - score END"
    hung_up = "is_blank OR is_unknown"
    queues = ", ".join(f"'{queue}'" for queue in _QUEUES)
    cells = [
        "printf('CALL_%09d', row)",
        "CASE WHEN person > 0 THEN '+44 ' || person ELSE '' END",
        f"([{queues}])[1 + row % {len(_QUEUES)}]",
        "CASE WHEN ticket > 0 THEN 'INC' || ticket ELSE '' END",
        "british(started)",
        "british(submitted)",
        "CASE WHEN is_blank THEN '' WHEN is_unknown THEN '#' ELSE score::VARCHAR END",
        f"CASE WHEN {hung_up} THEN '' ELSE greatest(1, least(5, {eased} + person % 3 - 1))::VARCHAR END",
        f"CASE WHEN {hung_up} THEN '' ELSE greatest(0, least(10, 2 * ({eased}) + person % 4 - 1))::VARCHAR END",
    ]
    return _lines(
        connection, responses, PHONE_ZONE,
        f"SELECT {_row(cells)} || CASE WHEN kind = {Kind.UNREADABLE:d} THEN ',,transferred' "
        "ELSE '' END AS line FROM drawn ORDER BY position",
    )  # fmt: skip


def _qualtrics_header() -> str:
    zone = {"timeZone": QUALTRICS_ZONE}
    columns: list[tuple[str, str, dict[str, str]]] = [
        ("StartDate", "Start Date", {"ImportId": "startDate", **zone}),
        ("EndDate", "End Date", {"ImportId": "endDate", **zone}),
        ("Status", "Response Type", {"ImportId": "status"}),
        ("IPAddress", "IP Address", {"ImportId": "ipAddress"}),
        ("Progress", "Progress", {"ImportId": "progress"}),
        ("Duration (in seconds)", "Duration (in seconds)", {"ImportId": "duration"}),
        ("Finished", "Finished", {"ImportId": "finished"}),
        ("RecordedDate", "Recorded Date", {"ImportId": "recordedDate", **zone}),
        ("ResponseId", "Response ID", {"ImportId": "_recordId"}),
        ("RecipientLastName", "Recipient Last Name", {"ImportId": "recipientLastName"}),
        ("RecipientFirstName", "Recipient First Name", {"ImportId": "recipientFirstName"}),
        ("RecipientEmail", "Recipient Email", {"ImportId": "recipientEmail"}),
        ("ExternalReference", "External Data Reference", {"ImportId": "externalDataReference"}),
        ("LocationLatitude", "Location Latitude", {"ImportId": "locationLatitude"}),
        ("LocationLongitude", "Location Longitude", {"ImportId": "locationLongitude"}),
        ("DistributionChannel", "Distribution Channel", {"ImportId": "distributionChannel"}),
        ("UserLanguage", "User Language", {"ImportId": "userLanguage"}),
        ("Q1", "So that we know you are reading:\nplease choose Somewhat agree.", {"ImportId": "QID1"}),
        (
            "Q2",
            "To what extent do you agree?\nThe company made it easy\nto handle my issue.",
            {"ImportId": "QID2"},
        ),
        ("Q3", "Is there anything you would like to add?", {"ImportId": "QID3_TEXT"}),
        ("ticket_id", "ticket_id", {"ImportId": "ticket_id"}),
        ("product", "product", {"ImportId": "product"}),
    ]

    def row(cells: list[str]) -> str:
        return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)

    names, texts, imports = zip(*columns, strict=True)
    return "\n".join(
        (",".join(names), row(list(texts)), row([json.dumps(ids, separators=(",", ":")) for ids in imports]))
    )


@dataclass(frozen=True)
class Tool:
    """The export format of a source. header, footer: text around the lines. separator: text between them."""

    lines: Callable[[duckdb.DuckDBPyConnection, Responses], list[str]]
    file_name: str
    header: str = ""
    footer: str = ""
    separator: str = "\n"
    encoding: str = "utf-8"

    def write(self, path: Path, lines: list[str]) -> None:
        """Write an export with these lines."""
        text = f"{self.header}{self.separator.join(lines)}{self.footer}"
        path.write_bytes(text.encode(self.encoding))


TOOLS: dict[str, Tool] = {
    QUALTRICS.source_id: Tool(
        qualtrics_lines, "support_case_solved_{}.csv", header=_qualtrics_header() + "\n", footer="\n"
    ),
    ZIGPOLL.source_id: Tool(
        zigpoll_lines,
        "responses_{}.json",
        header='{"data":[',
        footer='],"hasNextPage":false}\n',
        separator=",\n",
    ),
    CHAT.source_id: Tool(chat_lines, "ratings_{}.jsonl", footer="\n"),
    PHONE.source_id: Tool(
        phone_lines,
        "ivr_{}.csv",
        header="call_id,caller,queue,incident,started,ended,keypress,satisfaction,recommend\n",
        footer="\n",
        encoding="cp1252",
    ),
}
"""Source id -> its tool."""
