"""The web application: `POST /receive/SOURCE` verifies a payload, keeps it and answers; `GET /health` for a proxy.

Every refusal is one line of JSON with a `problem`. No body, signature or secret is ever logged or answered.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ces_pipeline.errors import HomeError
from ces_pipeline.http.signatures import BadSignatureError
from ces_pipeline.receive.payload import UnreadablePayloadError, json_line
from ces_pipeline.receive.rate import PerMinute
from ces_pipeline.receive.senders import Sender
from ces_pipeline.receive.writer import Writer

_LOG = logging.getLogger(__name__)
_JSON = ("application/json", "text/json")
_RETRY_SECONDS = 5
_TIMED_OUT = 408
_REST_SECONDS = 2.0
_MOST_REST_BYTES = 32 << 20


class RefusedError(Exception):
    """The answer to a request that is not kept. retry_seconds: when the sender may try again; None: it need not."""

    def __init__(self, status: int, problem: str, retry_seconds: float | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.retry_seconds = retry_seconds


@dataclass
class Receiver:
    """Receives the payloads of the sources in `senders`.

    senders: source id in the address -> its sender; read at every request, so that it may change. most_requests: how
    many requests may be in progress. body_seconds: the time in which a body must have arrived.
    """

    inbox: Path
    writer: Writer
    senders: Callable[[], Mapping[str, Sender]]
    most_requests: int = 64
    body_seconds: float = 10.0
    now: Callable[[], float] = time.time
    counted: Counter[tuple[str, int]] = field(default_factory=Counter)
    _in_progress: int = 0
    _rates: dict[str, PerMinute] = field(default_factory=dict)

    def app(self, lifespan: Callable[[Any], AbstractAsyncContextManager[None]] | None = None) -> Starlette:
        """The application. lifespan: what runs while it is served."""
        return Starlette(
            routes=[
                Route("/receive/{source_id}", self._receive, methods=["POST"]),
                Route("/health", self._health, methods=["GET"]),
            ],
            exception_handlers={HTTPException: _no_such_address},
            lifespan=lifespan,
        )

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _receive(self, request: Request) -> Response:
        source_id = str(request.path_params["source_id"])
        sender = self.senders().get(source_id)
        # What a stranger writes into the address is counted under one name, and never shown.
        name = sender.source_id if sender else "unknown source"
        self._in_progress += 1
        try:
            await self._keep(request, sender)
            answer: Response = JSONResponse({"status": "stored"})
        except RefusedError as refused:
            if refused.status != _TIMED_OUT:
                await _read_rest(request)
            answer = _refusal(refused)
        except ClientDisconnect:
            answer = Response(status_code=400)
        except Exception as problem:
            # Its text may quote a payload.
            frame = extract_tb(problem.__traceback__)[-1]
            _LOG.error(
                "%s: %s in %s, line %d", name, type(problem).__name__, Path(frame.filename).name, frame.lineno
            )
            answer = _refusal(RefusedError(503, "internal error: send it again", _RETRY_SECONDS))
        finally:
            self._in_progress -= 1
        self.counted[name, answer.status_code] += 1
        return answer

    async def _keep(self, request: Request, sender: Sender | None) -> None:
        """Verify a payload and write it. Raises RefusedError."""
        if sender is None:
            raise RefusedError(404, "no source of this name receives webhooks")
        if self._in_progress > self.most_requests:
            raise RefusedError(503, "too many requests at once: send it again", _RETRY_SECONDS)
        _check_type(request)
        body = await self._body(request, sender.receive.max_body_kb * 1_000)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            sender.signature.verify(sender.receive, headers, body, sender.secrets, self.now())
        except BadSignatureError as problem:
            raise RefusedError(401, str(problem)) from None
        limit = sender.receive.requests_per_minute
        rate = self._rates.get(sender.source_id)
        if rate is None or rate.limit != limit:
            rate = self._rates[sender.source_id] = PerMinute(limit)
        if wait := rate.take(time.monotonic()):
            raise RefusedError(429, f"more than {limit} payloads in a minute: send it again later", wait)
        try:
            line = json_line(body)
        except UnreadablePayloadError as problem:
            raise RefusedError(400, str(problem)) from None
        try:
            await self.writer.store(self.inbox / sender.source_id, line)
        except (OSError, HomeError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else type(problem).__name__
            _LOG.error("%s: the inbox cannot be written (%s)", sender.source_id, why)
            raise RefusedError(503, "it cannot be stored now: send it again", _RETRY_SECONDS) from None

    async def _body(self, request: Request, most_bytes: int) -> bytes:
        too_large = RefusedError(413, f"the body is larger than {most_bytes // 1_000} kB")
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > most_bytes:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self.body_seconds):
                async for part in request.stream():
                    body += part
                    if len(body) > most_bytes:
                        raise too_large
        except TimeoutError:
            raise RefusedError(
                _TIMED_OUT, f"the body did not arrive within {self.body_seconds:g} s"
            ) from None
        return bytes(body)


async def _read_rest(request: Request) -> None:
    """Read the rest of a body, within bounds: a connection that is closed before loses the answer on its way."""
    left = _MOST_REST_BYTES
    with suppress(RuntimeError, TimeoutError):
        async with asyncio.timeout(_REST_SECONDS):
            async for part in request.stream():
                left -= len(part)
                if left < 0:
                    return


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise RefusedError(415, "the content type is not JSON: send application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "the body is packed: send it without content-encoding")


def _refusal(refused: RefusedError) -> Response:
    headers = {"connection": "close"}
    if refused.retry_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(refused.retry_seconds)))
    return JSONResponse({"problem": refused.problem}, refused.status, headers)


async def _no_such_address(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 404
    known = "POST /receive/SOURCE and GET /health"
    return JSONResponse({"problem": f"there is only {known}"}, status, {"connection": "close"})
