"""Zendesk tickets as JSON: pages of the incremental export, ticket lists, single tickets, recorded exchanges.

Side-loaded users, groups, metric sets and satisfaction ratings of a page are joined into its tickets here.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property

import duckdb
import pyarrow as pa

from ces_pipeline.registry.models import Source
from ces_pipeline.sources.contract import ROW_NUMBER, Export, Reader, map_columns, pick_columns
from ces_pipeline.sources.delimited import unique_names
from ces_pipeline.sources.files import DeliveredFile
from ces_pipeline.sources.json_records import names_in_head
from ces_pipeline.sources.json_tables import Leaves, Structure, structure_of, workspace
from ces_pipeline.sources.zendesk_pages import JOINED, Pages
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
# What `read_zendesk` puts into a ticket itself; `fields` is a copy of custom_fields.
_OWN = ("fields", "custom_fields", "metric_set", "handoffs", "csat", "requester", "group", "is_deleted")
_BATCH_ROWS = 5_000
_BLOCKS_AT_ONCE = 4


def read_zendesk(file: DeliveredFile, _source: Source | None) -> Export:
    """Tickets of all pages, in order; overlapping pages repeat a ticket, which is left to landing.

    `version` is generated_timestamp, which also moves where updated_at does not (deletion, scrubbing).
    `handoffs` is stations less the first, of agents or groups, whichever is more. `csat` is `good` or `bad`,
    blank while unrated. `requester` is the e-mail where any page names it, else the id.
    Raises UnreadableFileError where the file holds other Zendesk records and no ticket.
    """
    with ExitStack() as open_things:
        connection = open_things.enter_context(workspace())
        pages = Pages(file, connection)
        pages.refuse_other_records()
        tickets = _Tickets(file.name, connection, pages.blocks)
        columns = tickets.columns()
        export = Export(columns=unique_names(list(columns)), batches=iter(()))
        export.unreadable += pages.unreadable
        if not columns:
            export.notes.append("no records: no rows")
        if pages.passed_over:
            export.notes.append(f"{pages.passed_over:,} records that are not tickets were passed over")
        export.mapping = map_columns(export.columns, _FIELDS)
        export.people = pick_columns(export.columns, _PEOPLE)
        export.time_zone = "UTC"
        if columns:
            export.batches = _closing(open_things.pop_all(), tickets.batches(columns, export.columns))
    return export


def _closing(open_things: ExitStack, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    with open_things:
        yield from batches


class _Tickets:
    """The tickets in blocks of pages, as columns of text."""

    def __init__(self, name: str, connection: duckdb.DuckDBPyConnection, blocks: pa.Table):
        self._name, self._connection, self._blocks = name, connection, blocks
        batches = blocks.to_batches(max_chunksize=_BLOCKS_AT_ONCE)
        # DuckDB gives each of its threads a batch.
        connection.register("blocks", pa.Table.from_batches(batches, blocks.schema))

    def columns(self) -> dict[str, str]:
        """Column -> SQL over the query of `batches`; none where there are no tickets."""
        if not len(self._blocks):
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
        metric = self._leaves["metric"].columns("metric")
        return f"try_cast({metric.get(f'{whose}_stations', 'NULL')} AS BIGINT)"

    @cached_property
    def _leaves(self) -> dict[str, Leaves]:
        """The values of each of the three objects that a ticket is made of."""
        return {
            "listed": Leaves.of(self._structure("listed", "structure"), self._name, _OWN),
            **{name: Leaves.of(self._structure(_listed(name)), self._name) for name in ("custom", "metric")},
        }

    def _structure(self, listed: str, structure: str = "") -> Structure:
        place = f"{ROW_NUMBER}[1]"
        return structure_of(
            self._connection,
            f"SELECT {place}, {structure or f'json_structure({listed})'} FROM blocks",
            f"SELECT {place}, {listed} FROM blocks",
        )

    def batches(self, columns: dict[str, str], names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        """The tickets' columns under these names, with row numbers, in order."""
        chosen = ", ".join(
            f"{sql} AS {quote_name(name)}" for name, sql in zip(names, columns.values(), strict=True)
        )
        joined = ", ".join(f'unnest("{name}") AS "{name}"' for name in JOINED)
        opened = ", ".join(f"{self._leaves[name].opened(name)} AS {name}" for name in ("custom", "metric"))
        tickets = self._leaves["listed"].opened("listed", in_list=True)
        yield from self._connection.sql(
            f"""
            SELECT {chosen}, {ROW_NUMBER}
            FROM (
                SELECT * REPLACE ({opened})
                FROM (SELECT unnest({tickets}) AS listed, {joined} FROM blocks)
            )
            """
        ).to_arrow_reader(_BATCH_ROWS)


def _listed(name: str) -> str:
    return f"'[' || coalesce(array_to_string({name}, ','), '') || ']'"


def _recognises(file: DeliveredFile) -> int:
    names = names_in_head(file)
    if not {"status", "requester_id", "via"} <= names:
        return 0
    return 97 if {"tickets", "generated_timestamp", "brand_id", "custom_status_id"} & names else 70


ZENDESK_JSON = Reader(
    name="zendesk_json", title="Zendesk tickets", kind="tickets", read=read_zendesk, recognises=_recognises
)
