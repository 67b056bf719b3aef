"""What the server of worker processes imports once, so that each new worker has it. Import it nowhere else.

The allocator is chosen first. OpenBLAS would start threads, which a process that forks should not have.
"""

import os
from importlib import import_module

from ces_pipeline.storage.own_process import share_one_allocator

share_one_allocator()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import_module("ces_pipeline.clean.step")
