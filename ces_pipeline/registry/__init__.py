"""What the installation knows: feeds, touchpoints, scales, persona rules, settings; read from `registry/*.yaml`."""

from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.models import (
    Registry,
    ResponseRules,
    Scale,
    Segment,
    Settings,
    Source,
    Survey,
)

__all__ = [
    "Registry",
    "ResponseRules",
    "Scale",
    "Segment",
    "Settings",
    "Source",
    "Survey",
    "load_registry",
]
