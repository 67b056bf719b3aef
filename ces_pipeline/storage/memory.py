"""How this process holds memory between pieces of work; how large the pieces are is said where the work is done."""

import ctypes
from functools import cache

import pyarrow as pa

from ces_pipeline.storage.scratch import close_databases

# Names of <malloc.h>, glibc's only.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_KEPT_BYTES = 1 << 30
_STEP_BYTES = 16 << 20
_HEAPS = 2
"""What one thread freed another can use only where they share a heap; left to itself glibc gives each its own."""


@cache
def _c_library() -> ctypes.CDLL | None:
    """The C library, where it is one that can be told (glibc)."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


@cache
def keep_freed_memory() -> None:
    """From now on memory that is freed stays with the process.

    For work on one batch of rows after the other: left to itself the C library hands every large block back, and the
    kernel clears the same pages for the next batch again, a fifth of the processor time of cleaning.
    """
    if library := _c_library():
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        library.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_M_TOP_PAD, _STEP_BYTES)
        # One heap for all: what Arrow's own allocator keeps nobody else can use.
        pa.set_memory_pool(pa.system_memory_pool())


def give_memory_back() -> None:
    """Hand back what is kept but not in use: before this process waits for others that need it."""
    close_databases()
    pa.default_memory_pool().release_unused()
    if library := _c_library():
        library.malloc_trim(0)
