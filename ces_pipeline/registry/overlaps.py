"""Which rules of segments.yaml can match the same answer or ticket. Only conditions are compared; no row is read."""

from dataclasses import dataclass

from ces_pipeline.folding import fold
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.segments import Segment


@dataclass(frozen=True)
class Overlap:
    """Two rules that assign the same attribute but different values. If both match, `first` wins.

    is_shadowed: True if `first` matches every row that `second` matches, so that `second` never decides.
    """

    first: Segment
    second: Segment
    is_shadowed: bool


def overlaps(registry: Registry) -> list[Overlap]:
    """Every pair of rules that can match the same row and assign different values, in the order of the rules.

    Conditions on different attributes can always be true together. Conditions on the same attribute can if they share
    a value.
    """
    found = []
    rules = (*registry.segments, *registry.handling)
    for place, second in enumerate(rules):
        for first in rules[:place]:
            if first.assigns != second.assigns or first.value == second.value:
                continue
            by_first, by_second = _accepted(first), _accepted(second)
            shared = by_first.keys() & by_second.keys()
            if all(by_first[name] & by_second[name] for name in shared):
                is_shadowed = all(
                    name in by_second and by_second[name] <= values for name, values in by_first.items()
                )
                found.append(Overlap(first, second, is_shadowed))
    return found


def _accepted(segment: Segment) -> dict[str, set[str]]:
    """Attribute -> the values that the rule accepts, folded for comparison."""
    return {name: {fold(str(value)) for value in segment.wanted(name)} for name in segment.when}
