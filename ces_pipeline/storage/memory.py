"""How our own processes keep memory between batches of rows, and how they release it."""

import ctypes
import sys
from functools import cache

import pyarrow as pa

from ces_pipeline.storage.machine import use_share
from ces_pipeline.storage.own_process import keeps_freed_memory
from ces_pipeline.storage.scratch import close_databases

# Constants of <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_KEPT_BYTES = 1 << 30
_STEP_BYTES = 16 << 20
_MANY_ROWS = 250_000
_HEAPS = 2
"""A thread can reuse memory of another only in the same heap; by default glibc gives each thread its own heap."""


@cache
def _c_library() -> ctypes.CDLL | None:
    """The C library, if it has the calls to keep memory (glibc); None otherwise."""
    if sys.platform == "win32":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


@cache
def keep_freed_memory() -> None:
    """From now on the process keeps freed memory, unless CES_KEEP_FREED_MEMORY is 0.

    Only for our own processes (`own_process`), which process one batch of rows after the other. By default the C
    library returns every large block to the kernel, which clears the same pages again for the next batch: a fifth of
    the processor time of cleaning.
    """
    if keeps_freed_memory() and (library := _c_library()):
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TOP_PAD, _STEP_BYTES)
        # One allocator for all libraries: no other library can use the memory that Arrow's own allocator keeps.
        pa.set_memory_pool(pa.system_memory_pool())


def prepare_worker(memory_mb: int, processes: int) -> None:
    """Call it once in a worker process, one of so many that share this memory."""
    keep_freed_memory()
    use_share(memory_mb, processes)


def give_back_after(rows: int) -> None:
    """Release what a stage over so many rows has freed, if it is more than the next stage can use; else keep it."""
    if rows >= _MANY_ROWS:
        give_memory_back()


def give_memory_back() -> None:
    """Release memory that is kept but not in use, before this process waits for others that need memory."""
    close_databases()
    pa.default_memory_pool().release_unused()
    if library := _c_library():
        library.malloc_trim(0)
