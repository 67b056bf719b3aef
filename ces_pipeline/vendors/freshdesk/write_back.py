"""Writes a score into a custom field of a Freshdesk ticket."""

from urllib.parse import quote

from ces_pipeline.http.client import Http
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import TicketField, Value, WriteBack, ticket_object


class FreshdeskWriteBack(WriteBack):
    """A custom field, by its name (`cf_...`). Deleted tickets and spam are not changed."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> TicketField | None:
        ticket = ticket_object(http.get(_path(ticket_id), accept=(404,)))
        if ticket is None or ticket.get("deleted") or ticket.get("spam"):
            return None
        return TicketField(ticket_id, (ticket.get("custom_fields") or {}).get(field))

    def write(self, http: Http, api: Api, held: TicketField, field: str, value: Value) -> None:
        body = {"custom_fields": {field: value}}
        http.request("PUT", _path(held.address), json_body=body, repeatable=True)


def _path(ticket_id: str) -> str:
    return f"/api/v2/tickets/{quote(ticket_id, safe='')}"
