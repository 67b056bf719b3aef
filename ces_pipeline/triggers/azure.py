"""Entries for Azure Functions: HTTP requests, queue messages, Event Grid events. `handler.py` does the work.

They accept the objects of `azure.functions` by their methods. So only the function app needs that package:

    app = func.FunctionApp()

    @app.route(route="ces", auth_level=func.AuthLevel.FUNCTION)
    def over_http(req: func.HttpRequest) -> func.HttpResponse:
        status, body = azure.http(req)
        return func.HttpResponse(body, status_code=status, mimetype="application/json")

    @app.queue_trigger(arg_name="msg", queue_name="ces", connection="AzureWebJobsStorage")
    def from_queue(msg: func.QueueMessage) -> None:
        azure.queue(msg)

    @app.event_grid_trigger(arg_name="event")
    def from_event_grid(event: func.EventGridEvent) -> None:
        azure.event_grid(event)
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from ces_pipeline.triggers.event import decoded_event, read_event
from ces_pipeline.triggers.handler import Handler, handler_of, respond


class HasBody(Protocol):
    """`HttpRequest` and `QueueMessage`."""

    def get_body(self) -> bytes:
        """The body as received."""


class GridEvent(Protocol):
    """`EventGridEvent`."""

    id: str
    topic: str
    event_type: str

    def get_json(self) -> Any:
        """The event's data."""


@cache
def _from_environment() -> Handler:
    return handler_of()


def http(request: HasBody, handler: Handler | None = None) -> tuple[int, str]:
    """(Status, JSON text): 200 with the decision, 400 if the body is no event, 503 if it should be sent again."""
    status, content = respond(request.get_body(), handler or _from_environment())
    return status, json.dumps(content)


def queue(message: HasBody, handler: Handler | None = None) -> None:
    """Handle a message. On an error, Azure delivers it again, and moves it to the poison queue in the end."""
    (handler or _from_environment()).handle(decoded_event(message.get_body()))


def event_grid(event: GridEvent | Mapping[str, Any], handler: Handler | None = None) -> None:
    """Handle an Event Grid event: an object, or the JSON object of its schema. It raises errors as `queue` does."""
    if not isinstance(event, Mapping):
        event = {
            "id": event.id,
            "topic": event.topic,
            "eventType": event.event_type,
            "data": event.get_json(),
        }
    (handler or _from_environment()).handle(read_event(event))
