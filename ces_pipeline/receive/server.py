"""Serves the receiver with uvicorn: time limits of connections, the registry as it changes, a line a minute.

The server speaks plain HTTP: TLS is the task of the proxy in front of it.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.receive.app import Receiver
from ces_pipeline.receive.senders import Sender, senders_of
from ces_pipeline.receive.writer import Writer
from ces_pipeline.registry.registry import Registry

_LOG = logging.getLogger(__name__)
HEAD_SECONDS = 10.0
"""The time in which the head of a request must have arrived, and a connection may be idle."""
_MOST_CONNECTIONS = 256
_REREAD_SECONDS = 5.0
_REPORT_SECONDS = 60.0
_GRACE_SECONDS = 20


class DeadlineProtocol(H11Protocol):
    """uvicorn's protocol, which itself waits without end for the head of a request."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # An address is written by the sender, and may name a person.
        self.access_log = False
        self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def _wait(self) -> None:
        """Close the connection if no request is at work when the time is over."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def serve(home: Home, read_registry: Callable[[], Registry], host: str, port: int) -> None:
    """Receive webhooks until the process gets SIGTERM or SIGINT; requests at work are finished.

    read_registry: the home's registry as it is now. Raises RegistryError, and HomeError if a secret is missing.
    """
    senders = Senders(read_registry, os.environ)
    with Writer() as writer:
        receiver = Receiver(home.inbox, writer, lambda: senders.known)
        server_of(receiver, host, port, [senders.follow]).run()


def server_of(
    receiver: Receiver, host: str, port: int, tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
) -> uvicorn.Server:
    """The server of a receiver. tasks: run until it ends. port: 0 for any free one."""

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        running = [asyncio.create_task(_report(receiver)), *(asyncio.create_task(task()) for task in tasks)]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        _log_counts(receiver)

    # A sender may send anything: what uvicorn says of a broken request says nothing to a reader of the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Server(
        uvicorn.Config(
            receiver.app(lifespan),
            host=host,
            port=port,
            http=DeadlineProtocol,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=int(HEAD_SECONDS),
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )


class Senders:
    """The senders of a registry that may change. known: those of the last registry without a mistake."""

    def __init__(self, read_registry: Callable[[], Registry], environment: Mapping[str, str]):
        self._read_registry = read_registry
        self._environment = environment
        self._problem = ""
        self.known = self._read()

    async def follow(self) -> None:
        """Read the registry again every few seconds."""
        while True:
            await asyncio.sleep(_REREAD_SECONDS)
            await asyncio.to_thread(self.read_again)

    def read_again(self) -> None:
        """Take over the registry as it is now, unless something is wrong with it, which is logged once."""
        try:
            self.known = self._read()
            self._problem = ""
        except CesError as problem:
            if str(problem) != self._problem:
                _LOG.error("%s. The entries before it are still in use", problem)
            self._problem = str(problem)

    def _read(self) -> dict[str, Sender]:
        return senders_of(self._read_registry(), self._environment, datetime.now(UTC))


async def _report(receiver: Receiver) -> None:
    while True:
        await asyncio.sleep(_REPORT_SECONDS)
        _log_counts(receiver)


def _log_counts(receiver: Receiver) -> None:
    """One line with the requests since the last one: source, status and number."""
    if receiver.counted:
        counts = [f"{name} {status}: {count:,}" for (name, status), count in sorted(receiver.counted.items())]
        _LOG.info("requests: %s", "; ".join(counts))
        receiver.counted.clear()
