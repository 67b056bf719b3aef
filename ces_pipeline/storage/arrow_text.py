"""The bytes of an Arrow column of texts, for a look at all its cells at once that makes no Python object per cell."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def text_bytes(cells: pa.Array) -> tuple[npt.NDArray[np.int32], memoryview] | None:
    """(The ends of the cells in the bytes, with the start of the first; the bytes) of a string column.

    None if it has no cells or no text. The bytes may be those of a longer column that this is a part of.
    """
    _, offsets, data = cells.buffers()
    if data is None or not len(cells):
        return None
    ends = np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]
    return ends, memoryview(data)
