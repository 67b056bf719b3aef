"""The body of a webhook as one line of JSON Lines, with the bytes that the sender signed."""

import json

from ces_pipeline.errors import CesError


class UnreadablePayloadError(CesError):
    """A body is no JSON object. Sending it again does not help. The error quotes nothing of it."""


def json_line(body: bytes) -> bytes:
    """The body on one line. Its bytes stay as they are; only line breaks between its parts become spaces.

    Raises UnreadablePayloadError if it is not one JSON object in UTF-8.
    """
    try:
        payload = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UnreadablePayloadError("the body is not JSON in UTF-8") from None
    if not isinstance(payload, dict):
        raise UnreadablePayloadError("the body is not one JSON object: send one request for each record")
    # Inside a JSON text a line break is written \n, so every byte of a line break is white space.
    return body.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b" ").replace(b"\n", b" ").strip()


def _refuse(_name: str) -> None:
    raise ValueError
