"""Customer Effort Score pipeline: exports and tickets in, judged and linked days out, one DuckDB file published."""

import os

# Arrow chooses its allocator once, when it is loaded. With the C library's, what `storage/memory.py` keeps for the next
# batch of rows is there for every library; with Arrow's own, each of its writers fetches and clears pages of its own.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
