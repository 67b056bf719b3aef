"""Local files that are replaced by one rename, or set aside. Standard library only, for code that must start fast."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    import pyarrow as pa


def damaged_suffix() -> str:
    """What the name of a file that is set aside ends with: a time, and a random part for two in one second."""
    return f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:4]}"


def make_way(target: Path) -> None:
    """Set aside a folder that is in a file's place: a file cannot replace it."""
    if target.is_dir():
        target.replace(target.with_name(f"{target.name}{damaged_suffix()}"))


def replace_file(target: Path, data: "bytes | pa.Buffer", *, mode: int | None = None) -> None:
    """Replace a local file by `data`: write a temporary file next to it, sync, rename, sync the folder.

    mode: the file's permissions; by default those of any new file.
    """
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as stream:
            if mode is not None:
                temporary.chmod(mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
