"""Findings about a registry that loads: rules that hide one another, entries that could be clearer, objectives."""

from collections.abc import Iterator

from ces_pipeline.home import Home
from ces_pipeline.registry import Registry
from ces_pipeline.registry.lint import lint
from ces_pipeline.registry.overlaps import overlaps
from ces_pipeline.vendors.contract import Finding


def overlapping_rules(_: Home, registry: Registry) -> Iterator[Finding]:
    """Rules of segments.yaml that can match the same response. Only a rule that is never used is a mistake."""
    for overlap in overlaps(registry):
        first, second = overlap.first.id, overlap.second.id
        if overlap.is_shadowed:
            yield Finding(
                False,
                f"rules: {second} is never used, because {first} comes before it and matches everything that {second} "
                f"matches. In segments.yaml, move {second} before {first} or remove it",
            )
        else:
            yield Finding(True, f"rules: if {first} and {second} both match, {first} is used")


def unclear_entries(_: Home, registry: Registry) -> Iterator[Finding]:
    """Entries that work, but could be better."""
    yield from (Finding(True, text, is_warning=True) for text in lint(registry))


def objectives(_: Home, registry: Registry) -> Iterator[Finding]:
    """What a programme should decide before it starts: its objectives, and the people responsible for them."""
    if not registry.objectives:
        yield Finding(
            True,
            "objectives: none. Add them to objectives.yaml: each with its figure, target, date and sponsor",
            is_warning=True,
        )
        return
    yield Finding(True, f"objectives: {len(registry.objectives)}")
    for key in ("sponsor", "owner", "budget", "follow_up"):
        if lacking := [objective.id for objective in registry.objectives if getattr(objective, key) is None]:
            yield Finding(
                True,
                f"objectives: no {key} for {', '.join(lacking)}. Add `{key}` in objectives.yaml",
                is_warning=True,
            )
