"""Protects the reading of many small files through a cache: the same rows as without it, and no file opened twice."""

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from ces_pipeline.storage import small_files
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.small_files import CACHE_FILE, SmallFileRows, save_small_files, small_file_rows
from ces_pipeline_tests.drills.homes import damage

SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False), ("text", pa.string())])
HOUR_NS = 3_600_000_000_000


class Folder:
    """Folder `notes` of a lake. Each of its files has lines `number text`; a file of other lines is damaged."""

    def __init__(self, lake: Lake):
        self.lake = lake
        self.opened: list[str] = []

    def write(self, name: str, *lines: str, age_ns: int = HOUR_NS) -> None:
        self.lake.write_bytes(f"notes/{name}", "\n".join(lines).encode())
        changed_at = time.time_ns() - age_ns
        os.utime(f"{self.lake.local}/notes/{name}", ns=(changed_at, changed_at))

    def found(self) -> SmallFileRows:
        names = [name for name in self.lake.names("notes") if not name.startswith(".")]
        states = self.lake.states("notes", [f"notes/{name}" for name in names])
        self.opened = []
        return small_file_rows(
            self.lake,
            "notes",
            {path.removeprefix("notes/"): state for path, state in states.items()},
            SCHEMA,
            self._read,
        )

    def _read(self, name: str) -> pa.Table:
        self.opened.append(name)
        try:
            lines = [line.split() for line in self.lake.read_bytes(f"notes/{name}").decode().splitlines()]
            rows = [{"n": int(number), "text": text} for number, text in lines]
        except (OSError, ValueError):
            rows = []
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def rows(self) -> list[tuple[str, int, str]]:
        found = self.found()
        return [
            (name, row["n"], row["text"])
            for name, row in zip(found.names, found.rows.select(SCHEMA.names).to_pylist(), strict=True)
        ]


def forget() -> None:
    """What a new process knows."""
    small_files._held.clear()
    small_files._unsaved.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(Lake(tmp_path))
    folder.write("b", "2 two", "1 one")
    folder.write("a", "3 three")
    return folder


ROWS = [("a", 3, "three"), ("b", 2, "two"), ("b", 1, "one")]


def cache_of(folder: Folder) -> Path:
    return Path(f"{folder.lake.local}/notes/{CACHE_FILE}")


def test_a_second_reading_opens_no_file_also_in_another_process(folder: Folder) -> None:
    assert folder.rows() == ROWS
    assert sorted(folder.opened) == ["a", "b"]
    assert folder.rows() == ROWS
    assert folder.opened == []
    save_small_files(folder.lake)
    forget()
    assert folder.rows() == ROWS
    assert folder.opened == []


def test_unchanged_files_give_the_same_object(folder: Folder) -> None:
    assert folder.found() is folder.found()


def test_a_reading_writes_nothing(folder: Folder) -> None:
    before = sorted(path.name for path in cache_of(folder).parent.iterdir())
    folder.rows()
    assert sorted(path.name for path in cache_of(folder).parent.iterdir()) == before


@pytest.mark.parametrize("in_a_new_process", [False, True])
def test_only_new_and_changed_files_are_opened_and_deleted_ones_are_gone(
    folder: Folder, in_a_new_process: bool
) -> None:
    folder.write("c", "4 four")
    folder.rows()
    save_small_files(folder.lake)
    if in_a_new_process:
        forget()
    folder.write("d", "5 five")
    folder.write("a", "6 longer")
    folder.lake.delete("notes/b")
    assert folder.rows() == [("a", 6, "longer"), ("c", 4, "four"), ("d", 5, "five")]
    assert sorted(folder.opened) == ["a", "d"]


def test_a_changed_file_of_the_same_size_is_seen(folder: Folder) -> None:
    folder.rows()
    folder.write("a", "9 three", age_ns=HOUR_NS - 1_000)
    assert folder.rows() == [("a", 9, "three"), *ROWS[1:]]


def test_a_new_file_is_read_again_even_with_the_same_size_and_time(folder: Folder) -> None:
    """Clocks have steps: a file may be replaced within one."""
    path = Path(f"{folder.lake.local}/notes/new")
    folder.write("new", "7 seven", age_ns=0)
    assert ("new", 7, "seven") in folder.rows()
    state = path.stat()
    path.write_text("8 eight")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_size == state.st_size
    assert ("new", 8, "eight") in folder.rows()
    save_small_files(folder.lake)
    forget()
    path.write_text("9 night")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert ("new", 9, "night") in folder.rows()
    assert folder.opened == ["new"]


def test_a_damaged_file_has_no_rows_and_is_read_when_it_is_repaired(folder: Folder) -> None:
    folder.write("a", "not a number")
    assert folder.rows() == ROWS[1:]
    folder.write("a", "3 three", age_ns=HOUR_NS - 1_000)
    assert folder.rows() == ROWS


@pytest.mark.parametrize("how", ["deleted", "truncated", "flipped", "folder"])
def test_a_cache_that_is_damaged_costs_time_only(folder: Folder, how: str) -> None:
    folder.rows()
    save_small_files(folder.lake)
    forget()
    damage(cache_of(folder), how)
    assert folder.rows() == ROWS
    save_small_files(folder.lake)
    forget()
    assert folder.rows() == ROWS
    assert folder.opened == []


def test_no_flipped_bit_of_a_cache_is_read_as_another_row(folder: Folder) -> None:
    folder.rows()
    save_small_files(folder.lake)
    data = cache_of(folder).read_bytes()
    for place in range(0, len(data), 7):
        cache_of(folder).write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        forget()
        assert folder.rows() == ROWS, place


def test_a_cache_with_other_columns_is_not_used(folder: Folder) -> None:
    """Another release wrote it: a column that it lacks is not null in the files."""
    folder.rows()
    save_small_files(folder.lake)
    cached = folder.lake.read_table(f"notes/{CACHE_FILE}")
    folder.lake.write_table(f"notes/{CACHE_FILE}", cached.drop_columns(["text"]))
    forget()
    assert folder.rows() == ROWS


def test_a_folder_that_is_gone_is_not_made_again(folder: Folder) -> None:
    folder.rows()
    folder.lake.files.delete_dir("notes")
    save_small_files(folder.lake)
    assert folder.lake.names("") == []


def test_two_writers_of_a_cache_leave_one_that_is_right(folder: Folder) -> None:
    """One of them knows an older state of the folder."""
    older = folder.found()
    save_small_files(folder.lake)
    folder.write("a", "6 six")
    newer = folder.found()
    writers: Mapping[str, SmallFileRows] = {"older": older, "newer": newer}

    def write(rows: pa.Table) -> None:
        for _ in range(20):
            folder.lake.write_table(f"notes/{CACHE_FILE}", rows)

    threads = [threading.Thread(target=write, args=(found.rows,)) for found in writers.values()]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        forget()
        assert folder.rows() == [("a", 6, "six"), *ROWS[1:]]
    for thread in threads:
        thread.join()
    for found in writers.values():
        folder.lake.write_table(f"notes/{CACHE_FILE}", found.rows)
        forget()
        assert folder.rows() == [("a", 6, "six"), *ROWS[1:]]


def test_a_lake_that_tells_no_times_is_read_each_time() -> None:
    lake = Lake("memory://small-files")
    lake.write_bytes("notes/a", b"3 three")
    folder = Folder(lake)
    for number in (3, 4):
        lake.write_bytes("notes/a", f"{number} three".encode())
        assert folder.rows() == [("a", number, "three")]
    save_small_files(lake)
    assert lake.names("notes") == ["a"]
