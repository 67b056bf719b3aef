"""Findings about alerts: channels that cannot send, messages that were not taken, incidents that are open."""

import os
from collections.abc import Iterator

from ces_pipeline.home import Home
from ces_pipeline.http.clock import SystemClock
from ces_pipeline.registry import Registry
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding
from ces_pipeline.watch import log
from ces_pipeline.watch.channels import ChannelError, open_sender
from ces_pipeline.watch.incidents import fold


def channels(home: Home, registry: Registry) -> Iterator[Finding]:
    """Whether each channel has its variables and its library, and took its messages. Nothing is sent."""
    failed = {
        row["channel_id"]: row["detail"]
        for row in log.read_deliveries(Lake(home.lake))
        if row["status"] == "failed"
    }
    for channel in registry.alerts.channels:
        try:
            open_sender(channel, os.environ, SystemClock())
        except ChannelError as problem:
            yield Finding(False, f"alerts: {problem}")
            continue
        if channel.id in failed:
            yield Finding(False, f"alerts: {failed[channel.id]}")
        else:
            yield Finding(True, f"alerts: channel {channel.id} can send")
    if not registry.alerts.channels:
        yield Finding(
            True, "alerts: no channel, so no message is sent. `ces docs alerts` shows how to add one"
        )


def open_incidents(home: Home, registry: Registry) -> Iterator[Finding]:
    """The number of open incidents; a warning if a critical one is not acknowledged."""
    incidents = [found for found in fold(log.read_events(Lake(home.lake))).values() if found.is_open]
    if not incidents:
        yield Finding(True, "incidents: none is open")
        return
    untaken = sum(found.severity == "critical" and found.acknowledged_at is None for found in incidents)
    text = f"incidents: {len(incidents):,} open. `ces show open_incidents` lists them"
    if untaken:
        text = (
            f"incidents: {len(incidents):,} open, {untaken:,} critical ones not acknowledged. See "
            "`ces show open_incidents`, and take each over with `ces ack INCIDENT`"
        )
    yield Finding(True, text, is_warning=bool(untaken))
