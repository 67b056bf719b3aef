"""Acknowledging an incident: a person takes it over, which the log keeps."""

from datetime import UTC, datetime

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.privacy.redaction import redact_text
from ces_pipeline.registry.registry import Registry
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.user import user_name
from ces_pipeline.watch import log
from ces_pipeline.watch.incidents import Incident, Logging, acknowledgement, fold

_SHOWN = 5


def acknowledge(
    home: Home,
    registry: Registry,
    incident_id: str,
    *,
    by: str | None = None,
    note: str | None = None,
    now: datetime | None = None,
) -> Incident:
    """Log that somebody takes an incident over; returns it as it is then. Texts are redacted.

    incident_id: the id, or its first characters. by: default: the user of the operating system. Raises CesError if no
    incident, or more than one, has an id that begins so.
    """
    lake, at = Lake(home.lake), now or datetime.now(UTC)
    with log.locked(home):
        incident = _named(fold(log.read_events(lake)), incident_id)
        event = acknowledgement(
            incident,
            redact_text(by or user_name()),
            redact_text(note) if note else None,
            Logging(at, registry.settings.business_date(at), "ack"),
        )
        log.add_events(lake, [event])
        return fold(log.read_events(lake))[incident.incident_id]


def _named(incidents: dict[str, Incident], incident_id: str) -> Incident:
    found = [incident for name, incident in incidents.items() if incident_id and name.startswith(incident_id)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(incident.incident_id for incident in found[:_SHOWN])
        raise CesError(
            f"{len(found)} incidents have an id that begins with {incident_id!r}: {listed}. Write more of it"
        )
    still_open = [name for name, incident in incidents.items() if incident.is_open]
    listed = ", ".join(still_open[-_SHOWN:]) or "none"
    raise CesError(
        f"no incident has an id that begins with {incident_id!r} (open: {listed}). See `ces show open_incidents`"
    )
