"""What a vendor brings: readers of its exports, connectors to its API, write-back to its tickets.

A connector gives pages of records from a saved state on, with the state that each page allows to save. It knows one
vendor's paths and paging, sees no secret, writes nothing, and neither retries nor sleeps by itself (`Http` does). What
happens to its pages is in `land/pull.py`. What a reader promises is in `formats/contract.py`.
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
from ces_pipeline.registry.api import Api

State = dict[str, Any]
"""A JSON object that a connector resumes from; empty before the first pull. Holds cursors and times, never a person."""


@dataclass(frozen=True)
class Window:
    """A span of time: `since` belongs to it, `until` does not. Both in UTC."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Page:
    """One page of records, as a file of the feed's own reader.

    body: for JSON readers whole lines, each one JSON document (`json_lines` makes them); else the whole export.
        A page without records has an empty body; nothing is landed for it and its state is still saved.
    records: how many records it holds.
    state: what may be saved once the page has landed. A pull from it yields the next page and nothing before it,
        but for what the vendor's own window edges make it read twice; landing drops what it already has.
    covers: the span all of whose records the page holds, where the vendor makes one export of a span; else None.
    notice: what the vendor said beside it that its owner should know.
    """

    body: bytes
    records: int
    state: State
    covers: Window | None = None
    notice: str | None = None


@dataclass(frozen=True)
class Finding:
    """One verdict of `ces doctor`. `is_well` False is something to mend; the text says what, and how.

    is_warning: nothing is broken, but something is worth doing.
    """

    is_well: bool
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Connector:
    """One vendor's API. Subclasses say how it is paged; the values here are their facts.

    readers: the readers whose files its pages can be; the feed's `reader` must be one of them.
    options: the keys of the feed's `api.options` that it honours, and what each settles.
    joinable: whether bodies of consecutive pages, one behind the other, are a file of the reader too (JSON Lines
        are, delimited exports with a header are not).
    rate_limits: the vendor's published limits; the feed's `requests_per_minute` comes on top.
    basic_user_suffix: what the vendor wants behind the user's name in a basic token.
    counts: what is counted by `expected`, in words.
    counted_how: `count` where the vendor counts, `export` where its export of a span is whole (`Page.covers`),
        `second_read` where the records are listed once more; None where nothing can be said.
    counts_deleted: whether deleted records are among those that are counted.
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
        """Raises ValueError, naming the key, where the `api` block lacks or mistakes something. Makes no request."""

    def pages(self, http: Http, api: Api, state: State, now: datetime) -> Iterator[Page]:
        """Pages from `state` on, oldest first, until the vendor has no more as of `now` (UTC, the pull's start).

        Later states never lie before earlier ones. Raises PullError as `http` does; and where the answers are not
        what the vendor documents, `BadResponseError` naming what is missing.
        """
        raise NotImplementedError

    def counted_by(self, api: Api) -> str | None:
        """The export's column whose time says to which window a record belongs; None where nothing is counted."""
        return None

    def expected(
        self, http: Http, api: Api, windows: Sequence[Window], now: datetime
    ) -> Sequence[int | None]:
        """How many records the vendor says it has in each window, by the time in `counted_by`; None: it cannot say.

        A record counts where it was last changed, as of `now`, the pull's start. May raise PullError.
        """
        return [None] * len(windows)

    def probe(self, http: Http, api: Api) -> Iterator[Finding]:
        """Verdicts for `ces doctor`: rights and settings, beyond reachability, which the caller has tested.

        May raise PullError, which becomes the last verdict.
        """
        raise NotImplementedError

    def ticket_field(self, api: Api) -> str | None:
        """The ticket field that it takes answers from, which no score may be written to; None where it takes none."""
        return None

    def answers(self, http: Http, api: Api) -> Sequence[str]:
        """The answers that can be chosen for the score, as pages tell them, for `ces doctor` to hold to the scale.

        None where the vendor does not say, or anything may come. May raise PullError.
        """
        return ()


Value = str | int | float
"""A score as it is written to a ticket."""


@dataclass(frozen=True)
class TicketField:
    """One field of a ticket as the system holds it. address: what the system itself calls the ticket."""

    address: str
    value: Any


class WriteBack:
    """How one system's tickets take a value into one field. `read` and `write` raise PullError as `http` does."""

    def check(self, field: str) -> None:
        """Raises ValueError where no field of this system can have this name. Makes no request."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> TicketField | None:
        """The field of a ticket; None where the ticket is gone, or can no longer be changed."""
        raise NotImplementedError

    def write(self, http: Http, api: Api, held: TicketField, field: str, value: Value) -> None:
        """Set the field and nothing else. The call may be repeated."""
        raise NotImplementedError


def ticket_object(response: HttpResponse, key: str | None = None) -> dict[str, Any] | None:
    """The ticket in a response, below `key` where given; None for 404. Raises BadResponseError for anything else."""
    if response.status == 404:
        return None
    found = response.data.get(key) if key and isinstance(response.data, dict) else response.data
    if not isinstance(found, dict):
        raise BadResponseError("expected one ticket as a JSON object: check api.base_url")
    return found


@dataclass(frozen=True)
class Vendor:
    """One system, as its entry point in the group `ces_pipeline.vendors` gives it.

    name: lower-case letters, digits and _; the name of its entry point and folder. title: how people call it.
    write_backs: name of one of its connectors -> how scores are written to the tickets of such a source.
    """

    name: str
    title: str
    readers: tuple[Reader, ...] = ()
    connectors: tuple[Connector, ...] = ()
    write_backs: Mapping[str, WriteBack] = field(default_factory=dict)


def json_lines(*documents: Any) -> bytes:
    """Documents as JSON Lines, each on a line of its own; b"" where there are none."""
    lines = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) for document in documents)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
