"""Drill: readers of the published file while it is replaced again and again, and readers with an older DuckDB."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ces_pipeline.publish import step
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.drills.homes import run

PUBLISHES = 20
SWAPS = 1_000
# Two questions in one transaction, whose answers belong together: a mixed version would show.
_ASK = """
import json, sys, duckdb
path = sys.argv[1]
def ask(connection):
    connection.execute("BEGIN")
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM core.responses), (SELECT sum(n) FROM mart.ces_daily), "
        "(SELECT count(*) FROM audit.deliveries)"
    ).fetchone()
    connection.execute("COMMIT")
    return [int(count) for count in counts]
held = duckdb.connect(path, read_only=True)
for line in sys.stdin:
    with duckdb.connect(path, read_only=True) if line.strip() == "anew" else held.cursor() as connection:
        print(json.dumps(ask(connection)), flush=True)
"""
_WHAT_ANALYSTS_DO = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print(json.dumps({
    "version": duckdb.__version__,
    "answers": connection.execute("SELECT count(*) FROM core.responses").fetchone()[0],
    "mart": connection.execute("SELECT sum(n)::BIGINT FROM mart.ces_daily").fetchone()[0],
    "view": connection.execute("SELECT count(*) FROM responses_with_tickets").fetchone()[0],
    "comments": connection.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'core' AND comment IS NULL").fetchone()[0],
}))
"""


@pytest.fixture
def small(tmp_path: Path) -> InboxHome:
    small = inbox_home(tmp_path / "home", WEB)
    small.drop("0.csv", [answer(n, recorded=f"2026-03-{2 + n % 4:02}T{n:02}:00:00Z") for n in range(12)])
    run(small.home)
    return small


@pytest.mark.slow
def test_readers_never_fail_and_never_see_two_versions_at_once(small: InboxHome) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ASK, str(small.home.published)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None

        def ask(how: str) -> list[int]:
            print(how, file=reader.stdin, flush=True)
            return list(json.loads(reader.stdout.readline()))  # type: ignore[union-attr]

        assert ask("held") == [12, 12, 1]
        for number in range(1, PUBLISHES + 1):
            small.drop(
                f"{number}.csv", [answer(100 + number, recorded=f"2026-03-0{2 + number % 4}T22:00:00Z")]
            )
            assert not run(small.home).unchanged
            assert ask("held") == [12, 12, 1]
            if number % 5 == 0:
                opened_now = subprocess.run(
                    [sys.executable, "-c", _ASK, str(small.home.published)],
                    input="anew\n",
                    capture_output=True,
                    text=True,
                    check=True,
                )
                assert json.loads(opened_now.stdout) == [12 + number, 12 + number, 1 + number]
        reader.stdin.close()
        assert reader.wait(30) == 0


_READ_ON = """
import json, os, pathlib, sys, duckdb
path, stop, keeps_open = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3] == "keep"
counts = {"reads": 0, "errors": 0, "replaced_while_opened": 0, "mixed": 0, "versions": 0}
identity = lambda: (os.stat(path).st_ino, os.stat(path).st_mtime_ns)
seen, held, first = set(), None, None
print("ready", flush=True)
while not stop.exists():
    before = identity()
    connection = held
    try:
        connection = connection or duckdb.connect(path, read_only=True)
        opened = identity()
        connection.execute("BEGIN")
        answers = connection.execute("SELECT count(*) FROM core.responses").fetchone()[0]
        figures = connection.execute("SELECT sum(n), (SELECT count(*) FROM audit.deliveries) FROM mart.ces_daily").fetchone()
        connection.execute("COMMIT")
    except duckdb.Error as problem:
        # DuckDB opens the path several times: a file that is replaced in between has to be opened again.
        if connection is None:
            opened = identity()
        elif not held:
            connection.close()
        counts["replaced_while_opened" if opened != before else "errors"] += 1
        counts["first_error"] = counts.get("first_error", str(problem))
        continue
    counts["reads"] += 1
    counts["mixed"] += answers != figures[0] or answers != 11 + figures[1]
    seen.add(answers)
    if keeps_open:
        held = connection
        first = first or answers
        counts["mixed"] += answers != first
    else:
        connection.close()
print(json.dumps(counts | {"versions": len(seen)}))
"""


@pytest.mark.slow
def test_four_readers_during_a_thousand_publishes_never_fail_and_never_see_half(
    small: InboxHome, tmp_path: Path
) -> None:
    """Eight files that were published one after the other are put in place again and again, as a publish does it."""
    versions = []
    for number in range(8):
        if number:
            small.drop(f"{number}.csv", [answer(100 + number, recorded="2026-03-02T22:00:00Z")])
            assert not run(small.home).unchanged
        versions.append(tmp_path / f"{number}.duckdb")
        shutil.copy(small.home.published, versions[-1])
    stop = tmp_path / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", _READ_ON, str(small.home.published), str(stop), how],
            stdout=subprocess.PIPE,
            text=True,
        )
        for how in ("keep", "anew", "anew", "anew")
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    fresh = small.home.warehouse / ".next.duckdb"
    for number in range(SWAPS):
        shutil.copyfile(versions[number % len(versions)], fresh)
        step._swap(fresh, small.home.published)
    stop.touch()
    found = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    print(f"{SWAPS} publishes, four readers: {found}")
    assert [(counts["errors"], counts["mixed"]) for counts in found] == [(0, 0)] * 4
    assert found[0]["replaced_while_opened"] == 0
    assert all(counts["replaced_while_opened"] <= 0.01 * counts["reads"] for counts in found)
    assert found[0]["versions"] == 1
    assert all(counts["versions"] == len(versions) for counts in found[1:])
    assert not step.is_damaged(small.home)


@pytest.fixture(scope="module")
def old_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with DuckDB 1.2.2 alone."""
    if given := os.environ.get("CES_DUCKDB_122"):
        return Path(given)
    folder = tmp_path_factory.mktemp("duckdb-1.2.2")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(folder),
        "duckdb==1.2.2",
    ]
    try:
        done = subprocess.run(install, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("duckdb 1.2.2 could not be fetched in two minutes: name its folder in CES_DUCKDB_122")
    if done.returncode:
        pytest.skip(
            "duckdb 1.2.2 could not be installed from the package index: name its folder in CES_DUCKDB_122"
        )
    return folder


def test_an_older_duckdb_opens_the_published_file(small: InboxHome, old_duckdb: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WHAT_ANALYSTS_DO, str(small.home.published)],
        env={**os.environ, "PYTHONPATH": str(old_duckdb)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == {"version": "1.2.2", "answers": 12, "mart": 12, "view": 12, "comments": 0}
