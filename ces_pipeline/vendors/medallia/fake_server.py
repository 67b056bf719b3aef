"""A fake Medallia instance: a token endpoint, and a GraphQL handler that understands filters, order and `first`."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

CLIENT, SECRET = "medallia-client", "medallia-canary-secret"
TOKEN_PATH = "/oauth/acme/token"
QUERY_PATH = "/data/v0/query"
DATE_FIELD = "k_initialfinishdate_epoch_int"
_MOST = 1000
_LATE_SECONDS = 300

_FIELD = re.compile(r'(\w+): fieldData\(fieldId: "(\w+)"\)')
_ORDER = re.compile(r'\{fieldId: "(\w+)", direction: ASC\}')
_BARE_KEY = re.compile(r"([{,]\s*)(\w+):")


def medallia_record(id_: str, at: datetime, score: str = "6", comment: str = "easy") -> dict[str, str]:
    """One feedback record: field id -> its value."""
    values = {"a_surveyid": id_, DATE_FIELD: str(int(at.timestamp())), "q_ces": score, "q_comment": comment}
    return values | {"e_responsedate": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


class FakeMedallia(FakeVendor):
    """Paging faults: `repeated_page` sends the last records again; `empty_page` sends no records but their number;
    `changed` adds a record of now and a record that is minutes late.

    has_true_expiry: whether a token lasts as long as `expires_in` says. has_count: whether responses have `totalCount`.
    understands_dates: whether filters and order have an effect. blanks: fields that exist and are empty.
    """

    def __init__(self, records: list[dict[str, str]], clock: Clock | None = None):
        super().__init__(clock, FaultPlan())
        self.records = records
        self.token_seconds = 3600.0
        self.has_true_expiry = True
        self.has_count = True
        self.understands_dates = True
        self.blanks: frozenset[str] = frozenset()
        self.errors: list[dict[str, Any]] = []
        self._changes = 0
        self.forget()

    def forget(self) -> None:
        """Start again: all tokens become invalid, and there is no last response."""
        self._tokens: dict[str, float] = {}
        self._before: list[dict[str, Any]] | None = None

    @property
    def known(self) -> set[str]:
        return {"a_surveyid", DATE_FIELD}.union(*self.records)

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.path == TOKEN_PATH:
            return self._token(asked)
        if self.clock.monotonic() >= self._tokens.get(asked.bearer or "", 0.0):
            return FakeResponse(401, {"error": "invalid_token"})
        if asked.path != QUERY_PATH or asked.method != "POST":
            return FakeResponse(404, {"error": "not_found"})
        if asked.fault == "changed":
            self._change()
        return self._query(str(asked.json["query"]), asked.fault)

    def _token(self, asked: FakeRequest) -> FakeResponse:
        if asked.basic != (CLIENT, SECRET) or asked.form.get("grant_type") != "client_credentials":
            return FakeResponse(401, {"error": "invalid_client"})
        token = f"access{len(self._tokens)}"
        self._tokens[token] = self.clock.monotonic() + self.token_seconds
        seconds = 3600 if self.has_true_expiry else 86_400
        return FakeResponse(data={"access_token": token, "token_type": "bearer", "expires_in": seconds})

    def _query(self, text: str, fault: str | None) -> FakeResponse:
        found = re.search(r"first: (\d+)", text)
        first = int(found.group(1)) if found else 30
        if first > _MOST:
            return FakeResponse(data={"data": None, "errors": [{"message": "first is limited to 1000"}]})
        condition, order = _filter(text), _ORDER.findall(text)
        matching = [
            record
            for record in self.records
            if not self.understands_dates
            or (int(record[DATE_FIELD]) <= self.now_s and _holds(condition, record))
        ]
        matching.sort(key=lambda record: [_sortable(record.get(field, "")) for field in order])
        wanted = _FIELD.findall(text)
        unknown = [field for _, field in wanted if field not in self.known]
        nodes = [
            {"id": record["a_surveyid"]}
            | {
                alias: {"values": [] if field in self.blanks else [record[field]]}
                for alias, field in wanted
                if field in record
            }
            for record in matching[:first]
        ]
        if fault == "repeated_page" and self._before is not None:
            nodes = self._before
        elif fault == "empty_page" and nodes:
            nodes = []
        else:
            self._before = nodes
        feedback: dict[str, Any] = {"nodes": nodes}
        if self.has_count:
            feedback["totalCount"] = len(matching)
        errors = [{"message": f"Invalid field id: {field}"} for field in unknown] + self.errors
        return FakeResponse(data={"data": {"feedback": feedback}} | ({"errors": errors} if errors else {}))

    def _change(self) -> None:
        self._changes += 1
        now = self.now_s
        for name, at in (("new", now), ("late", now - _LATE_SECONDS)):
            self.records.append(medallia_record(f"{name}{self._changes}", datetime.fromtimestamp(at, UTC)))


def _filter(text: str) -> dict[str, Any]:
    """The query's filter object. Unlike JSON, GraphQL writes its keys without quotes."""
    start = text.index("filter: ") + len("filter: ")
    quoted = _BARE_KEY.sub(r'\1"\2":', text[start:])
    found: dict[str, Any] = json.JSONDecoder().raw_decode(quoted)[0]
    return found


def _holds(condition: dict[str, Any], record: dict[str, str]) -> bool:
    if "and" in condition:
        return all(_holds(part, record) for part in condition["and"])
    if "or" in condition:
        return any(_holds(part, record) for part in condition["or"])
    value = _sortable(record.get(condition["fieldIds"][0], ""))
    tests: dict[str, Callable[[tuple[int, int, str]], bool]] = {
        "lt": lambda other: value < other,
        "gt": lambda other: value > other,
        "gte": lambda other: value >= other,
    }
    return all(test(_sortable(condition[name])) for name, test in tests.items() if name in condition)


def _sortable(value: str) -> tuple[int, int, str]:
    return (0, int(value), "") if value.isdigit() else (1, 0, value)
