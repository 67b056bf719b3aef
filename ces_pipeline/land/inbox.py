"""The inbox of a source: its files, and a cache of their hashes.

The inbox is read, never changed; only the file that receives webhooks gets its final name (`hand_over_received`).
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ces_pipeline.home import Home
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage import spool
from ces_pipeline.storage.lake import Lake

_NOT_EXPORTS = {".keep", ".gitkeep", ".ds_store", "thumbs.db", "known_answers.json"}

_EXPORTS = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".xlsm", ".xls", ".parquet", ".zip", ".gz"}


def inbox_files(home: Home, source: Source) -> list[Path]:
    """The source's files, by name. Hidden and unfinished (`.part`, `.tmp`, `.crdownload`) files are skipped.

    The folders of its earlier ids are read too. What only looks like a file (a link to nothing, a pipe, a folder with
    the name of an export) is in the list, so that reading it says what is wrong.
    """
    found = (
        path
        for folder in _folders(home, source)
        for path in folder.glob(source.inbox)
        if not path.name.startswith(".")
        and path.name.lower() not in _NOT_EXPORTS
        and path.suffix.lower() not in {".part", ".tmp", ".crdownload"}
        and _looks_like_a_file(path)
    )
    # In the order of paths, which are slow to compare.
    return sorted(found, key=lambda path: path.parts)


def hand_over_received(home: Home, source: Source) -> None:
    """Give the payloads that webhooks brought so far their file. Raises HomeError or OSError if that cannot be done."""
    for folder in _folders(home, source):
        spool.hand_over(folder)


def received_files(home: Home, source: Source) -> list[Path]:
    """The open files of received payloads, which landing hands over."""
    return [path for folder in _folders(home, source) if (path := spool.waiting(folder)) is not None]


def _folders(home: Home, source: Source) -> list[Path]:
    folders = [home.inbox / name for name in (source.id, *source.formerly)]
    return [folder for folder in folders if folder.is_dir()]


def _looks_like_a_file(path: Path) -> bool:
    return path.suffix.lower() in _EXPORTS or not path.is_dir()


FileState = tuple[int, int]
"""Size in bytes, and time of the last change in nanoseconds: a file with another state has other content."""


def file_state(path: Path) -> FileState:
    """The state of a file now. Raises OSError if it is gone."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@dataclass
class SeenFiles:
    """SHA-256 of inbox files that were read before, valid while a file's size and time are unchanged.

    entries: key of the file (`seen_key`) -> size in bytes, time in nanoseconds, SHA-256. Without this cache every file
    is hashed again, with the same result.
    """

    lake: Lake
    source_id: str
    entries: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def _path(self) -> str:
        return f"ledger/{self.source_id}/.seen"

    def load(self) -> "SeenFiles":
        """Read the cache. A damaged one counts as empty: a wrong hash in it would land a file under a wrong id."""
        try:
            saved = json.loads(self.lake.read_bytes(self._path))
            is_as_saved = saved["check"] == self._check(saved["files"])
        except (OSError, ValueError, KeyError, TypeError):
            return self
        self.entries = saved["files"] if is_as_saved else {}
        return self

    @staticmethod
    def _check(entries: Any) -> str:
        return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()

    def sha256(self, key: str, path: Path) -> str | None:
        known = self.entries.get(key)
        try:
            return known[2] if known and tuple(known[:2]) == file_state(path) else None
        except OSError:
            return None

    def note(self, key: str, state: FileState, sha256: str) -> None:
        """Keep the hash of a file. state: its state before it was hashed."""
        self.entries[key] = [*state, sha256]

    def save(self) -> None:
        saved = {"check": self._check(self.entries), "files": self.entries}
        self.lake.write_bytes(self._path, json.dumps(saved, sort_keys=True).encode())


def has_news(home: Home, source: Source) -> bool:
    """Whether a source has an API, or a file that was not read before as it is now."""
    if source.api is not None:
        return True
    seen = SeenFiles(Lake(home.lake), source.id).load()
    return any(seen.sha256(seen_key(home, path), path) is None for path in inbox_files(home, source))


def new_bytes(home: Home, source: Source) -> int:
    """Bytes of the source's files that were not read before, as they are in the inbox; a lost file counts as none."""
    seen = SeenFiles(Lake(home.lake), source.id).load()
    total = 0
    for path in inbox_files(home, source):
        if seen.sha256(seen_key(home, path), path) is None:
            with suppress(OSError):
                total += path.stat().st_size
    return total


def seen_key(home: Home, path: Path) -> str:
    """The cache key of a file: a hash of its path, because a file name may contain a person's name."""
    return hashlib.sha256(os.fsencode(_below(home.inbox, path))).hexdigest()


def _below(folder: Path, path: Path) -> str:
    """The path relative to a folder that it is in."""
    return os.fspath(path).removeprefix(f"{os.fspath(folder)}{os.sep}")
