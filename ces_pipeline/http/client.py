"""The HTTP client that all connectors share: retry policy, rate limits, size limits, and a record of every request.

It knows no vendor. Credentials come from `credentials.py`; a connector never sees them. Nothing here logs, and errors
hold only host, path, status and the vendor's own error code.
"""

import json
import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urljoin, urlsplit

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException
from urllib3.exceptions import HTTPError

from ces_pipeline.formats.json_records import is_json
from ces_pipeline.http.clock import Clock
from ces_pipeline.http.deadline import Deadline, DeadlineAdapter
from ces_pipeline.http.errors import BadResponseError, PullError, RefusedError, UnavailableError
from ces_pipeline.http.rate_limits import Limits, RateLimit
from ces_pipeline.http.request_log import RequestLog, shown_path

MAX_BODY_BYTES = 256 << 20
_CHUNK = 1 << 16
_BUSY = (408, 425, 429)
_BROKEN = (500, 502, 503, 504, 520, 521, 522, 523, 524)
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_HOPS = 5
# A vendor's error code such as StartTimeTooRecent or invalid_grant. A text with digits or blanks may be a value.
_CODE = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long requests are retried. waiting_seconds: the sum of all waits before retries of a pull.

    read_seconds: the longest silence. body_seconds: an attempt from connecting to the end of the body.
    """

    attempts: int = 8
    waiting_seconds: float = 3600.0
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    body_seconds: float = 600.0

    def longest_wait(self, attempt: int) -> float:
        """The most seconds between an attempt, counted from 1, and the next one: twice as many each time."""
        return min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (attempt - 1))


@dataclass(frozen=True)
class HttpResponse:
    """A complete response. headers: names in lower case. is_json: whether the body is known to be JSON.

    head: what the request's `head` function returned for the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_json: bool = False
    head: Any = None

    @cached_property
    def data(self) -> Any:
        """The body as Python objects; None if it is empty or not known to be JSON. Raises BadResponseError."""
        if not self.is_json or not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            # Valid JSON may hold more digits or levels than Python reads.
            raise BadResponseError(
                "the vendor's JSON holds a number or a nesting that is too large to read: report it to the vendor"
            ) from None


class Credentials(Protocol):
    """What authenticates every request, and whether it can be renewed."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that it comes from, for error messages."""

    def headers(self) -> dict[str, str]:
        """The headers to send with a request."""

    def renew(self) -> bool:
        """Renew the credentials after a 401. Whether `headers` now differ, so that one more attempt is worth it."""


@dataclass(frozen=True)
class _Sent:
    """The result of one attempt. problem: why there is no usable response, in words; None if there is one.

    arrived: whether the vendor may have received the request. hopeless: whether a retry cannot help.
    """

    response: HttpResponse | None = None
    problem: str | None = None
    arrived: bool = True
    hopeless: bool = False


@dataclass(frozen=True)
class _Request:
    """One request, the same for all its attempts."""

    method: str
    url: str
    params: Mapping[str, Any] | None
    json_body: Any
    form: Mapping[str, str] | None
    body: bytes | None
    headers: Mapping[str, str]
    wants_json: bool
    head: Callable[[bytes], Any] | None
    accept: Collection[int]
    repeatable: bool
    max_bytes: int

    @property
    def path(self) -> str:
        return urlsplit(self.url).path or "/"

    @property
    def shown(self) -> str:
        """The path as messages show it."""
        return shown_path(self.path)


class Http:
    """Requests to one origin (scheme, host, port) with one set of credentials.

    skew_seconds: how far the vendor's clock was ahead of this machine's at the last response; None before the first.
    """

    def __init__(
        self,
        source_id: str,
        base_url: str,
        *,
        clock: Clock,
        log: RequestLog,
        credentials: Credentials | None = None,
        rate_limits: Sequence[RateLimit] = (),
        limits_folder: Path | None = None,
        retry_policy: RetryPolicy | None = None,
        chance: random.Random | None = None,
    ):
        """limits_folder: where all processes keep the request times per host; None: this client counts on its own.
        chance: the random numbers for the jitter of waits.
        """
        self._source_id = source_id
        self._base_url = base_url.rstrip("/")
        self._origin = _origin(base_url)
        self._host = urlsplit(base_url).hostname or base_url
        self._clock = clock
        self._log = log
        self._credentials = credentials
        self._retry_policy = retry_policy or RetryPolicy()
        self._chance = chance or random.Random()  # noqa: S311 - jitter, not a secret
        times_file = f"{re.sub('[^A-Za-z0-9.-]', '_', urlsplit(base_url).netloc)}.json"
        self._limits = Limits(clock, rate_limits, limits_folder / times_file if limits_folder else None)
        self._waited = 0.0
        self.skew_seconds: float | None = None
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, DeadlineAdapter())
        self._session.headers["User-Agent"] = "ces-pipeline"

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **how: Any) -> HttpResponse:
        """`request` with method GET."""
        return self.request("GET", path, params=params, **how)

    def request(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH"],
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expects: Literal["json", "bytes"] = "json",
        head: Callable[[bytes], Any] | None = None,
        accept: Collection[int] = (),
        repeatable: bool | None = None,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> HttpResponse:
        """A response with status 200 to 299 or one of `accept`, retried as the retry policy allows.

        path: below `api.base_url` (`/api/v2/tickets`), or a full URL of the same origin, such as a next link.
        params: added to the query; None values are left out, lists repeat the name.
        json_body, form, body: what is sent; `body` is sent unchanged, with the content type in `headers`.
        expects: `json` parses the body into `data` (also for accepted error statuses, if it is JSON). A body that
            does not parse is retried, as after a cut connection.
        head: for pages that are too large to parse twice: reads what the connector needs from the JSON body into
            `HttpResponse.head`. Raises ValueError if the body is not JSON.
        repeatable: whether the request may be sent again although the vendor may have received it. Default: True for
            GET, False for other methods. Pass True for a write that may be repeated (a field's value, an event with
            its own id) and for a POST that only reads (a GraphQL query, the start of an export).

        Raises RefusedError for any other 4xx and for a redirect that leaves the origin, UnavailableError if the
        attempts or the waiting time run out, BadResponseError for a body larger than `max_bytes`, and PullError for a
        path or parameter that cannot be sent, such as a broken next link.
        """
        request = _Request(
            method=method,
            url=self._url(path),
            params=params,
            json_body=json_body,
            form=form,
            body=body,
            headers=headers or {},
            wants_json=expects == "json",
            head=head,
            accept=frozenset(accept),
            repeatable=method == "GET" if repeatable is None else repeatable,
            max_bytes=max_bytes,
        )
        return self._send_with_retries(request)

    def wait(self, seconds: float) -> None:
        """Wait, on the pull's clock, for something that the vendor is preparing (an export job)."""
        self._clock.sleep(seconds)

    def now(self) -> datetime:
        """The pull's wall clock, in UTC."""
        return self._clock.now()

    def seconds(self) -> float:
        """The pull's monotonic clock, for deadlines of the jobs that a connector waits for."""
        return self._clock.monotonic()

    def _send_with_retries(self, request: _Request) -> HttpResponse:
        attempt, renewed, may_have_arrived = 0, False, False
        while True:
            attempt += 1
            self._limits.wait(request.path)
            sent = self._sent(request, attempt)
            response = sent.response
            if response is not None and sent.problem is None:
                self._limits.learn(response.headers)
                return response
            status = response.status if response else None
            if response is not None and status == 429 and "retry-after" not in response.headers:
                self._limits.learn(response.headers, is_used_up=True)
            if status == 401 and not renewed and self._credentials and self._credentials.renew():
                renewed = True
                continue
            if response is not None and status not in (*_BUSY, *_BROKEN) and not 200 <= response.status < 300:
                self._log.rows[-1]["outcome"] = "refused"
                raise RefusedError(self._refusal(request, response), response.status)
            if sent.hopeless:
                self._log.rows[-1]["outcome"] = "refused"
                raise BadResponseError(
                    f"{self._source_id}: {self._host} is not trusted: {sent.problem}. Nothing was sent to it: "
                    "check api.base_url; for certificates of your own company set REQUESTS_CA_BUNDLE"
                )
            may_repeat = request.repeatable or not sent.arrived or status in _BUSY
            may_have_arrived |= sent.arrived and status not in _BUSY
            try:
                if not may_repeat or attempt >= self._retry_policy.attempts:
                    self._give_up(request, sent, attempt)
                self._wait_before_retry(request, sent, attempt)
            except UnavailableError as problem:
                problem.may_have_arrived = may_have_arrived
                raise

    def _sent(self, request: _Request, attempt: int) -> _Sent:
        """Make one attempt, following redirects within the origin, and record it in the log."""
        at, start = self._clock.now(), self._clock.monotonic()
        size = [0]
        sent = self._exchange(request, size)
        self._log.note(
            request.method,
            request.path,
            attempt=attempt,
            status=sent.response.status if sent.response else None,
            outcome="retried" if sent.problem else "ok",
            size_bytes=size[0],
            seconds=self._clock.monotonic() - start,
            at=at,
        )
        return sent

    def _exchange(self, request: _Request, size: list[int]) -> _Sent:
        # Exceptions of `requests` hold the URL with its query: only words of ours are kept, and nothing is chained.
        with Deadline(self._retry_policy.body_seconds) as deadline:
            sent = self._attempt(request, size)
        return _Sent(problem="the response came too slowly") if deadline.is_over else sent

    def _attempt(self, request: _Request, size: list[int]) -> _Sent:
        problem, arrived, hopeless = "", True, False
        try:
            return self._followed(request, size)
        except requests.exceptions.SSLError as caught:
            hopeless = "CERTIFICATE_VERIFY_FAILED" in repr(caught.args)
            problem = "its certificate does not verify" if hopeless else "no secure connection"
        except requests.exceptions.ConnectTimeout:
            problem, arrived = "no connection in time", False
        except requests.exceptions.Timeout:
            problem = "no response in time"
        except (ChunkedEncodingError, ContentDecodingError, HTTPError):
            problem = "the connection was cut in the middle of the response"
        except requests.exceptions.ConnectionError as caught:
            problem, arrived = "no connection", "NewConnectionError" not in repr(caught.args)
        except RequestException:
            problem = "the request failed"
        except ValueError:
            # `requests` passes on what the standard library raises for a broken redirect or half a character.
            raise self._no_address() from None
        return _Sent(problem=problem, arrived=arrived, hopeless=hopeless)

    def _followed(self, request: _Request, size: list[int]) -> _Sent:
        url, params, start = request.url, request.params, self._clock.monotonic()
        for _ in range(_MAX_HOPS + 1):
            headers = {**request.headers, **(self._credentials.headers() if self._credentials else {})}
            with self._session.request(
                request.method,
                url,
                params=_query(params),
                json=request.json_body,
                data=request.form if request.body is None else request.body,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(self._retry_policy.connect_seconds, self._retry_policy.read_seconds),
                # Without this, `requests` would replace the source's credentials with those of a .netrc file.
                auth=_unchanged,
            ) as response:
                target = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not target:
                    return self._read(request, response, size, start)
                url, params = urljoin(url, target), None
                if _origin(url) != self._origin or request.method != "GET":
                    return _Sent(HttpResponse(response.status_code, {}, b""), "a redirect")
        return _Sent(HttpResponse(response.status_code, {}, b""), "a redirect")

    def _read(self, request: _Request, response: requests.Response, size: list[int], start: float) -> _Sent:
        parts = []
        for chunk in response.iter_content(_CHUNK):
            size[0] += len(chunk)
            if size[0] > request.max_bytes:
                raise BadResponseError(
                    f"{self._source_id}: the response of {self._host} at {request.shown} is larger than "
                    f"{request.max_bytes >> 20} MB: request smaller pages (api.page_size) or shorter time spans"
                )
            if self._clock.monotonic() - start > self._retry_policy.body_seconds:
                return _Sent(problem="the response came too slowly")
            parts.append(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        status, body = response.status_code, b"".join(parts)
        is_fine = 200 <= status < 300
        head, is_valid_json = None, False
        if request.head and is_fine:
            with suppress(ValueError, RecursionError):
                head, is_valid_json = request.head(body), True
        elif request.wants_json:
            is_valid_json = is_json(body)
        if request.wants_json and not is_valid_json and is_fine:
            problem = "HTML not JSON" if body.lstrip()[:1] == b"<" else "a body that is cut off or not JSON"
            return _Sent(HttpResponse(status, headers, b""), problem)
        with suppress(KeyError, ValueError, TypeError, OverflowError):
            self.skew_seconds = (parsedate_to_datetime(headers["date"]) - self._clock.now()).total_seconds()
        is_good = is_fine or status in request.accept
        return _Sent(
            HttpResponse(status, headers, body, is_valid_json, head), None if is_good else f"status {status}"
        )

    def _wait_before_retry(self, request: _Request, sent: _Sent, attempt: int) -> None:
        retry_policy = self._retry_policy
        retry_after = _retry_after(sent.response.headers, self._clock) if sent.response else None
        longest = retry_policy.longest_wait(attempt)
        jittered = longest * (0.5 + self._chance.random() / 2)
        # All clients would return at the same second of a Retry-After: a little jitter spreads them.
        wait = jittered if retry_after is None else retry_after + jittered * 0.1
        if self._waited + wait > retry_policy.waiting_seconds:
            self._give_up(request, sent, attempt)
        self._waited += wait
        self._clock.sleep(wait)

    def _give_up(self, request: _Request, sent: _Sent, attempt: int) -> None:
        self._log.rows[-1]["outcome"] = "gave_up"
        raise UnavailableError(
            f"{self._source_id}: {self._host} gave no usable response to {request.method} {request.shown}, "
            f"last: {sent.problem} ({attempt} attempts, {self._waited:.0f} s of waiting): "
            "nothing is lost, the next pull continues from here; `ces doctor` shows whether the host is up"
        )

    def _refusal(self, request: _Request, response: HttpResponse) -> str:
        status = response.status
        where = f"{self._source_id}: {self._host} refused {request.method} {request.shown} with {status}"
        if status in _REDIRECTS:
            return (
                f"{where}, a redirect that is not followed, since the credentials are only for {self._host}: "
                "set api.base_url to the address that the vendor gives your account"
            )
        code = _error_code(response.data)
        named = ", ".join(self._credentials.variables) if self._credentials else "api.auth of the source"
        advice = {
            401: f"check {named}",
            403: f"the user behind {named} lacks the right to read this",
            404: "check api.base_url and api.options",
        }.get(status, "check api.options of the source")
        return f"{where}{f' ({code})' if code else ''}: {advice}"

    def _url(self, path: str) -> str:
        url = path if "://" in path else f"{self._base_url}/{path.lstrip('/')}"
        try:
            origin = _origin(url)
            url.encode()
        except ValueError:
            raise self._no_address() from None
        if origin != self._origin:
            raise BadResponseError(
                f"{self._source_id}: {self._host} names a page on another host ({urlsplit(url).hostname}): "
                f"it is not requested, since the credentials are only for {self._host}: check api.base_url"
            )
        return url

    def _no_address(self) -> PullError:
        return PullError(
            f"{self._source_id}: {self._host} names a next page by an address or a parameter that is none: it is not "
            "requested, and the next pull asks again; if that fails too, report it to the vendor"
        )


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _query(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {name: value for name, value in params.items() if value is not None} if params else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds to wait, from a number or a date. A date is compared with the vendor's own clock if `Date` shows it."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
        vendor_date = headers.get("date")
        now = parsedate_to_datetime(vendor_date) if vendor_date else clock.now()
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _error_code(data: Any) -> str | None:
    """The vendor's error code, if it is clearly a code. A sentence is not shown: it may quote what was sent."""
    found = data.get("error") if isinstance(data, dict) else None
    if isinstance(found, dict):
        found = found.get("code") or found.get("errorCode")
    return found if isinstance(found, str) and len(found) <= 40 and _CODE.fullmatch(found) else None
