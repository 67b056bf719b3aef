"""Drill: commands at the same time. One works, the others wait; the home ends as after one run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ces_pipeline.defs.instance import WORKSPACE_FILE, open_instance, prepare
from ces_pipeline.home import Home
from ces_pipeline_tests.builders import DESK, WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import published_rows, run, same

CES = Path(sys.executable).with_name("ces")
NIGHTS = 3
DAEMON_SECONDS = 150
"""How long the daemon may take to notice a file: its sensor looks once a minute, at files older than 10 s."""


def small_home(folder: Path) -> InboxHome:
    """A home where nothing ran yet, with the first night's files."""
    small = inbox_home(folder, WEB, DESK)
    drop_night(small, 0)
    ticket = {"number": "7", "state": "open", "email": "person1@example.org"}
    small.drop("t.csv", [{**ticket, "updated": f"2026-03-{day:02}T08:00:00Z"} for day in (2, 4)], "desk")
    return small


def drop_night(small: InboxHome, night: int) -> None:
    rows = [
        answer(100 * night + n, recorded=f"2026-03-{2 + night + n % 3:02}T{n:02}:00:00Z", score=1 + n % 5)
        for n in range(12)
    ]
    small.drop(f"{night}.csv", rows)


def command(home: Home, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [CES, *words, "--home", str(home.root)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def assert_equals_a_home_that_ran_once(home: Home, folder: Path) -> None:
    once = Home(folder)
    shutil.copytree(home.registry, once.registry)
    shutil.copytree(home.inbox, once.inbox)
    shutil.copy2(home.root / "pseudonym.key", once.root)
    run(once)
    assert same(published_rows(home), published_rows(once)) == []


@pytest.mark.slow
def test_first_runs_at_once_in_a_new_home_take_turns(tmp_path: Path) -> None:
    small = small_home(tmp_path / "home")
    running = [command(small.home, "run") for _ in range(3)]
    printed = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], printed
    assert not [text for text in printed if "Traceback" in text]
    # The first one to start waits for none.
    assert sum("another run of this home is in progress" in text for text in printed) == 2
    assert_equals_a_home_that_ran_once(small.home, tmp_path / "once")


@pytest.mark.slow
def test_a_run_that_is_killed_frees_the_next_one(tmp_path: Path) -> None:
    small = small_home(tmp_path / "home")
    first = command(small.home, "run")
    lock = small.home.lake / ".run.lock.holder"
    while not lock.exists():
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = command(small.home, "run")
    text = second.communicate(timeout=300)[0]
    assert second.returncode == 0, text
    assert "another run" not in text
    assert_equals_a_home_that_ran_once(small.home, tmp_path / "once")


@contextmanager
def daemon(home: Home) -> Iterator[Path]:
    """Dagster's daemon of the home, with its schedule and sensors; yields its log."""
    log = home.root / "daemon.log"
    words = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(home.dagster / WORKSPACE_FILE)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, env={**os.environ, **prepare(home)}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield log
    finally:
        # Its runs are processes of the same session.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def runs_of_the_daemon(home: Home) -> set[str]:
    with open_instance(home) as instance:
        return {found.run_id for found in instance.get_runs() if "dagster/sensor_name" in found.tags}


@pytest.mark.slow
def test_the_daemon_works_while_runs_are_started_by_hand(tmp_path: Path) -> None:
    small = small_home(tmp_path / "home")
    with daemon(small.home) as log:
        for night in range(1, 1 + NIGHTS):
            drop_night(small, night)
            before = runs_of_the_daemon(small.home)
            until = time.monotonic() + DAEMON_SECONDS
            # The run by hand starts in the instant in which the daemon requests its own.
            while runs_of_the_daemon(small.home) <= before:
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
            process = command(small.home, "run")
            printed = process.communicate(timeout=300)[0]
            assert process.returncode == 0, printed + log.read_text()
            assert "Traceback" not in printed
    last = command(small.home, "run")
    text = last.communicate(timeout=300)[0]
    assert last.returncode == 0, text
    assert_equals_a_home_that_ran_once(small.home, tmp_path / "once")
