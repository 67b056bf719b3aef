"""Protects what people do on the web page: they look at pages, and start a back-fill that leaves the published rows."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ces_pipeline.cli import runs
from ces_pipeline.home import Home
from ces_pipeline.pipeline import is_behind, stale_days
from ces_pipeline.registry import load_registry

pytestmark = pytest.mark.slow

CES = Path(sys.executable).with_name("ces")
CHROMIUM = shutil.which("chromium")
SHOWN = {
    "asset-groups/": ("what_to_fix_and_did_it_help", "how_hard_is_it_and_for_whom", "raw"),
    "assets/mart/ces_daily?view=checks": ("totals_tie", "Execute all", "Passed"),
    "assets/core/responses?view=partitions&partition=2026-10-15": (
        "landed rows of kind",
        "rejected, in quarantine",
    ),
    "assets/raw/zendesk_support?view=checks": ("all_landed",),
    "automation": ("nightly", "weekly_rebuild", "stale_days_sensor"),
    "runs/": ("land", "clean_and_publish", "ces/night"),
}
"""Page -> what it must show."""
DAYS = [f"2026-10-{day:02}" for day in range(6, 16)]
TABLES = ("core/responses", "core/ticket_versions")
# The daemon looks for back-fills every 30 s, twice until one is done.
PATIENCE_SECONDS = 300
LAUNCH = """
mutation ($given: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $given) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status runs { id status assetSelection { path } } }
  }
}
"""
AUTOMATION = """
query {
  repositoriesOrError {
    ... on RepositoryConnection {
      nodes { schedules { name scheduleState { status } } sensors { name sensorState { status } } }
    }
  }
}
"""
UNFINISHED = """
query {
  runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) {
    ... on Runs { results { id } }
  }
}
"""


class Page:
    """The web page of a home, asked over GraphQL as its own buttons do."""

    def __init__(self, port: int):
        self._root = f"http://127.0.0.1:{port}"
        self._address = f"{self._root}/graphql"

    def ask(self, query: str, **values: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": values}).encode()
        request = urllib.request.Request(self._address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            reply = json.load(answer)
        assert "errors" not in reply, reply["errors"]
        return dict(reply["data"])

    def seen(self, path: str) -> str:
        """The document that a browser makes of a page."""
        assert CHROMIUM
        options = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=20000",
            "--timeout=60000",
        )
        size = "--window-size=1500,1100"
        browser = [CHROMIUM, *options, size, "--dump-dom", f"{self._root}/{path}"]
        return subprocess.run(browser, capture_output=True, text=True, timeout=120, check=True).stdout


def wait_for(what: str, is_so: Callable[[], Any]) -> Any:
    """The first true answer of `is_so`; a page that is still starting answers nothing."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            if answer := is_so():
                return answer
        time.sleep(1)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("ui") / "demo")
    assert runs.demo(home)
    return home


@pytest.fixture(scope="module")
def page(home: Home) -> Iterator[Page]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    log = home.root / "ui.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [CES, "ui", "--home", home.root, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
    try:
        page = Page(port)
        wait_for("the page answers", lambda: page.ask(AUTOMATION)["repositoriesOrError"].get("nodes"))
        yield page
    finally:
        # Its own group: the page, the daemon and the code servers end with it, whatever they are at.
        server.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def published_rows(home: Home) -> dict[str, tuple[int, str]]:
    """Table -> (rows, hash of them in order) of all that is published but for the history of runs."""
    found = {}
    with duckdb.connect(str(home.published), read_only=True) as connection:
        names = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE schema_name <> 'audit' OR table_name IN ('deliveries', 'delivery_days', 'published_days')"
        ).fetchall()
        for (name,) in sorted(names):
            rows = sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall()))
            found[name] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


def is_quiet(page: Page, home: Home) -> bool:
    """Whether no run is in progress, no day is stale and the published file is up to date."""
    registry = load_registry(home.registry)
    waiting = [day for kind in ("survey", "tickets") for day in stale_days(home, registry, kind)]
    return not (page.ask(UNFINISHED)["runsOrError"]["results"] or waiting or is_behind(home, registry))


def test_schedule_and_sensors_are_on_from_the_first_look(page: Page) -> None:
    (location,) = page.ask(AUTOMATION)["repositoriesOrError"]["nodes"]
    states = {
        instigator["name"]: instigator["scheduleState"]["status"] for instigator in location["schedules"]
    }
    states |= {instigator["name"]: instigator["sensorState"]["status"] for instigator in location["sensors"]}
    schedules = ("nightly", "weekly_rebuild", "weekly_audit", "probe")
    automatic = (*schedules, "inbox_sensor", "stale_days_sensor", "alerts_sensor")
    assert states == dict.fromkeys(automatic, "RUNNING")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("path", SHOWN)
def test_a_page_shows_what_people_look_for(page: Page, path: str) -> None:
    wait_for("the location to load", lambda: page.ask(AUTOMATION)["repositoriesOrError"].get("nodes"))
    document = page.seen(path)
    assert [text for text in SHOWN[path] if text not in document] == []
    assert "Something went wrong" not in document


def test_ten_days_are_one_run_and_leave_the_published_rows_as_they_were(page: Page, home: Home) -> None:
    before = published_rows(home)
    cleaned_before = cleanings(home)
    given = {
        "assetSelection": [{"path": table.split("/")} for table in TABLES],
        "partitionNames": DAYS,
        "title": "ten days",
    }
    launched = page.ask(LAUNCH, given=given)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def ended() -> dict[str, Any] | None:
        status = page.ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        return status if status["status"] not in ("REQUESTED", "CANCELING", "FAILING") else None

    backfill = wait_for("the back-fill ended", ended)
    assert backfill["status"] == "COMPLETED_SUCCESS"
    (run,) = backfill["runs"]
    assert run["status"] == "SUCCESS"
    assert {"/".join(key["path"]) for key in run["assetSelection"]} == set(TABLES)
    wait_for("what the back-fill changed is published", lambda: is_quiet(page, home))
    assert cleanings(home) - cleaned_before >= 2 * len(DAYS)
    assert published_rows(home) == before


def cleanings(home: Home) -> int:
    """How often a day of the ten was cleaned, by the published audit rows."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        row = connection.execute(
            "SELECT count(DISTINCT (kind, day, cleaned_at)) FROM audit.load_audit WHERE day BETWEEN ? AND ?",
            [DAYS[0], DAYS[-1]],
        ).fetchone()
    assert row is not None
    return int(row[0])
