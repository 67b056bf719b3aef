"""ServiceNow: rows of a task table by their time of change through the Table API, with assessment results joined.

Pages are lines for the reader `servicenow`. Stored values are asked for, since displayed ones are in the zone and
language of the API's user; times are then written with their zone, UTC. Where assessments are joined, `version` grows
with each, since it does not change the row itself. Deleted rows are simply gone from their table; where the user may
read the instance's record of deletions, each becomes a last version of its row that says so.
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
"""Ids in one query: an URL of some 4,000 characters, which every server takes."""
_SAME_ASKED = 6
_OVERLAP = timedelta(minutes=10)
"""How long a transaction may take to show with a time before its end: the newest minutes are read again."""
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
"""Behind every version that a row can have had: sys_mod_count of a deleted row is not told."""
_FOLLOWED = (
    *("sys_id", "sys_updated_on", "number", "state", "trigger_id", "task_id", "instance", "metric"),
    *("tablename", "documentkey", "display_value"),
)
"""Columns without which rows cannot be followed or told apart, where they are asked for."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_NAME = re.compile(r"[a-z][a-z0-9_.]*")

Row = dict[str, Any]
Fits = Callable[[Row], bool]


class ServiceNow(Connector):
    """Incidents, or the rows of another task table, in the order of their changes.

    Rows are followed by (sys_updated_on, sys_id): first the rest of a second, then what lies behind it. An instance
    silently drops a part of a query that it does not understand, so every row is checked to be what was asked for.
    """

    name = "servicenow"
    readers = ("servicenow",)
    counts = "rows that are not deleted"
    counted_how = "count"
    counts_deleted = False
    options = {  # noqa: RUF012 - a ClassVar of the base
        "table": "the table, incident unless set",
        "fields": "list of further columns to ask for, such as u_ces_score",
        "assessments": "column of ours -> sys_id of the assessment question (asmt_metric) whose score it holds; "
        "map columns version: version beside it",
        "deletions": "true: ask sys_audit_delete for deleted rows, too, which the user must be granted",
    }

    def check(self, api: Api) -> None:
        _Settings.of(api)

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Changed rows; then rows that were assessed since the last pull and did not change otherwise; then deleted.

        Where deletions are refused the rows come all the same, and RefusedError at the end.
        """
        feed = _Feed(http, _Settings.of(api))
        first = _Place(_stored_time(datetime.combine(api.since, time.min, UTC) - timedelta(seconds=1)))
        latest = _Place(_stored_time(now - _OVERLAP))
        told: set[str] = set()
        walk = _Walk.of(state.get("rows"), first)
        saved = max(walk.place, latest)
        for rows in _changed(feed, feed.settings.table, feed.settings.fields, walk):
            if feed.settings.metrics:
                told |= {row["sys_id"] for row in rows}
            state = {**state, "rows": min(saved, walk.place).state}
            yield Page(json_lines(*feed.records(rows)), len(rows), state)
        if feed.settings.metrics:
            for page in self._assessed_rows(feed, state, first, latest, told):
                state = page.state
                yield page
        if feed.settings.deletions:
            yield from self._deleted_rows(feed, state, first, latest)

    def _assessed_rows(
        self, feed: "_Feed", state: State, first: "_Place", latest: "_Place", told: set[str]
    ) -> Iterator[Page]:
        """Rows assessed since the last pull, without those in `told`."""
        walk = _Walk.of(state.get("assessments"), first)
        saved = max(walk.place, latest)
        for instances in _changed(feed, _INSTANCES, _INSTANCE_FIELDS, walk, _COMPLETE):
            ids = {one[key] for one in instances for key in ("trigger_id", "task_id")} - {"", *told}
            rows = [row for part in _parts(ids) for row in feed.rows_by("sys_id", part)]
            state = {**state, "assessments": min(saved, walk.place).state}
            yield Page(json_lines(*feed.records(rows)), len(rows), state)

    def _deleted_rows(self, feed: "_Feed", state: State, first: "_Place", latest: "_Place") -> Iterator[Page]:
        """Rows deleted since the last pull, by the number that they had."""
        walk = _Walk.of(state.get("deletions"), first)
        saved = max(walk.place, latest)
        table = feed.settings.table
        for found in _changed(feed, _DELETIONS, _DELETION_FIELDS, walk, f"tablename={table}"):
            state = {**state, "deletions": min(saved, walk.place).state}
            records = [
                _deleted(row, bool(feed.settings.metrics)) for row in found if row.get("display_value")
            ]
            yield Page(json_lines(*records), len(records), state)

    def counted_by(self, api: Api) -> str:
        return "sys_updated_on"

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """X-Total-Count of each window; it counts rows that the user may not see, too."""
        feed = _Feed(http, _Settings.of(api))
        return [self._expected(feed, window) for window in windows]

    def _expected(self, feed: "_Feed", window: Window) -> int | None:
        since, until = _stored_time(window.since), _stored_time(window.until)
        query = f"sys_updated_on>={since}^sys_updated_on<{until}"
        answer = feed.ask(
            feed.settings.table,
            query,
            ("sys_id", "sys_updated_on"),
            lambda row: since <= row["sys_updated_on"] < until,
            1,
        )
        total = answer.total
        return int(total) if total is not None and total.isdecimal() else None

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Whether the table's columns may be read, filters are heeded, and assessments may be read."""
        feed = _Feed(http, _Settings.of(api))
        rows = feed.ask(
            feed.settings.table, "ORDERBYDESCsys_updated_on", feed.settings.fields, _always, 1
        ).rows
        yield Finding(True, f"{feed.settings.table} may be read{'' if rows else ', and shows no row'}")
        absent = [name for name in feed.settings.fields if rows and "." not in name and name not in rows[0]]
        if absent:
            yield Finding(
                False,
                f"columns that are missing or may not be read: {', '.join(absent)}: grant them, or leave "
                "them out of api.options.fields",
            )
        feed.ask(feed.settings.table, "sys_updated_on>9999-01-01 00:00:00", ("sys_id",), _never, 1)
        yield Finding(True, "filters on sys_updated_on are heeded")
        also = [(_INSTANCES, _INSTANCE_FIELDS), (_RESULTS, _RESULT_FIELDS)] if feed.settings.metrics else []
        if feed.settings.deletions:
            also.append((_DELETIONS, _DELETION_FIELDS))
        for table, fields in also:
            rows = feed.ask(table, "", fields, _always, 1).rows
            yield Finding(
                bool(rows), f"{table} {'may be read' if rows else 'shows no row: grant read access'}"
            )


@dataclass(frozen=True, order=True)
class _Place:
    """Behind the row `sys_id` of the second `updated_on`; without sys_id behind that second."""

    updated_on: str
    # Sorts behind every sys_id, which are hexadecimal digits.
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

    place: _Place

    @classmethod
    def of(cls, state: Any, first: _Place) -> "_Walk":
        return cls(_Place(state["updated_on"], state["sys_id"]) if state else first)


def _changed(
    feed: "_Feed", table: str, fields: Sequence[str], walk: _Walk, condition: str = ""
) -> Iterator[list[Row]]:
    """Rows behind the walk's place that meet the condition (`column=value`), by change; the walk moves along."""
    column, _, value = condition.partition("=")
    before = f"{condition}^" if condition else ""
    while True:
        place = walk.place
        if place.is_within_second:
            query = f"{before}sys_updated_on={place.updated_on}^sys_id>{place.sys_id}^ORDERBYsys_id"
        else:
            query = f"{before}sys_updated_on>{place.updated_on}^ORDERBYsys_updated_on^ORDERBYsys_id"

        def fits(row: Row, place: _Place = place) -> bool:
            is_in_reach = row["sys_updated_on"] == place.updated_on or not place.is_within_second
            return is_in_reach and _place_of(row) > place and (not column or row[column] == value)

        answer = feed.ask(table, query, fields, fits)
        places = [_place_of(row) for row in answer.rows]
        if places != sorted(places):
            raise BadResponseError(f"{table} heeds no ORDERBY, so changes cannot be followed")
        if answer.rows:
            walk.place = places[-1]
        if not answer.more and place.is_within_second:
            walk.place = _Place(place.updated_on)
        if answer.rows:
            yield answer.rows
        if not answer.more and not place.is_within_second:
            return


@dataclass(frozen=True)
class _Answered:
    """Rows of one query. more: whether there may be further ones. total: X-Total-Count."""

    rows: list[Row]
    more: bool
    total: str | None


@dataclass(frozen=True)
class _Settings:
    """api.options, checked. metrics: sys_id of a question -> our column. deletions: whether these are asked for."""

    table: str
    fields: tuple[str, ...]
    metrics: dict[str, str]
    deletions: bool
    size: int

    @classmethod
    def of(cls, api: Api) -> "_Settings":
        """Raises ValueError where an option is not what the table of options says."""
        table, more = str(api.options.get("table", "incident")), api.options.get("fields", [])
        metrics = api.options.get("assessments", {})
        if not isinstance(more, list | tuple) or not all(_NAME.fullmatch(str(one)) for one in (table, *more)):
            raise ValueError("options: table is a table's name, fields a list of column names")
        if not isinstance(metrics, dict) or not all(str(one).isalnum() for one in metrics.values()):
            raise ValueError("options.assessments: must be column of ours: sys_id of the question")
        deletions = api.options.get("deletions", False)
        if not isinstance(deletions, bool):
            raise ValueError("options.deletions: must be true or false")
        fields = tuple(dict.fromkeys((*_FIELDS, *more)))
        by_id = {str(metric): str(column) for column, metric in metrics.items()}
        return cls(table, fields, by_id, deletions, api.page_size or _DEFAULT_SIZE)


@dataclass(frozen=True)
class _Feed:
    """The queries that a feed's settings make."""

    http: Http
    settings: _Settings

    def ask(
        self, table: str, query: str, fields: Sequence[str], fits: Fits, limit: int | None = None
    ) -> _Answered:
        """The rows of a query, all of which must fit it.

        Rows that the user may not see are left out after the limit was applied: a page may be short, or empty, with
        more behind it. Empty ones are stepped over. Raises BadResponseError where rows do not fit.
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
            answer, rows = self._fitting(table, params, fits)
            has_next = 'rel="next"' in answer.headers.get("link", "")
            if rows or not has_next:
                more = has_next or len(rows) >= limit
                return _Answered(rows, more, answer.headers.get("x-total-count"))
            offset += limit

    def _fitting(self, table: str, params: dict[str, Any], fits: Fits) -> tuple[HttpResponse, list[Row]]:
        path, is_whole = f"/api/now/table/{table}", False
        for _ in range(_SAME_ASKED):
            answer = self.http.get(path, params, accept=(404,))
            if answer.status == 404:
                if not _says_no_record(answer):
                    raise RefusedError(f"there is no table {table}: check api.options.table", 404)
                return answer, []
            # A query that runs too long leaves rows and an error behind, with status 200.
            is_whole = isinstance(answer.data, dict) and "error" not in answer.data
            if not is_whole:
                continue
            rows = _rows(answer, table, params["sysparm_fields"].split(","))
            if all(map(fits, rows)):
                return answer, rows
        if not is_whole:
            raise UnavailableError(f"{table} ends in an error again and again: set a smaller api.page_size")
        raise BadResponseError(
            f"{table} gave rows that were not asked for: the instance ignores a part of the query. See that the "
            "user may read sys_updated_on and sys_id, and set glide.invalid_query.returns_no_rows to true"
        )

    def rows_by(self, column: str, ids: Sequence[str]) -> Iterator[Row]:
        """Rows of the feed's table by ids in a column."""
        return self._by_key(
            self.settings.table,
            f"{column}IN{','.join(ids)}",
            self.settings.fields,
            lambda row: row[column] in ids,
        )

    def _by_key(self, table: str, query: str, fields: Sequence[str], fits: Fits) -> Iterator[Row]:
        last, more = "", True
        while more:
            behind = f"^sys_id>{last}" if last else ""
            answer = self.ask(
                table,
                f"{query}{behind}^ORDERBYsys_id",
                fields,
                lambda row, last=last: row["sys_id"] > last and fits(row),  # type: ignore[misc]
            )
            yield from answer.rows
            more = answer.more and bool(answer.rows)
            last = max((row["sys_id"] for row in answer.rows), default=last)

    def records(self, rows: Sequence[Row]) -> list[Row]:
        """The rows as they are landed, with their assessments."""
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
            scores = self._scores_of([one["sys_id"] for one in instances])
            for one in instances:
                if found := scores.get(one["sys_id"]):
                    has_time = _TIME.fullmatch(one.get("taken_on") or "")
                    taken_on = one["taken_on"] if has_time else one["sys_updated_on"]
                    assessment = _Assessment(taken_on, one["sys_id"], found)
                    for row_id in {one["trigger_id"], one["task_id"]} & wanted:
                        newest[row_id] = max(newest.get(row_id, assessment), assessment, key=_Assessment.age)
        return newest

    def _scores_of(self, instances: Sequence[str]) -> dict[str, dict[str, str]]:
        """Instance -> question -> score, of the questions asked for."""
        scores: dict[str, dict[str, str]] = {}
        for part in _parts(instances):
            results = self._by_key(
                _RESULTS,
                f"instanceIN{','.join(part)}^metricIN{','.join(self.settings.metrics)}",
                _RESULT_FIELDS,
                lambda row, part=part: row["instance"] in part and row["metric"] in self.settings.metrics,  # type: ignore[misc]
            )
            for one in results:
                # Text answers are marked by a score that is none.
                if one["actual_value"] not in ("", _TEXT_ANSWER):
                    scores.setdefault(one["instance"], {})[one["metric"]] = one["actual_value"]
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
        """When it was taken, in unix seconds."""
        return int(datetime.fromisoformat(self.taken_on).replace(tzinfo=UTC).timestamp())


def _deleted(row: Row, has_version: bool) -> Row:
    """The last version of a row that is gone: its table does not have it any more, so nothing else is known."""
    at = f"{row['sys_updated_on'].replace(' ', 'T')}Z"
    last = {"version": f"{_LAST_VERSION}.{0:010d}"} if has_version else {}
    return {
        "sys_id": row["documentkey"],
        "number": row["display_value"],
        "state": "deleted",
        "sys_updated_on": at,
        "sys_mod_count": _LAST_VERSION,
        **last,
    }


def _rows(answer: HttpResponse, table: str, fields: Sequence[str]) -> list[Row]:
    """Rows with plain values. Raises BadResponseError where the answer is no list or lacks what it is followed by."""
    listed = answer.data.get("result")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadResponseError(f"{table} answered without a list under `result`: check api.base_url")
    rows = [{name: _plain(value) for name, value in one.items()} for one in listed]
    for name in _FOLLOWED:
        if name in fields and any(name not in row for row in rows):
            raise BadResponseError(
                f"{table} gave rows without {name}: grant the user read access to that column"
            )
    if "sys_updated_on" in fields and not all(_TIME.fullmatch(row["sys_updated_on"] or "") for row in rows):
        raise BadResponseError(
            f"{table} gave a sys_updated_on that is no stored value: grant the user read access to it"
        )
    return rows


def _plain(value: Any) -> Any:
    """A reference's or a labelled value's stored value."""
    return value.get("value") if isinstance(value, dict) else value


def _says_no_record(answer: HttpResponse) -> bool:
    error = answer.data.get("error") if isinstance(answer.data, dict) else None
    return isinstance(error, dict) and "no record" in str(error.get("message")).lower()


def _place_of(row: Row) -> _Place:
    return _Place(row["sys_updated_on"], row["sys_id"])


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
