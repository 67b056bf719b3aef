"""The start of our own worker processes. Imports nothing heavy before the allocator is chosen."""

from importlib import import_module

from ces_pipeline.storage.own_process import share_one_allocator


def start_worker(memory_mb: int, processes: int) -> None:
    """The initializer of worker processes: one allocator, freed memory kept, one core, a share of the memory in MB."""
    share_one_allocator()
    import_module("ces_pipeline.storage.memory").prepare_worker(memory_mb, processes)
