"""Drill: a disk that is full, or a home that cannot be written. One line says what to do, and nothing is lost."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.drills.test_killed import assert_ends_undisturbed, copied, undisturbed_home

PROBLEMS = {"full": errno.ENOSPC, "read-only": errno.EROFS}
QUICK = {("read-only", 0), ("full", 8), ("full", 19)}
"""Cases of the default tests; the others are slow."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return undisturbed_home(tmp_path_factory.mktemp("undisturbed") / "home")


def refuse_writes(monkeypatch: pytest.MonkeyPatch, after: int, number: int) -> None:
    """Let that many files be put in place; every further one fails with the error of this number."""
    left = after
    rename = Path.replace

    def refused(self: Path, target: Any) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(number, os.strerror(number))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", refused)


@pytest.mark.parametrize(
    ("how", "after"),
    [
        pytest.param(how, after, marks=() if (how, after) in QUICK else pytest.mark.slow)
        for how in PROBLEMS
        for after in (0, 3, 8, 13, 19, 25, 31)
    ],
)
def test_a_disk_that_refuses_writes_at_any_point_is_one_line_and_the_next_run_makes_it_good(
    undisturbed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, after: int
) -> None:
    home = copied(undisturbed, tmp_path / "home")
    with monkeypatch.context() as patch:
        refuse_writes(patch, after, PROBLEMS[how])
        with pytest.raises(HomeError) as refused:
            run(home)
    line = str(refused.value)
    assert "\n" not in line
    assert os.strerror(PROBLEMS[how]) in line
    assert_ends_undisturbed(home, undisturbed)
