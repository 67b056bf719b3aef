"""Protects the lake: a file is replaced completely or not at all, and equal tables give equal bytes."""

import errno
import os
import threading
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

DAY = date(2026, 3, 2)
TABLE = pa.table({"n": [1, 2, 3], "text": ["a", None, "ü"]})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def files_of(lake: Lake) -> list[str]:
    return sorted(info.path for info in lake.list("", recursive=True) if info.is_file)


def test_a_written_file_is_what_its_receipt_says(lake: Lake) -> None:
    stored = lake.write_bytes("a/b.bin", b"hello")
    assert lake.read_bytes("a/b.bin") == b"hello"
    assert (stored.path, stored.size) == ("a/b.bin", 5)
    assert stored.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert (lake.size("a/b.bin"), lake.exists("a/b.bin")) == (5, True)
    assert (lake.size("a"), lake.exists("a"), lake.exists("a/c")) == (None, False, False)


def test_the_same_table_gives_the_same_bytes(lake: Lake) -> None:
    assert lake.write_table("1.parquet", TABLE).sha256 == lake.write_table("2.parquet", TABLE).sha256
    assert lake.read_table("1.parquet") == TABLE
    assert lake.read_table("1.parquet", ["n"]).column_names == ["n"]


def test_days_are_listed_in_order_and_other_things_passed_over(lake: Lake) -> None:
    for day in (date(2026, 3, 10), DAY):
        lake.write_table(lake.day_file("core.responses", day), TABLE)
    lake.write_bytes("core/responses/notes.txt", b"")
    assert lake.day_file("core.responses", DAY) == "core/responses/day=2026-03-02/part-0.parquet"
    assert lake.days("core.responses") == [DAY, date(2026, 3, 10)]
    assert lake.days("core.tickets") == []


@pytest.mark.parametrize("root", ["", "memory://states"])
def test_the_state_of_files_is_told_for_those_that_are_files(tmp_path: Path, root: str) -> None:
    lake = Lake(root or tmp_path / "lake")
    lake.write_bytes("a/b/one.bin", b"1")
    lake.write_bytes("a/two.bin", b"22")
    lake.write_bytes("c.bin", b"333")
    found = lake.states("a", ["a/two.bin", "a/b", "a/none.bin", "a/b/one.bin"])
    assert {path: state.size for path, state in found.items()} == {"a/two.bin": 2, "a/b/one.bin": 1}
    assert sorted(lake.names("a")) == ["b", "two.bin"]
    assert (lake.names("none"), lake.names("c.bin")) == ([], [])


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_old_file_and_no_temporary_file(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    lake.write_bytes("a.bin", b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path if call == "replace" else os, call, full)
    with pytest.raises(HomeError, match=r"No space left on device.*free disk space"):
        lake.write_bytes("a.bin", b"new")
    monkeypatch.undo()
    assert lake.read_bytes("a.bin") == b"old"
    assert files_of(lake) == ["a.bin"]


def test_a_reader_that_holds_the_old_file_keeps_it(lake: Lake) -> None:
    lake.write_bytes("a.bin", b"old")
    with lake.files.open_input_file("a.bin") as held:
        lake.write_bytes("a.bin", b"new!")
        assert held.read() == b"old"
    assert lake.read_bytes("a.bin") == b"new!"


def test_an_adopted_file_is_moved_into_its_place(lake: Lake, tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.write_bytes(b"rows")
    lake.adopt(staged, "raw/web/1.parquet")
    assert lake.read_bytes("raw/web/1.parquet") == b"rows"
    assert not staged.exists()


def test_many_files_are_adopted_together_and_a_failure_is_reported(lake: Lake, tmp_path: Path) -> None:
    staged = {f"raw/day=2026-01-{day:02}/1.parquet": tmp_path / f"{day}" for day in range(1, 21)}
    for path, file in staged.items():
        file.write_text(path)
    lake.adopt_all(staged)
    assert {path: lake.read_bytes(path).decode() for path in staged} == {path: path for path in staged}
    assert list(tmp_path.glob("[0-9]*")) == []
    with pytest.raises(HomeError, match="could not be written"):
        lake.adopt_all({"raw/gone.parquet": tmp_path / "gone"})


def test_deleting_what_is_not_there_is_no_error(lake: Lake) -> None:
    lake.write_bytes("a.bin", b"")
    for _ in range(2):
        lake.delete("a.bin")
    assert files_of(lake) == []


def test_a_staging_folder_is_gone_afterwards_even_when_its_user_failed(lake: Lake) -> None:
    used: list[Path] = []

    def use() -> None:
        with lake.staging() as folder:
            used.append(folder)
            (folder / "half").write_bytes(b"x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert lake.local in used[0].parents
    assert not used[0].exists()


def test_what_killed_processes_staged_is_cleared(lake: Lake) -> None:
    lake.write_bytes(".staging/1-killed/half.parquet", b"x")
    lake.write_bytes("kept.bin", b"x")
    lake.clear_staging()
    assert files_of(lake) == ["kept.bin"]


def test_rows_of_several_files_know_their_file(lake: Lake) -> None:
    paths = [f"day={DAY}/it's {number}.parquet" for number in range(2)]
    for path in paths:
        lake.write_table(path, TABLE)
    with duckdb.connect() as connection:
        rows = connection.sql(
            f"SELECT place, n FROM {lake.scan(connection, paths, 'files')} ORDER BY ALL"
        ).fetchall()
    assert rows == [(place, n) for place in range(2) for n in (1, 2, 3)]


@pytest.mark.parametrize("root", ["lake", "deeper/lake"])
def test_a_lake_below_a_file_is_refused_with_what_to_do(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="permissions"):
        Lake(tmp_path / "file" / root)


def test_a_lock_below_a_file_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="file/lock cannot be written"), exclusive(tmp_path / "file" / "lock"):
        pass


def test_a_second_writer_waits_for_the_holder_of_the_lock(tmp_path: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with exclusive(tmp_path / "lock"):
            entered.set()

    second = threading.Thread(target=enter)
    with exclusive(tmp_path / "lock"):
        second.start()
        assert not entered.wait(0.2)
    second.join()
    assert entered.is_set()


def test_a_lock_is_free_again_after_its_holder_failed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock"):
        raise ZeroDivisionError
    with exclusive(tmp_path / "lock"):
        pass


def test_a_lake_in_an_object_store_reads_back_what_it_wrote() -> None:
    lake = Lake("memory://lake-test")
    lake.write_table(lake.day_file("core.responses", DAY), TABLE)
    assert lake.local is None
    assert lake.days("core.responses") == [DAY]
    with duckdb.connect() as connection:
        source = lake.scan(connection, [lake.day_file("core.responses", DAY)], "files")
        assert connection.sql(f"SELECT sum(n) FROM {source}").fetchall() == [(6,)]
