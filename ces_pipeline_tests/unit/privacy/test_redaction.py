"""Protects people: one pseudonym a person, nothing personal in texts, a key that cannot be mixed up."""

import hashlib
import hmac
import json
import os
import stat
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.errors import HomeError
from ces_pipeline.privacy.redaction import (
    KEY_FILE,
    KEY_VARIABLE,
    Pseudonyms,
    load_pseudonyms,
    redact_text,
    redacted,
)
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.builders import WEB, answer, inbox_home

ASCII = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=80)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return Lake(tmp_path / "lake")


@cache
def session() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def pseudonym(key: bytes, text: str) -> str:
    return Pseudonyms(key).of(text)


def standard(key: bytes, text: str) -> str:
    """The same by the standard library's HMAC."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def cell(text: str) -> str:
    """The text as a cell of a column that nobody mapped."""
    row = session().execute(f"SELECT {redacted('$told', sentence=False)}", {"told": text}).fetchone()
    return str(row[0]) if row else ""


@given(key=st.binary(min_size=1, max_size=100), text=st.text(max_size=80))
def test_a_pseudonym_is_the_hmac_sha256_of_the_standard_library(key: bytes, text: str) -> None:
    assert pseudonym(key, text) == standard(key, text.strip().lower())


def test_a_column_of_our_own_hashes_is_kept_and_whatever_else_is_in_it_is_hashed(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, {**WEB, "hashed": ["respondent"]})
    key = Pseudonyms(b"k").of("ann@example.org")
    people = (key, key.upper(), "bob@example.org", key[:-1], f"{key}0")
    home.drop("a.csv", [answer(number, email=who) for number, who in enumerate(people)])
    home.land()
    found = [row["respondent_key"] for row in home.rows()]
    ours = load_pseudonyms(tmp_path, home.lake)
    assert found == [key, key, *(ours.of(who) for who in people[2:])]
    assert home.find("bob@example.org") == []


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_keys_of_every_length_are_padded_as_hmac_wants(length: int) -> None:
    key = bytes(range(1, 201))[:length]
    assert Pseudonyms(key).of("JOSÉ@exámple.org") == standard(key, "josé@exámple.org")


def test_one_person_is_one_pseudonym_however_the_address_is_written() -> None:
    written = ("ann@example.org", "Ann@Example.ORG", "  ann@example.org ")
    assert len({pseudonym(b"key", one) for one in written}) == 1
    assert pseudonym(b"key", "anna@example.org") != pseudonym(b"key", "ann@example.org")


def test_another_key_gives_another_pseudonym() -> None:
    assert pseudonym(b"key", "ann@example.org") != pseudonym(b"kez", "ann@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org", "ann.b+tag@mail.example.co.uk", "o'neil@example.org", "ANN@EXAMPLE.ORG",
        "josé@exámple.org", "用户@例子.广告", "ann_b%x@sub-domain.example.org",
    ],
)  # fmt: skip
def test_an_address_leaves_any_text(text: str) -> None:
    for shown in (redact_text(f"Write to {text}, please."), cell(f"<{text}>")):
        assert text not in shown
        assert "[email]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "6011 0000 0000 0004",
        "378282246310005", "3782 822463 10005", "3782-822463-10005", "4111111111111111110",
    ],
)  # fmt: skip
def test_a_card_number_leaves_any_text(text: str) -> None:
    for shown in (redact_text(f"My card {text} was charged"), cell(f"card: {text}")):
        assert "[card]" in shown
        assert not any(digits in shown for digits in ("1111", "0004", "8224", "10005"))


@pytest.mark.parametrize(
    "text",
    [
        "+49 151 23456789", "+1 (415) 555-2671", "+442079460958", "(020) 7946 0958", "(415) 555-2671",
        "415-555-2671", "415.555.2671", "415 555 2671", "0151 234 5678", "020 7946 0958", "0301234567",
    ],
)  # fmt: skip
def test_a_phone_number_leaves_any_text(text: str) -> None:
    for shown in (redact_text(f"Call me at {text}!"), cell(f"tel {text}")):
        assert "[phone]" in shown
        assert not any(digits in shown for digits in ("2345", "2671", "0958", "5678", "4567"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02", "2026-03-02T10:30:00Z", "2026-03-02 10:30:00.123456", "2026-03-02T10:30:00+01:00",
        "02/03/2026 10:30", "1772443800250", "1772443800", "order 123456789", "3.14159265", "1536x864",
        "88.0.4324.41", "Mozilla/5.0 (Windows NT 10.0) Chrome/88.0.4324.41", "user@", "@handle",
        "7 - Very easy", "INC0010001", "R_2RQ5kfCKKHudpj3", "550e8400-e29b-41d4-a716-446655440000",
        "64f0c2a7e1b2d30012a4c511",
    ],
)  # fmt: skip
def test_a_cell_that_is_no_person_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    "text", ["It took 45 minutes on 2026-03-02", "version 88.0.4324.41 broke", "order 12345 late"]
)
def test_a_sentence_without_long_numbers_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_a_bare_run_of_digits_is_a_number_in_a_sentence_and_kept_in_a_cell() -> None:
    assert redact_text("my account is 123456789, thanks") == "my account is [number], thanks"
    assert cell("123456789") == "123456789"


def test_several_people_in_one_text_all_leave_it() -> None:
    shown = redact_text("ann@example.org or bob@example.org, +49 151 23456789 or 415-555-2671")
    assert shown == "[email] or [email], [phone] or [phone]"


def test_a_key_is_made_once_and_only_its_owner_can_read_it(lake: Lake, tmp_path: Path) -> None:
    first = load_pseudonyms(tmp_path, lake)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first.key) == 64
    assert load_pseudonyms(tmp_path, lake) == first
    assert {one.name for one in tmp_path.iterdir()} == {"lake", KEY_FILE}


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
