"""Protects how a process holds memory: what is freed stays for the next batch, and goes when it is given back."""

import os
import subprocess
import sys

import pytest

from ces_pipeline.storage.memory import _c_library
from ces_pipeline.storage.own_process import KEEP_VARIABLE

_MB = 2**20
_PROGRAM = """
import numpy as np, psutil
from ces_pipeline.storage.memory import give_memory_back, keep_freed_memory

keep_freed_memory()
held = lambda: psutil.Process().memory_info().rss
before = held()
# Blocks of the size of a column, as one batch has many.
blocks = [np.ones(2**20) for _ in range(25)]
full = held()
del blocks
freed = held()
give_memory_back()
print(full - before, freed - before, held() - before)
"""


@pytest.mark.skipif(_c_library() is None, reason="only glibc has the calls to keep memory")
def test_freed_blocks_stay_until_they_are_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    full, freed, given_back = (int(size) / _MB for size in ran.stdout.split())
    assert full > 190
    assert freed > 190
    assert given_back < 40


_ALLOCATOR = """
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""
_OURS = "from ces_pipeline.storage.own_process import share_one_allocator; share_one_allocator()"


def allocator(program: str, **environment: str) -> str:
    usual = {
        name: value
        for name, value in os.environ.items()
        if name not in ("ARROW_DEFAULT_MEMORY_POOL", KEEP_VARIABLE)
    }
    command = [sys.executable, "-c", program + _ALLOCATOR]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=usual | environment
    ).stdout.strip()


def test_only_our_own_processes_choose_an_allocator_and_only_where_nothing_else_is_set() -> None:
    untouched = allocator("")
    assert allocator("import ces_pipeline, ces_pipeline.storage.memory") == untouched
    assert allocator(_OURS) == "system"
    assert allocator(_OURS, ARROW_DEFAULT_MEMORY_POOL="mimalloc") == "mimalloc"
    assert allocator(_OURS, **{KEEP_VARIABLE: "0"}) == untouched


def test_importing_the_package_changes_nothing_and_costs_little() -> None:
    program = """
import os, sys, threading, time
before = dict(os.environ)
start = time.perf_counter()
import ces_pipeline
seconds = time.perf_counter() - start
assert dict(os.environ) == before
assert threading.active_count() == 1
assert not {"pandas", "pyarrow", "duckdb", "dagster"} & sys.modules.keys()
print(seconds)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 0.3


def test_a_worker_is_started_with_the_allocator_chosen_first() -> None:
    program = """
import sys
import ces_pipeline.storage.worker
assert "pyarrow" not in sys.modules
ces_pipeline.storage.worker.start_worker(600, 2)
"""
    assert allocator(program) == "system"
