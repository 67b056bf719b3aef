"""Protects rows that are only ever added: none lost, none doubled, few files."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ces_pipeline.publish.inputs import stored_rows
from ces_pipeline.schemas.audit import PULLS
from ces_pipeline.storage.journal import add_rows, rows_of
from ces_pipeline.storage.lake import Lake

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
