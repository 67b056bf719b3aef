"""Protects against files that change while they are read: they wait, and land completely in a later run."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.land import step
from ces_pipeline.land.staging import Staging
from ces_pipeline_tests.builders import InboxHome, answer, csv_text, inbox_home


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    return inbox_home(tmp_path / "home")


def grow_once(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, path: Path, more: str) -> None:
    """Append to a file when the function is called for the first time."""
    original = getattr(owner, name)

    def call(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        if more not in path.read_text():
            path.write_text(path.read_text() + more)
        return result

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize(("owner", "name"), [(step, "open_file"), (Staging, "fill")])
def test_a_file_that_grows_while_it_is_read_waits_and_then_lands_completely(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    path = home.drop("a.csv", [answer(1)])
    home.drop("b.csv", [answer(9)])
    more = csv_text([answer(2)]).splitlines()[1] + "\n"
    grow_once(monkeypatch, owner, name, path, more)
    outcome = home.land()
    assert outcome.failures == ()
    assert [note for note in outcome.notes if "a.csv" in note] != []
    assert [row["response_id"] for row in home.rows()] == ["r9"]
    home.land()
    assert sorted(row["response_id"] for row in home.rows()) == ["r1", "r2", "r9"]
    assert len(home.deliveries()) == 2


def test_a_file_that_grows_between_its_hash_and_its_reading_is_not_known_by_the_old_hash(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.drop("a.csv", [answer(1)])
    home.land()
    (first,) = home.deliveries()
    more = csv_text([answer(2)]).splitlines()[1] + "\n"
    # It grows after it was hashed: the cache must not keep the old hash with the new size.
    hashed: Any = vars(DeliveredFile)["sha256"].fget
    path.touch()

    def sha256(file: DeliveredFile) -> str:
        found = str(hashed(file))
        if more not in path.read_text():
            path.write_text(path.read_text() + more)
        return found

    monkeypatch.setattr(DeliveredFile, "sha256", property(sha256))
    home.land()
    home.land()
    assert sorted(row["response_id"] for row in home.rows()) == ["r1", "r2"]
    assert first in home.deliveries()
