"""The one HTTP client of all connectors: retry_policy, pace, bounds, and a record of every request.

Knows no vendor. Credentials are made in `auth.py`; a connector never sees them. Nothing here logs, and no error
carries more than host, path, status and the vendor's own error code.
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
from ces_pipeline.http.errors import BadAnswerError, RefusedError, UnavailableError
from ces_pipeline.http.rate_limits import Limits, RateLimit
from ces_pipeline.http.request_log import RequestLog

MAX_BODY_BYTES = 256 << 20
_CHUNK = 1 << 16
_BUSY = (408, 425, 429)
_BROKEN = (500, 502, 503, 504, 520, 521, 522, 523, 524)
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_HOPS = 5
# A vendor's code such as StartTimeTooRecent or invalid_grant. Anything with digits or blanks may be a value.
_CODE = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*")


@dataclass(frozen=True)
class RetryPolicy:
    """How long a vendor is borne with. waiting_seconds: all waits before a retry of one pull together."""

    attempts: int = 8
    waiting_seconds: float = 3600.0
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    body_seconds: float = 600.0


@dataclass(frozen=True)
class HttpResponse:
    """A whole answer. headers: names in lower case. is_json: whether the body is known to be JSON.

    head: what the request's own `head` found in the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_json: bool = False
    head: Any = None

    @cached_property
    def data(self) -> Any:
        """The body as Python objects, None where it is empty or no JSON was asked for."""
        return json.loads(self.body) if self.is_json and self.body else None


class Credentials(Protocol):
    """What is put on every request, and whether it can be made anew."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it comes from, for error texts."""

    def headers(self) -> dict[str, str]:
        """The headers that carry it."""

    def renew(self) -> bool:
        """After a 401: whether other headers than before are there now, worth one more try."""


@dataclass(frozen=True)
class _Sent:
    """How one attempt went. problem: why there is no usable answer, in words; None where there is one.

    arrived: whether the vendor may have had the request. hopeless: whether trying again cannot help.
    """

    answer: HttpResponse | None = None
    problem: str | None = None
    arrived: bool = True
    hopeless: bool = False


@dataclass(frozen=True)
class _Ask:
    """One request as it is repeated."""

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


class Http:
    """Requests to one origin (scheme, host, port) with one set of credentials.

    skew_seconds: how far the vendor's clock was ahead of this machine's at the last answer; None before the first.
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
        paces_folder: Path | None = None,
        retry_policy: RetryPolicy | None = None,
        chance: random.Random | None = None,
    ):
        """paces_folder: where all processes keep the hosts' accounts of requests; None: this client counts alone.
        chance: where the jitter of waits comes from.
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
        account = f"{re.sub('[^A-Za-z0-9.-]', '_', urlsplit(base_url).netloc)}.json"
        self._limits = Limits(clock, rate_limits, paces_folder / account if paces_folder else None)
        self._waited = 0.0
        self.skew_seconds: float | None = None
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "ces-pipeline"

    def close(self) -> None:
        """Give back its connections."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **how: Any) -> HttpResponse:
        """`request` with GET."""
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
        """One answer with status 200 to 299, or one of `accept`, after as many attempts as that takes.

        path: below `api.base_url` (`/api/v2/tickets`), or a whole URL of the same origin, such as a next link.
        params: added to the query; None values are left out, lists repeat the name.
        json_body, form, body: what is sent; a `body` goes as it is, with the type that `headers` say.
        expects: `json` parses the body into `data` (of accepted error statuses, where it is JSON); a body that does
            not parse is tried again as a cut connection is.
        head: reads what is wanted of a response's JSON into `HttpResponse.head`; raises ValueError where the body is
            none: for pages so large that they should be looked through once.
        repeatable: whether it may be sent again after it may have arrived. True for GET unless said otherwise, False
            for the others: say True for a write that may be repeated (a field's value, an event with its own id) and
            for a POST that only asks (a GraphQL query, the start of an export).

        Raises RefusedError for any other 4xx and for a redirect that leaves the origin, UnavailableError where the
        attempts or the waiting are used up, BadAnswerError for a body beyond `max_bytes`.
        """
        ask = _Ask(
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
        return self._asked(ask)

    def wait(self, seconds: float) -> None:
        """Wait for something that the vendor is still preparing (an export job), on the pull's own clock."""
        self._clock.sleep(seconds)

    def now(self) -> datetime:
        """The pull's wall clock, in UTC."""
        return self._clock.now()

    def seconds(self) -> float:
        """The pull's monotonic clock, for deadlines of jobs that a connector waits for."""
        return self._clock.monotonic()

    def _asked(self, ask: _Ask) -> HttpResponse:
        attempt, renewed, is_in_doubt = 0, False, False
        while True:
            attempt += 1
            self._limits.wait(ask.path)
            sent = self._sent(ask, attempt)
            answer = sent.answer
            if answer is not None and sent.problem is None:
                self._limits.learn(answer.headers)
                return answer
            status = answer.status if answer else None
            if answer is not None and status == 429 and "retry-after" not in answer.headers:
                self._limits.learn(answer.headers, is_used_up=True)
            if status == 401 and not renewed and self._credentials and self._credentials.renew():
                renewed = True
                continue
            if answer is not None and status not in (*_BUSY, *_BROKEN) and not 200 <= answer.status < 300:
                self._log.rows[-1]["outcome"] = "refused"
                raise RefusedError(self._refusal(ask, answer), answer.status)
            if sent.hopeless:
                self._log.rows[-1]["outcome"] = "refused"
                raise BadAnswerError(
                    f"{self._source_id}: {self._host} is not trusted: {sent.problem}. Nothing was sent to it: "
                    "check api.base_url; for a company's own certificates set REQUESTS_CA_BUNDLE"
                )
            may_repeat = ask.repeatable or not sent.arrived or status in _BUSY
            is_in_doubt |= sent.arrived and status not in _BUSY
            try:
                if not may_repeat or attempt >= self._retry_policy.attempts:
                    self._give_up(ask, sent, attempt)
                self._wait_before_retry(ask, sent, attempt)
            except UnavailableError as problem:
                problem.may_have_arrived = is_in_doubt
                raise

    def _sent(self, ask: _Ask, attempt: int) -> _Sent:
        """One attempt, redirects within the origin followed; noted in the log."""
        at, start = self._clock.now(), self._clock.monotonic()
        size = [0]
        sent = self._exchange(ask, size)
        self._log.note(
            ask.method,
            ask.path,
            attempt=attempt,
            status=sent.answer.status if sent.answer else None,
            outcome="retried" if sent.problem else "ok",
            size_bytes=size[0],
            seconds=self._clock.monotonic() - start,
            at=at,
        )
        return sent

    def _exchange(self, ask: _Ask, size: list[int]) -> _Sent:
        # Exceptions of requests hold the URL with its query: they are told in words and not chained to.
        problem, arrived, hopeless = "", True, False
        try:
            return self._followed(ask, size)
        except requests.exceptions.SSLError as caught:
            hopeless = "CERTIFICATE_VERIFY_FAILED" in repr(caught.args)
            problem = "its certificate does not verify" if hopeless else "no secure connection"
        except requests.exceptions.ConnectTimeout:
            problem, arrived = "no connection in time", False
        except requests.exceptions.Timeout:
            problem = "no answer in time"
        except (ChunkedEncodingError, ContentDecodingError, HTTPError):
            problem = "the connection was cut in the middle of the answer"
        except requests.exceptions.ConnectionError as caught:
            problem, arrived = "no connection", "NewConnectionError" not in repr(caught.args)
        except RequestException:
            problem = "the request failed"
        return _Sent(problem=problem, arrived=arrived, hopeless=hopeless)

    def _followed(self, ask: _Ask, size: list[int]) -> _Sent:
        url, params, start = ask.url, ask.params, self._clock.monotonic()
        for _ in range(_MAX_HOPS + 1):
            headers = {**ask.headers, **(self._credentials.headers() if self._credentials else {})}
            with self._session.request(
                ask.method,
                url,
                params=_query(params),
                json=ask.json_body,
                data=ask.form if ask.body is None else ask.body,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(self._retry_policy.connect_seconds, self._retry_policy.read_seconds),
                # Without this, credentials of a .netrc would take the place of the feed's own.
                auth=_as_it_is,
            ) as response:
                target = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not target:
                    return self._read(ask, response, size, start)
                url, params = urljoin(url, target), None
                if _origin(url) != self._origin or ask.method != "GET":
                    return _Sent(HttpResponse(response.status_code, {}, b""), "a redirect")
        return _Sent(HttpResponse(response.status_code, {}, b""), "a redirect")

    def _read(self, ask: _Ask, response: requests.Response, size: list[int], start: float) -> _Sent:
        parts = []
        for chunk in response.iter_content(_CHUNK):
            size[0] += len(chunk)
            if size[0] > ask.max_bytes:
                raise BadAnswerError(
                    f"{self._source_id}: the answer of {self._host} at {ask.path} is larger than "
                    f"{ask.max_bytes >> 20} MB: ask for smaller pages (api.page_size) or spans"
                )
            if self._clock.monotonic() - start > self._retry_policy.body_seconds:
                return _Sent(problem="the answer came too slowly")
            parts.append(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        status, body = response.status_code, b"".join(parts)
        is_fine = 200 <= status < 300
        head, is_whole = None, False
        if ask.head and is_fine:
            with suppress(ValueError, RecursionError):
                head, is_whole = ask.head(body), True
        elif ask.wants_json:
            is_whole = is_json(body)
        if ask.wants_json and not is_whole and is_fine:
            kind = "HTML" if body.lstrip()[:1] == b"<" else "something cut off or"
            return _Sent(HttpResponse(status, headers, b""), f"{kind} not JSON")
        with suppress(KeyError, ValueError, TypeError):
            self.skew_seconds = (parsedate_to_datetime(headers["date"]) - self._clock.now()).total_seconds()
        is_good = is_fine or status in ask.accept
        return _Sent(
            HttpResponse(status, headers, body, is_whole, head), None if is_good else f"status {status}"
        )

    def _wait_before_retry(self, ask: _Ask, sent: _Sent, attempt: int) -> None:
        retry_policy = self._retry_policy
        asked = _retry_after(sent.answer.headers, self._clock) if sent.answer else None
        longest = min(retry_policy.longest_wait_seconds, retry_policy.first_wait_seconds * 2 ** (attempt - 1))
        jittered = longest * (0.5 + self._chance.random() / 2)
        # Everybody waits for the same second of a Retry-After: a little more spreads them.
        wait = jittered if asked is None else asked + jittered * 0.1
        if self._waited + wait > retry_policy.waiting_seconds:
            self._give_up(ask, sent, attempt)
        self._waited += wait
        self._clock.sleep(wait)

    def _give_up(self, ask: _Ask, sent: _Sent, attempt: int) -> None:
        self._log.rows[-1]["outcome"] = "gave_up"
        raise UnavailableError(
            f"{self._source_id}: {self._host} did not answer {ask.method} {ask.path} as it should, "
            f"last: {sent.problem} ({attempt} attempts, {self._waited:.0f} s of waiting): "
            "nothing is lost, the next pull goes on from here; `ces doctor` tells whether it is up"
        )

    def _refusal(self, ask: _Ask, answer: HttpResponse) -> str:
        status = answer.status
        where = f"{self._source_id}: {self._host} refused {ask.method} {ask.path} with {status}"
        if status in _REDIRECTS:
            return (
                f"{where}, a redirect that is not followed, since credentials are for {self._host} alone: "
                "set api.base_url to the vendor's own address of this installation"
            )
        code = _error_code(answer.data)
        named = ", ".join(self._credentials.variables) if self._credentials else "api.auth of the feed"
        advice = {
            401: f"check {named}",
            403: f"the user behind {named} lacks the right to read this",
            404: "check api.base_url and api.options",
        }.get(status, "check api.options of the feed")
        return f"{where}{f' ({code})' if code else ''}: {advice}"

    def _url(self, path: str) -> str:
        url = path if "://" in path else f"{self._base_url}/{path.lstrip('/')}"
        if _origin(url) != self._origin:
            raise BadAnswerError(
                f"{self._source_id}: {self._host} names a page on another host ({urlsplit(url).hostname}): "
                "it is not asked, since credentials are for one host alone"
            )
        return url


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _query(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {name: value for name, value in params.items() if value is not None} if params else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds to wait, from a number or a date; a date is measured by the vendor's own clock where it tells it."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
        told = headers.get("date")
        return max(0.0, (until - (parsedate_to_datetime(told) if told else clock.now())).total_seconds())
    except (ValueError, TypeError):
        return None


def _error_code(data: Any) -> str | None:
    """The vendor's error code, where it is plainly one and no sentence: sentences may quote what was sent."""
    found = data.get("error") if isinstance(data, dict) else None
    if isinstance(found, dict):
        found = found.get("code") or found.get("errorCode")
    return found if isinstance(found, str) and len(found) <= 40 and _CODE.fullmatch(found) else None
