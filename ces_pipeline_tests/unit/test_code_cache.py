"""Protects values that are kept with the bytecode: none outlives a change of a file, and no damage is believed."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ces_pipeline import code_cache
from ces_pipeline.code_cache import kept

Ask = Callable[..., object]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks as a new process, whose cache is in a folder of its own."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(code_cache, "_file", lambda: tmp_path / "cache" / "code_cache.json")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("one = 1\n")

    def ask(value: object, given: object = "given") -> object:
        code_cache._files.cache_clear()
        code_cache._kept.cache_clear()
        return kept("name", given, [tmp_path / "code"], lambda: value)

    yield ask
    code_cache._files.cache_clear()
    code_cache._kept.cache_clear()


def test_the_next_process_gets_what_the_first_one_computed(ask: Ask) -> None:
    assert ask({"a": [1, "x"]}) == {"a": [1, "x"]}
    assert ask("not computed") == {"a": [1, "x"]}
    assert ask("computed", given="other") == "computed"


@pytest.mark.parametrize("change", ["edited", "added", "deleted"])
def test_a_change_of_a_file_computes_anew(ask: Ask, tmp_path: Path, change: str) -> None:
    ask(1)
    file = tmp_path / "code" / "a.py"
    if change == "edited":
        file.write_text("one = 2\n# longer\n")
    elif change == "added":
        (tmp_path / "code" / "b.sql").write_text("select 1")
    else:
        file.unlink()
    assert ask(2) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"digest": "0", "values": {}}'])
def test_a_damaged_cache_counts_as_none(ask: Ask, tmp_path: Path, damage: bytes) -> None:
    ask(1)
    file = tmp_path / "cache" / "code_cache.json"
    file.write_bytes(damage or file.read_bytes().replace(b"1", b"7"))
    assert ask(2) == 2
    assert ask(3) == 2


def test_an_installation_that_keeps_no_bytecode_keeps_nothing(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert (ask(1), ask(2)) == (1, 2)
    assert not (tmp_path / "cache").exists()
