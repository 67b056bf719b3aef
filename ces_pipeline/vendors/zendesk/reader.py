"""Reads Zendesk tickets from JSON: pages of the incremental export, ticket lists, single tickets, recorded exchanges,
and the file that an administrator exports (one ticket per line, with its people as objects).

The side-loaded users, groups, metric sets and satisfaction ratings of a page are joined to its tickets.
"""

import duckdb
import pyarrow as pa

from ces_pipeline.errors import MemoryLimitError, UnreadableFileError
from ces_pipeline.formats.contract import ROW_NUMBER, Export, Reader, map_columns, pick_columns
from ces_pipeline.formats.delimited import unique_names
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.json_records import names_in_head
from ces_pipeline.formats.json_tables import flattened, open_texts, registered, workspace
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.zendesk.pages import PEOPLE, Pages

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
    "merged_into": ("merged_into",),
    "tags": ("tags",),
}
_PEOPLE = (
    *PEOPLE,
    "requester_id",
    "submitter_id",
    "assignee_id",
    "recipient",
    "collaborators",
    "followers",
    "email_ccs",
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
# Keys that `read_zendesk` replaces or leaves out: `fields` is a copy of custom_fields, and no figure needs `comments`.
_OWN = (
    "fields",
    "comments",
    "custom_fields",
    "metric_set",
    "handoffs",
    "csat",
    "group",
    "is_deleted",
    *PEOPLE,
)
_ZENDESKS_OWN = {"tickets", "generated_timestamp", "brand_id", "custom_status_id", "ticket_form_id"}
_BATCH_ROWS = 10_000


def read_zendesk(file: DeliveredFile, _source: Source | None) -> Export:
    """The tickets of all pages, in order. Overlapping pages repeat tickets; landing drops the copies.

    A ticket that was merged has the tag `closed_by_merge`; the system names the surviving one only in a comment.

    `version` is generated_timestamp, which also changes when updated_at does not (deletion, scrubbing). `handoffs` is
    the number of stations minus one, of agents or of groups, the larger of the two, null without metrics. `csat` is
    `good` or `bad`, blank if unrated. `requester` is the e-mail if any page has it, else the id; so are `submitter`
    and `assignee` if a ticket has more of them than ids. Nothing else about people is kept, and no comments.
    Raises UnreadableFileError if the file holds other Zendesk records and no ticket, or more than fits in memory.
    """
    try:
        with workspace() as connection:
            pages = Pages(file, connection)
            pages.refuse_other_records()
            columns = _columns(pages, connection, file.name) if len(pages.numbers) else {}
    except MemoryLimitError as problem:
        raise UnreadableFileError(f"{file.name}: {problem}; or deliver it in parts") from None
    export = Export(columns=unique_names(list(columns)), batches=iter(()))
    export.unreadable += pages.unreadable
    if not columns:
        export.notes.append("no records: no rows")
    if pages.passed_over:
        export.skipped = pages.passed_over
        export.doubts.append(f"{pages.passed_over:,} records were skipped: they are not tickets")
        export.notes += export.doubts
    export.mapping = map_columns(export.columns, _FIELDS)
    export.people = pick_columns(export.columns, _PEOPLE)
    export.time_zone = "UTC"
    if columns:
        rows = pa.table([*columns.values(), pages.numbers], names=[*export.columns, ROW_NUMBER])
        export.batches = iter(rows.combine_chunks().to_batches(_BATCH_ROWS))
    return export


def _columns(pages: Pages, connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, pa.ChunkedArray]:
    """Column -> its texts."""
    joined = pages.joined()
    metric, custom = (
        flattened(connection, open_texts(connection, joined[objects]), name, f"{prefix}.")
        for objects, prefix in (("metric", "metric_set"), ("custom", "custom_fields"))
    )
    return {
        **flattened(connection, pages.tickets.without(_OWN), name),
        **custom,
        **metric,
        "handoffs": _handoffs(connection, metric, len(joined)),
        **{column: joined[column] for column in ("csat", "requester", "group", "is_deleted")},
        **{person: joined[person] for person in PEOPLE if person in pages.tickets.texts},
    }


def _handoffs(
    connection: duckdb.DuckDBPyConnection, metric: dict[str, pa.ChunkedArray], rows: int
) -> pa.ChunkedArray:
    nothing = pa.nulls(rows, pa.string())
    stations = {whose: metric.get(f"metric_set.{whose}_stations", nothing) for whose in ("assignee", "group")}
    most = 'greatest(try_cast(assignee AS BIGINT), try_cast("group" AS BIGINT))'
    with registered(connection, "stations", pa.table(stations)):
        table = connection.sql(
            f"SELECT CASE WHEN {most} IS NOT NULL THEN greatest({most} - 1, 0)::VARCHAR END AS handoffs FROM stations"
        ).to_arrow_table()
    return table["handoffs"]


def _recognises(file: DeliveredFile) -> int:
    names = names_in_head(file)
    if not {"status", "via"} <= names or not ("requester_id" in names or {"requester", "submitter"} <= names):
        return 0
    return 97 if _ZENDESKS_OWN & names else 70


ZENDESK_JSON = Reader(
    name="zendesk_json",
    title="Zendesk tickets",
    kind="tickets",
    read=read_zendesk,
    recognises=_recognises,
    reads_json_lines=True,
)
