"""The registry of an installation: sources, surveys, scales, persona rules and settings, from `registry/*.yaml`."""

from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.segments import Segment
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import ResponseRules, Survey

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
