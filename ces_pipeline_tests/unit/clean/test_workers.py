"""Protects the worker processes: a second pool starts at once, a script without a main guard gets an error, a killed
worker is reported, and the server starts early only if there is much to read."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ces_pipeline.clean import step, workers
from ces_pipeline.clean.workers import expect_files, worker_pool
from ces_pipeline.errors import CesError, MemoryLimitError
from ces_pipeline.storage.machine import machine, use_machine
from ces_pipeline_tests.builders import InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import clean

forked = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux are workers forked from a server")
DAYS = 4


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What this process uses is as before after each test."""
    yield
    use_machine(None, None)


def home_of_days(folder: Path, **settings: object) -> InboxHome:
    """A landed home with one answer on each of four days."""
    small = inbox_home(folder, settings={"workers": 2, **settings})
    rows = [answer(day, recorded=f"2026-03-0{day}T12:00:00Z") for day in range(1, DAYS + 1)]
    small.drop("a.csv", rows)
    assert small.land().failures == ()
    return small


def run(program: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program as a script of its own."""
    script = folder / "script.py"
    script.write_text(program, encoding="utf-8")
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


_POOLS = """
import time
from ces_pipeline.clean.workers import worker_pool
from importlib import import_module

def seconds():
    started = time.perf_counter()
    with worker_pool(2) as pool:
        # What a worker needs for its first day.
        pool.submit(import_module, "ces_pipeline.clean.step").exception()
        return time.perf_counter() - started

if __name__ == "__main__":
    print(seconds(), min(seconds() for _ in range(5)))
"""


@forked
def test_the_second_pool_starts_in_a_tenth_of_the_time(tmp_path: Path) -> None:
    first, later = map(float, run(_POOLS, tmp_path).stdout.split())
    assert later <= 0.1 * first


# Days of few rows are worth no workers, so the script says otherwise.
_SCRIPT = """
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from ces_pipeline import Home, clean, load_registry, stale_days

step = import_module("ces_pipeline.clean.step")
step.ROWS_WORTH_WORKERS, step._DAYS_TOGETHER = 1, 1

def work():
    home = Home(Path(sys.argv[1]))
    registry = load_registry(home.registry)
    days = stale_days(home, registry, "survey")
    print(sum(result.accepted for result in clean(home, registry, "survey", days, run_id="script")))
"""


def test_a_script_without_a_main_guard_ends_with_an_error(tmp_path: Path) -> None:
    small = home_of_days(tmp_path / "home")
    ran = run(f"{_SCRIPT}\nwork()\n", tmp_path, small.home.root)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("ces_pipeline.errors.CesError: ")
    assert "__main__" in ran.stderr.splitlines()[-1]


def test_a_script_with_a_main_guard_cleans_in_workers(tmp_path: Path) -> None:
    small = home_of_days(tmp_path / "home")
    ran = run(f'{_SCRIPT}\nif __name__ == "__main__":\n    work()\n', tmp_path, small.home.root)
    assert (ran.returncode, ran.stdout.strip()) == (0, str(DAYS)), ran.stderr


def test_a_worker_that_is_killed_is_an_error_that_a_person_can_correct() -> None:
    with pytest.raises(CesError, match="workers"), worker_pool(2) as pool:
        pool.submit(os.kill, pool.submit(os.getpid).result(), signal.SIGKILL).result()


def limits() -> tuple[int, int, int]:
    return machine().threads, machine().memory_mb, machine().processes


def test_workers_share_the_memory_of_the_process_that_starts_them() -> None:
    with worker_pool(2) as pool:
        assert pool.submit(limits).result() == (1, machine().memory_mb, 2)


def test_a_worker_that_lacks_memory_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = home_of_days(tmp_path, machine={"memory_mb": 1})
    monkeypatch.setattr(step, "ROWS_WORTH_WORKERS", 1)
    monkeypatch.setattr(step, "_DAYS_TOGETHER", 1)
    with pytest.raises(MemoryLimitError, match="memory_mb"):
        clean(small.home, [date(2026, 3, day) for day in range(1, DAYS + 1)])


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for each start of the server."""
    starts: list[int] = []
    monkeypatch.setattr(workers, "_start_server", lambda: starts.append(1))
    return starts


def test_the_server_starts_early_for_many_new_bytes_only(
    tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = inbox_home(tmp_path, settings={"workers": 2})
    path = small.drop("a.csv", [answer(number) for number in range(100)])
    expect_files(small.home, small.registry, ["web"])
    assert started == []
    monkeypatch.setattr(workers, "_BYTES_WORTH_WORKERS", path.stat().st_size)
    expect_files(small.home, small.registry, [])
    assert started == []
    expect_files(small.home, small.registry, ["web"])
    assert started == [1]
    assert small.land().failures == ()
    expect_files(small.home, small.registry, ["web"])
    assert started == [1]


def test_no_server_starts_if_one_process_cleans(
    tmp_path: Path, started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = inbox_home(tmp_path, settings={"workers": 1})
    small.drop("a.csv", [answer(1)])
    monkeypatch.setattr(workers, "_BYTES_WORTH_WORKERS", 1)
    expect_files(small.home, small.registry, ["web"])
    assert started == []
