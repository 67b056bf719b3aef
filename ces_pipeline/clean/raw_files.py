"""Whether raw files are as landing wrote them."""

import hashlib
from collections.abc import Collection

from ces_pipeline.clean.plan import RawFile
from ces_pipeline.storage.lake import Lake, unreadable_files


def differs(lake: Lake, file: RawFile) -> bool:
    """Whether a raw file is missing or not as it was written. A flipped bit may leave a readable file."""
    if file.checksum is None:
        return not lake.exists(file.path)
    size, sha256 = file.checksum
    return lake.size(file.path) != size or hashlib.sha256(lake.read_bytes(file.path)).hexdigest() != sha256


def damaged_files(lake: Lake, files: Collection[RawFile]) -> set[str]:
    """The paths of the raw files that are missing or damaged. Reads every file completely."""
    found = {file.path for file in files if differs(lake, file)}
    return found | set(unreadable_files(lake, sorted({file.path for file in files} - found)))
