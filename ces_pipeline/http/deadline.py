"""A deadline for one exchange over HTTP: connecting, headers and body together.

The time-outs of sockets hold for one read, so a vendor that sends a byte now and then could keep a pull for days, also
inside of a header line. Here a timer shuts the connection down, which ends any read at once.
"""

import os
import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """Shuts down the connections of an exchange after so many seconds. Use it as a context manager, in one thread.

    is_over: whether it did so. What was read until then may look complete, and must not be used.
    """

    def __init__(self, seconds: float):
        self.is_over = False
        self._guard = threading.Lock()
        self._connections: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._token = _CURRENT.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _CURRENT.reset(self._token)
        with self._guard:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def watch(self, connection: socket.socket) -> None:
        """Shut this connection down as well. A TLS handshake replaces the socket object, so a duplicate is held."""
        with self._guard:
            duplicate = socket.socket(fileno=os.dup(connection.fileno()))
            self._connections.append(duplicate)
            if self.is_over:
                _shut(duplicate)

    def _end(self) -> None:
        with self._guard:
            self.is_over = True
            for connection in self._connections:
                _shut(connection)


_CURRENT: ContextVar[Deadline | None] = ContextVar("_CURRENT", default=None)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)


def _watch(connection: Any) -> None:
    deadline = _CURRENT.get()
    if deadline is not None and connection is not None:
        deadline.watch(connection)


class _Watched:
    """Puts a new connection, and one that is used again, under the deadline of the exchange."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        new: socket.socket = super()._new_conn()  # type: ignore[misc]
        _watch(new)
        return new

    def request(self, *args: Any, **how: Any) -> None:
        _watch(self.sock)
        super().request(*args, **how)  # type: ignore[misc]


class _Plain(_Watched, HTTPConnection):
    pass


class _Secure(_Watched, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


class DeadlineAdapter(HTTPAdapter):
    """The adapter of `requests` whose connections obey the `Deadline` that is entered."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        super().init_poolmanager(*args, **how)
        _use_watched(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **how)
        if not proxy.lower().startswith("socks"):
            _use_watched(manager)
        return manager


def _use_watched(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
