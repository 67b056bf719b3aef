"""Protects the checks of webhooks: each vendor's way of signing, and that a request without the secret is refused."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import pytest

from ces_pipeline.http.signatures import BadSignatureError
from ces_pipeline.registry.receive import Receive
from ces_pipeline.vendors.catalog import SIGNATURES

SECRET = "a-long-random-text"
BODY = b'{"answer": 5}'
NOW = 1_767_225_600.0
STANDARD_KEY = bytes(range(24))
STANDARD_SECRET = "whsec_" + base64.b64encode(STANDARD_KEY).decode()
ISO = "2026-01-01T00:00:00Z"


def digest(text: bytes, key: bytes = SECRET.encode(), name: str = "sha256") -> bytes:
    return hmac.new(key, text, getattr(hashlib, name)).digest()


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


# Name -> (further keys of the entry, secret, headers as the sender sends them).
SIGNED: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "typeform": ({}, SECRET, {"typeform-signature": f"sha256={b64(digest(BODY))}"}),
    "surveymonkey": (
        {},
        "id&secret",
        {"sm-signature": b64(digest(BODY, b"id&secret", "sha1"))},
    ),
    "tally": ({}, SECRET, {"tally-signature": b64(digest(BODY))}),
    "zendesk": (
        {},
        SECRET,
        {
            "x-zendesk-webhook-signature": b64(digest(ISO.encode() + BODY)),
            "x-zendesk-webhook-signature-timestamp": ISO,
        },
    ),
    "standard_webhooks": (
        {},
        STANDARD_SECRET,
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": f"{NOW:.0f}",
            "webhook-signature": "v1,bm90IHRoaXMgb25l v1,"
            + b64(digest(f"msg_1.{NOW:.0f}.".encode() + BODY, STANDARD_KEY)),
        },
    ),
    "hmac_sha256": ({"header": "X-Signature"}, SECRET, {"x-signature": digest(BODY).hex()}),
    "shared_secret": ({"header": "Authorization"}, SECRET, {"authorization": f"Bearer {SECRET}"}),
}
TIMED = ("zendesk", "standard_webhooks")


def entry(name: str, **keys: Any) -> Receive:
    return Receive.model_validate({"signature": name, "secret": "SECRET", **SIGNED[name][0], **keys})


def verify(
    name: str,
    headers: Mapping[str, str],
    *,
    body: bytes = BODY,
    secrets: tuple[str, ...] | None = None,
    now: float = NOW,
    **keys: Any,
) -> None:
    SIGNATURES[name].verify(entry(name, **keys), headers, body, secrets or (SIGNED[name][1],), now)


def test_every_signature_is_tested() -> None:
    assert SIGNED.keys() == SIGNATURES.keys()


@pytest.mark.parametrize("name", SIGNED)
def test_what_the_sender_signed_passes_also_with_the_secret_before(name: str) -> None:
    _, secret, headers = SIGNED[name]
    verify(name, headers)
    newer = STANDARD_SECRET[:-4] + "AAAA" if name == "standard_webhooks" else "another"
    verify(name, headers, secrets=(newer, secret))


@pytest.mark.parametrize("name", SIGNED)
def test_another_body_another_secret_and_a_missing_header_do_not_pass(name: str) -> None:
    _, secret, headers = SIGNED[name]
    wrong = STANDARD_SECRET[:-4] + "AAAA" if name == "standard_webhooks" else f"{secret}x"
    with pytest.raises(BadSignatureError):
        verify(name, headers, secrets=(wrong,))
    if name != "shared_secret":
        with pytest.raises(BadSignatureError):
            verify(name, headers, body=BODY + b" ")
    for missing in headers:
        with pytest.raises(BadSignatureError, match=r"is missing") as raised:
            verify(name, {key: value for key, value in headers.items() if key != missing})
        assert secret not in str(raised.value)


@pytest.mark.parametrize("name", TIMED)
def test_an_old_time_and_one_ahead_do_not_pass(name: str) -> None:
    headers = SIGNED[name][2]
    verify(name, headers, now=NOW + 300)
    for now in (NOW + 301, NOW - 301):
        with pytest.raises(BadSignatureError, match=r"300 s"):
            verify(name, headers, now=now)
    with pytest.raises(BadSignatureError):
        verify(name, headers, now=NOW + 11, tolerance_seconds=10)


@pytest.mark.parametrize("time", ["yesterday", "nan", "9" * 400, "²"])
def test_a_time_that_is_none_does_not_pass(time: str) -> None:
    name = "hmac_sha256"
    text = time.encode() + b"." + BODY
    headers = {"x-signature": digest(text).hex(), "x-time": time}
    with pytest.raises(BadSignatureError):
        verify(name, headers, timestamp_header="X-Time")


def test_a_signature_of_ones_own_may_be_hexadecimal_or_base64_and_signs_the_time_if_named() -> None:
    for written in (digest(BODY).hex(), b64(digest(BODY)), f"sha256={digest(BODY).hex()}"):
        verify("hmac_sha256", {"x-signature": written})
    text = f"{NOW:.0f}.".encode() + BODY
    headers = {"x-signature": digest(text).hex(), "x-time": f"{NOW:.0f}"}
    verify("hmac_sha256", headers, timestamp_header="X-Time")
    with pytest.raises(BadSignatureError):
        verify("hmac_sha256", {**headers, "x-signature": digest(BODY).hex()}, timestamp_header="X-Time")


@pytest.mark.parametrize(
    ("name", "keys", "key"),
    [
        ("typeform", {"header": "X-Signature"}, "header"),
        ("typeform", {"timestamp_header": "X-Time"}, "timestamp_header"),
        ("typeform", {"tolerance_seconds": 60}, "tolerance_seconds"),
        ("shared_secret", {"header": None}, "header"),
        ("hmac_sha256", {"tolerance_seconds": 60}, "tolerance_seconds"),
    ],
)
def test_keys_that_a_signature_does_not_use_are_named(name: str, keys: dict[str, Any], key: str) -> None:
    found = SIGNATURES[name].problem(entry(name, **keys))
    assert found is not None
    assert found[0] == key


def test_a_secret_that_holds_no_key_is_refused_without_being_quoted() -> None:
    with pytest.raises(ValueError, match="whsec_") as raised:
        SIGNATURES["standard_webhooks"].key("whsec_not base64!")
    assert "not base64" not in str(raised.value)
