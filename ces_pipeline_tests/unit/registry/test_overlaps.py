"""Protects the report on persona rules that can match the same answer: which wins, and which never decides."""

from typing import Any

import pytest

from ces_pipeline.registry.overlaps import overlaps
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.segments import Segment
from ces_pipeline.registry.settings import Settings


def rules(*entries: dict[str, Any]) -> Registry:
    segments = tuple(
        Segment.model_validate({"id": f"r{number}", "value": f"v{number}", **entry})
        for number, entry in enumerate(entries)
    )
    return Registry(
        sources={}, surveys={}, scales={}, segments=segments, settings=Settings.model_validate({})
    )


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ({"plan": "A"}, {"plan": "B"}, []),
        ({"plan": "A"}, {"plan": ["a ", "B"]}, [("r0", "r1", False)]),
        ({"plan": "A"}, {"region": "EU"}, [("r0", "r1", False)]),
        ({"plan": ["A", "B"]}, {"plan": "b", "region": "EU"}, [("r0", "r1", True)]),
        ({"plan": "A", "region": "EU"}, {"plan": "A"}, [("r0", "r1", False)]),
        ({"plan": "A", "region": "EU"}, {"plan": "A", "region": "US"}, []),
    ],
)
def test_rules_overlap_if_the_same_answer_can_match_both(
    first: dict[str, Any], second: dict[str, Any], found: list[tuple[str, str, bool]]
) -> None:
    pairs = overlaps(rules({"when": first}, {"when": second}))
    assert [(pair.first.id, pair.second.id, pair.is_shadowed) for pair in pairs] == found


def test_rules_of_another_kind_or_the_same_value_do_not_overlap() -> None:
    when = {"plan": "A"}
    assert overlaps(rules({"when": when}, {"when": when, "assigns": "journey_stage"})) == []
    assert overlaps(rules({"when": when, "value": "x"}, {"when": when, "value": "x"})) == []
