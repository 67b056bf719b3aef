"""The installation's key: created once, readable by its owner only, and never mixed up with another."""

import json
import os
import stat
from pathlib import Path

import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.privacy.key import KEY_FILE, key_problem, load_pseudonyms, repair_proof
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE
from ces_pipeline.storage.lake import Lake


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return Lake(tmp_path / "lake")


def test_a_key_is_made_once_and_only_its_owner_can_read_it(lake: Lake, tmp_path: Path) -> None:
    first = load_pseudonyms(tmp_path, lake)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first.key) == 64
    assert load_pseudonyms(tmp_path, lake) == first
    assert {path.name for path in tmp_path.iterdir()} == {"lake", KEY_FILE}


def test_two_homes_have_two_keys(lake: Lake, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert load_pseudonyms(tmp_path, lake).key != load_pseudonyms(other, Lake(other / "lake")).key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(lake: Lake, tmp_path: Path, mode: int) -> None:
    load_pseudonyms(tmp_path, lake)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(HomeError, match="chmod 600"):
        load_pseudonyms(tmp_path, lake)


def test_a_lake_written_with_another_key_is_refused(lake: Lake, tmp_path: Path) -> None:
    load_pseudonyms(tmp_path, lake)
    (tmp_path / KEY_FILE).write_text("f" * 64)
    with pytest.raises(HomeError, match="not the one that this lake was written with"):
        load_pseudonyms(tmp_path, lake)


def test_a_lost_key_is_not_replaced_under_a_lake_that_needs_it(lake: Lake, tmp_path: Path) -> None:
    load_pseudonyms(tmp_path, lake)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(HomeError, match="restore it from your backup"):
        load_pseudonyms(tmp_path, lake)
    assert not (tmp_path / KEY_FILE).exists()


def test_an_empty_key_file_is_refused(lake: Lake, tmp_path: Path) -> None:
    handle = os.open(tmp_path / KEY_FILE, os.O_CREAT | os.O_WRONLY, 0o600)
    os.close(handle)
    with pytest.raises(HomeError, match="is empty"):
        load_pseudonyms(tmp_path, lake)
    assert not lake.exists("ledger/key_proof")


def test_the_key_of_the_environment_wins_and_leaves_no_file(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "from the vault")
    assert load_pseudonyms(tmp_path, lake).key == b"from the vault"
    assert not (tmp_path / KEY_FILE).exists()
    monkeypatch.setenv(KEY_VARIABLE, "another")
    with pytest.raises(HomeError, match=KEY_VARIABLE):
        load_pseudonyms(tmp_path, lake)


def test_nothing_in_the_lake_gives_the_key_away(lake: Lake, tmp_path: Path) -> None:
    key = load_pseudonyms(tmp_path, lake).key
    written = b"".join(path.read_bytes() for path in (tmp_path / "lake").rglob("*") if path.is_file())
    assert key not in written
    assert json.dumps(key.hex()).encode() not in written


PROOF = "ledger/key_proof"


def damage_proof(lake: Lake, how: str) -> None:
    path = Path(lake.root) / PROOF
    data = path.read_bytes()
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped":
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


@pytest.mark.parametrize("how", ["cut", "empty", "flipped", "folder", "deleted"])
def test_a_damaged_proof_is_written_again_from_its_copy(tmp_path: Path, lake: Lake, how: str) -> None:
    key = load_pseudonyms(tmp_path, lake).key
    written = lake.read_bytes(PROOF)
    damage_proof(lake, how)
    assert (key_problem(tmp_path, lake) is not None) == (how != "deleted")
    assert load_pseudonyms(tmp_path, lake).key == key
    assert lake.read_bytes(PROOF) == written
    assert key_problem(tmp_path, lake) is None


def test_a_repaired_proof_is_reported_once_with_its_name(tmp_path: Path, lake: Lake) -> None:
    load_pseudonyms(tmp_path, lake)
    assert repair_proof(tmp_path, lake) is None
    damage_proof(lake, "cut")
    assert PROOF in (repair_proof(tmp_path, lake) or "")
    assert repair_proof(tmp_path, lake) is None


@pytest.mark.parametrize("how", ["cut", "empty", "flipped", "folder"])
def test_a_damaged_proof_without_a_copy_is_named_and_not_taken_for_another_key(
    tmp_path: Path, lake: Lake, how: str
) -> None:
    load_pseudonyms(tmp_path, lake)
    (tmp_path / "lake" / ".key_proof").unlink()
    damage_proof(lake, how)
    with pytest.raises(HomeError, match=PROOF) as refused:
        load_pseudonyms(tmp_path, lake)
    assert "not the one" not in str(refused.value)
    assert PROOF in (key_problem(tmp_path, lake) or "")


def test_a_proof_of_an_earlier_release_still_proves_the_key_and_gets_a_copy(
    tmp_path: Path, lake: Lake
) -> None:
    key = load_pseudonyms(tmp_path, lake).key
    (tmp_path / "lake" / ".key_proof").unlink()
    lake.write_bytes(PROOF, lake.read_bytes(PROOF)[:32])
    assert load_pseudonyms(tmp_path, lake).key == key
    assert lake.exists(".key_proof")


def test_an_earlier_proof_that_differs_names_both_files(tmp_path: Path, lake: Lake) -> None:
    load_pseudonyms(tmp_path, lake)
    (tmp_path / "lake" / ".key_proof").unlink()
    lake.write_bytes(PROOF, b"0" * 32)
    with pytest.raises(HomeError, match=PROOF) as refused:
        load_pseudonyms(tmp_path, lake)
    assert KEY_FILE in str(refused.value)


@pytest.mark.parametrize("how", ["cut", "flipped", "folder"])
def test_a_damaged_key_is_refused_and_nothing_is_written(tmp_path: Path, lake: Lake, how: str) -> None:
    load_pseudonyms(tmp_path, lake)
    before = [lake.read_bytes(name) for name in (PROOF, ".key_proof")]
    path = tmp_path / KEY_FILE
    data = path.read_bytes()
    if how == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(data[:32] if how == "cut" else bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(HomeError, match=KEY_FILE):
        load_pseudonyms(tmp_path, lake)
    assert [lake.read_bytes(name) for name in (PROOF, ".key_proof")] == before


def test_a_lost_key_is_not_replaced_where_rows_have_landed(tmp_path: Path, lake: Lake) -> None:
    load_pseudonyms(tmp_path, lake)
    for name in (PROOF, ".key_proof"):
        lake.delete(name)
    lake.write_bytes("raw/web/day=2026-03-02/a.parquet", b"rows")
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(HomeError, match=KEY_FILE):
        load_pseudonyms(tmp_path, lake)
    assert not (tmp_path / KEY_FILE).exists()
