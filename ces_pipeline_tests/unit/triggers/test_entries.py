"""Protects the entries for AWS Lambda and Azure Functions, with simulated envelopes of their documented shapes."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ces_pipeline.triggers import aws, azure
from ces_pipeline.triggers.event import UnreadableEventError, read_event
from ces_pipeline.triggers.handler import Handler
from ces_pipeline.triggers.store import StoreError
from ces_pipeline_tests.unit.triggers.handlers import PERSON, Desk, event

OWN = {"source": "chats", "event_id": "e1", "event_type": "Chat_Closed", "person": PERSON}
EVENT_BRIDGE = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "chat_closed",
    "source": "com.example.chats",
    "account": "111122223333",
    "time": "2026-03-02T09:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {"person": PERSON, "ticket_id": 17, "category": "login"},
}
EVENT_GRID = {
    "id": "831e1650-001e-001b-66ab-eeb76e069631",
    "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/topics/chats",
    "subject": "chats/17",
    "eventType": "chat_closed",
    "eventTime": "2026-03-02T09:00:00Z",
    "data": {"person": PERSON, "ticket_id": "17"},
    "dataVersion": "1.0",
    "metadataVersion": "1",
}
CLOUD_EVENT = {
    "specversion": "1.0",
    "type": "chat_closed",
    "source": "https://chats.example.com",
    "id": "A234-1234-1234",
    "time": "2026-03-02T09:00:00Z",
    "datacontenttype": "application/json",
    "data": {"person": PERSON},
}


def http_request(body: str, *, coded: bool = False) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /ces",
        "rawPath": "/ces",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/ces"}},
        "body": base64.b64encode(body.encode()).decode() if coded else body,
        "isBase64Encoded": coded,
    }


def message(name: str, body: str) -> dict[str, Any]:
    return {"messageId": name, "receiptHandle": "r", "body": body, "attributes": {}, "eventSource": "aws:sqs"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def handler(desk: Desk) -> Handler:
    return desk.handler()


def test_every_shape_is_read() -> None:
    assert read_event(OWN) == event()
    bridge = read_event(EVENT_BRIDGE)
    assert (bridge.source, bridge.event_id, bridge.event_type) == (
        "com.example.chats",
        EVENT_BRIDGE["id"],
        "chat_closed",
    )
    assert (bridge.person, bridge.ticket_id, bridge.attributes) == (PERSON, "17", {"category": "login"})
    # The system's own id matches the source of events; the id of the bus would not.
    named = read_event({**EVENT_BRIDGE, "detail": {"event_id": "e9", "source": "chats"}})
    assert (named.source, named.event_id) == ("chats", "e9")
    grid = read_event(EVENT_GRID)
    assert (grid.source, grid.event_id, grid.ticket_id) == (EVENT_GRID["topic"], EVENT_GRID["id"], "17")
    cloud = read_event(CLOUD_EVENT)
    assert (cloud.source, cloud.event_id) == ("https://chats.example.com", "A234-1234-1234")


@pytest.mark.parametrize(
    ("delivered", "text"),
    [
        ([OWN], "is not a JSON object"),
        ("chat_closed", "is not a JSON object"),
        ({**EVENT_BRIDGE, "detail": None}, "detail"),
        ({"event_type": "chat_closed", "person": PERSON}, "no source and no event_id"),
        ({**OWN, "event_id": "  "}, "no event_id"),
        ({**OWN, "event_id": True}, "no event_id"),
        ({**OWN, "event_id": {"a": 1}}, "no event_id"),
    ],
)
def test_an_unreadable_event_is_an_error_that_quotes_no_value(delivered: Any, text: str) -> None:
    with pytest.raises(UnreadableEventError, match=text) as caught:
        read_event(delivered)
    assert PERSON not in str(caught.value)


def test_lambda_takes_an_event_of_event_bridge(desk: Desk, handler: Handler) -> None:
    answers = [aws.entry(lambda: handler)(EVENT_BRIDGE, None) for _ in range(2)]
    assert [answer["invited"] for answer in answers] == [True, True]
    assert [answer["is_repeat"] for answer in answers] == [False, True]
    assert len(desk.rows) == 1
    with pytest.raises(UnreadableEventError):
        aws.entry(lambda: handler)({**EVENT_BRIDGE, "detail": []}, None)


def test_only_the_failed_messages_of_a_batch_are_delivered_again(
    desk: Desk, handler: Handler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = handler.outlet.write

    def full_once(decision: Any) -> None:
        if decision.event_id == "e2":
            raise StoreError("decisions cannot be written (No space left on device)")
        write(decision)

    monkeypatch.setattr(handler.outlet, "write", full_once)
    records = [
        message("m1", json.dumps(OWN)),
        message("m2", json.dumps({**OWN, "event_id": "e2", "person": "bob@example.org"})),
        message("m3", f"{{not json {PERSON}"),
        message("m4", json.dumps(EVENT_BRIDGE)),
        message("m5", json.dumps(OWN)),
    ]
    response = aws.entry(lambda: handler)({"Records": records}, None)
    assert response == {"batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]}
    assert [row["event_id"] for row in desk.rows] == ["e1", EVENT_BRIDGE["id"]]
    assert "message m3: The body is not JSON" in caplog.text
    assert "example.org" not in caplog.text


def test_only_the_message_whose_sending_failed_is_delivered_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def send(*_: Any) -> None:
        raise ConnectionError(f"no route to the mailbox of {PERSON}")

    response = aws.entry(lambda: desk.handler(send=send))({"Records": [message("m1", json.dumps(OWN))]}, None)
    assert response == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert "message m1: ConnectionError" in caplog.text
    assert PERSON not in caplog.text


@pytest.mark.parametrize("coded", [False, True])
def test_lambda_answers_a_request(handler: Handler, coded: bool) -> None:
    answer = aws.entry(lambda: handler)(http_request(json.dumps(OWN), coded=coded), None)
    assert answer["statusCode"] == 200
    content = json.loads(answer["body"])
    assert content["invited"] is True
    assert content["link"].startswith("https://surveys.example.com/effort?survey=after_chat&invitation=")
    assert PERSON not in answer["body"]


@pytest.mark.parametrize(
    "request_",
    [
        http_request("{"),
        http_request("[]"),
        {**http_request("{}"), "body": None},
        {**http_request("é"), "isBase64Encoded": True},
    ],
)
def test_a_request_without_an_event_is_a_bad_request(handler: Handler, request_: dict[str, Any]) -> None:
    answer = aws.entry(lambda: handler)(request_, None)
    assert answer["statusCode"] == 400
    assert "problem" in json.loads(answer["body"])


def test_a_request_is_to_be_repeated_if_the_store_is_down(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise StoreError("store.db cannot be used")

    monkeypatch.setattr(handler.outlet, "write", down)
    assert aws.entry(lambda: handler)(http_request(json.dumps(OWN)), None)["statusCode"] == 503


def test_azure_takes_requests_messages_and_events(desk: Desk, handler: Handler) -> None:
    def body(text: str) -> Any:
        return SimpleNamespace(get_body=text.encode)

    status, text = azure.http(body(json.dumps(OWN)), handler)
    assert (status, json.loads(text)["invited"]) == (200, True)
    assert azure.http(body("{"), handler)[0] == 400
    azure.queue(body(json.dumps(OWN)), handler)
    with pytest.raises(UnreadableEventError):
        azure.queue(body("no"), handler)
    grid = SimpleNamespace(
        id=EVENT_GRID["id"],
        topic=EVENT_GRID["topic"],
        event_type="chat_closed",
        get_json=lambda: EVENT_GRID["data"],
    )
    azure.event_grid(grid, handler)
    azure.event_grid(EVENT_GRID, handler)
    azure.event_grid(CLOUD_EVENT, handler)
    assert [row["event_id"] for row in desk.rows] == ["e1", EVENT_GRID["id"], CLOUD_EVENT["id"]]
    assert [row["status"] for row in desk.rows] == ["sent", "sent", "out_of_scope"]


def test_the_entries_start_without_the_pipelines_libraries() -> None:
    heavy = {"pandas", "duckdb", "dagster", "pyarrow", "numpy", "requests", "pandera"}
    code = f"import sys; from ces_pipeline.triggers import aws, azure; print({heavy} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"
