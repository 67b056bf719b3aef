"""A receiver on a port of this machine, and requests to it as a sender makes them."""

import base64
import hmac
import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ces_pipeline.receive.app import Receiver
from ces_pipeline.receive.senders import Sender
from ces_pipeline.receive.server import server_of
from ces_pipeline.receive.writer import Writer
from ces_pipeline.registry.receive import Receive
from ces_pipeline.vendors.catalog import SIGNATURES

SECRET = "a-long-random-text"


def sender(source_id: str = "form", **keys: Any) -> Sender:
    receive = Receive.model_validate({"signature": "typeform", "secret": "FORM_SECRET", **keys})
    return Sender(source_id, receive, SIGNATURES[receive.signature], (SECRET,))


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return {"content-type": "application/json", "typeform-signature": f"sha256={digest}"}


@dataclass
class Served:
    """A running receiver. inbox: where it writes. port: where it listens."""

    receiver: Receiver
    inbox: Path
    port: int

    def post(
        self,
        body: bytes | dict[str, Any],
        headers: Mapping[str, str] | None = None,
        path: str = "/receive/form",
        method: str = "POST",
    ) -> tuple[int, dict[str, Any]]:
        """(Status, JSON of the answer). headers: by default those of a signed payload."""
        status, answer, _ = self.exchange(body, headers, path, method)
        return status, answer

    def exchange(
        self,
        body: bytes | dict[str, Any],
        headers: Mapping[str, str] | None = None,
        path: str = "/receive/form",
        method: str = "POST",
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, data, dict(headers if headers is not None else signed(data)))
            answer = connection.getresponse()
            text = answer.read()
            assert b"\n" not in text
            return answer.status, json.loads(text), dict(answer.headers)
        finally:
            connection.close()

    def kept(self, source_id: str = "form") -> list[bytes]:
        """The payloads in the open file of a source, in their order."""
        path = self.inbox / source_id / ".receiving.jsonl"
        return path.read_bytes().splitlines()[1:] if path.exists() else []


@contextmanager
def served(inbox: Path, *senders: Sender, **limits: Any) -> Iterator[Served]:
    """A receiver of these senders. limits: further arguments of `Receiver`."""
    known = {found.source_id: found for found in senders or (sender(),)}
    with Writer() as writer:
        receiver = Receiver(inbox, writer, lambda: known, **limits)
        server = server_of(receiver, "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield Served(receiver, inbox, server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
