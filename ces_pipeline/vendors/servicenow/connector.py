"""Pulls the rows of a ServiceNow task table in the order of their changes, with assessment results joined.

Pages are JSON Lines for the reader `servicenow`. They hold stored values, since displayed values are in the zone and
language of the API's user; times get their zone, UTC. An assessment does not change the row itself, so `version` grows
with each assessment. A deleted row disappears from its table; if the user may read the instance's record of deletions,
each deletion becomes a last version of its row with the state `deleted`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ces_pipeline.http.client import Http, HttpResponse
from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import Connector, Finding, Page, State, Window, json_lines

_DEFAULT_SIZE = 1000
_IDS_AT_ONCE = 100
"""Ids in one query: a URL of about 4,000 characters, which every server accepts."""
_ATTEMPTS = 6
_OVERLAP = timedelta(minutes=10)
"""A transaction shows up with a time before its end, up to so much later: the newest minutes are read again."""
_FIELDS = (
    "sys_id",
    "number",
    "correlation_id",
    "state",
    "priority",
    "category",
    "contact_type",
    "business_service",
    "business_service.name",
    "caller_id",
    "caller_id.email",
    "assignment_group",
    "assignment_group.name",
    "opened_at",
    "resolved_at",
    "closed_at",
    "reopen_count",
    "reassignment_count",
    "sys_created_on",
    "sys_updated_on",
    "sys_mod_count",
)
_LABELLED = ("assignment_group", "business_service")
_INSTANCES = "asmt_assessment_instance"
_INSTANCE_FIELDS = ("sys_id", "trigger_id", "task_id", "state", "taken_on", "sys_updated_on")
_COMPLETE = "state=complete"
_RESULTS = "asmt_metric_result"
_RESULT_FIELDS = ("sys_id", "instance", "metric", "actual_value")
_TEXT_ANSWER = "-1"
_DELETIONS = "sys_audit_delete"
_DELETION_FIELDS = ("sys_id", "tablename", "documentkey", "display_value", "sys_updated_on")
_LAST_VERSION = "999999999"
"""Greater than any version of a row: the sys_mod_count of a deleted row is not known."""
_FOLLOWED = (
    *("sys_id", "sys_updated_on", "number", "state", "trigger_id", "task_id", "instance", "metric"),
    *("tablename", "documentkey", "display_value"),
)
"""Columns without which changes cannot be followed or rows cannot be identified, if they are requested."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_NAME = re.compile(r"[a-z][a-z0-9_.]*")

Row = dict[str, Any]
Fits = Callable[[Row], bool]


class ServiceNow(Connector):
    """Incidents, or the rows of another task table, in the order of their changes.

    Rows are read in the order of (sys_updated_on, sys_id): first the rest of a second, then the later seconds. An
    instance silently ignores a part of a query that it does not understand, so every row is checked against the query.
    """

    name = "servicenow"
    readers = ("servicenow",)
    counts = "rows that are not deleted"
    counted_how = "count"
    counts_deleted = False
    options = {  # noqa: RUF012 - a ClassVar of the base
        "table": "the table; incident by default",
        "fields": "list of more columns to request, such as u_ces_score",
        "assessments": "column of ours -> sys_id of the assessment question (asmt_metric) whose score it holds; "
        "also map columns version: version",
        "deletions": "true: also read deleted rows from sys_audit_delete, for which the user needs read access",
    }

    def check(self, api: Api) -> None:
        _Settings.of(api)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Changed rows; then rows with a new assessment and no other change; then deleted rows.

        If the deletions are refused, all other rows still come first; RefusedError is raised at the end.
        """
        client = _TableClient(http, _Settings.of(api))
        first = _Checkpoint(_stored_time(datetime.combine(api.since, time.min, UTC) - timedelta(seconds=1)))
        latest = _Checkpoint(_stored_time(now - _OVERLAP))
        pulled: set[str] = set()
        walk = _Walk.of(state.get("rows"), first)
        newest_saved = max(walk.checkpoint, latest)
        for rows in _changed(client, client.settings.table, client.settings.fields, walk):
            if client.settings.metrics:
                pulled |= {row["sys_id"] for row in rows}
            state = {**state, "rows": min(newest_saved, walk.checkpoint).state}
            yield Page(json_lines(*client.records(rows)), len(rows), state)
        if client.settings.metrics:
            for page in self._assessed_rows(client, state, first, latest, pulled):
                state = page.state
                yield page
        if client.settings.deletions:
            yield from self._deleted_rows(client, state, first, latest)

    def _assessed_rows(
        self,
        client: "_TableClient",
        state: State,
        first: "_Checkpoint",
        latest: "_Checkpoint",
        pulled: set[str],
    ) -> Iterator[Page]:
        """Rows assessed since the last pull, without those in `pulled`."""
        walk = _Walk.of(state.get("assessments"), first)
        newest_saved = max(walk.checkpoint, latest)
        for instances in _changed(client, _INSTANCES, _INSTANCE_FIELDS, walk, _COMPLETE):
            ids = {instance[key] for instance in instances for key in ("trigger_id", "task_id")}
            rows = [row for part in _parts(ids - {"", *pulled}) for row in client.rows_by("sys_id", part)]
            state = {**state, "assessments": min(newest_saved, walk.checkpoint).state}
            yield Page(json_lines(*client.records(rows)), len(rows), state)

    def _deleted_rows(
        self, client: "_TableClient", state: State, first: "_Checkpoint", latest: "_Checkpoint"
    ) -> Iterator[Page]:
        """Rows deleted since the last pull, by their former number."""
        walk = _Walk.of(state.get("deletions"), first)
        newest_saved = max(walk.checkpoint, latest)
        table = client.settings.table
        for deletions in _changed(client, _DELETIONS, _DELETION_FIELDS, walk, f"tablename={table}"):
            state = {**state, "deletions": min(newest_saved, walk.checkpoint).state}
            records = [
                _deleted(deletion, bool(client.settings.metrics))
                for deletion in deletions
                if deletion.get("display_value")
            ]
            yield Page(json_lines(*records), len(records), state)

    def counted_by(self, api: Api) -> str:
        return "sys_updated_on"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """X-Total-Count of each window; it also counts rows that the user may not see."""
        client = _TableClient(http, _Settings.of(api))
        return [self._expected(client, window) for window in windows]

    def _expected(self, client: "_TableClient", window: Window) -> int | None:
        since, until = _stored_time(window.since), _stored_time(window.until)
        query = f"sys_updated_on>={since}^sys_updated_on<{until}"
        result = client.query(
            client.settings.table,
            query,
            ("sys_id", "sys_updated_on"),
            lambda row: since <= row["sys_updated_on"] < until,
            1,
        )
        return int(result.total) if result.total is not None and result.total.isdecimal() else None

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether the table's columns may be read, filters work, and assessments and deletions may be read."""
        client = _TableClient(http, _Settings.of(api))
        columns = client.settings.fields
        rows = client.query(client.settings.table, "ORDERBYDESCsys_updated_on", columns, _always, 1).rows
        yield Finding(True, f"{client.settings.table} may be read{'' if rows else ', but shows no row'}")
        absent = [column for column in columns if rows and "." not in column and column not in rows[0]]
        if absent:
            yield Finding(
                False,
                f"columns that are missing or may not be read: {', '.join(absent)}: grant read access to them, or "
                "remove them from api.options.fields",
            )
        client.query(client.settings.table, "sys_updated_on>9999-01-01 00:00:00", ("sys_id",), _never, 1)
        yield Finding(True, "filters on sys_updated_on work")
        also = [(_INSTANCES, _INSTANCE_FIELDS), (_RESULTS, _RESULT_FIELDS)] if client.settings.metrics else []
        if client.settings.deletions:
            also.append((_DELETIONS, _DELETION_FIELDS))
        for table, fields in also:
            rows = client.query(table, "", fields, _always, 1).rows
            yield Finding(
                bool(rows), f"{table} {'may be read' if rows else 'shows no row: grant read access'}"
            )


@dataclass(frozen=True, order=True)
class _Checkpoint:
    """The last row read: `sys_id` in the second `updated_on`; without a sys_id, all rows of that second."""

    updated_on: str
    # Sorts after every sys_id, since these are hexadecimal digits.
    sys_id: str = "~"

    @property
    def state(self) -> dict[str, str]:
        return {"updated_on": self.updated_on, "sys_id": self.sys_id}

    @property
    def is_within_second(self) -> bool:
        return self.sys_id != "~"


@dataclass
class _Walk:
    """How far a table has been read."""

    checkpoint: _Checkpoint

    @classmethod
    def of(cls, state: Any, first: _Checkpoint) -> "_Walk":
        return cls(_Checkpoint(state["updated_on"], state["sys_id"]) if state else first)


def _changed(
    client: "_TableClient", table: str, fields: Sequence[str], walk: _Walk, condition: str = ""
) -> Iterator[list[Row]]:
    """Rows after the walk's checkpoint that meet the condition (`column=value`), in the order of change.

    The walk's checkpoint moves on with each list of rows.
    """
    column, _, value = condition.partition("=")
    before = f"{condition}^" if condition else ""
    while True:
        last = walk.checkpoint
        if last.is_within_second:
            query = f"{before}sys_updated_on={last.updated_on}^sys_id>{last.sys_id}^ORDERBYsys_id"
        else:
            query = f"{before}sys_updated_on>{last.updated_on}^ORDERBYsys_updated_on^ORDERBYsys_id"

        def fits(row: Row, last: _Checkpoint = last) -> bool:
            is_in_second = row["sys_updated_on"] == last.updated_on or not last.is_within_second
            return is_in_second and _checkpoint_of(row) > last and (not column or row[column] == value)

        result = client.query(table, query, fields, fits)
        checkpoints = [_checkpoint_of(row) for row in result.rows]
        if checkpoints != sorted(checkpoints):
            raise BadResponseError(
                f"{table} ignores ORDERBY, so changes cannot be followed: check api.base_url"
            )
        if result.rows:
            walk.checkpoint = checkpoints[-1]
        if not result.more and last.is_within_second:
            walk.checkpoint = _Checkpoint(last.updated_on)
        if result.rows:
            yield result.rows
        if not result.more and not last.is_within_second:
            return


@dataclass(frozen=True)
class _QueryResult:
    """Rows of one query. more: whether there may be more rows. total: X-Total-Count."""

    rows: list[Row]
    more: bool
    total: str | None


@dataclass(frozen=True)
class _Settings:
    """api.options, checked. metrics: sys_id of a question -> our column. deletions: whether to read deletions."""

    table: str
    fields: tuple[str, ...]
    metrics: dict[str, str]
    deletions: bool
    size: int

    @classmethod
    def of(cls, api: Api) -> "_Settings":
        """Raises ValueError if an option is not as `ServiceNow.options` describes it."""
        table, more = str(api.options.get("table", "incident")), api.options.get("fields", [])
        metrics = api.options.get("assessments", {})
        if not isinstance(more, list | tuple) or not all(
            _NAME.fullmatch(str(name)) for name in (table, *more)
        ):
            raise ValueError("options: `table` must be a table's name, and `fields` a list of column names")
        if not isinstance(metrics, dict) or not all(str(metric).isalnum() for metric in metrics.values()):
            raise ValueError("options.assessments: must be `column of ours: sys_id of the question`")
        deletions = api.options.get("deletions", False)
        if not isinstance(deletions, bool):
            raise ValueError("options.deletions: must be true or false")
        fields = tuple(dict.fromkeys((*_FIELDS, *more)))
        by_id = {str(metric): str(column) for column, metric in metrics.items()}
        return cls(table, fields, by_id, deletions, api.page_size or _DEFAULT_SIZE)


@dataclass(frozen=True)
class _TableClient:
    """The Table API's queries for one source."""

    http: Http
    settings: _Settings

    def query(
        self, table: str, query: str, fields: Sequence[str], fits: Fits, limit: int | None = None
    ) -> _QueryResult:
        """The rows of a query, all of which must pass `fits`.

        ServiceNow removes rows that the user may not see after it has applied the limit: a page may be short, or even
        empty, although more rows follow. Empty pages are skipped. Raises BadResponseError if rows do not fit.
        """
        limit, offset = limit or self.settings.size, 0
        while True:
            params = {
                "sysparm_query": query or None,
                "sysparm_fields": ",".join(fields),
                "sysparm_limit": limit,
                "sysparm_offset": offset or None,
                "sysparm_display_value": "false",
                "sysparm_exclude_reference_link": "true",
            }
            response, rows = self._fitting(table, params, fits)
            has_next = 'rel="next"' in response.headers.get("link", "")
            if rows or not has_next:
                more = has_next or len(rows) >= limit
                return _QueryResult(rows, more, response.headers.get("x-total-count"))
            offset += limit

    def _fitting(self, table: str, params: dict[str, Any], fits: Fits) -> tuple[HttpResponse, list[Row]]:
        path, is_complete = f"/api/now/table/{table}", False
        for _ in range(_ATTEMPTS):
            response = self.http.get(path, params, accept=(404,))
            if response.status == 404:
                if not _says_no_record(response):
                    raise RefusedError(f"there is no table {table}: check api.options.table", 404)
                return response, []
            # A query that runs too long returns some rows and an error, with status 200.
            is_complete = isinstance(response.data, dict) and "error" not in response.data
            if not is_complete:
                continue
            rows = _rows(response, table, params["sysparm_fields"].split(","))
            if all(map(fits, rows)):
                return response, rows
        if not is_complete:
            raise UnavailableError(f"{table} ends in an error again and again: set a smaller api.page_size")
        raise BadResponseError(
            f"{table} returned rows that do not match the query: the instance ignores a part of it. Give the user "
            "read access to sys_updated_on and sys_id, and set glide.invalid_query.returns_no_rows to true"
        )

    def rows_by(self, column: str, ids: Sequence[str]) -> Iterator[Row]:
        """Rows of the source's table by ids in a column."""
        return self._by_key(
            self.settings.table,
            f"{column}IN{','.join(ids)}",
            self.settings.fields,
            lambda row: row[column] in ids,
        )

    def _by_key(self, table: str, query: str, fields: Sequence[str], fits: Fits) -> Iterator[Row]:
        last, more = "", True
        while more:
            after = f"^sys_id>{last}" if last else ""
            result = self.query(
                table,
                f"{query}{after}^ORDERBYsys_id",
                fields,
                lambda row, last=last: row["sys_id"] > last and fits(row),  # type: ignore[misc]
            )
            yield from result.rows
            more = result.more and bool(result.rows)
            last = max((row["sys_id"] for row in result.rows), default=last)

    def records(self, rows: Sequence[Row]) -> list[Row]:
        """The records to land: the rows with their assessments."""
        assessed = self._assessed([row["sys_id"] for row in rows]) if self.settings.metrics else {}
        return [self._record(row, assessed.get(row["sys_id"])) for row in rows]

    def _record(self, row: Row, assessment: "_Assessment | None") -> Row:
        record: Row = dict(row)
        email = record.pop("caller_id.email", None)
        record["caller_id"] = email or record.get("caller_id", "")
        for name in _LABELLED:
            label = record.pop(f"{name}.name", None)
            if label:
                record[name] = {"value": record.get(name, ""), "display_value": label}
        for name, value in record.items():
            if isinstance(value, str) and _TIME.fullmatch(value):
                record[name] = f"{value.replace(' ', 'T')}Z"
        if self.settings.metrics:
            scores = assessment.scores if assessment else {}
            record |= {column: scores.get(metric) for metric, column in self.settings.metrics.items()}
            count, seconds = record.get("sys_mod_count") or "0", assessment.seconds if assessment else 0
            record["version"] = f"{count}.{seconds:010d}"
        return record

    def _assessed(self, ids: Sequence[str]) -> dict[str, "_Assessment"]:
        """sys_id of a row -> its newest complete assessment."""
        newest: dict[str, _Assessment] = {}
        for part in _parts(ids):
            wanted, listed = set(part), ",".join(part)
            instances = list(
                self._by_key(
                    _INSTANCES,
                    f"{_COMPLETE}^trigger_idIN{listed}^ORtask_idIN{listed}",
                    _INSTANCE_FIELDS,
                    lambda row, wanted=wanted: (
                        row["state"] == "complete"  # type: ignore[misc]
                        and bool({row["trigger_id"], row["task_id"]} & wanted)
                    ),
                )
            )
            scores = self._scores_of([instance["sys_id"] for instance in instances])
            for instance in instances:
                if found := scores.get(instance["sys_id"]):
                    has_time = _TIME.fullmatch(instance.get("taken_on") or "")
                    taken_on = instance["taken_on"] if has_time else instance["sys_updated_on"]
                    assessment = _Assessment(taken_on, instance["sys_id"], found)
                    for row_id in {instance["trigger_id"], instance["task_id"]} & wanted:
                        newest[row_id] = max(newest.get(row_id, assessment), assessment, key=_Assessment.age)
        return newest

    def _scores_of(self, instances: Sequence[str]) -> dict[str, dict[str, str]]:
        """Instance -> question -> score, for the questions in `settings.metrics`."""
        scores: dict[str, dict[str, str]] = {}
        for part in _parts(instances):
            results = self._by_key(
                _RESULTS,
                f"instanceIN{','.join(part)}^metricIN{','.join(self.settings.metrics)}",
                _RESULT_FIELDS,
                lambda row, part=part: row["instance"] in part and row["metric"] in self.settings.metrics,  # type: ignore[misc]
            )
            for result in results:
                # -1 marks a text answer.
                if result["actual_value"] not in ("", _TEXT_ANSWER):
                    scores.setdefault(result["instance"], {})[result["metric"]] = result["actual_value"]
        return scores


@dataclass(frozen=True)
class _Assessment:
    """An answered survey about a row. scores: sys_id of a question -> its score."""

    taken_on: str
    sys_id: str
    scores: dict[str, str]

    def age(self) -> tuple[str, str]:
        return self.taken_on, self.sys_id

    @property
    def seconds(self) -> int:
        """When the survey was answered, in unix seconds."""
        return int(datetime.fromisoformat(self.taken_on).replace(tzinfo=UTC).timestamp())


def _deleted(deletion: Row, has_version: bool) -> Row:
    """The last version of a deleted row. Nothing else is known: the row is no longer in its table."""
    at = f"{deletion['sys_updated_on'].replace(' ', 'T')}Z"
    last = {"version": f"{_LAST_VERSION}.{0:010d}"} if has_version else {}
    return {
        "sys_id": deletion["documentkey"],
        "number": deletion["display_value"],
        "state": "deleted",
        "sys_updated_on": at,
        "sys_mod_count": _LAST_VERSION,
        **last,
    }


def _rows(response: HttpResponse, table: str, fields: Sequence[str]) -> list[Row]:
    """Rows with plain values. Raises BadResponseError if there is no list, or rows lack a column of `_FOLLOWED`."""
    listed = response.data.get("result")
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise BadResponseError(f"{table}: the response has no list under `result`: check api.base_url")
    rows = [{column: _plain(value) for column, value in row.items()} for row in listed]
    for column in _FOLLOWED:
        if column in fields and any(column not in row for row in rows):
            raise BadResponseError(
                f"{table} returned rows without {column}: grant the user read access to that column"
            )
    if "sys_updated_on" in fields and not all(_TIME.fullmatch(row["sys_updated_on"] or "") for row in rows):
        raise BadResponseError(
            f"{table} returned a sys_updated_on that is not a stored value: grant the user read access to it"
        )
    return rows


def _plain(value: Any) -> Any:
    """The stored value of a reference or of a value with a label."""
    return value.get("value") if isinstance(value, dict) else value


def _says_no_record(response: HttpResponse) -> bool:
    error = response.data.get("error") if isinstance(response.data, dict) else None
    return isinstance(error, dict) and "no record" in str(error.get("message")).lower()


def _checkpoint_of(row: Row) -> _Checkpoint:
    return _Checkpoint(row["sys_updated_on"], row["sys_id"])


def _stored_time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _IDS_AT_ONCE):
        yield ordered[start : start + _IDS_AT_ONCE]


def _always(_row: Row) -> bool:
    return True


def _never(_row: Row) -> bool:
    return False
