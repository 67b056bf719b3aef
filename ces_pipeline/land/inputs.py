"""Fingerprint of everything that landed rows depend on besides the bytes: the source's entry, settings and code.

A delivery is stale if its source now has another fingerprint. A stale delivery is landed again from its file.
"""

import hashlib
import json
from dataclasses import asdict

from ces_pipeline.code_fingerprint import code_fingerprint
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.fields import field_table
from ces_pipeline.schemas.kinds import KINDS
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
        asdict(KINDS[source.kind]),
        fields,
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]
