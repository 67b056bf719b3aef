"""One pseudonym per person: the hand-written HMAC is the standard library's, for every key and every spelling."""

import ast
import hashlib
import hmac
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.privacy import pseudonyms
from ces_pipeline.privacy.key import load_pseudonyms
from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline_tests.builders import WEB, answer, inbox_home


def pseudonym(key: bytes, text: str) -> str:
    return Pseudonyms(key).of(text)


def standard(key: bytes, text: str) -> str:
    """The hash by the standard library's HMAC."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_pseudonyms_need_the_standard_library_only() -> None:
    """Event handlers import them and must start fast."""
    imported = set()
    for node in ast.walk(ast.parse(Path(pseudonyms.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names


@given(key=st.binary(min_size=1, max_size=100), text=st.text(max_size=80))
def test_a_pseudonym_is_the_hmac_sha256_of_the_standard_library(key: bytes, text: str) -> None:
    assert pseudonym(key, text) == standard(key, text.strip().lower())


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_keys_of_every_length_are_padded_as_hmac_wants(length: int) -> None:
    key = bytes(range(1, 201))[:length]
    assert Pseudonyms(key).of("JOSÉ@exámple.org") == standard(key, "josé@exámple.org")


def test_one_person_is_one_pseudonym_however_the_address_is_written() -> None:
    written = ("ann@example.org", "Ann@Example.ORG", "  ann@example.org ")
    assert len({pseudonym(b"key", spelling) for spelling in written}) == 1
    assert pseudonym(b"key", "anna@example.org") != pseudonym(b"key", "ann@example.org")


def test_another_key_gives_another_pseudonym() -> None:
    assert pseudonym(b"key", "ann@example.org") != pseudonym(b"kez", "ann@example.org")


def test_a_column_of_our_own_hashes_is_kept_and_everything_else_in_it_is_hashed(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, {**WEB, "hashed": ["respondent"]})
    key = Pseudonyms(b"k").of("ann@example.org")
    people = (key, key.upper(), "bob@example.org", key[:-1], f"{key}0")
    home.drop("a.csv", [answer(number, email=who) for number, who in enumerate(people)])
    home.land()
    found = [row["respondent_key"] for row in home.rows()]
    ours = load_pseudonyms(tmp_path, home.lake)
    assert found == [key, key, *(ours.of(who) for who in people[2:])]
    assert home.find("bob@example.org") == []
