"""A fake ServiceNow: the Table API with encoded queries, text values, references, ignored filters and hidden rows."""

import operator
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor

USER, PASSWORD = "integration", "servicenow-password-canary"
_USER_ZONE = timedelta(hours=-7)
_REFERENCES = {"caller_id": "sys_user", "assignment_group": "sys_user_group", "business_service": "cmdb_ci"}
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


def sys_id(number: int) -> str:
    """An id that does not show the order of creation, as the real ids."""
    return f"{random.Random(number).getrandbits(128):032x}"


def incident(number: int, updated_on: str, **more: str) -> dict[str, str]:
    """An incident as it is stored: text only, times in UTC."""
    return {
        "sys_id": sys_id(number),
        "number": f"INC{number:07d}",
        "correlation_id": "",
        "state": "2",
        "priority": "3",
        "category": "network",
        "contact_type": "phone",
        "business_service": "",
        "business_service.name": "",
        "caller_id": sys_id(900_000 + number),
        "caller_id.email": f"caller{number}@example.com",
        "assignment_group": sys_id(77),
        "assignment_group.name": "Service Desk",
        "opened_at": "2026-02-28 23:30:00",
        "resolved_at": "",
        "closed_at": "",
        "reopen_count": "0",
        "reassignment_count": "1",
        "sys_created_on": "2026-02-28 23:30:00",
        "sys_updated_on": updated_on,
        "sys_mod_count": "1",
        **more,
    }


def assessment(number: int, of: str, taken_on: str, **more: str) -> dict[str, str]:
    """One survey that was sent about the row `of`."""
    return {
        "sys_id": sys_id(500_000 + number),
        "trigger_id": of,
        "task_id": "",
        "state": "complete",
        "taken_on": taken_on,
        "sys_updated_on": taken_on,
        **more,
    }


def result(number: int, instance: str, metric: str, actual_value: str) -> dict[str, str]:
    """One scored answer of a survey."""
    return {
        "sys_id": sys_id(700_000 + number),
        "instance": instance,
        "metric": metric,
        "actual_value": actual_value,
        "sys_updated_on": "2026-03-02 00:00:00",
    }


def deletion(number: int, of: dict[str, str], deleted_on: str, tablename: str = "incident") -> dict[str, str]:
    """The instance's record of a deleted row."""
    return {
        "sys_id": sys_id(300_000 + number),
        "tablename": tablename,
        "documentkey": of["sys_id"],
        "display_value": of["number"],
        "sys_updated_on": deleted_on,
    }


def seeded_incidents(seed: int, count: int = 40) -> list[dict[str, str]]:
    """Incidents in random order, many with the same second of change."""
    chance = random.Random(seed)
    at, found = datetime(2026, 3, 1), []
    for number in range(1, count + 1):
        at += timedelta(seconds=chance.choice((0, 0, 0, 0, 1, 4000)))
        found.append(incident(number, str(at), state=chance.choice("12367")))
    chance.shuffle(found)
    return found


class FakeServiceNow(FakeVendor):
    """Serves `tables`. `hidden`: sys_ids that the user may not see; `unknown`: columns whose conditions are ignored;
    `forbidden`: tables that are refused.

    Faults: `repeated_page` sends the table's last rows again, `changed` updates a row of the first table before the
    response, `broken_off` sends half of the rows and an error, with status 200.
    """

    def __init__(
        self,
        tables: dict[str, list[dict[str, str]]],
        *,
        clock: Clock | None = None,
        plan: FaultPlan | None = None,
    ):
        super().__init__(clock, plan)
        self.tables = tables
        self.hidden: set[str] = set()
        self.unknown: set[str] = set()
        self.forbidden: set[str] = set()
        self.heeds_reference_link = True
        self._chance = random.Random(1)
        self._before: dict[str, FakeResponse] = {}

    def change(self, row: dict[str, str], **more: str) -> None:
        """A row changes now, by the vendor's clock."""
        now = datetime.fromtimestamp(self.now_s, UTC).replace(tzinfo=None, microsecond=0)
        row |= {**more, "sys_updated_on": str(now), "sys_mod_count": str(int(row["sys_mod_count"]) + 1)}

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.basic != (USER, PASSWORD):
            return _failure(401, "User Not Authenticated")
        if asked.fault == "changed":
            self.change(self._chance.choice(next(iter(self.tables.values()))))
        table = asked.path.removeprefix("/api/now/table/")
        if table in self.forbidden:
            return _failure(403, "User Not Authorized")
        if table not in self.tables:
            return _failure(400, f"Invalid table {table}")
        reply = self._rows(asked, self.tables[table])
        if asked.fault == "repeated_page" and table in self._before:
            return self._before[table]
        if asked.fault == "broken_off":
            half = reply.data["result"][: len(reply.data["result"]) // 2]
            error = {"message": "Transaction cancelled: maximum execution time exceeded", "detail": ""}
            return FakeResponse(data={"result": half, "error": error, "status": "failure"})
        if reply.data["result"]:
            self._before[table] = reply
        return reply

    def _rows(self, asked: FakeRequest, rows: list[dict[str, str]]) -> FakeResponse:
        query = asked.query
        limit = int(query.get("sysparm_limit", 10_000))
        offset = int(query.get("sysparm_offset", 0))
        found = self._selected(rows, query.get("sysparm_query", ""))
        window = found[offset : offset + limit]
        fields = query.get("sysparm_fields", "").split(",") if "sysparm_fields" in query else None
        shown = [self._shown(row, fields, query) for row in window if row["sys_id"] not in self.hidden]
        headers = {"X-Total-Count": str(len(found))}
        if len(found) > offset + limit:
            headers["Link"] = f'<{self.url}{asked.path}?sysparm_offset={offset + limit}>;rel="next"'
        return FakeResponse(data={"result": shown}, headers=headers)

    def _selected(self, rows: list[dict[str, str]], query: str) -> list[dict[str, str]]:
        terms = [term for term in query.split("^") if term]
        alternatives: list[list[Callable[[dict[str, str]], bool]]] = []
        orders: list[tuple[str, bool]] = []
        for term in terms:
            if term.startswith("ORDERBY"):
                is_falling = term.startswith("ORDERBYDESC")
                orders.append((term.removeprefix("ORDERBYDESC" if is_falling else "ORDERBY"), is_falling))
            elif (condition := self._condition(term.removeprefix("OR"))) is not None:
                if term.startswith("OR") and alternatives:
                    alternatives[-1].append(condition)
                else:
                    alternatives.append([condition])
        found = [row for row in rows if all(any(test(row) for test in tests) for tests in alternatives)]
        for column, is_falling in reversed(orders):
            if column not in self.unknown:
                found.sort(key=lambda row, column=column: row[column], reverse=is_falling)  # type: ignore[misc]
        return found

    def _condition(self, term: str) -> Callable[[dict[str, str]], bool] | None:
        """The condition of a term of an encoded query; None, so that it is ignored, if the term is not understood."""
        for sign, compare in _OPERATORS.items():
            column, found, value = term.partition(sign)
            if found:
                if column in self.unknown:
                    return None
                return lambda row: compare(row[column], value)
        column, _, listed = term.partition("IN")
        return None if column in self.unknown else lambda row: row[column] in listed.split(",")

    def _shown(self, row: dict[str, str], fields: list[str] | None, query: dict[str, str]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            name: value for name, value in row.items() if fields is None or name in fields
        }
        if query.get("sysparm_display_value", "false") == "true":
            for name in shown:
                if name.endswith(("_at", "_on")) and shown[name]:
                    shown[name] = str(datetime.fromisoformat(shown[name]) + _USER_ZONE)
        if not (self.heeds_reference_link and query.get("sysparm_exclude_reference_link") == "true"):
            for name, table in _REFERENCES.items():
                if shown.get(name):
                    link = f"{self.url}/api/now/table/{table}/{shown[name]}"
                    shown[name] = {"link": link, "value": shown[name]}
        return shown


def _failure(status: int, message: str) -> FakeResponse:
    return FakeResponse(status, {"error": {"message": message, "detail": ""}, "status": "failure"})
