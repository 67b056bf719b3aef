"""Values that follow from the code of this package alone, kept next to its bytecode for the next process.

As for bytecode, what is kept counts while every file has the size and time that it had. Deleting the file costs time
only. An installation that may not be written, or that keeps no bytecode, computes them each time.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

_MOST_KEPT = 200


def kept(name: str, given: object, folders: Iterable[Path], compute: Callable[[], Any]) -> Any:
    """The value of `compute()`, a JSON value, from an earlier process if it was asked the same of the same files.

    given: what the value depends on besides the files below `folders`, as JSON.
    """
    asked = _digest([name, given, [_files(folder) for folder in sorted(set(folders))]])
    values = _kept()
    if asked not in values:
        values[asked] = compute()
        _keep(values)
    return values[asked]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


@cache
def _files(folder: Path) -> list[tuple[str, int, int]]:
    """Path, size and time of every Python and SQL file below a folder, sorted."""
    return sorted(_files_below(folder))


def _files_below(folder: str | Path) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files_below(entry.path)
            elif entry.name.endswith((".py", ".sql")):
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns


def _file() -> Path:
    return Path(cache_from_source(__file__)).with_name("code_cache.json")


@cache
def _kept() -> dict[str, Any]:
    """What was asked -> value; empty if the file is missing or damaged."""
    try:
        found = json.loads(_file().read_bytes())
        return dict(found["values"]) if found["digest"] == _digest(found["values"]) else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _keep(values: dict[str, Any]) -> None:
    if sys.dont_write_bytecode:
        return
    newest = dict(list(values.items())[-_MOST_KEPT:])
    path = _file()
    new = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps({"digest": _digest(newest), "values": newest}), encoding="utf-8")
        new.replace(path)
