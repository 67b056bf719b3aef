"""Settings of our own processes: the `ces` command and the workers that it starts. Imports nothing heavy.

A process that only imports this package (a notebook, Dagster's servers) keeps its own memory settings.
"""

import os

KEEP_VARIABLE = "CES_KEEP_FREED_MEMORY"
"""`0`: the C library and Arrow manage the memory of our own processes by their defaults."""


def keeps_freed_memory() -> bool:
    """Whether our own processes keep freed memory for the next batch of rows."""
    return os.environ.get(KEEP_VARIABLE, "1") != "0"


def share_one_allocator() -> None:
    """Make Arrow use the allocator of the C library, unless the environment names another. Call before pyarrow loads.

    Arrow chooses its allocator once. With that of the C library, every library can reuse freed memory. With Arrow's
    own, each of its writers requests and clears separate pages.
    """
    if keeps_freed_memory():
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
