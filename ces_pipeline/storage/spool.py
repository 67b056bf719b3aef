"""Lines that arrive one by one, in a hidden file that is handed over as a complete one.

A writer appends to the open file of a folder and syncs it. A reader hands the file over: one rename gives it its final
name, and the next line begins a new file. So there are as many files as there were readings with news, and a process
may be killed at any moment: lines whose `append` returned are in exactly one file.
"""

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ces_pipeline.storage.local_files import sync_folder
from ces_pipeline.storage.locks import exclusive

_OPEN = ".receiving.jsonl"
_LOCK = ".receiving.lock"
_NAME = re.compile(r"received-\d{8}T\d{6}Z-[0-9a-f]{16}\.jsonl")
_MOST_BYTES = 64 << 20
_FIRST_LINE_BYTES = 65
_BLOCK = 1 << 16


def append(folder: Path, lines: Sequence[bytes]) -> None:
    """Append lines, each without its line break, to the open file of a folder, and wait for the disk.

    Raises OSError or HomeError if that failed: the lines may or may not be there then, and should be sent again.
    """
    with exclusive(folder / _LOCK):
        path = folder / _OPEN
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = _without_half_line(handle)
            data = b"".join([_first_line() if not size else b"", *(line + b"\n" for line in lines)])
            try:
                _write_all(handle, data)
                os.fsync(handle)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if is_new:
            sync_folder(folder)
        if size + len(data) >= _MOST_BYTES:
            _rename(path)


def hand_over(folder: Path) -> Path | None:
    """Give the open file of a folder its final name, and return it; None if there is none, or no complete line.

    Raises OSError or HomeError if the folder cannot be written.
    """
    path = folder / _OPEN
    if not path.is_file():
        return None
    with exclusive(folder / _LOCK):
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            size = _without_half_line(handle)
        finally:
            os.close(handle)
        if size <= _FIRST_LINE_BYTES:
            path.unlink()
            return None
        return _rename(path)


def waiting(folder: Path) -> Path | None:
    """The open file of a folder; None if there is none."""
    path = folder / _OPEN
    return path if path.is_file() else None


def is_handed_over(name: str) -> bool:
    """Whether a file of this name was handed over."""
    return _NAME.fullmatch(name) is not None


def _rename(path: Path) -> Path:
    target = path.with_name(f"received-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}.jsonl")
    path.rename(target)
    sync_folder(path.parent)
    return target


def _first_line() -> bytes:
    """White space that no other file begins with.

    Files of equal bytes are one delivery. A payload that is sent again must not be one that never came.
    """
    return b"".join(b" " if bit == "0" else b"\t" for bit in f"{secrets.randbits(64):064b}") + b"\n"


def _without_half_line(handle: int) -> int:
    """Cut the file after its last line break: a killed writer leaves half a line. Returns the size in bytes."""
    size = end = os.fstat(handle).st_size
    while end:
        start = max(0, end - _BLOCK)
        place = os.pread(handle, end - start, start).rfind(b"\n")
        if place >= 0:
            end = start + place + 1
            break
        end = start
    if end < size:
        os.ftruncate(handle, end)
    return end


def _write_all(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
