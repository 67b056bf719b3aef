"""Which rules of segments.yaml can match the same answer or ticket, by their conditions alone. No row is read."""

from dataclasses import dataclass

from ces_pipeline.folding import fold
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.segments import Segment


@dataclass(frozen=True)
class Overlap:
    """Two rules of one kind with different values: `first` wins wherever both match.

    is_shadowed: True where `second` matches nothing that `first` does not, so that it never decides.
    """

    first: Segment
    second: Segment
    is_shadowed: bool


def overlaps(registry: Registry) -> list[Overlap]:
    """Every pair of rules that can match one answer or ticket and say different things, in the rules' order.

    Conditions on different attributes can always hold together; on the same attribute where they share a value.
    """
    found = []
    rules = (*registry.segments, *registry.handling)
    for place, second in enumerate(rules):
        for first in rules[:place]:
            if first.assigns != second.assigns or first.value == second.value:
                continue
            one, other = _accepted(first), _accepted(second)
            shared = one.keys() & other.keys()
            if all(one[name] & other[name] for name in shared):
                is_shadowed = all(name in other and other[name] <= wanted for name, wanted in one.items())
                found.append(Overlap(first, second, is_shadowed))
    return found


def _accepted(segment: Segment) -> dict[str, set[str]]:
    """Attribute -> the values that the rule accepts, as they are compared."""
    return {name: {fold(str(one)) for one in segment.wanted(name)} for name in segment.when}
