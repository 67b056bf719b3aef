"""Protects how a process holds memory: what is freed stays for the next batch, and goes when it is given back."""

import os
import subprocess
import sys

import pytest

from ces_pipeline.storage.memory import _c_library

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


@pytest.mark.skipif(_c_library() is None, reason="only glibc can be told what to keep")
def test_freed_blocks_stay_until_they_are_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    full, freed, given_back = (int(one) / _MB for one in told.stdout.split())
    assert full > 190
    assert freed > 190
    assert given_back < 40


def test_arrow_and_the_rest_of_the_process_share_one_allocator_unless_the_environment_says_otherwise() -> (
    None
):
    program = "import ces_pipeline, pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    usual = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    for environment, told in (
        (usual, "system"),
        ({**usual, "ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, "mimalloc"),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
        assert ran.stdout.strip() == told
