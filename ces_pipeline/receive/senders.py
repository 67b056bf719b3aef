"""The sources that receive webhooks, with their secrets from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ces_pipeline.errors import HomeError
from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.registry.receive import Receive
from ces_pipeline.registry.registry import Registry
from ces_pipeline.vendors.catalog import SIGNATURES


@dataclass(frozen=True)
class Sender:
    """A source that receives webhooks. secrets: the present one first."""

    source_id: str
    receive: Receive
    signature: WebhookSignature
    secrets: tuple[str, ...] = field(repr=False)


def senders_of(registry: Registry, environment: Mapping[str, str], now: datetime) -> dict[str, Sender]:
    """Source id -> its sender, also under its earlier ids; without the sources that have ended.

    Raises HomeError, which names the variables, if a secret is missing or cannot be one of its signature.
    """
    today = registry.settings.business_date(now)
    found: dict[str, Sender] = {}
    for source in registry.sources.values():
        if source.receive is not None and not source.has_ended(today):
            sender = sender_of(source.id, source.receive, environment)
            found |= dict.fromkeys((source.id, *source.formerly), sender)
    return found


def sender_of(source_id: str, receive: Receive, environment: Mapping[str, str]) -> Sender:
    """The sender of one source. Raises HomeError as `senders_of`."""
    signature = SIGNATURES[receive.signature]
    names = filter(None, (receive.secret, receive.previous_secret))
    secrets = tuple(_secret(name, source_id, signature, environment) for name in names)
    return Sender(source_id, receive, signature, secrets)


def _secret(name: str, source_id: str, signature: WebhookSignature, environment: Mapping[str, str]) -> str:
    secret = environment.get(name, "").strip()
    if not secret:
        raise HomeError(
            f"{source_id}: {name} is not set: put the secret of the webhook into the environment (`receive` in "
            "sources.yaml names the variable)"
        )
    try:
        signature.key(secret)
    except ValueError as problem:
        raise HomeError(f"{source_id}: the value of {name} {problem}: copy it from the sender") from None
    return secret
