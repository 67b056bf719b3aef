"""Protects the coverage of tags and the check of accounts: unknown tags are counted, and a fall is reported."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.asked import at, version
from ces_pipeline_tests.sql.snapshots import derived


@pytest.fixture
def here(tmp_path: Path) -> Registry:
    return registry(tmp_path, tag_coverage_warning=0.5)


def test_every_response_of_a_day_is_known_or_not_for_every_tag(here: Registry) -> None:
    rows = [
        response("a", product="A", persona="smb", channel="other"),
        response("b", product="A", persona="unassigned"),
        response("c"),
    ]
    with derived(here, ["mart.tag_coverage_daily"], {"core.responses": rows}) as snapshot:
        by_tag = {row["tag"]: row for row in snapshot.rows("FROM mart.tag_coverage_daily")}
    assert {tag: (row["known"], row["not_known"]) for tag, row in by_tag.items()} == {
        "channel": (1, 2),
        "persona": (1, 2),
        "product": (2, 1),
        "device": (0, 3),
        "journey_stage": (0, 3),
        "language": (0, 3),
    }
    assert by_tag["product"]["known_share"] == 2 / 3


@pytest.mark.parametrize(
    ("products", "warns"), [(["A", "A", "A"], False), (["A", "unknown", "unknown"], True)]
)
def test_a_tag_that_falls_is_reported_and_an_always_unknown_tag_is_not(
    here: Registry, products: list[str], warns: bool
) -> None:
    before = [response(f"b{n}", DAY + timedelta(days=n), product="A") for n in range(10)]
    now = [response(f"n{n}", DAY + timedelta(days=16), product=product) for n, product in enumerate(products)]
    with derived(here, ["mart.tag_coverage_daily"], {"core.responses": [*before, *now]}) as snapshot:
        result = snapshot.check("tag_coverage_fell")
    assert result.passed is not warns
    if warns:
        assert result.detail is not None
        assert result.detail.startswith("tag product, known_share 0.333, known_share_before 1.0. ")


def spans(here: Registry, versions: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with derived(here, ["core.accounts"], {"core.account_versions": versions}) as snapshot:
        rows = snapshot.rows("FROM core.accounts ORDER BY person_key, from_day")
    return [(row["attributes"], str(row["from_day"]), str(row["until_day"]), row["valid_to"]) for row in rows]


def test_spans_follow_each_other_and_the_last_version_of_a_day_decides_it(here: Registry) -> None:
    later = DAY + timedelta(days=8)
    versions = [
        version("ann", at(DAY), attributes="first"),
        version("ann", at(DAY, 15), attributes="corrected"),
        version("ann", at(later), attributes="second", valid_to=at(later, 18)),
        version(
            "ann", at(later + timedelta(days=2)), attributes="third", valid_to=at(later + timedelta(days=5))
        ),
    ]
    assert spans(here, versions) == spans(here, versions[::-1])
    assert spans(here, versions) == [
        ("corrected", "0001-01-01", "2026-03-10", at(later)),
        ("third", "2026-03-12", "2026-03-15", at(later + timedelta(days=5))),
    ]


def test_overlapping_validity_is_reported_per_source_and_the_later_version_is_used(here: Registry) -> None:
    other = DAY + timedelta(days=3)
    versions = [
        version("ann", at(DAY), attributes="a", valid_to=at(DAY + timedelta(days=9))),
        version("ann", at(other), attributes="b"),
        version("bob", at(DAY), attributes="c", valid_to=at(other)),
        version("bob", at(other), attributes="d"),
    ]
    with derived(here, ["core.accounts"], {"core.account_versions": versions}) as snapshot:
        result = snapshot.check("account_validity_overlaps")
    assert result.detail is not None
    assert result.detail.startswith("source_id crm, overlaps 1, accounts 1. ")
    assert [row[:3] for row in spans(here, versions)[:2]] == [
        ("a", "0001-01-01", "2026-03-05"),
        ("b", "2026-03-05", "None"),
    ]
