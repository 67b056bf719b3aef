"""The worker processes that clean days: how they start, and what is said if they cannot.

On Linux a server that has imported everything forks them, so only the server's start takes time. Elsewhere it is not
safe to fork a process that has loaded system libraries, so each worker imports everything itself.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.inbox import new_bytes
from ces_pipeline.registry.registry import Registry
from ces_pipeline.storage.machine import machine
from ces_pipeline.storage.worker import start_worker

ROWS_WORTH_WORKERS = 200_000
"""With fewer rows, worker processes cost more time than they save."""
_BYTES_WORTH_WORKERS = 20_000_000
"""So many new bytes in the inbox are likely to be that many rows."""
_PRELOADED = "ces_pipeline.clean.preloaded"
_GUARD = 'if __name__ == "__main__":'


def expect_files(home: Home, registry: Registry, sources: Iterable[str]) -> None:
    """Start the server of workers if the new files of these sources are likely to need workers.

    Call it before landing, in the process that cleans later: the server imports while rows land.
    """
    if (registry.settings.workers or machine().workers(2)) == 1:
        return
    if sum(new_bytes(home, registry.sources[name]) for name in sources) >= _BYTES_WORTH_WORKERS:
        _start_server()


def _start_server() -> None:
    """Start the server that forks workers, without waiting for its imports; nothing if it runs or is not used here."""
    if _method() == "forkserver":
        forkserver.set_forkserver_preload([_PRELOADED])
        forkserver.ensure_running()


@contextmanager
def worker_pool(processes: int) -> Iterator[Executor]:
    """So many worker processes, which share the memory of this one.

    Raises CesError if they cannot start, or if one ends before its work is done.
    """
    _start_server()
    context = multiprocessing.get_context(_method())
    limits = (machine().memory_mb, processes)
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=start_worker, initargs=limits
    ) as pool:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool as problem:
            raise CesError(
                "the worker processes cannot start. Each of them imports the main script: if it calls ces_pipeline, "
                f"put these calls below `{_GUARD}`"
            ) from problem
        try:
            yield pool
        except BrokenProcessPool as problem:
            raise CesError(
                f"one of {processes} worker processes was killed, probably because the system ran out of memory. Set "
                "smaller `workers` in registry/settings.yaml, or give the machine more memory, then run again"
            ) from problem


def refuse_imported_script() -> None:
    """Raise CesError in a worker process that is importing the main script of its parent.

    The parent holds locks until its workers are done: a worker that ran the script's steps again would wait for ever.
    """
    # Python sets this attribute until a child has its work; it refuses to start processes in the same way.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise CesError(
            f"a worker process imports the main script, which calls ces_pipeline. Put these calls below `{_GUARD}`"
        )


def _method() -> str:
    return "forkserver" if sys.platform == "linux" else "spawn"
