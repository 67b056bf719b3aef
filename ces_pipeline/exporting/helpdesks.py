"""How Zendesk, Freshdesk and ServiceNow tell and take the value of one field of one ticket."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from ces_pipeline.pulling.errors import BadAnswerError
from ces_pipeline.pulling.http import Answer, Http
from ces_pipeline.registry.models import Api

Value = str | int | float


@dataclass(frozen=True)
class Held:
    """What a ticket holds now. address: by what the system itself names the ticket."""

    address: str
    value: Any


class Helpdesk(Protocol):
    """One system. Both calls raise PullError as `http` does."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> Held | None:
        """The field of a ticket; None where the ticket is not there, or may not be changed any more."""

    def write(self, http: Http, api: Api, held: Held, field: str, value: Value) -> None:
        """Set the field, and nothing else. It may be repeated."""


class Zendesk:
    """A custom field, by its id. A closed ticket cannot be changed."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> Held | None:
        ticket = _object(http.get(_ticket(ticket_id), accept=(404,)), "ticket")
        if ticket is None or ticket.get("status") in ("closed", "deleted"):
            return None
        fields = {str(one.get("id")): one.get("value") for one in ticket.get("custom_fields") or []}
        return Held(ticket_id, fields.get(field))

    def write(self, http: Http, api: Api, held: Held, field: str, value: Value) -> None:
        told = {"ticket": {"custom_fields": [{"id": int(field), "value": value}]}}
        http.request("PUT", _ticket(held.address), json_body=told, repeatable=True)


class Freshdesk:
    """A custom field, by its name."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> Held | None:
        ticket = _object(http.get(_ticket(ticket_id), accept=(404,)))
        if ticket is None or ticket.get("deleted") or ticket.get("spam"):
            return None
        return Held(ticket_id, (ticket.get("custom_fields") or {}).get(field))

    def write(self, http: Http, api: Api, held: Held, field: str, value: Value) -> None:
        told = {"custom_fields": {field: value}}
        http.request("PUT", _ticket(held.address), json_body=told, repeatable=True)


class ServiceNow:
    """A column of the feed's table; a row is found by its number and changed by its sys_id."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> Held | None:
        asked = {
            "sysparm_query": f"number={ticket_id}",
            "sysparm_fields": f"sys_id,number,{field}",
            "sysparm_limit": 2,
        }
        answer = http.get(_table(api), asked, accept=(404,))
        rows = answer.data.get("result") if isinstance(answer.data, dict) else None
        # A part of a query that is not understood is dropped, and would give any row.
        found = [one for one in rows or [] if isinstance(one, dict) and one.get("number") == ticket_id]
        if len(found) != 1 or not found[0].get("sys_id"):
            return None
        if field not in found[0]:
            raise BadAnswerError(
                f"the column {field} is not shown: grant it to the user, or mend write_back.field"
            )
        return Held(str(found[0]["sys_id"]), found[0][field])

    def write(self, http: Http, api: Api, held: Held, field: str, value: Value) -> None:
        told = {field: str(value)}
        http.request("PATCH", f"{_table(api)}/{held.address}", json_body=told, repeatable=True)


HELPDESKS: dict[str, Helpdesk] = {
    "zendesk": Zendesk(),
    "freshdesk": Freshdesk(),
    "servicenow": ServiceNow(),
}
"""Connector of a feed -> how its tickets are written to."""


def is_the_same(held: Any, value: Value) -> bool:
    """Whether a field already says the value: systems give numbers back as numbers or as text."""
    as_number: Callable[[Any], float] = float
    try:
        return as_number(held) == as_number(value)
    except (TypeError, ValueError):
        return str(held) == str(value)


def _ticket(ticket_id: str) -> str:
    return f"/api/v2/tickets/{quote(ticket_id, safe='')}"


def _table(api: Api) -> str:
    return f"/api/now/table/{api.options.get('table', 'incident')}"


def _object(answer: Answer, key: str | None = None) -> dict[str, Any] | None:
    if answer.status == 404:
        return None
    told = answer.data.get(key) if key and isinstance(answer.data, dict) else answer.data
    if not isinstance(told, dict):
        raise BadAnswerError("a ticket was asked for and something else came: check api.base_url")
    return told
