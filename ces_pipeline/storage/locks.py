"""One writer at a time: an advisory lock on a file of the home."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ces_pipeline.errors import HomeError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at `path`; another process that wants it waits. A killed holder releases it.

    Raises HomeError where the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as problem:
        raise HomeError(
            f"{path} cannot be written ({problem.strerror or problem}): mend its permissions or free space"
        ) from problem
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
