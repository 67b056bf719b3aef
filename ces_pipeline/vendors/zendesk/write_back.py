"""Writes a score into a custom field of a Zendesk ticket."""

from urllib.parse import quote

from ces_pipeline.http.client import Http
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import TicketField, Value, WriteBack, ticket_object


class ZendeskWriteBack(WriteBack):
    """A custom field, by its numeric id. A closed ticket cannot be changed."""

    def check(self, field: str) -> None:
        if not field.isdigit():
            raise ValueError("must be the number of the ticket field, in quotes")

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> TicketField | None:
        ticket = ticket_object(http.get(_path(ticket_id), accept=(404,)), "ticket")
        if ticket is None or ticket.get("status") in ("closed", "deleted"):
            return None
        fields = {str(custom.get("id")): custom.get("value") for custom in ticket.get("custom_fields") or []}
        return TicketField(ticket_id, fields.get(field))

    def write(self, http: Http, api: Api, held: TicketField, field: str, value: Value) -> None:
        body = {"ticket": {"custom_fields": [{"id": int(field), "value": value}]}}
        http.request("PUT", _path(held.address), json_body=body, repeatable=True)


def _path(ticket_id: str) -> str:
    return f"/api/v2/tickets/{quote(ticket_id, safe='')}"
