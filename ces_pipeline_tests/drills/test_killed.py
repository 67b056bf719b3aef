"""Drill: runs killed at any moment, and two at once. A run after them ends as if nothing had happened."""

import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ces_pipeline import pipeline
from ces_pipeline.home import Home
from ces_pipeline.publish import incremental
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.builders import DESK, WEB, answer, inbox_home
from ces_pipeline_tests.drills.homes import clean, core_bytes, land, published_rows, run, same, visible_strays

# Children are forked from a small process that has the imports done: starting one costs no more than the run.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["ces_pipeline_tests.drills.test_killed"])
KILLS = 50
KILLS_OF_A_HOME = 6


def undisturbed_home(root: Path) -> Home:
    """A home whose only run nothing disturbed: two deliveries of answers of five days, with a revision that moved, and
    one of tickets."""
    small = inbox_home(root, WEB, DESK)
    rows = [answer(n, recorded=f"2026-03-{2 + n % 5:02}T{n:02}:00:00Z", score=1 + n % 6) for n in range(20)]
    small.drop("1.csv", rows[:12])
    small.drop("2.csv", [*rows[8:], answer(0, recorded="2026-03-06T23:00:00Z", score=2)])
    ticket = {"number": "7", "state": "open", "email": "person1@example.org"}
    small.drop("t.csv", [{**ticket, "updated": f"2026-03-{day:02}T08:00:00Z"} for day in (2, 3, 5)], "desk")
    run(small.home)
    return small.home


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return undisturbed_home(tmp_path_factory.mktemp("undisturbed") / "home")


@pytest.fixture
def fresh(undisturbed: Home, tmp_path: Path) -> Home:
    return copied(undisturbed, tmp_path / "home")


def copied(undisturbed: Home, folder: Path) -> Home:
    """A home with the same key, registry and exports, where nothing ran yet."""
    home = Home(folder)
    shutil.copytree(undisturbed.registry, home.registry)
    shutil.copytree(undisturbed.inbox, home.inbox)
    shutil.copy2(undisturbed.root / "pseudonym.key", home.root)
    return home


def started(target: Any, *given: Any) -> Any:
    process = CHILDREN.Process(target=target, args=given)
    process.start()
    return process


def run_until_rename(home: Home, count: int) -> None:
    """Run, and be killed just before the given rename (from 1): every commit point is one."""
    left = count
    rename = Path.replace

    def counted(self: Path, target: Any) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    Path.replace = counted  # type: ignore[method-assign, assignment]
    run(home)


def assert_ends_undisturbed(home: Home, undisturbed: Home) -> None:
    run(home)
    assert same(core_bytes(home), core_bytes(undisturbed)) == []
    assert same(published_rows(home), published_rows(undisturbed)) == []
    assert visible_strays(home) == []
    assert run(home).unchanged


@pytest.mark.parametrize(
    "count", [1, 14, 31, *(pytest.param(count, marks=pytest.mark.slow) for count in (4, 9, 20, 26))]
)
def test_a_run_killed_before_a_rename_is_made_good_by_the_next(
    fresh: Home, undisturbed: Home, count: int
) -> None:
    process = started(run_until_rename, fresh, count)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert_ends_undisturbed(fresh, undisturbed)


@pytest.mark.slow
def test_a_run_killed_over_and_over_still_gets_there_and_readers_see_whole_files(
    fresh: Home, undisturbed: Home
) -> None:
    for count in range(1, 40):
        process = started(run_until_rename, fresh, count)
        process.join()
        assert visible_strays(fresh) == []
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert process.exitcode == 0
    assert 5 < count < 30, "what one attempt committed, the next need not do again"
    assert_ends_undisturbed(fresh, undisturbed)


@pytest.mark.slow
def test_runs_killed_at_random_moments_are_made_good_by_the_next(undisturbed: Home, tmp_path: Path) -> None:
    random = Random(20260302)
    killed, homes = 0, 0
    while killed < KILLS:
        home = copied(undisturbed, tmp_path / str(homes))
        homes += 1
        for _ in range(KILLS_OF_A_HOME):
            process = started(run, home)
            process.join(random.uniform(0.05, 1.5))
            process.kill()
            process.join()
            killed += process.exitcode == -signal.SIGKILL
            assert visible_strays(home) == []
        assert_ends_undisturbed(home, undisturbed)
    print(f"{killed} kills in {homes} homes")


def publish(home: Home, small_table_rows: int) -> None:
    incremental.SMALL_TABLE_ROWS = small_table_rows
    result = pipeline.publish(home, load_registry(home.registry), run_id="test")
    assert result.published
    assert not result.rebuilt, result.rebuilt_because


@pytest.mark.slow
def test_an_update_of_the_published_file_killed_at_random_moments_leaves_the_old_rows_or_the_new(
    tmp_path: Path,
) -> None:
    small = inbox_home(tmp_path / "home", WEB, DESK)
    ticket = {"number": "7", "state": "open", "email": "person1@example.org"}
    rows = [answer(n, recorded=f"2026-03-{2 + n % 5:02}T{n:02}:00:00Z", score=1 + n % 6) for n in range(20)]
    small.drop("1.csv", rows)
    small.drop("t.csv", [{**ticket, "updated": f"2026-03-{day:02}T08:00:00Z"} for day in (2, 3, 5)], "desk")
    run(small.home)
    old = published_rows(small.home)
    revised = answer(3, recorded="2026-03-05T03:00:00Z", score=7)
    small.drop(
        "2.csv", [answer(n, recorded="2026-03-06T20:00:00Z", score=1) for n in range(20, 25)] + [revised]
    )
    small.drop("t2.csv", [{**ticket, "state": "solved", "updated": "2026-03-06T09:00:00Z"}], "desk")
    registry = load_registry(small.home.registry)
    assert land(small.home, registry=registry) == []
    for kind in registry.kinds:
        clean(small.home, kind=kind, registry=registry)
    ready = tmp_path / "ready"
    shutil.copytree(small.home.root, ready)
    run(small.home)
    new = published_rows(small.home)
    assert same(old, new) != []
    # The moments are spread over the time that an update takes here.
    timed = Home(shutil.copytree(ready, tmp_path / "timed"))
    began = time.monotonic()
    process = started(publish, timed, 0)
    process.join()
    assert process.exitcode == 0
    seconds = time.monotonic() - began

    random = Random(20260303)
    killed, kept, home = 0, 0, Home(shutil.copytree(ready, tmp_path / "killed"))
    for number in range(KILLS):
        process = started(publish, home, 0 if number % 2 else incremental.SMALL_TABLE_ROWS)
        process.join(random.uniform(0.05, seconds))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        found = published_rows(home)
        assert same(found, old) == [] or same(found, new) == []
        assert visible_strays(home) == []
        if same(found, old) == []:
            kept += 1
            continue
        shutil.rmtree(home.root)
        shutil.copytree(ready, home.root)
    assert kept > KILLS / 3, "the drill proves nothing unless most kills come before the rename"
    process = started(publish, home, 0)
    process.join()
    assert process.exitcode == 0
    assert same(published_rows(home), new) == []
    assert same(core_bytes(home), core_bytes(small.home)) == []
    print(f"{killed} kills of an update, {kept} of them before the rename")


@pytest.mark.slow
def test_two_runs_at_once_take_turns_and_end_as_one(fresh: Home, undisturbed: Home) -> None:
    processes = [started(run, fresh) for _ in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert_ends_undisturbed(fresh, undisturbed)
