"""Protects landing from other processes: two at once land once, and a killed one costs time, never rows."""

import multiprocessing
import random
import signal
import time
from pathlib import Path

import pytest

from ces_pipeline.home import Home
from ces_pipeline.land.step import land_source
from ces_pipeline.privacy.key import KEY_FILE
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.builders import NOW, InboxHome, answer, inbox_home

# Forked from a server that has imported all, so that a kill falls into the landing, not into the imports.
SERVED = multiprocessing.get_context("forkserver")
SERVED.set_forkserver_preload(["ces_pipeline.land.step", __name__])
KEY = "0" * 64
FILES = 4


def land_in_process(root: Path) -> None:
    registry = load_registry(root / "registry")
    land_source(Home(root), registry, registry.sources["web"], now=NOW)


def many_files(home: InboxHome) -> InboxHome:
    """Overlapping exports of twelve days, so that most files land some rows and drop others."""
    for place in range(FILES):
        rows = [
            answer(
                number,
                score=1 + (number + place // 2) % 5,
                recorded=f"2026-03-{1 + number % 12:02}T12:00:00Z",
            )
            for number in range(place * 20, place * 20 + 60)
        ]
        home.drop(f"{place}.csv", rows)
    return home


def same_key(home: InboxHome) -> InboxHome:
    """The home with a key that two homes share, so that their landings can be compared."""
    path = home.home.root / KEY_FILE
    path.write_text(KEY)
    path.chmod(0o600)
    return home


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    return same_key(many_files(inbox_home(tmp_path / "home")))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[InboxHome, float]:
    """A home that has landed the same files in peace, and the seconds that it took."""
    home = same_key(many_files(inbox_home(tmp_path_factory.mktemp("undisturbed"))))
    started = time.monotonic()
    home.land()
    return home, time.monotonic() - started


def test_two_processes_that_land_at_once_land_once(
    home: InboxHome, undisturbed: tuple[InboxHome, float]
) -> None:
    processes = [SERVED.Process(target=land_in_process, args=(home.home.root,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert home.state() == undisturbed[0].state()


def test_a_landing_that_was_killed_anywhere_is_completed_by_the_next(
    home: InboxHome, undisturbed: tuple[InboxHome, float]
) -> None:
    chosen = random.Random(7)
    exits = []
    for _ in range(6):
        process = SERVED.Process(target=land_in_process, args=(home.home.root,))
        process.start()
        process.join(chosen.uniform(0.05, 0.4) * undisturbed[1])
        process.kill()
        process.join()
        exits.append(process.exitcode)
    assert -signal.SIGKILL in exits
    home.land()
    assert home.state() == undisturbed[0].state()
    assert list((home.home.lake / ".staging").glob("*")) == []


@pytest.mark.parametrize("step", [1, 2, 7, 14, 15, 16, 33, 50])
def test_a_landing_that_dies_at_any_of_its_writes_is_completed_by_the_next(
    home: InboxHome, undisturbed: tuple[InboxHome, float], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    renamed = 0
    replace = Path.replace

    def dies(path: Path, target: Path) -> Path:
        nonlocal renamed
        renamed += 1
        if renamed == step:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        home.land()
    monkeypatch.undo()
    assert len(home.deliveries()) < FILES
    home.land()
    assert home.state() == undisturbed[0].state()
