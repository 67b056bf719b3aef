"""Findings about webhooks: whether each source that receives them has its secret."""

import os
from collections.abc import Iterator

from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home
from ces_pipeline.receive.senders import sender_of
from ces_pipeline.registry import Registry
from ces_pipeline.vendors.contract import Finding


def webhooks(_home: Home, registry: Registry) -> Iterator[Finding]:
    """Sources whose secret is missing, or holds no key of their signature."""
    for source in registry.sources.values():
        if source.receive is None:
            continue
        try:
            sender_of(source.id, source.receive, os.environ)
        except HomeError as problem:
            yield Finding(False, f"webhooks: {problem}")
        else:
            yield Finding(True, f"webhooks: source {source.id} has its secret")
