"""Drill: an export of journeys killed at any moment. The receiver gets every event, and each one once."""

import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import pytest

from ces_pipeline.activation.send import send_journeys
from ces_pipeline.home import Home
from ces_pipeline.http.fakes.server import FakeVendor
from ces_pipeline.registry.exports import Export
from ces_pipeline_tests.drills.test_killed import CHILDREN
from ces_pipeline_tests.lake_days import response, small_home
from ces_pipeline_tests.unit.activation.receivers import FakeMixpanel
from ces_pipeline_tests.unit.activation.test_send import ENVIRONMENT, receiver, send

EVENTS = 9_000
"""Five requests."""
KILLS = 12


def export_alone(root: Path, export: Export, begun: Connection) -> None:
    begun.send(True)
    send_journeys(Home(root), export, is_dry=False, environment=ENVIRONMENT)


@pytest.mark.slow
def test_an_export_killed_at_random_moments_sends_every_event_once(tmp_path: Path) -> None:
    random = Random(20260302)
    small = small_home(tmp_path / "home")
    small.clean("survey", [response(f"r{n:05}", respondent_key=f"{n:064x}") for n in range(EVENTS)])
    small.publish()
    killed = 0
    with FakeMixpanel() as there:
        for _ in range(KILLS):
            killed += kill_an_export(small.home, there, random.uniform(0.0, 1.5))
        report = send(small, there)
        print(f"{killed} of {KILLS} exports killed; {len(there.sizes)} requests for {EVENTS:,} events")
        assert killed >= 1
        assert (report.unknown, report.refused) == (0, [])
        assert len(there.stored) == EVENTS
        assert send(small, there).new == 0


def kill_an_export(home: Home, vendor: FakeVendor, seconds: float) -> bool:
    """Start an export, and kill it after that time. True if it had not ended by then."""
    heard, begun = CHILDREN.Pipe(duplex=False)
    process = CHILDREN.Process(target=export_alone, args=(home.root, receiver(vendor), begun))
    process.start()
    assert heard.recv()
    time.sleep(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (-signal.SIGKILL, 0)
    return bool(process.exitcode == -signal.SIGKILL)
