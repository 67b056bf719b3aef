"""The checksum of the published file, in a hidden file next to it: a flipped bit is found before its figures are read.

Around the rename that puts a new file in place, the checksums of the old and of the new file are both valid: a run that
is killed in between leaves no file that looks damaged.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ces_pipeline.errors import CesError
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.local_files import damaged_suffix, replace_file
from ces_pipeline.storage.modes import file_mode

_READ_BYTES = 4 << 20
_RECHECKED_SECONDS = 30.0
_checked: dict[Path, tuple[tuple[int, ...], float, bool]] = {}
"""Published file -> its state, when it was checked, and whether it was sound: a run asks more than once."""


def is_sound(published: Path) -> bool:
    """Whether the file has the bytes that were published; without a stored checksum, whether every table can be read.

    Reads the file completely, unless this process did so in the last seconds and the file has not changed since.
    """
    status = published.stat()
    state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    known = _checked.get(published)
    if known and known[0] == state and time.monotonic() - known[1] < _RECHECKED_SECONDS:
        return known[2]
    expected = stored_checksums(published)
    sound = file_sha256(published) in expected if expected else _unreadable_table(published) is None
    _checked[published] = (state, time.monotonic(), sound)
    return sound


def problem(published: Path) -> str | None:
    """What is wrong with the bytes of the published file; None if nothing is. Reads all of it, writes nothing.

    Also reads every table, for a file that was damaged before it got its checksum.
    """
    expected = stored_checksums(published)
    if expected and file_sha256(published) not in expected:
        return f"{published} is not as it was published: it is damaged. Run `ces run`, which rebuilds it from the lake"
    if table := _unreadable_table(published):
        return f"{published}: {table} cannot be read. Run `ces run`, which rebuilds the file from the lake"
    return None


def give_checksum(published: Path) -> None:
    """Store the checksum of a sound file that has none: an earlier release wrote it, or its checksum was damaged.

    The caller holds the lock of the publish.
    """
    if not stored_checksums(published):
        write_checksums(published, [file_sha256(published)])


def write_checksums(published: Path, valid: Sequence[str]) -> None:
    """Store the checksums that the file may have. Raises OSError if the disk cannot be written."""
    path = _sidecar(published)
    if path.is_dir():
        path.replace(path.with_name(f"{path.name}{damaged_suffix()}"))
    replace_file(path, "".join(f"{sha256}\n" for sha256 in valid).encode(), mode=file_mode(published.parent))


def stored_checksums(published: Path) -> list[str]:
    """The checksums that are stored; empty if there are none, or if their file is damaged."""
    try:
        lines = _sidecar(published).read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError):
        return []
    *found, end = lines
    return found if end == "" and all(re.fullmatch("[0-9a-f]{64}", line) for line in found) else []


def file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _unreadable_table(published: Path) -> str | None:
    """The first table with a value that cannot be read, or the file itself; None if all can be read."""
    try:
        with open_published(published) as connection:
            tables = connection.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'ces' ORDER BY 1"
            ).fetchall()
            for (name,) in tables:
                try:
                    connection.execute(f"SELECT sum(hash(COLUMNS(*))::HUGEINT) FROM {name}").fetchall()
                except duckdb.Error:
                    return str(name)
    except (CesError, duckdb.Error):
        return "the file"
    return None


def _sidecar(published: Path) -> Path:
    return published.with_name(f".{published.name}.sha256")
