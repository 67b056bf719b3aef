"""Protects how many threads and how much memory a process uses: the machine's, its container's, or the settings'."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ces_pipeline.errors import HomeError, MemoryLimitError
from ces_pipeline.storage import machine as module
from ces_pipeline.storage.duck import session
from ces_pipeline.storage.machine import (
    Machine,
    machine,
    present_bytes,
    present_threads,
    use_machine,
    use_share,
    within_memory,
)
from ces_pipeline.storage.scratch import scratch

GB = 10**9
PROCESSORS = 8


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What this process uses is as before after each test."""
    yield
    module._in_use = None
    use_machine(None, None)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files of the kernel, on a machine with 8 processors and 64 GB."""
    names = {"SC_PHYS_PAGES": 64 * GB // 4_000, "SC_PAGE_SIZE": 4_000}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(PROCESSORS)), raising=False)
    monkeypatch.setattr(os, "sysconf", names.__getitem__)
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")


V2 = "proc/self/cgroup"
NESTED = {V2: "0::/system.slice/ces.service"}
OLD = {V2: "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc"}
UNLIMITED = str(2**63 - 4096)


@pytest.mark.parametrize(
    ("files", "threads", "memory"),
    [
        ({}, 8, 64 * GB),
        ({V2: "0::/", "sys/fs/cgroup/cpu.max": "max 100000"}, 8, 64 * GB),
        ({V2: "0::/", "sys/fs/cgroup/cpu.max": "200000 100000"}, 2, 64 * GB),
        # One and a half processors: two threads use them.
        ({V2: "0::/", "sys/fs/cgroup/cpu.max": "150000 100000"}, 2, 64 * GB),
        ({V2: "0::/", "sys/fs/cgroup/cpu.max": "5000 100000"}, 1, 64 * GB),
        ({V2: "0::/", "sys/fs/cgroup/cpu.max": "1600000 100000"}, 8, 64 * GB),
        ({V2: "0::/", "sys/fs/cgroup/memory.max": "max"}, 8, 64 * GB),
        ({V2: "0::/", "sys/fs/cgroup/memory.max": str(3 * GB)}, 8, 3 * GB),
        # Each group above counts as well; the path of the host is not there in a container.
        (
            {
                **NESTED,
                "sys/fs/cgroup/system.slice/ces.service/cpu.max": "400000 100000",
                "sys/fs/cgroup/system.slice/cpu.max": "300000 100000",
                "sys/fs/cgroup/system.slice/memory.max": str(5 * GB),
            },
            3,
            5 * GB,
        ),
        ({**NESTED, "sys/fs/cgroup/memory.max": str(2 * GB)}, 8, 2 * GB),
        (
            {
                **OLD,
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "250000",
                "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": str(GB),
                "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED,
            },
            3,
            GB,
        ),
        (
            {
                **OLD,
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED,
            },
            8,
            64 * GB,
        ),
        ({V2: "0::/", "sys/fs/cgroup/cpu.max": "", "sys/fs/cgroup/memory.max": "many"}, 8, 64 * GB),
    ],
)
def test_a_container_has_what_its_control_groups_allow(
    kernel: Path, files: dict[str, str], threads: int, memory: int
) -> None:
    write(kernel, files)
    assert present_threads(kernel) == threads
    assert present_bytes(kernel) == memory


def test_a_system_without_affinity_and_control_groups_has_its_processors(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    assert present_threads(kernel) == 10
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert present_threads(kernel) == 1


@pytest.mark.parametrize(
    ("present_mb", "threads", "expected"),
    [
        # A quarter of the memory, from 600 to 4000 MB; a thread for each processor and each 125 MB.
        (0, 8, (4, 600)),
        (1_000, 8, (4, 600)),
        (8_000, 8, (8, 2_000)),
        (64_000, 64, (32, 4_000)),
        (64_000, 2, (2, 4_000)),
    ],
)
def test_the_default_is_a_share_of_what_is_there(
    monkeypatch: pytest.MonkeyPatch, present_mb: int, threads: int, expected: tuple[int, int]
) -> None:
    monkeypatch.setattr(module, "_present_mb", lambda: present_mb)
    monkeypatch.setattr(module, "_present_threads", lambda: threads)
    use_machine(None, None)
    assert (machine().threads, machine().memory_mb) == expected
    use_machine(3, 700)
    assert (machine().threads, machine().memory_mb) == (3, 700)
    use_machine(None, 250)
    assert (machine().threads, machine().memory_mb) == (min(threads, 2), 250)


@pytest.mark.parametrize(
    ("threads", "memory_mb", "tasks", "expected"),
    [
        (2, 600, 60, 2),
        (16, 600, 60, 2),
        (16, 4_000, 60, 13),
        (16, 4_000, 3, 3),
        (8, 250, 60, 1),
        (1, 4_000, 9, 1),
    ],
)
def test_there_are_as_many_workers_as_threads_and_memory_allow(
    threads: int, memory_mb: int, tasks: int, expected: int
) -> None:
    assert Machine(threads, memory_mb, 16_000).workers(tasks) == expected


def limits(connection: duckdb.DuckDBPyConnection) -> tuple[int, float]:
    """Threads and MB of a connection."""
    query = "SELECT current_setting('threads'), current_setting('memory_limit')"
    found = connection.execute(query).fetchone()
    assert found is not None
    number, unit = found[1].split()
    return found[0], float(number) * {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit] / 10**6


def test_every_session_has_the_limits_that_were_set_last() -> None:
    use_machine(3, 900)
    with session(None) as first, scratch() as query:
        assert limits(first) == (3, pytest.approx(900, rel=0.01))
        assert limits(query) == (3, pytest.approx(375, rel=0.01))
    assert pa.cpu_count() == 3
    use_machine(1, 600)
    with session(None) as second, scratch() as query:
        assert limits(second) == (1, pytest.approx(600, rel=0.01))
        assert limits(query) == (1, pytest.approx(250, rel=0.01))
    assert pa.cpu_count() == 1


def test_a_worker_uses_one_core_and_its_share_whatever_the_settings_say_later() -> None:
    use_share(1_600, 4)
    use_machine(8, 4_000)
    with session(None) as tables, scratch() as query:
        assert limits(tables) == (1, pytest.approx(400, rel=0.01))
        assert limits(query) == (1, pytest.approx(400, rel=0.01))
    assert pa.cpu_count() == 1


def test_documents_have_memory_for_the_largest_if_it_is_there() -> None:
    assert Machine(2, 600, 64_000).document_mb == 2_000
    assert Machine(2, 600, 1_000).document_mb == 800
    assert Machine(2, 3_000, 64_000).document_mb == 3_000


@pytest.mark.parametrize("opened", [lambda: session(None), lambda: scratch(may_spill=False)])
def test_memory_that_runs_short_is_said_with_the_limit_and_the_setting(opened) -> None:
    use_machine(1, 20)
    with pytest.raises(MemoryLimitError, match=r"memory_mb") as raised, opened() as connection:
        connection.execute(
            "CREATE TEMP TABLE large AS SELECT range AS n, hash(range) AS h FROM range(10_000_000)"
        )
    assert "20 MB" in str(raised.value)


def test_a_disk_without_room_for_spilled_rows_is_no_lack_of_memory(tmp_path: Path) -> None:
    use_machine(1, 20)
    with pytest.raises(HomeError), session(tmp_path) as connection:
        connection.execute(
            "SET max_temp_directory_size = '1MB'; "
            "CREATE TEMP TABLE large AS SELECT range AS n, hash(range) AS h FROM range(10_000_000)"
        )


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(duckdb.ParserException), within_memory(1):
        duckdb.execute("SELEC 1")
