"""Protects a run that needs more memory than it may use: one line says which setting to raise, and then it works."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from ces_pipeline import pipeline
from ces_pipeline.cli.main import main
from ces_pipeline.errors import MemoryLimitError
from ces_pipeline.storage.machine import use_machine
from ces_pipeline_tests.builders import InboxHome, answer, inbox_home


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What this process uses is as before after each test."""
    yield
    use_machine(None, None)


@pytest.fixture
def small(tmp_path: Path) -> InboxHome:
    small = inbox_home(tmp_path)
    small.drop("a.csv", [answer(number) for number in range(200)])
    return small


def allow(small: InboxHome, memory_mb: int | None) -> None:
    """Set the memory that a run may use; None: the default."""
    path = small.home.registry / "settings.yaml"
    path.write_text(yaml.safe_dump({"machine": {"memory_mb": memory_mb}}), encoding="utf-8")


def clean(small: InboxHome) -> None:
    days = pipeline.stale_days(small.home, small.registry, "survey")
    assert [
        day.problems for day in pipeline.clean(small.home, small.registry, "survey", days, run_id="a")
    ] == [()]


def publish(small: InboxHome) -> None:
    assert pipeline.publish(small.home, small.registry, run_id="a").published


def test_a_file_that_needs_more_memory_fails_alone_and_lands_when_there_is_more(small: InboxHome) -> None:
    allow(small, 1)
    (landing,) = pipeline.land(small.home, small.registry)
    (line,) = landing.failures
    assert line.startswith("web: a.csv: ")
    for part in ("1 MB", "machine.memory_mb"):
        assert part in line
    allow(small, None)
    (landing,) = pipeline.land(small.home, small.registry)
    assert (landing.failures, landing.rows_landed) == ((), 200)


@pytest.mark.parametrize(("before", "step"), [((), clean), ((clean,), publish)], ids=["clean", "publish"])
def test_a_step_that_needs_more_memory_says_so_and_works_when_there_is_more(
    small: InboxHome, before: tuple[Callable[[InboxHome], None], ...], step: Callable[[InboxHome], None]
) -> None:
    pipeline.land(small.home, small.registry)
    for earlier in before:
        earlier(small)
    allow(small, 1)
    with pytest.raises(MemoryLimitError) as raised:
        step(small)
    for part in ("1 MB", "machine.memory_mb"):
        assert part in str(raised.value)
    assert not small.home.published.exists()
    allow(small, None)
    step(small)


@pytest.mark.slow
def test_a_run_says_it_in_lines_without_a_traceback(small: InboxHome) -> None:
    def ran() -> Result:
        return CliRunner().invoke(main, ["run", "--home", str(small.home.root)])

    allow(small, 1)
    short = ran()
    assert short.exit_code == 1
    assert "machine.memory_mb" in short.output
    assert "Traceback" not in short.output
    assert "internal error" not in short.output
    allow(small, None)
    assert ran().exit_code == 0
    assert small.home.published.exists()
