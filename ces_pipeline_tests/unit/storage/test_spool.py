"""Protects received lines: each is in exactly one file, whatever was killed between writing and reading."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.registry.receive import RECEIVED_NAME
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage import spool


def lines(path: Path | None) -> list[bytes]:
    assert path is not None
    return path.read_bytes().split()


def test_lines_are_handed_over_once_in_their_order(tmp_path: Path) -> None:
    assert spool.hand_over(tmp_path) is None
    spool.append(tmp_path, [b"1"])
    spool.append(tmp_path, [b"2", b"3"])
    assert lines(spool.hand_over(tmp_path)) == [b"1", b"2", b"3"]
    assert spool.hand_over(tmp_path) is None
    spool.append(tmp_path, [b"4"])
    assert lines(spool.hand_over(tmp_path)) == [b"4"]


def test_an_open_file_is_hidden_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    spool.append(tmp_path, [b"1"])
    path = spool.waiting(tmp_path)
    assert path is not None
    assert path.name.startswith(".")
    assert path.stat().st_mode & 0o077 == 0


def test_files_with_the_same_lines_have_other_bytes(tmp_path: Path) -> None:
    # Landing knows a file by its bytes: a payload that is sent again must count as delivered again.
    found = set()
    for _ in range(3):
        spool.append(tmp_path, [b"1"])
        path = spool.hand_over(tmp_path)
        assert lines(path) == [b"1"]
        found.add(path and path.read_bytes())
    assert len(found) == 3


@pytest.mark.parametrize("length", [1, 10, 200_000])
def test_half_a_line_of_a_killed_writer_is_cut_off(tmp_path: Path, length: int) -> None:
    half = b"x" * length
    for then in (spool.hand_over, lambda folder: spool.append(folder, [b"2"])):
        spool.append(tmp_path, [b"1"])
        open_file = spool.waiting(tmp_path)
        assert open_file is not None
        with open_file.open("ab") as stream:
            stream.write(half)
        path: Any = then(tmp_path)
        assert lines(path or spool.hand_over(tmp_path)) == ([b"1"] if path else [b"1", b"2"])


def test_a_file_without_a_complete_line_is_removed(tmp_path: Path) -> None:
    spool.append(tmp_path, [b"1"])
    path = spool.waiting(tmp_path)
    assert path is not None
    os.truncate(path, len(path.read_bytes()) - 1)
    assert spool.hand_over(tmp_path) is None
    assert spool.waiting(tmp_path) is None


def test_a_failed_write_leaves_nothing_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(tmp_path, [b"1"])

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            spool.append(tmp_path, [b"2"])
    spool.append(tmp_path, [b"3"])
    assert lines(spool.hand_over(tmp_path)) == [b"1", b"3"]


def test_a_large_file_is_handed_over_by_its_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_MOST_BYTES", 100)
    for number in range(4):
        spool.append(tmp_path, [f"{number}{'x' * 40}".encode()])
    assert spool.waiting(tmp_path) is None
    found = [line[:1] for path in sorted(tmp_path.glob("received-*.jsonl")) for line in lines(path)]
    assert sorted(found) == [b"0", b"1", b"2", b"3"]


def test_writers_and_readers_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    def write(writer: int) -> None:
        for number in range(15):
            spool.append(tmp_path, [f"{writer}-{number}".encode()])

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, writer) for writer in range(3)]
        while not all(one.done() for one in writing):
            spool.hand_over(tmp_path)
    spool.hand_over(tmp_path)
    found = [line for path in tmp_path.glob("received-*.jsonl") for line in lines(path)]
    assert sorted(found) == sorted(f"{writer}-{n}".encode() for writer in range(3) for n in range(15))


def test_the_name_of_a_file_is_one_that_the_registry_expects(tmp_path: Path) -> None:
    spool.append(tmp_path, [b"1"])
    path = spool.hand_over(tmp_path)
    assert path is not None
    assert spool.is_handed_over(path.name)
    assert not spool.is_handed_over("received-in-march.jsonl")
    shape = ["9" if letter.isalnum() else letter for letter in path.name]
    assert shape == ["9" if letter.isalnum() else letter for letter in RECEIVED_NAME]
    for pattern, is_taken in (("**/*", True), ("*.jsonl", True), ("**/*.json", False), ("in/*", False)):
        source = Source.model_validate({"id": "a", "kind": "tickets", "reader": "json", "inbox": pattern})
        assert source.takes(path.name) is is_taken
