"""Settings of processes that are ours alone: the `ces` command and the workers that it starts. Imports nothing heavy.

A process that only imports this package (a notebook, Dagster's servers) keeps its own memory settings.
"""

import os

KEEP_VARIABLE = "CES_KEEP_FREED_MEMORY"
"""`0` leaves the memory of our own processes to the C library and to Arrow."""


def keeps_freed_memory() -> bool:
    """Whether our own processes keep memory that is freed, for the next batch of rows."""
    return os.environ.get(KEEP_VARIABLE, "1") != "0"


def share_one_allocator() -> None:
    """Before pyarrow is loaded: Arrow uses the allocator of the C library, unless the environment names another.

    Arrow chooses its allocator once. With the C library's, freed memory serves every library; with Arrow's own, each of
    its writers fetches and clears pages of its own.
    """
    if keeps_freed_memory():
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
