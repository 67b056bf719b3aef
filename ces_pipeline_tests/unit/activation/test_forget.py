"""Protects erasing a person from what exports and trigger handlers keep: their records go, others' stay."""

from datetime import UTC, datetime
from pathlib import Path

from ces_pipeline.activation.ledger import Item, Ledger, forget_person, ledgers_with, person_fingerprint
from ces_pipeline.storage.lake import Lake
from ces_pipeline.triggers.contacts import forget_contacts, take_contact
from ces_pipeline.triggers.store import SqliteStore

ANN, BOB = "a" * 64, "b" * 64
NOW = datetime(2026, 3, 4, tzinfo=UTC)


def test_a_person_leaves_every_ledger_also_the_items_in_doubt(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    sent = [Item("1", person=person_fingerprint(ANN)), Item("2", person=person_fingerprint(BOB))]
    for name in ("journeys/mixpanel", "journeys/amplitude"):
        ledger = Ledger(lake, name)
        ledger.begin(sent, NOW)
        ledger.end(sent, [], NOW)
    ledger.begin([Item("3", person=person_fingerprint(ANN)), Item("4")], NOW)
    assert ledgers_with(lake, person_fingerprint(ANN)) == {"journeys/mixpanel": 1, "journeys/amplitude": 2}
    forget_person(lake, person_fingerprint(ANN))
    assert ledgers_with(lake, person_fingerprint(ANN)) == {}
    left = Ledger(lake, "journeys/amplitude")
    assert left.newest()["item"].to_pylist() == ["2"]
    assert [item.item for item in left.in_doubt(datetime(2027, 1, 1, tzinfo=UTC))] == ["4"]


def test_a_persons_contacts_leave_the_store_and_its_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    for person in (ANN, BOB):
        take_contact(store, person, "invitation", NOW, lambda _: True)
    forget_contacts(store, ANN)
    assert (store.rows(f"contact/{ANN}"), len(store.rows(f"contact/{BOB}"))) == ({}, 1)
    assert ANN.encode() not in (tmp_path / "store.db").read_bytes()
