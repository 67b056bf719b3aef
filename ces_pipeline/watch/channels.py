"""Sends one message to one channel: a signed webhook, or any service that Apprise knows.

The addresses and secrets come from the environment. An error names the channel, the variable, the host and the status,
never an address or what was sent.
"""

import json
import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from ces_pipeline.errors import CesError
from ces_pipeline.http.client import Http, RetryPolicy
from ces_pipeline.http.clock import Clock
from ces_pipeline.http.errors import PullError, RefusedError
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.http.signatures import standard_key, standard_signature
from ces_pipeline.registry.alerts import Channel

RETRIES = RetryPolicy(attempts=5, waiting_seconds=120, first_wait_seconds=1, longest_wait_seconds=30)
"""A message that is still refused after it is tried again at the next run."""


class ChannelError(CesError):
    """A channel cannot be used, or did not take a message. The text names no address."""


@dataclass(frozen=True)
class Outgoing:
    """What is sent. data: the body of a webhook; title, text: of the other services."""

    message_id: str
    title: str
    text: str
    data: Mapping[str, Any]


class Sender(Protocol):
    """Sends to one channel."""

    def send(self, outgoing: Outgoing) -> None:
        """Send, with retries. Raises ChannelError if the channel did not take it."""


def open_sender(
    channel: Channel, environment: Mapping[str, str], clock: Clock, retry_policy: RetryPolicy = RETRIES
) -> Sender:
    """What sends to a channel. Raises ChannelError if a variable is not set or Apprise is not installed."""
    url = _variable(channel, channel.url, environment)
    if channel.kind == "webhook":
        secret = _key(channel, _variable(channel, channel.secret or "", environment))
        parts = urlsplit(url)
        is_near = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.hostname is None or parts.scheme not in (("http", "https") if is_near else ("https",)):
            raise ChannelError(f"channel {channel.id}: {channel.url} must hold an address with https")
        return Webhook(channel.id, url, secret, clock, retry_policy)
    return AppriseService(channel.id, _opened(channel, url), clock, retry_policy)


def _variable(channel: Channel, name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise ChannelError(
            f"channel {channel.id}: the environment variable {name} is not set. Put the address into the environment "
            "(alerts.yaml names the variables)"
        )
    return value


def _key(channel: Channel, secret: str) -> bytes:
    """The key of a signing secret."""
    try:
        return standard_key(secret)
    except ValueError:
        raise ChannelError(
            f"channel {channel.id}: {channel.secret} must hold the signing secret in base64, such as whsec_..."
        ) from None


@dataclass(frozen=True)
class Webhook:
    """A signed POST. The receiver knows a repeat by its id."""

    channel_id: str
    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    clock: Clock
    retry_policy: RetryPolicy

    def send(self, outgoing: Outgoing) -> None:
        """Send, with retries. Raises ChannelError."""
        content = json.dumps(outgoing.data, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = int(self.clock.now().timestamp())
        parts = urlsplit(self.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        log = RequestLog(self.channel_id, outgoing.message_id)
        http = Http(self.channel_id, origin, clock=self.clock, log=log, retry_policy=self.retry_policy)
        with closing(http):
            try:
                http.request(
                    "POST",
                    self.url,
                    body=content,
                    headers={
                        "Content-Type": "application/json",
                        "webhook-id": outgoing.message_id,
                        "webhook-timestamp": str(timestamp),
                        "webhook-signature": standard_signature(
                            self.secret, outgoing.message_id, timestamp, content
                        ),
                    },
                    expects="bytes",
                    repeatable=True,
                )
            except RefusedError as problem:
                raise ChannelError(
                    f"channel {self.channel_id}: {parts.hostname} refused the message with {problem.status}. Check "
                    "the address and the secret"
                ) from None
            except PullError:
                status = log.rows[-1]["status"] if log.rows else None
                last = f"the last status was {status}" if status else "there was no response"
                raise ChannelError(
                    f"channel {self.channel_id}: {parts.hostname} did not take the message ({last}, "
                    f"{len(log.rows)} attempts). The next run sends it again"
                ) from None


@dataclass(frozen=True)
class AppriseService:
    """A service that Apprise knows. Apprise says only whether it took the message."""

    channel_id: str
    service: Any = field(repr=False)
    clock: Clock
    retry_policy: RetryPolicy

    def send(self, outgoing: Outgoing) -> None:
        """Send, with retries. Raises ChannelError."""
        waits = [self.retry_policy.longest_wait(attempt) for attempt in range(1, self.retry_policy.attempts)]
        for wait in (*waits, None):
            if self.service.notify(title=outgoing.title, body=f"{outgoing.text}\n{outgoing.message_id}"):
                return
            if wait is not None:
                self.clock.sleep(wait)
        raise ChannelError(
            f"channel {self.channel_id}: the service did not take the message ({self.retry_policy.attempts} attempts). "
            "Check its address; the next run sends it again"
        )


def _opened(channel: Channel, url: str) -> Any:
    try:
        import apprise
    except ImportError:
        raise ChannelError(
            f"channel {channel.id}: Apprise is not installed. Install it with `pip install 'ces-pipeline[alerts]'`"
        ) from None
    # Its log names addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    service = apprise.Apprise()
    if not service.add(url):
        raise ChannelError(
            f"channel {channel.id}: {channel.url} does not hold an address that Apprise knows, such as "
            "slack://... or mailtos://..."
        )
    return service
