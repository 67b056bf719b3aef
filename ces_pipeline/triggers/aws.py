"""The entry for AWS Lambda: EventBridge events, SQS batches, requests of API Gateway and function URLs.

`handler.py` does the work.
"""

import base64
import json
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from ces_pipeline.errors import CesError
from ces_pipeline.triggers.event import decoded_event, read_event
from ces_pipeline.triggers.handler import Handler, handler_of, respond

_LOG = logging.getLogger(__name__)


@cache
def _from_environment() -> Handler:
    return handler_of()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The function to name in Lambda's configuration. It reads its settings from the environment."""
    return entry(_from_environment)(event, context)


def entry(make: Callable[[], Handler]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """An entry for your own handler, such as a handler whose store is a cloud table.

    For an EventBridge event it returns the decision, or raises an error, so that Lambda delivers the event again. For
    an SQS batch it returns `batchItemFailures` (switch on ReportBatchItemFailures): SQS delivers only those messages
    again, and moves unreadable messages to the dead-letter queue in the end. An HTTP request gets 200 with the
    decision, 400 if its body is no event, and 503 if the caller should send it again.
    """

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if isinstance(event, dict) and isinstance(event.get("Records"), list):
            return _batch(event["Records"], make())
        if isinstance(event, dict) and "requestContext" in event:
            return _request(event, make())
        return make().handle(read_event(event)).answer

    return handle


def _batch(records: list[Any], handler: Handler) -> dict[str, Any]:
    failed = []
    for record in (record for record in records if isinstance(record, dict)):
        try:
            handler.handle(decoded_event(record.get("body")))
        except Exception as problem:
            # Only our own texts are known to contain no person. Of other errors, log only the type.
            text = str(problem) if isinstance(problem, CesError) else type(problem).__name__
            _LOG.warning("message %s: %s", record.get("messageId"), text)
            failed.append({"itemIdentifier": record.get("messageId")})
    return {"batchItemFailures": failed}


def _request(event: dict[str, Any], handler: Handler) -> dict[str, Any]:
    body = event.get("body") or ""
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
    except (ValueError, TypeError):
        text = ""
    status, content = respond(text, handler)
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(content), "isBase64Encoded": False}
