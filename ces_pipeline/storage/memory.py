"""How a process of ours holds memory between pieces of work, and hands it back."""

import ctypes
import sys
from functools import cache

import pyarrow as pa

from ces_pipeline.storage.own_process import keeps_freed_memory
from ces_pipeline.storage.scratch import close_databases, use_one_thread

# Names of <malloc.h>, glibc's only.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_KEPT_BYTES = 1 << 30
_STEP_BYTES = 16 << 20
_HEAPS = 2
"""What one thread freed another can use only where they share a heap; left to itself glibc gives each its own."""


@cache
def _c_library() -> ctypes.CDLL | None:
    """The C library, where it can be asked to keep memory (glibc)."""
    if sys.platform == "win32":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


@cache
def keep_freed_memory() -> None:
    """From now on memory that is freed stays with the process, unless CES_KEEP_FREED_MEMORY is 0.

    Only for processes that are ours (`own_process`), which work on one batch of rows after the other. Left to itself,
    the C library hands every large block back, and the kernel clears the same pages for the next batch again: a fifth
    of the processor time of cleaning.
    """
    if keeps_freed_memory() and (library := _c_library()):
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TOP_PAD, _STEP_BYTES)
        # One heap for all: no other library can use what Arrow's own allocator keeps.
        pa.set_memory_pool(pa.system_memory_pool())


def prepare_worker() -> None:
    """Once in a worker process that has one core for itself."""
    keep_freed_memory()
    use_one_thread()


def give_memory_back() -> None:
    """Hand back what is kept but not in use: before this process waits for others that need it."""
    close_databases()
    pa.default_memory_pool().release_unused()
    if library := _c_library():
        library.malloc_trim(0)
