"""A pull killed at any moment, of any connector, loses and doubles nothing: real processes, SIGKILL, a real lake."""

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ces_pipeline.home import Home
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.land import pull as pulling
from ces_pipeline.land.pull import pull
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.api_sources import API_SOURCES

KILLS = 3
ALWAYS_KILLED = ("zendesk", "qualtrics", "servicenow", "rest")
"""Sources whose pulls are killed in every run of the tests; the others in the slow one."""
LONGEST_SECONDS = 1.0
"""Longer than a full pull of such a small source takes, so that kills happen at any point of it, and after it."""

# One process that has everything imported, from which the pulls are forked.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["ces_pipeline.land.pull", "ces_pipeline.registry", __name__])


def pull_alone(root: Path, name: str, environment: dict[str, str], begun: Connection) -> None:
    """A pull as a process of its own; the client waits without taking time."""
    home = Home(root)
    registry = load_registry(home.registry)
    # Every page is landed by itself, and its state saved.
    pulling._JOINED_RECORDS = 1
    begun.send(True)
    outcome = pull(home, registry, registry.sources[name], clock=VirtualClock(), environment=environment)
    os._exit(0 if not outcome.failures else 3)


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(name, seed, marks=() if seed == 0 and name in ALWAYS_KILLED else pytest.mark.slow)
        for name in sorted(API_SOURCES)
        for seed in range(10)
    ],
)
def test_killed_at_any_moment_every_record_lands_once(tmp_path: Path, name: str, seed: int) -> None:
    feed, chance = API_SOURCES[name], random.Random(f"{name}{seed}")
    with feed.make() as vendor:
        home = feed.home(tmp_path, vendor)
        for _ in range(KILLS):
            heard, begun = _PROCESSES.Pipe(duplex=False)
            process = _PROCESSES.Process(
                target=pull_alone, args=(tmp_path, name, feed.environment, begun), daemon=True
            )
            process.start()
            assert heard.recv()
            # More often early, where the pages are fetched and landed one after the other.
            time.sleep(LONGEST_SECONDS * chance.random() ** 2)
            process.kill()
            process.join()
            assert process.exitcode in (-signal.SIGKILL, 0)
        registry = home.registry
        outcome = pull(
            home.home, registry, registry.sources[name], clock=VirtualClock(), environment=feed.environment
        )
        assert outcome.failures == ()
        landed = [row[feed.id_column] for row in home.rows(name)]
        assert sorted(landed) == sorted(feed.ids(vendor))
