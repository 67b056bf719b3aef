"""Protects fixes, releases and priorities: they load as written, and every error names file, entry and key."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.publish.reference import reference_tables
from ces_pipeline_tests.builders import WEB, inbox_home
from ces_pipeline_tests.unit.registry.test_load import refused

FIX = {
    "id": "faster_billing",
    "title": "Faster billing API",
    "live_on": date(2026, 3, 2),
    "categories": ["billing"],
}
RELEASE = {"id": "v2", "day": date(2026, 3, 2), "title": "Version 2"}
NAMES = ("fixes", "fix_categories", "releases", "value_weights", "category_costs")


def tables(folder: Path, **files: Any) -> dict[str, list[dict[str, Any]]]:
    made = reference_tables(inbox_home(folder, WEB, **files).registry)
    return {name: made[f"reference.{name}"].to_pylist() for name in NAMES}


def test_sql_sees_the_registered_entries(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        fixes=[{**FIX, "lever": "slow_api", "cost": 5, "comparison_categories": ["login"]}, {**FIX, "id": "second"}],
        releases=[{**RELEASE, "touchpoints": ["after_chat"], "products": ["Team"]}],
        priorities={"value_weights": {"unassigned": 2}, "category_costs": {"billing": 3}, "quick_win_cost": 4},
    )  # fmt: skip
    assert [(row["fix_id"], row["lever"], row["cost"]) for row in found["fixes"]] == [
        ("faster_billing", "slow_api", 5.0),
        ("second", "untagged", None),
    ]
    assert [(row["category"], row["is_comparison"]) for row in found["fix_categories"]] == [
        ("billing", False),
        ("login", True),
        ("billing", False),
    ]
    assert (found["releases"][0]["products"], found["releases"][0]["survey_ids"]) == (
        ["Team"],
        ["after_chat"],
    )
    assert found["value_weights"] == [{"persona": "unassigned", "value_weight": 2.0}]
    assert found["category_costs"] == [{"category": "billing", "cost": 3.0}]


def test_a_home_without_them_has_none(tmp_path: Path) -> None:
    assert tables(tmp_path) == {name: [] for name in NAMES}


@pytest.mark.parametrize(
    ("file", "content", "facts"),
    [
        ("fixes", [{**FIX, "levver": "bug"}], ("entry faster_billing", "levver", "unknown key")),
        ("fixes", [{**FIX, "lever": "magic"}], ("entry faster_billing", "lever", "slow_api")),
        ("fixes", [{**FIX, "categories": []}], ("entry faster_billing", "categories")),
        ("fixes", [{**FIX, "categories": ["billing", "billing"]}], ("entry faster_billing", "twice")),
        ("fixes", [{**FIX, "live_on": "2026-02-30"}], ("entry faster_billing", "live_on")),
        ("fixes", [{**FIX, "cost": -1}], ("entry faster_billing", "cost")),
        ("fixes", [{**FIX, "comparison_categories": ["billing"]}], ("entry faster_billing", "'billing'")),
        ("fixes", [{**FIX, "triggered_on": date(2026, 3, 3)}], ("entry faster_billing", "triggered_on")),
        ("fixes", [FIX, FIX], ("entry faster_billing", "id: ")),
        ("releases", [{**RELEASE, "touchpoints": ["after_chta"]}], ("entry v2", "touchpoints", "after_chta", "after_chat")),
        ("releases", [{"id": "v2", "day": date(2026, 3, 2)}], ("entry v2", "title", "required")),
        ("priorities", {"value_weights": {"enterprize": 2}}, ("value_weights", "enterprize", "unassigned")),
        ("priorities", {"category_costs": {"billing": 0}}, ("category_costs.billing",)),
        ("priorities", {"weights": {}}, ("weights", "unknown key")),
        ("priorities", ["enterprise"], ("key: value",)),
    ],
)  # fmt: skip
def test_a_mistake_names_file_entry_and_key(
    tmp_path: Path, file: str, content: Any, facts: tuple[str, ...]
) -> None:
    message = refused(tmp_path, WEB, **{file: content})
    for fact in (f"{file}.yaml", *facts):
        assert fact in message
