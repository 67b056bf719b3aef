"""AWS Lambda's entry: EventBridge events, SQS batches, requests of API Gateway and function URLs.

Thin over `handler.py`.
"""

import base64
import json
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from ces_pipeline.errors import CesError
from ces_pipeline.triggers.event import decoded_event, read_event
from ces_pipeline.triggers.handler import Handler, answered, handler_of

_LOG = logging.getLogger(__name__)


@cache
def _from_environment() -> Handler:
    return handler_of()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The function to name in Lambda's configuration, with settings from its environment."""
    return entry(_from_environment)(event, context)


def entry(make: Callable[[], Handler]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """An entry on a handler of your own, such as one whose store is a cloud table.

    An EventBridge event gives the decision back, or fails, so that Lambda delivers it again. An SQS batch gives back
    `batchItemFailures` (switch on ReportBatchItemFailures): only those messages come again, and what is no event ends
    in the dead-letter queue. A request over HTTP gets 200 with the decision, 400 for what is no event, 503 for again.
    """

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if "Records" in event:
            return _batch(event["Records"], make())
        if "requestContext" in event:
            return _request(event, make())
        return make().handle(read_event(event)).answer

    return handle


def _batch(records: list[dict[str, Any]], handler: Handler) -> dict[str, Any]:
    failed = []
    for record in records:
        try:
            handler.handle(decoded_event(record.get("body")))
        except Exception as problem:
            # Only a text of ours is known to hold no person; whatever `send` raises is told by its name.
            told = str(problem) if isinstance(problem, CesError) else type(problem).__name__
            _LOG.warning("message %s: %s", record.get("messageId"), told)
            failed.append({"itemIdentifier": record.get("messageId")})
    return {"batchItemFailures": failed}


def _request(event: dict[str, Any], handler: Handler) -> dict[str, Any]:
    body = event.get("body") or ""
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
    except ValueError:
        text = ""
    status, told = answered(text, handler)
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(told), "isBase64Encoded": False}
