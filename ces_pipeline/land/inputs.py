"""Fingerprint of everything that landed rows depend on besides the bytes: the source's entry, settings and code.

A delivery is stale if its source now has another fingerprint. A stale delivery is landed again from its file.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from ces_pipeline.code_fingerprint import code_fingerprint
from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.inbox import SeenFiles, inbox_files, seen_key
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.privacy.regions import phone_regions
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.catalog import READERS

_LANDING = ("ces_pipeline.land.column_mapping", "ces_pipeline.land.staging")


def landing_code(source: Source) -> str:
    """Fingerprint of the code that turns a delivery of this source into landed rows: its reader and landing."""
    return code_fingerprint([*_LANDING, READERS[source.reader].read.__module__])


def landing_fingerprint(registry: Registry, source: Source) -> str:
    """Fingerprint of everything besides the bytes that decides the rows of a delivery and their days."""
    settings = registry.settings
    fields = [(field.name, field.treatment, field.answer) for field in field_table(source.kind)]
    inputs = [
        landing_code(source),
        source.reading,
        settings.business_time_zone,
        settings.first_day.isoformat(),
        list(phone_regions(settings.phone_regions, settings.business_time_zone)),
        asdict(KINDS[source.kind]),
        fields,
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def stale_deliveries(home: Home, registry: Registry, source: Source) -> tuple[list[Delivery], list[Delivery]]:
    """The deliveries of a source that were landed by another entry or by other code.

    First those whose file is in the inbox, which the next run lands again; then those whose file is not, and those that
    were pulled: their rows stay as they were landed.
    """
    lake = Lake(home.lake)
    current = landing_fingerprint(registry, source)
    stale = [
        delivery for delivery in Ledger.read(lake, source.id).deliveries if delivery.landed_with != current
    ]
    if not stale:
        return [], []
    seen = SeenFiles(lake, source.id).load()
    here = {seen.sha256(seen_key(home, path), path) or _sha256(path) for path in inbox_files(home, source)}
    return (
        [delivery for delivery in stale if delivery.delivery_id in here],
        [delivery for delivery in stale if delivery.delivery_id not in here],
    )


def _sha256(path: Path) -> str | None:
    """The delivery id that the file would have; None for a file that cannot be read."""
    try:
        return DeliveredFile(path).sha256
    except (UnreadableFileError, OSError):
        return None
