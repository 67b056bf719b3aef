"""One writer at a time: an advisory lock on a file of the home, with the `filelock` library."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.local_files import damaged_suffix, replace_file

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: the process, and since when (UTC, to the second). None: not known."""

    process: int | None = None
    since: datetime | None = None


@contextmanager
def exclusive(path: Path, *, on_wait: Callable[[Holder], None] | None = None) -> Iterator[None]:
    """Hold the lock at `path`. Other processes and threads block until it is free. If its holder is killed, it is free.

    on_wait: is called once, with the holder, if the lock is not free. Raises HomeError if the file cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            path.replace(path.with_name(f"{path.name}{damaged_suffix()}"))
        lock = FileLock(path, thread_local=False)
        if on_wait is None:
            lock.acquire(poll_interval=_POLL_SECONDS)
        else:
            _acquire(lock, path, on_wait)
    except OSError as problem:
        raise HomeError(
            f"{path} cannot be written ({problem.strerror or problem}): correct its permissions or free space"
        ) from problem
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, path: Path, on_wait: Callable[[Holder], None]) -> None:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        on_wait(_holder(path))
        lock.acquire(poll_interval=_POLL_SECONDS)
    # Only a note for those who wait: the lock holds without it.
    with suppress(OSError):
        holder = Holder(os.getpid(), datetime.now(UTC).replace(microsecond=0))
        replace_file(_note(path), json.dumps(asdict(holder), default=str).encode())


def _holder(path: Path) -> Holder:
    try:
        noted = json.loads(_note(path).read_bytes())
        return Holder(int(noted["process"]), datetime.fromisoformat(noted["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder()


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")
