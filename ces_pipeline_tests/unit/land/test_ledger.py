"""Protects the delivery ledger: what is written comes back, a delivery is committed in full or not at all."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.land.ledger import Delivery, Ledger, commit, forget, restore
from ces_pipeline.land.paths import cross_day_file, entry_copy_file, index_file, raw_file
from ces_pipeline.schemas.audit import DELIVERIES, DELIVERY_DAYS
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.drills.homes import damage

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
ONE = Delivery(
    delivery_id="a" * 64,
    source_id="web",
    kind="survey",
    file_name="märz.csv",
    size_bytes=120,
    received_at=datetime(2026, 3, 4, 2, 0, 0, 123456, tzinfo=UTC),
    as_of=datetime(2026, 3, 3, 23, 59, tzinfo=UTC),
    landed_with="0123456789abcdef",
    rows_read=5,
    rows_unreadable=1,
    columns=("id", "wie leicht?"),
    mapping={"score": "wie leicht?"},
    days={MONDAY: (2, 1), TUESDAY: (0, 2)},
    touches=(MONDAY,),
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_a_delivery_comes_back_as_it_was_written(lake: Lake) -> None:
    undated = replace(ONE, delivery_id="b" * 64, as_of=None, days={}, touches=())
    commit(lake, ONE)
    commit(lake, undated)
    assert Ledger.read(lake).deliveries == (ONE, undated)
    assert Ledger.read(lake).of_source("web") == [ONE, undated]
    assert Ledger.read(lake).of_source("desk") == []


def test_a_delivery_counts_its_rows(lake: Lake) -> None:
    assert (ONE.rows_landed, ONE.rows_redelivered) == (2, 3)


def test_the_entry_is_the_commit_marker(lake: Lake) -> None:
    lake.write_bytes(raw_file("web", ONE.delivery_id, MONDAY), b"rows")
    lake.write_bytes(index_file("web", ONE.delivery_id), b"keys")
    assert Ledger.read(lake).deliveries == ()


def test_unfinished_and_hidden_files_of_the_ledger_are_no_deliveries(lake: Lake) -> None:
    commit(lake, ONE)
    for name in (".seen", ".x.json.tmp", ".x.json", "key_proof"):
        lake.write_bytes(f"ledger/web/{name}", b"{")
    assert Ledger.read(lake).deliveries == (ONE,)


def test_a_forgotten_delivery_leaves_nothing_behind(lake: Lake) -> None:
    other = replace(ONE, delivery_id="b" * 64)
    moves = pa.table({"content": [1, 2], "delivery_id": [ONE.delivery_id, other.delivery_id]})
    for delivery in (ONE, other):
        commit(lake, delivery)
        lake.write_bytes(raw_file("web", delivery.delivery_id, MONDAY), b"rows")
        lake.write_bytes(index_file("web", delivery.delivery_id), b"keys")
        lake.write_table(cross_day_file("web", delivery.delivery_id), moves)
    forget(lake, [ONE])
    left = [info.path for info in lake.list("", recursive=True) if info.is_file]
    assert Ledger.read(lake).deliveries == (other,)
    assert left
    assert not [path for path in left if ONE.delivery_id in path]
    assert len([path for path in left if other.delivery_id in path]) == 5
    # A content that is no more must own no response.
    assert lake.read_table(cross_day_file("web", other.delivery_id)).to_pylist() == [
        {"content": 2, "delivery_id": other.delivery_id}
    ]


def test_touching_names_the_deliveries_of_a_kind_by_the_days_they_may_change(lake: Lake) -> None:
    both = replace(ONE, delivery_id="b" * 64, touches=(MONDAY, TUESDAY))
    tickets = replace(ONE, delivery_id="c" * 64, source_id="desk", kind="tickets")
    for delivery in (ONE, both, tickets):
        commit(lake, delivery)
    ledger = Ledger.read(lake)
    assert ledger.touching("survey") == {MONDAY: [ONE, both], TUESDAY: [both]}
    assert ledger.touching("tickets") == {MONDAY: [tickets]}


def test_the_later_of_two_deliveries_is_decided_by_the_order_of_their_receipt() -> None:
    """Deliveries of earlier releases have a time of receipt alone, and come before all others."""
    earlier = replace(ONE, received_order=1, received_at=datetime(2026, 9, 1, tzinfo=UTC))
    later = replace(ONE, received_order=2, received_at=datetime(2026, 3, 1, tzinfo=UTC), delivery_id="0" * 64)
    unnumbered = replace(ONE, received_order=0, received_at=datetime(2026, 9, 2, tzinfo=UTC))
    assert unnumbered.rank < earlier.rank < later.rank
    assert replace(unnumbered, received_at=datetime(2026, 9, 3, tzinfo=UTC)).rank > unnumbered.rank


def test_the_audit_tables_show_the_ledger(lake: Lake) -> None:
    commit(lake, ONE)
    (row,) = Ledger.read(lake).deliveries_table.to_pylist()
    assert Ledger.read(lake).deliveries_table.schema == DELIVERIES.arrow
    assert (row["rows_read"], row["rows_landed"], row["rows_redelivered"], row["rows_unreadable"]) == (
        5,
        2,
        3,
        1,
    )
    assert (row["first_day"], row["last_day"], row["as_of"]) == (MONDAY, TUESDAY, ONE.as_of)
    assert Ledger.read(lake).days_table.schema == DELIVERY_DAYS.arrow
    assert [
        (row["day"], row["rows_landed"], row["rows_redelivered"])
        for row in Ledger.read(lake).days_table.to_pylist()
    ] == [
        (MONDAY, 2, 1),
        (TUESDAY, 0, 2),
    ]


@pytest.mark.parametrize("how", ["deleted", "truncated", "flipped", "folder"])
def test_a_damaged_entry_is_read_from_its_copy_and_written_again(lake: Lake, how: str) -> None:
    commit(lake, ONE)
    entry = lake.local / "ledger" / "web" / f"{ONE.delivery_id}.json" if lake.local else Path()
    written = entry.read_bytes()
    damage(entry, how)
    assert Ledger.read(lake).deliveries == (ONE,)
    assert restore(lake) == [f"ledger/web/{ONE.delivery_id}.json"]
    assert entry.read_bytes() == written
    assert restore(lake) == []


def test_an_entry_with_other_counts_than_were_written_is_damaged(lake: Lake) -> None:
    commit(lake, ONE)
    path = f"ledger/web/{ONE.delivery_id}.json"
    entry = json.loads(lake.read_bytes(path))
    entry["days"]["2026-03-02"] = [3, 1]
    lake.write_bytes(path, json.dumps(entry).encode())
    assert Ledger.read(lake).deliveries == (ONE,)


def test_an_entry_without_a_readable_copy_is_an_error_that_names_it(lake: Lake) -> None:
    commit(lake, ONE)
    lake.delete(entry_copy_file("web", ONE.delivery_id))
    lake.write_bytes(f"ledger/web/{ONE.delivery_id}.json", b"{")
    with pytest.raises(HomeError, match=ONE.delivery_id):
        Ledger.read(lake)


def test_an_entry_of_an_earlier_release_gets_its_copy(lake: Lake) -> None:
    commit(lake, ONE)
    path = f"ledger/web/{ONE.delivery_id}.json"
    entry = json.loads(lake.read_bytes(path))
    for key in ("check", "unlanded_at", "unlanded", "erased"):
        del entry[key]
    lake.write_bytes(path, json.dumps(entry).encode())
    lake.delete(entry_copy_file("web", ONE.delivery_id))
    assert Ledger.read(lake).deliveries == (ONE,)
    assert restore(lake) == []
    lake.delete(path)
    assert Ledger.read(lake).deliveries == (ONE,)
