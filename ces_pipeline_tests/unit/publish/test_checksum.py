"""Protects the published file from silent damage: any flipped bit is found, and no run that was killed looks like one."""

from pathlib import Path
from random import Random

import pytest

from ces_pipeline.publish import checksum, step
from ces_pipeline.publish.checksum import file_sha256, give_checksum, is_sound, problem, stored_checksums
from ces_pipeline_tests.lake_days import DAY, SmallHome, days_from, response, small_home


@pytest.fixture(autouse=True)
def every_check_reads_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksum, "_RECHECKED_SECONDS", -1.0)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    small = small_home(tmp_path_factory.mktemp("checksum") / "home")
    for day in days_from(DAY, 3):
        small.clean("survey", [response(f"a{day}", day)], day=day)
    small.publish()
    return small


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    """A copy of the published home."""
    return published.copied(tmp_path / "home")


@pytest.fixture
def file(published: SmallHome, tmp_path: Path) -> Path:
    """A copy of a published file with its checksum."""
    copy = tmp_path / "ces.duckdb"
    copy.write_bytes(published.home.published.read_bytes())
    sidecar(copy).write_bytes(sidecar(published.home.published).read_bytes())
    return copy


def sidecar(published: Path) -> Path:
    return published.with_name(".ces.duckdb.sha256")


def flip(file: Path, place: int, bit: int = 0) -> None:
    with file.open("r+b") as stream:
        stream.seek(place)
        (byte,) = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte ^ (1 << bit)]))


def test_a_flipped_bit_anywhere_is_found(file: Path) -> None:
    random, size = Random(20260302), file.stat().st_size
    assert is_sound(file)
    for place in (0, size - 1, *(random.randrange(size) for _ in range(40))):
        flip(file, place, place % 8)
        assert not is_sound(file)
        assert "ces run" in (problem(file) or "")
        flip(file, place, place % 8)
    assert is_sound(file)
    assert problem(file) is None


def test_a_file_of_an_earlier_release_gets_its_checksum_if_all_of_it_can_be_read(file: Path) -> None:
    sidecar(file).unlink()
    assert is_sound(file)
    give_checksum(file)
    assert stored_checksums(file) == [file_sha256(file)]


def test_a_damaged_file_without_a_checksum_gets_none(file: Path) -> None:
    sidecar(file).unlink()
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 3])
    assert not is_sound(file)
    assert problem(file) is not None
    assert stored_checksums(file) == []


@pytest.mark.parametrize("how", ["cut", "empty", "not text", "folder"])
def test_a_damaged_checksum_file_is_made_anew_and_accuses_nothing(file: Path, how: str) -> None:
    path = sidecar(file)
    text = path.read_bytes()
    path.unlink()
    if how == "folder":
        path.mkdir()
    else:
        path.write_bytes({"cut": text[:30], "empty": b"", "not text": b"\xff" * 65}[how])
    assert is_sound(file)
    give_checksum(file)
    assert stored_checksums(file) == [file_sha256(file)]


@pytest.mark.slow
@pytest.mark.parametrize("write", [1, 2])
def test_a_publish_that_is_killed_around_its_rename_leaves_a_sound_file(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    small.clean("survey", [response("a", DAY), response("b", DAY)])
    writes = 0
    whole = step.write_checksums

    def killed(published: Path, valid: list[str]) -> None:
        nonlocal writes
        writes += 1
        if writes == write:
            raise KeyboardInterrupt
        whole(published, valid)

    monkeypatch.setattr(step, "write_checksums", killed)
    with pytest.raises(KeyboardInterrupt):
        small.publish("run-2")
    # Killed before the rename: the old file. Killed after it: the new one.
    assert small.rows("SELECT count(*) FROM core.responses WHERE day = '2026-03-02'") == [(write,)]
    assert is_sound(small.home.published)
    monkeypatch.undo()
    assert small.publish("run-3").rows["core.responses"] == 4
    assert file_sha256(small.home.published) in stored_checksums(small.home.published)


def test_a_damaged_file_is_rebuilt_with_a_line_that_names_it(small: SmallHome) -> None:
    flip(small.home.published, small.home.published.stat().st_size // 2)
    assert step.is_damaged(small.home)
    result = small.publish("run-2")
    assert result.rebuilt
    assert str(small.home.published) in result.notes[0]
    assert not step.is_damaged(small.home)
    assert small.publish("run-3").unchanged


def test_a_folder_in_the_place_of_the_file_is_set_aside(small: SmallHome) -> None:
    small.home.published.unlink()
    small.home.published.mkdir()
    assert small.publish("run-2").rebuilt
    assert small.home.published.is_file()
