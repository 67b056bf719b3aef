"""One writer at a time: an advisory lock on a file of the home, with the `filelock` library."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from ces_pipeline.errors import HomeError

_POLL_SECONDS = 0.02


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at `path`. Other processes and threads block until it is free. If its holder is killed, it is free.

    Raises HomeError if the file cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, thread_local=False)
        lock.acquire(poll_interval=_POLL_SECONDS)
    except OSError as problem:
        raise HomeError(
            f"{path} cannot be written ({problem.strerror or problem}): correct its permissions or free space"
        ) from problem
    try:
        yield
    finally:
        lock.release()
