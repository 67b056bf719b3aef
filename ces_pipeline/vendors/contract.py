"""The contract of a vendor: readers of its exports, connectors to its API, write-back to its tickets, its webhooks.

A connector gives pages of records, starting at a saved state, each with the state to save after it. It knows one
vendor's paths and paging. It sees no secret, writes nothing, and neither retries nor sleeps itself (`Http` does).
`land/pull.py` lands its pages. The contract of a reader is in `formats/contract.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from ces_pipeline.formats.contract import Reader
from ces_pipeline.http.client import Http, HttpResponse
from ces_pipeline.http.errors import BadResponseError
from ces_pipeline.http.rate_limits import RateLimit
from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.registry.api import Api

State = dict[str, Any]
"""A JSON object that a connector resumes from; empty before the first pull. Holds cursors and times, never a person."""


@dataclass(frozen=True)
class Window:
    """A span of time from `since` (included) to `until` (excluded). Both in UTC."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Page:
    """One page of records, as a file for the source's reader.

    body: for JSON readers complete lines, each one JSON document (see `json_lines`); else the full export.
        A page without records has an empty body: nothing is landed for it, but its state is saved.
    records: how many records it holds.
    state: what may be saved once the page has landed. A pull from this state yields the next page. It may repeat
        records at the edges of the vendor's windows; landing drops the copies.
    covers: the span of which the page holds all records, if the vendor exports by span; else None.
    notice: a message of the vendor that the source's owner should know.
    """

    body: bytes
    records: int
    state: State
    covers: Window | None = None
    notice: str | None = None


@dataclass(frozen=True)
class Finding:
    """One result of `ces doctor`. `is_well` False is something to fix; the text says what, and how.

    is_warning: nothing is broken, but something could be better.
    """

    is_well: bool
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Connector:
    """One vendor's API. Subclasses implement its paging and set these attributes.

    readers: the readers that can read its pages; the source's `reader` must be one of them.
    options: the keys of the source's `api.options` that it uses, and what each decides.
    joinable: whether the concatenated bodies of consecutive pages are a file of the reader too (true for JSON Lines,
        false for delimited exports with a header).
    rate_limits: the vendor's published limits; the source's `requests_per_minute` applies in addition.
    basic_user_suffix: what the vendor expects after the user name of HTTP Basic.
    counts: what `expected` counts, in words.
    counted_how: `count` if the vendor counts, `export` if its export of a span is complete (`Page.covers`),
        `second_read` if the records are listed a second time; None if the number is not known.
    counts_deleted: whether `expected` counts deleted records too.
    """

    name: ClassVar[str]
    readers: ClassVar[tuple[str, ...]]
    options: ClassVar[dict[str, str]] = {}
    joinable: ClassVar[bool] = True
    rate_limits: ClassVar[tuple[RateLimit, ...]] = ()
    basic_user_suffix: ClassVar[str] = ""
    counts: ClassVar[str] = "records"
    counted_how: ClassVar[Literal["count", "export", "second_read"] | None] = None
    counts_deleted: ClassVar[bool] = True

    def check(self, api: Api) -> None:
        """Raises ValueError, naming the key, if a key of the `api` block is missing or wrong. Makes no request."""

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Pages after `state`, oldest first, until the vendor has no more as of `now` (UTC, the pull's start).

        States never go back. Raises PullError as `http` does, and BadResponseError, naming what is missing, if a
        response is not as the vendor documents it.
        """
        raise NotImplementedError

    def counted_by(self, api: Api) -> str | None:
        """The export's column whose time decides the window of a record; None if nothing is counted."""
        return None

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """How many records the vendor reports for each window, by the time in `counted_by`; None if it cannot.

        A record counts in the window of its last change, as of `now`, the pull's start. May raise PullError.
        """
        return [None] * len(windows)

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Results for `ces doctor`: rights and settings. (The caller has already tested whether the host is reachable.)

        May raise PullError, which becomes the last result.
        """
        raise NotImplementedError

    def ticket_field(self, api: Api) -> str | None:
        """The ticket field that answers are read from, so that no score is written to it; None if there is none."""
        return None

    def answers(self, http: Http, api: Api) -> Sequence[str]:
        """The answers that can be chosen for the score, as written in pages; `ces doctor` compares them with the scale.

        Empty if the vendor does not list them, or any answer is possible. May raise PullError.
        """
        return ()


Value = str | int | float
"""A score to write to a ticket."""


@dataclass(frozen=True)
class TicketField:
    """The current value of a ticket's field. address: the system's own identifier of the ticket."""

    address: str
    value: Any


class WriteBack:
    """Reads and writes one field of one system's tickets. `read` and `write` raise PullError as `http` does."""

    def check(self, field: str) -> None:
        """Raises ValueError if no field of this system can have this name. Makes no request."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> TicketField | None:
        """The field of a ticket; None if the ticket is gone or can no longer be changed."""
        raise NotImplementedError

    def write(self, http: Http, api: Api, held: TicketField, field: str, value: Value) -> None:
        """Set only this field. The call may be repeated."""
        raise NotImplementedError


def ticket_object(response: HttpResponse, key: str | None = None) -> dict[str, Any] | None:
    """The ticket in a response, under `key` if given; None for 404. Raises BadResponseError if there is none."""
    if response.status == 404:
        return None
    found = response.data.get(key) if key and isinstance(response.data, dict) else response.data
    if not isinstance(found, dict):
        raise BadResponseError("expected one ticket as a JSON object: check api.base_url")
    return found


@dataclass(frozen=True)
class Vendor:
    """One system. Its entry point in the group `ces_pipeline.vendors` names an instance of this class.

    name: lower-case letters, digits and _; also the name of its entry point and folder. title: its name for people.
    write_backs: name of one of its connectors -> how scores are written to the tickets of such a source.
    signatures: how it signs the webhooks that it sends.
    """

    name: str
    title: str
    readers: tuple[Reader, ...] = ()
    connectors: tuple[Connector, ...] = ()
    write_backs: Mapping[str, WriteBack] = field(default_factory=dict)
    signatures: tuple[WebhookSignature, ...] = ()


def json_lines(*documents: Any) -> bytes:
    """Documents as JSON Lines; b"" if there are none."""
    lines = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) for document in documents)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
