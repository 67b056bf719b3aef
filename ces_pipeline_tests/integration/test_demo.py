"""Protects the first five minutes: `ces demo` in a new home, its time and memory, and a second run."""

import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ces_pipeline.demo.api import COMPARED, SECRETS
from ces_pipeline.demo.check import compare
from ces_pipeline.home import Home
from ces_pipeline.registry import load_registry
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import InboxHome

pytestmark = pytest.mark.slow

CES = Path(sys.executable).with_name("ces")
TIME_FACTOR = float(os.environ.get("CES_TIME_FACTOR", "2"))
"""How much slower than the reference machine this machine may be. It may also be busy with other work."""
DEMO_SECONDS, RUN_AGAIN_SECONDS, PEAK_MB = 15, 5, 700


@dataclass(frozen=True)
class Ran:
    """The result of a command, with its time and memory."""

    status: int
    out: str
    err: str
    seconds: float
    peak_mb: float


def ces(*words: str) -> Ran:
    started = time.monotonic()
    process = subprocess.Popen(
        [CES, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watcher.start()
    out, err = process.communicate(timeout=300)
    seconds = time.monotonic() - started
    watcher.join()
    return Ran(process.returncode, out, err, seconds, peak[0])


def _watch(process: "subprocess.Popen[str]", peak: list[float]) -> None:
    """Record the highest memory of the process and its children. Shared pages count once."""
    while process.poll() is None:
        total = 0.0
        try:
            root = psutil.Process(process.pid)
            for member in (root, *root.children(recursive=True)):
                try:
                    total += getattr(member.memory_full_info(), "pss", member.memory_info().rss) / 2**20
                except psutil.Error:
                    continue
        except psutil.Error:
            break
        peak[0] = max(peak[0], total)
        # To add up the pages of all processes takes some 20 ms: more often, it would slow what is timed.
        time.sleep(0.25)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("first") / "demo")


@pytest.fixture(scope="module")
def demo(home: Home) -> Ran:
    return ces("demo", "--home", str(home.root))


def test_the_demo_succeeds_with_the_planted_numbers(demo: Ran, home: Home) -> None:
    assert demo.status == 0, demo.err
    assert compare(home, home.root / "known_answers.json") == []
    assert "every number is as expected" in demo.out


def test_the_demo_shows_the_headline_and_where_the_file_is(demo: Ran, home: Home) -> None:
    assert "Customer effort by survey" in demo.out
    for survey in ("chat_effort", "checkout_ease", "phone_effort", "support_case_solved"):
        assert re.search(rf"{survey}\W+[\d,]+\W+\d+\.\d\W", demo.out), survey
    assert f"published: {home.published}" in demo.out
    assert home.published.is_file()


def test_the_demo_keeps_its_limits_of_time_and_memory(demo: Ran) -> None:
    assert demo.seconds <= DEMO_SECONDS * TIME_FACTOR
    assert 50 < demo.peak_mb <= PEAK_MB


def test_a_second_run_cleans_nothing_and_is_quick(demo: Ran, home: Home) -> None:
    before = home.published.stat()
    again = ces("run", "--home", str(home.root))
    assert again.status == 0, again.err
    assert "no new file of " in again.out
    assert "no day was stale" in again.out
    assert "nothing new to publish" in again.out
    after = home.published.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert again.seconds <= RUN_AGAIN_SECONDS * TIME_FACTOR


@pytest.fixture(scope="module")
def api_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("first") / "demo-api")


@pytest.fixture(scope="module")
def demo_by_api(api_home: Home) -> Ran:
    return ces("demo", "--api", "--home", str(api_home.root))


class TestByApi:
    """The same with simulated vendors, which the command runs."""

    def test_it_succeeds_with_the_planted_numbers(self, demo_by_api: Ran, api_home: Home) -> None:
        assert demo_by_api.status == 0, demo_by_api.err
        assert "every number is as expected" in demo_by_api.out
        assert compare(api_home, api_home.root / "known_answers_by_api.json") == []

    def test_every_vendor_with_counts_reports_complete_data(self, demo_by_api: Ran, api_home: Home) -> None:
        with open_published(api_home.published) as published:
            states = published.execute(
                "SELECT source_id, list(DISTINCT state ORDER BY state) FROM mart.capture_daily "
                "WHERE landed > 0 GROUP BY ALL ORDER BY ALL"
            ).fetchall()
            calls = published.execute("SELECT min(ok_share) FROM mart.requests_daily").fetchall()
        assert states == [
            (name, ["unknown"] if name == "zendesk_effort" else ["complete"])
            for name in sorted(load_registry(api_home.registry).sources)
        ]
        assert calls == [(1.0,)]

    def test_no_credential_and_no_person_is_written(self, demo_by_api: Ran, api_home: Home) -> None:
        assert InboxHome(api_home).find(*SECRETS.values(), "@example.org", "@example.com") == []

    def test_a_second_run_still_finds_the_planted_numbers(self, demo_by_api: Ran, api_home: Home) -> None:
        again = ces("demo", "--api", "--home", str(api_home.root))
        assert again.status == 0, again.err
        assert compare(api_home, api_home.root / "known_answers_by_api.json", COMPARED) == []
