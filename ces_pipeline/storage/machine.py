"""How many threads and how much memory this process may use: what the machine has, or what the settings say.

The figures hold for the process. Every DuckDB database, Arrow's threads and the worker processes follow them.
"""

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa

from ces_pipeline.errors import HomeError, MemoryLimitError

_MB = 10**6
_SHARE = 0.25
_LEAST_MB, _MOST_MB = 600, 4_000
_THREAD_MB = 125
"""DuckDB holds about so much for each of its threads."""
_WORKER_MB = 300
_QUERY_MB = 250
_DOCUMENT_MB = 2_000
_CPU_FOLDERS, _MEMORY_FOLDERS = ("cpu", "cpu,cpuacct"), ("memory",)


@dataclass(frozen=True)
class Machine:
    """What a process may use.

    threads: of each DuckDB database, and of Arrow. memory_mb: memory of one DuckDB database, in MB (10^6 bytes).
    present_mb: memory that the machine or the control group has, in MB. processes: how many processes share it.
    """

    threads: int
    memory_mb: int
    present_mb: int
    processes: int = 1

    @property
    def session_mb(self) -> int:
        """Memory of a database that holds tables, in MB."""
        return max(1, self.memory_mb // self.processes)

    @property
    def query_mb(self) -> int:
        """Memory of the database for single queries, in MB. A worker has no other; else it may be open besides one."""
        if self.processes == 1:
            return max(1, self.memory_mb * _QUERY_MB // _LEAST_MB)
        return min(self.memory_mb, max(_QUERY_MB, self.session_mb))

    @property
    def document_mb(self) -> int:
        """Memory of the database that reads JSON documents, in MB. It must not spill, because they name people."""
        return max(self.session_mb, min(_DOCUMENT_MB, self.present_mb * 4 // 5))

    def workers(self, tasks: int) -> int:
        """How many worker processes to use for so many tasks: one per thread, as far as the memory allows."""
        return max(1, min(tasks, self.threads, self.memory_mb // _WORKER_MB))

    def duckdb_config(self, memory_mb: int) -> dict[str, str | bool | int | float | list[str]]:
        """The limits of a DuckDB database that may use so much memory, as `duckdb.connect` takes them."""
        return {"threads": self.threads, "memory_limit": f"{memory_mb}MB"}


def machine() -> Machine:
    """What this process may use now."""
    return _in_use or _of_settings(None, None)


def use_machine(threads: int | None, memory_mb: int | None) -> None:
    """From now on use these settings; None: what the machine gives. A worker process keeps its share."""
    if machine().processes == 1:
        _use(_of_settings(threads, memory_mb))


def use_share(memory_mb: int, processes: int) -> None:
    """From now on this process is one of so many (at least two) workers that share the memory. Each uses one core."""
    _use(Machine(1, memory_mb, _present_mb(), processes))


@contextmanager
def within_memory(allowed_mb: int) -> Iterator[None]:
    """A block of work with a DuckDB database that has this limit, in MB.

    Raises MemoryLimitError if DuckDB needs more, HomeError if the disk has no room for what it moves out of memory.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as problem:
        if "max_temp_directory_size" in str(problem):
            raise HomeError(
                "the disk has no room for the rows that do not fit in memory. Free disk space, then run again"
            ) from problem
        raise MemoryLimitError(memory_advice(allowed_mb)) from problem


def memory_advice(allowed_mb: int) -> str:
    """That memory was short, how much was allowed, and which setting allows more."""
    total = machine().memory_mb
    share = "" if allowed_mb == total else f" (its share of `machine.memory_mb`, {total} MB)"
    return (
        f"DuckDB needs more memory than the {allowed_mb} MB that it may use here{share}. Set a larger "
        "`machine.memory_mb` in registry/settings.yaml, then run again"
    )


def present_threads(root: Path = Path("/")) -> int:
    """How many processors this process may use: its affinity and the quota of its control groups, rounded up.

    root: where the files of the kernel are.
    """
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [math.ceil(quota) for quota in _cpu_quotas(root)]
    return max(1, min([threads, *quotas]))


def present_bytes(root: Path = Path("/")) -> int | None:
    """The memory that this process may use, in bytes: the machine's, or less by its control groups; None: not known.

    root: where the files of the kernel are.
    """
    found = [limit for limit in _memory_limits(root) if limit > 0]
    # Not every system knows these names.
    with suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _of_settings(threads: int | None, memory_mb: int | None) -> Machine:
    present = _present_mb()
    memory = memory_mb or round(min(max(_SHARE * present, _LEAST_MB), _MOST_MB))
    return Machine(threads or max(1, min(_present_threads(), memory // _THREAD_MB)), memory, present)


@cache
def _present_threads() -> int:
    return present_threads()


@cache
def _present_mb() -> int:
    return (present_bytes() or 0) // _MB


_in_use: Machine | None = None


def _use(wanted: Machine) -> None:
    global _in_use
    if _in_use == wanted:
        return
    _in_use = wanted
    pa.set_cpu_count(wanted.threads)


def _cpu_quotas(root: Path) -> Iterator[float]:
    """The processors that each control group of this process may use, as fractions."""
    for folder in _group_folders(root, ()):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)
    for folder in _group_folders(root, _CPU_FOLDERS):
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit():
            yield int(quota) / int(period)


def _memory_limits(root: Path) -> Iterator[int]:
    """The memory limits of the control groups of this process, in bytes."""
    files = [folder / "memory.max" for folder in _group_folders(root, ())]
    files += [folder / "memory.limit_in_bytes" for folder in _group_folders(root, _MEMORY_FOLDERS)]
    for file in files:
        if (limit := _text(file)).isdigit():
            yield int(limit)


def _group_folders(root: Path, controllers: Iterable[str]) -> Iterator[Path]:
    """The folders of the control group of this process and of all above it. No controllers: of version 2.

    In a container the path may be that of the host: then only the top folder is there, and it is the container's.
    """
    wanted = set(controllers)
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, named, path = line.split(":", 2)
        if not (wanted & {named, *named.split(",")} if wanted else not named):
            continue
        group = PurePosixPath(path)
        for place in (group, *group.parents):
            inside = str(place).strip("/")
            for mounted in sorted(wanted) or [".", "unified"]:
                yield root / "sys/fs/cgroup" / mounted / inside


def _text(path: Path) -> str:
    """The text of a file of the kernel; empty if there is none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
