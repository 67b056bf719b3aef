"""Fingerprints of what judges a day's rows: a part of the registry, and the code.

Keys that decide nothing (a title, an owner) are left out. A survey's entry is an input only of days with its rows.
"""

import hashlib
import json
from functools import cache
from typing import Any

from ces_pipeline.code_fingerprint import code_fingerprint
from ces_pipeline.registry.registry import Registry
from ces_pipeline.rules.catalog import RULES_PACKAGE, rules_of
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.schemas.tables import TABLES

CODE: dict[str, tuple[str, ...]] = {
    "accounts": ("ces_pipeline.clean.accounts",),
    "events": ("ces_pipeline.clean.events",),
    "follow_ups": ("ces_pipeline.clean.follow_ups",),
    "invitations": ("ces_pipeline.clean.invitations",),
    "survey": (
        "ces_pipeline.clean.account_attributes",
        "ces_pipeline.clean.responses",
        "ces_pipeline.clean.speed",
        "ces_pipeline.registry.scales",
    ),
    "tickets": ("ces_pipeline.clean.tickets", "ces_pipeline.registry.scales"),
}
"""Kind of source -> the modules that clean its rows. The modules that they import and the kind's rules are added."""
_EVERY_KIND = ("ces_pipeline.clean.raw_rows",)

SURVEY_DECIDES_NOTHING = frozenset(
    {
        "title", "owner", "link", "questions", "wording", "wording_version", "wording_changes", "trigger_event",
        "live_from", "live_to", "expected_per_day", "link_window_days", "also_known_as",
    }
)  # fmt: skip
"""Keys of a survey that no verdict and no cleaned value depends on. (Survey names are an input if rows use them.)"""
SCALE_DECIDES_NOTHING = frozenset({"title"})


@cache
def cleaning_code(kind: str) -> str:
    """Fingerprint of the code that cleans rows of this kind, and of the columns of its tables."""
    tables = [[name, TABLES[name].shape] for name in KINDS[kind].tables]
    rules = [f"{RULES_PACKAGE}.{rule.name}" for rule in rules_of(kind)]
    return _digest([code_fingerprint([*_EVERY_KIND, *CODE[kind], *rules]), tables])


def rule_version(kind: str) -> str:
    """Short name of the code that judges rows of this kind: `rule_version` in the tables."""
    return cleaning_code(kind)[:12]


def judged_by(registry: Registry, kind: str) -> str:
    """Fingerprint of the parts of the registry that every day of this kind depends on."""
    settings = registry.settings
    parts: dict[str, Any] = {
        "business_time_zone": settings.business_time_zone,
        "first_day": settings.first_day.isoformat(),
    }
    if kind in ("survey", "tickets"):
        parts["products"] = registry.product_names
    if kind == "survey":
        parts["segments"] = [segment.model_dump(mode="json") for segment in registry.segments]
        parts["speed_window_days"] = settings.speed_window_days
    if kind == "tickets":
        parts["csat_scale"] = _scale(registry, "csat_good_bad")
        parts["csat_scales"] = {
            source.id: [
                _scale(registry, source.csat_scale) if source.csat_scale else None,
                source.csat_is_percentage,
            ]
            for source in registry.sources_of(kind)
        }
    if KINDS[kind].has_survey and kind != "survey":
        parts["surveys"] = registry.survey_names
        parts["survey_of_source"] = {source.id: source.survey for source in registry.sources_of(kind)}
    return _digest(parts)


def survey_part(registry: Registry, survey_id: str) -> str:
    """Fingerprint of the parts of the registry that judge one survey's rows: its entry and its scales."""
    survey = registry.surveys[survey_id]
    entry = survey.model_dump(mode="json", exclude=set(SURVEY_DECIDES_NOTHING))
    named = (*(scale_id for _, scale_id in survey.scales), survey.csat_scale)
    scales = [_scale(registry, scale_id) for scale_id in named if scale_id]
    return _digest([entry, scales])


def _scale(registry: Registry, scale_id: str) -> dict[str, Any]:
    return registry.scales[scale_id].model_dump(mode="json", exclude=set(SCALE_DECIDES_NOTHING))


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
