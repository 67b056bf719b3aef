"""Protects rows that are only ever added: none lost, none doubled, few files."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.schemas.audit import PULLS
from ces_pipeline.storage.journal import add_rows, rows_of
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.drills.homes import damage

MARCH = datetime(2026, 3, 30, tzinfo=UTC)


def pull(number: int, source_id: str = "desk") -> dict[str, Any]:
    return {
        "pull_id": f"{source_id}-{number}",
        "source_id": source_id,
        "started_at": MARCH + timedelta(days=number),
        "requests": 1,
        "records": 0,
        "rows_landed": 0,
        "failure": None,
        "is_transient": False,
    }


def test_nights_of_a_month_are_one_file_and_all_rows_are_there(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for number in range(5):
        add_rows(lake, PULLS, "desk", MARCH + timedelta(days=number), [pull(number)])
    add_rows(lake, PULLS, "shop", MARCH, [pull(9, "shop")])
    add_rows(lake, PULLS, "shop", MARCH, [])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet")) == [
        "audit/pulls/desk/2026-03.parquet",
        "audit/pulls/desk/2026-04.parquet",
        "audit/pulls/shop/2026-03.parquet",
    ]
    assert rows_of(lake, PULLS, "desk") == [pull(number) for number in range(5)]
    assert stored_rows(lake, PULLS).num_rows == 6


def test_two_at_once_lose_none(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: add_rows(lake, PULLS, "desk", MARCH, [pull(number)]), range(20)))
    assert {row["pull_id"] for row in rows_of(lake, PULLS, "desk")} == {f"desk-{n}" for n in range(20)}


def test_a_key_that_is_added_again_replaces_its_row(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    add_rows(lake, PULLS, "desk", MARCH, [pull(0), pull(1)])
    add_rows(lake, PULLS, "desk", MARCH, [{**pull(0), "requests": 7}])
    assert [(row["pull_id"], row["requests"]) for row in rows_of(lake, PULLS, "desk")] == [
        ("desk-1", 1),
        ("desk-0", 7),
    ]


@pytest.mark.parametrize("how", ["truncated", "flipped", "folder"])
def test_a_damaged_month_is_set_aside_and_the_log_goes_on(tmp_path: Path, how: str) -> None:
    lake = Lake(tmp_path)
    add_rows(lake, PULLS, "desk", MARCH, [pull(0)])
    add_rows(lake, PULLS, "desk", MARCH + timedelta(days=40), [pull(1)])
    path = tmp_path / "audit" / "pulls" / "desk" / "2026-03.parquet"
    damage(path, how)
    assert [row["pull_id"] for row in rows_of(lake, PULLS, "desk")] == ["desk-1"]
    add_rows(lake, PULLS, "desk", MARCH, [pull(2)])
    assert [row["pull_id"] for row in rows_of(lake, PULLS, "desk")] == ["desk-2", "desk-1"]
    assert len(list(path.parent.glob("2026-03.parquet.damaged-*"))) == 1


def test_every_flipped_bit_of_a_month_is_found_or_changes_no_value(tmp_path: Path) -> None:
    lake, random = Lake(tmp_path), Random(20260302)
    add_rows(lake, PULLS, "desk", MARCH, [pull(number) for number in range(50)])
    path = tmp_path / "audit" / "pulls" / "desk" / "2026-03.parquet"
    good, rows = path.read_bytes(), rows_of(lake, PULLS, "desk")
    found = 0
    for _ in range(400):
        place = random.randrange(len(good))
        path.write_bytes(good[:place] + bytes([good[place] ^ (1 << random.randrange(8))]) + good[place + 1 :])
        read, damaged = lake.read_tables([str(path.relative_to(tmp_path))], PULLS.arrow)
        assert damaged or read.to_pylist() == rows
        found += bool(damaged)
    assert found > 200
