"""A fake vendor's HTTP server: real sockets on loopback. It records requests and adds faults to its responses.

A fake vendor subclasses `FakeVendor` and writes `answer`. Sockets and transport faults are handled here.
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ces_pipeline.http.clock import Clock
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import TRANSPORT, FaultPlan

RETRY_AFTER_SECONDS = 3
_DRIP_SECONDS = 400.0


@dataclass(frozen=True)
class FakeRequest:
    """One request as the vendor sees it. query: name -> its last value. fault: the paging fault to do, if any."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    fault: str | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic; None if the request has none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        user, _, password = base64.b64decode(token).decode().partition(":")
        return user, password

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else None


@dataclass(frozen=True)
class FakeResponse:
    """The response to send: `data` as JSON, or `body` unchanged."""

    status: int = 200
    data: Any = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if self.body is not None else json.dumps(self.data).encode()


class FakeVendor:
    """A server that runs while its context is open. `asked` lists every request, also those that got a fault."""

    def __init__(self, clock: Clock | None = None, plan: FaultPlan | None = None):
        self.clock: Clock = clock or VirtualClock()
        self.plan = plan or FaultPlan()
        self.asked: list[FakeRequest] = []
        self._scheme = "http"

    def answer(self, asked: FakeRequest) -> FakeResponse:
        """The vendor's own behaviour: the response to a request. Called for one request at a time."""
        raise NotImplementedError

    @property
    def now_s(self) -> float:
        """Unix seconds by the vendor's clock."""
        return self.clock.now().timestamp() + self.plan.skew_seconds

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """Accept only TLS from now on, with the context's certificate."""
        self._scheme = "https"
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def restart_plan(self, plan: FaultPlan, clock: Clock) -> None:
        """Start again with another plan and clock, on the same port."""
        self.plan, self.clock, self.asked = plan, clock, []

    def __enter__(self) -> "FakeVendor":
        vendor = self
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # A response is written at once; waiting for more data (Nagle) would cost 40 ms each.
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                parts = urlsplit(self.path)
                with lock:
                    fault = vendor.plan.faults.get(len(vendor.asked))
                    asked = FakeRequest(
                        self.command,
                        parts.path,
                        {name: values[-1] for name, values in parse_qs(parts.query).items()},
                        {name.lower(): value for name, value in self.headers.items()},
                        body,
                        None if fault in TRANSPORT else fault,
                    )
                    vendor.asked.append(asked)
                    reply = vendor._faulty(fault) or vendor.answer(asked)
                try:
                    self._send(reply, fault)
                except OSError:
                    # The client hung up, as it may on a drip.
                    self.close_connection = True

            def _send(self, reply: FakeResponse, fault: str | None) -> None:
                content = reply.content
                if fault == "truncated":
                    content = content[: len(content) // 2]
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if fault == "cut":
                    self.close_connection = True
                    content = content[: len(content) // 2]
                if fault != "drip":
                    self.wfile.write(content)
                    return
                for part in vendor._drops(content):
                    self.wfile.write(part)
                    self.wfile.flush()

            do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815 - names that the base class looks for

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(vendor.now_s if timestamp is None else timestamp)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Tests look at `asked`, not at a log."""

        class Server(ThreadingHTTPServer):
            # A client that cuts its connection leaves the thread waiting for the next request.
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _faulty(self, fault: str | None) -> FakeResponse | None:
        if fault == "busy":
            return FakeResponse(
                429, {"error": "TooManyRequests"}, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
            )
        if fault == "busy_until":
            until = self.clock.now() + timedelta(seconds=self.plan.skew_seconds + RETRY_AFTER_SECONDS)
            return FakeResponse(
                503, body=b"<html>busy</html>", headers={"Retry-After": format_datetime(until, usegmt=True)}
            )
        if fault == "error":
            return FakeResponse(
                500, body=b"<html>Internal error</html>", headers={"Content-Type": "text/html"}
            )
        if fault == "html":
            return FakeResponse(200, body=b"<html>Back soon</html>", headers={"Content-Type": "text/html"})
        return None

    def _drops(self, content: bytes) -> Iterator[bytes]:
        """The body in four parts; the clock moves forward before each part."""
        size = max(1, len(content) // 4)
        for start in range(0, len(content), size):
            self.clock.sleep(_DRIP_SECONDS)
            yield content[start : start + size]
