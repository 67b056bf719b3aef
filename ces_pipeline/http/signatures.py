"""Signatures of webhooks: how a sender proves that a payload is its own, the check of it, and signing itself.

Vendors declare how they sign (`Vendor.signatures`). Nothing here reads a variable, writes a log or quotes a value.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ces_pipeline.errors import CesError
from ces_pipeline.registry.receive import Receive

TOLERANCE_SECONDS = 300
"""How far the time of a signature may be from this machine's, as the Standard Webhooks specification recommends."""
_STANDARD_SECRET = "whsec_"  # noqa: S105 - what every secret of that specification begins with


def standard_key(secret: str) -> bytes:
    """The key of a secret as Standard Webhooks writes it: base64 after `whsec_`.

    Raises ValueError, which does not quote the secret.
    """
    try:
        return base64.b64decode(secret.removeprefix(_STANDARD_SECRET), validate=True)
    except ValueError:
        raise ValueError("is no secret of Standard Webhooks: `whsec_` and base64") from None


def standard_signature(key: bytes, message_id: str, timestamp: int, content: bytes) -> str:
    """The signature of a webhook that is sent, as in the Standard Webhooks specification.

    `v1,` and base64 of HMAC-SHA256 over id, timestamp (unix seconds) and body, joined by dots. See
    https://www.standardwebhooks.com.
    """
    signed = _signed_text([message_id, str(timestamp)], ".", content)
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def _signed_text(parts: Sequence[str], separator: str, body: bytes) -> bytes:
    return b"".join(f"{part}{separator}".encode() for part in parts) + body


class BadSignatureError(CesError):
    """A payload has no signature of one who knows the secret, or an old one. It names headers, never values."""


@dataclass(frozen=True)
class WebhookSignature:
    """How a sender signs its webhooks: an HMAC of the body, or the secret itself in a header.

    name: what `receive.signature` of a source names. title: how it signs, for people.
    header: the header with the signature; None: the entry names it. algorithm: the hash of the HMAC; None: the header
        holds the secret itself.
    encoding: how the HMAC is written; `any`: as hexadecimal digits or as base64. prefix: what comes before it.
    timestamp_header: the header with the time of signing (unix seconds, or ISO 8601); None: the signature has no time,
        unless `may_name_timestamp` and the entry names the header. id_header: the header with the message's id.
    separator: what joins id, time and body to the text that is signed.
    has_standard_secret: whether the secret is `whsec_` and base64, as in the Standard Webhooks specification.
    """

    name: str
    title: str
    header: str | None = None
    algorithm: Literal["sha256", "sha1"] | None = "sha256"
    encoding: Literal["base64", "hex", "any"] = "base64"
    prefix: str = ""
    timestamp_header: str | None = None
    may_name_timestamp: bool = False
    id_header: str | None = None
    separator: str = "."
    has_standard_secret: bool = False

    def problem(self, receive: Receive) -> tuple[str, str] | None:
        """(Key below `receive`, what is wrong with it) if the entry does not fit this signature; else None."""
        if self.header is None and receive.header is None:
            return "header", f"the signature {self.name} needs the name of the header that carries it"
        if self.header is not None and receive.header is not None:
            return "header", f"the signature {self.name} is always in {self.header}: remove this key"
        if receive.timestamp_header is not None and not self.may_name_timestamp:
            return "timestamp_header", f"the signature {self.name} takes no such key: remove it"
        if receive.tolerance_seconds is not None and not self._timestamp_header(receive):
            return "tolerance_seconds", f"the signature {self.name} has no time here: remove this key"
        return None

    def key(self, secret: str) -> bytes:
        """The key of the HMAC. Raises ValueError, which does not quote the secret, if the secret holds no key."""
        return standard_key(secret) if self.has_standard_secret else secret.encode()

    def verify(
        self, receive: Receive, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float
    ) -> None:
        """Raises BadSignatureError if none of the secrets signed the payload, or if that is too long ago.

        headers: lower-case name -> value. now: unix seconds.
        """
        given = _header(headers, self.header or receive.header)
        if self.algorithm is None:
            found = given.removeprefix("Bearer ").encode()
            if not any(hmac.compare_digest(found, secret.encode()) for secret in secrets):
                raise BadSignatureError("the secret in the header is wrong")
            return
        signed = [_header(headers, self.id_header)] if self.id_header else []
        if timestamp_header := self._timestamp_header(receive):
            timestamp = _header(headers, timestamp_header)
            tolerance = receive.tolerance_seconds or TOLERANCE_SECONDS
            if abs(now - _unix_seconds(timestamp, timestamp_header)) > tolerance:
                raise BadSignatureError(f"the time in {timestamp_header} is more than {tolerance} s from now")
            signed.append(timestamp)
        text = _signed_text(signed, self.separator, body)
        candidates = [part.removeprefix(self.prefix).encode() for part in given.split()]
        wanted = [
            digits
            for secret in secrets
            for digits in self._written(hmac.digest(self.key(secret), text, self.algorithm))
        ]
        if not any(hmac.compare_digest(one, other) for one in candidates for other in wanted):
            raise BadSignatureError("the signature is wrong")

    def _timestamp_header(self, receive: Receive) -> str | None:
        return self.timestamp_header or receive.timestamp_header

    def _written(self, digest: bytes) -> list[bytes]:
        written = {"hex": digest.hex().encode(), "base64": base64.b64encode(digest)}
        return list(written.values()) if self.encoding == "any" else [written[self.encoding]]


def _header(headers: Mapping[str, str], name: str | None) -> str:
    value = headers.get((name or "").lower(), "").strip()
    if not value:
        raise BadSignatureError(f"the header {name} is missing")
    return value


def _unix_seconds(text: str, header: str) -> float:
    try:
        return float(text) if text.isdigit() else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise BadSignatureError(f"the time in {header} is neither unix seconds nor ISO 8601") from None
