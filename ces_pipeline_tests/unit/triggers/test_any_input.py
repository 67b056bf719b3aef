"""Protects handlers against whatever is delivered: an answer with a reason, never a crash, and no person in it."""

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ces_pipeline.errors import CesError
from ces_pipeline.triggers import aws
from ces_pipeline.triggers.event import read_event
from ces_pipeline.triggers.handler import Handler, respond
from ces_pipeline.triggers.links import MangledLinkError, check_link
from ces_pipeline_tests.unit.triggers.handlers import LINK_KEY, MONDAY, PERSON, Desk

TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=12),
    st.sampled_from(["chat_closed", PERSON, "\ud800", "\0", "9" * 5_000, "", " ", "a" * 3_000]),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.sampled_from([10**30, -(10**400), float("inf"), float("nan")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "source", "event_id", "event_type", "person", "ticket_id", "survey", "channel", "detail", "detail-type",
    "eventType", "specversion", "data", "id", "topic", "type",
)  # fmt: skip
EVENTS = st.one_of(
    VALUES,
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8),
    st.fixed_dictionaries(
        {"source": TEXTS, "event_id": TEXTS, "event_type": st.just("chat_closed"), "person": VALUES},
        optional={"ticket_id": VALUES, "channel": VALUES, "survey": VALUES},
    ),
)
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def handler(tmp_path_factory: pytest.TempPathFactory) -> Handler:
    folder: Path = tmp_path_factory.mktemp("desk")
    return Desk(folder).handler()


def written(value: Any) -> str:
    try:
        return json.dumps(value)
    except ValueError:
        # A number of more digits than Python writes.
        return json.dumps(str(type(value)))


@SETTINGS
@given(EVENTS)
def test_any_json_is_decided_or_refused_with_a_reason(handler: Handler, value: Any) -> None:
    status, content = respond(written(value), handler)
    assert status in (200, 400)
    json.dumps(content).encode()
    assert status == 200 or (content["problem"] and PERSON not in content["problem"])


@SETTINGS
@given(st.one_of(st.binary(max_size=40), TEXTS, VALUES))
def test_any_body_is_decided_or_refused_with_a_reason(handler: Handler, body: Any) -> None:
    status, content = respond(body, handler)
    assert status in (200, 400)
    assert status == 200 or content["problem"]


@SETTINGS
@given(EVENTS)
def test_any_object_is_an_event_or_refused(value: Any) -> None:
    with suppress(CesError):
        read_event(value)


@SETTINGS
@given(body=st.one_of(TEXTS, VALUES, EVENTS.map(written)), is_encoded=st.booleans())
def test_any_request_to_the_function_gets_a_status(handler: Handler, body: Any, is_encoded: bool) -> None:
    if is_encoded and isinstance(body, str):
        body = base64.b64encode(body.encode("utf-8", "replace")).decode()
    event = {"requestContext": {}, "body": body, "isBase64Encoded": is_encoded}
    assert aws.entry(lambda: handler)(event, None)["statusCode"] in (200, 400)


@SETTINGS
@given(VALUES)
def test_any_batch_names_the_messages_that_failed(handler: Handler, body: Any) -> None:
    records = [{"messageId": "m1", "body": body}, body]
    answer = aws.entry(lambda: handler)({"Records": records}, None)
    assert {failed["itemIdentifier"] for failed in answer["batchItemFailures"]} <= {"m1", None}


@SETTINGS
@given(
    st.one_of(TEXTS, TEXTS.map(lambda text: f"https://surveys.example.com/a?signature={text}&survey={text}"))
)
def test_any_link_that_was_not_signed_is_refused(url: str) -> None:
    with pytest.raises(MangledLinkError):
        check_link(url, MONDAY, LINK_KEY)
