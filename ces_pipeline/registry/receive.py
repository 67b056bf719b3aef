"""The `receive` block of a source: webhooks that `ces receive` accepts for it, and how they are signed."""

from pydantic import Field

from ces_pipeline.registry.api import Variable
from ces_pipeline.registry.base import Entry

RECEIVED_NAME = "received-20260131T235959Z-0123456789abcdef.jsonl"
"""A name like those of the files that received payloads are kept in."""
_HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"


class Receive(Entry):
    """Webhooks of a source. The entry names environment variables; it never holds a secret."""

    signature: str = Field(description="how the sender signs; see Signatures below")
    secret: Variable = Field(description="variable that holds the secret")
    previous_secret: Variable | None = Field(
        None, description="variable that holds the secret before it; accepted as well, while you change it"
    )
    header: str | None = Field(
        None, pattern=_HEADER_NAME, description="header with the signature, if the sender leaves it to you"
    )
    timestamp_header: str | None = Field(
        None,
        pattern=_HEADER_NAME,
        description="header with the time of signing; the signed text is then the time, a dot and the body",
    )
    tolerance_seconds: int | None = Field(
        None, ge=1, le=3_600, description="how far that time may be from now, in seconds; 300 unless set"
    )
    requests_per_minute: int = Field(
        600, ge=1, le=60_000, description="accepted payloads per minute; more get the status 429"
    )
    max_body_kb: int = Field(
        1_000, ge=1, le=16_000, description="largest payload, in kB; a larger one gets the status 413"
    )
