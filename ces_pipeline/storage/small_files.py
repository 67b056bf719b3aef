"""The rows of a folder's many small files, read through one cache file in the folder.

The small files are the truth. The cache has the rows of each, with the file's size and time, so that a reading opens
only files that are new or changed. A publish writes the caches. One that is deleted or damaged costs time only.
"""

import time
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.lake import DAMAGED, FileState, Lake

CACHE_FILE = ".read.parquet"
"""Name of the cache in its folder. The dot hides it from readers of the folder."""

_NAME, _SIZE, _CHANGED_AT = "cached_name", "cached_size", "cached_changed_at"
_STATE = pa.schema([(_NAME, pa.string()), (_SIZE, pa.int64()), (_CHANGED_AT, pa.int64())])
_LEAST_AGE_NS = 2_000_000_000
"""A file may be replaced without a change of size and time if both versions are this new: clocks have steps."""


@dataclass(frozen=True, eq=False)
class SmallFileRows:
    """The rows of all files of a folder, in the order of the files' names.

    rows: with the name and the state of its file before the columns of each row. states: name -> state of each file
    that has rows.
    """

    rows: pa.Table
    states: dict[str, FileState]

    @classmethod
    def of(cls, rows: pa.Table) -> "SmallFileRows":
        names, sizes, times = (rows[column].to_pylist() for column in _STATE.names)
        return cls(rows, {name: FileState(*state) for name, *state in zip(names, sizes, times, strict=True)})

    @property
    def names(self) -> list[str]:
        """For each row, the name of its file."""
        found: list[str] = self.rows[_NAME].to_pylist()
        return found

    def only(self, names: Container[str]) -> "SmallFileRows":
        """Without the rows of other files."""
        if all(name in names for name in self.states):
            return self
        kept = pa.array([name in names for name in self.names], pa.bool_())
        return SmallFileRows.of(self.rows.filter(kept))


_held: dict[tuple[str, str], SmallFileRows] = {}
"""Root of a lake, folder -> what this process knows of its files. A run reads a folder several times."""
_unsaved: set[tuple[str, str]] = set()
"""Those whose cache file has other rows."""
_MOST_HELD = 200


def small_file_rows(
    lake: Lake,
    folder: str,
    states: Mapping[str, FileState],
    schema: pa.Schema,
    read: Callable[[str], pa.Table],
) -> SmallFileRows:
    """The rows of all files of a folder; the same object as the last time while no file changes.

    states: name -> state of each file, as listed just now. read: the rows of a file by its name, with columns `schema`.
    A file without rows, such as a damaged one, is read again each time.
    """
    started = time.time_ns()
    old_enough = {
        name
        for name, state in states.items()
        if state.changed_at is not None and state.changed_at < started - _LEAST_AGE_NS
    }
    known = _known(lake, folder, schema)
    current = {name for name in old_enough if known.states.get(name) == states[name]}
    found = known.only(current)
    added = [
        _with_state(name, states[name], rows)
        for name in states
        if name not in current and (rows := read(name)).num_rows
    ]
    if added:
        found = SmallFileRows.of(pa.concat_tables([found.rows, *added]).combine_chunks().sort_by(_NAME))
    lasting = found.only(old_enough)
    if lasting.states != known.states:
        _hold(lake, folder, lasting)
        _unsaved.add((lake.root, folder))
    return found


def save_small_files(lake: Lake) -> None:
    """Write the caches of folders of which this process knows more than their caches do.

    For steps, which write to the lake anyway: who only looks at a home changes nothing in it. A cache that cannot be
    written is left as it is.
    """
    for root, folder in _unsaved.copy():
        if root != lake.root:
            continue
        cache = _held.get((root, folder))
        # A source that was renamed leaves no folder.
        if cache is not None and lake.names(folder):
            with suppress(HomeError):
                lake.write_table(f"{folder}/{CACHE_FILE}", _counted(cache.rows))
        _unsaved.discard((root, folder))


def _known(lake: Lake, folder: str, schema: pa.Schema) -> SmallFileRows:
    """What this process or the cache file knows; nothing if the file is missing, damaged or of another release."""
    wanted = pa.schema([*_STATE, *schema])
    held = _held.get((lake.root, folder))
    if held is not None and held.rows.schema.equals(wanted):
        return held
    rows = wanted.empty_table()
    with suppress(*DAMAGED):
        stored = lake.read_table(f"{folder}/{CACHE_FILE}")
        stored.validate(full=True)
        if stored.schema.equals(wanted) and stored.schema.metadata == _counted(stored).schema.metadata:
            rows = stored.replace_schema_metadata(None)
    cache = SmallFileRows.of(rows)
    _hold(lake, folder, cache)
    return cache


def _counted(rows: pa.Table) -> pa.Table:
    """With the number of rows: Parquet has no checksum for its own number, so a flipped bit could drop rows."""
    return rows.replace_schema_metadata({"rows": str(rows.num_rows)})


def _hold(lake: Lake, folder: str, cache: SmallFileRows) -> None:
    if len(_held) >= _MOST_HELD:
        _held.clear()
        _unsaved.clear()
    _held[lake.root, folder] = cache


def _with_state(name: str, state: FileState, rows: pa.Table) -> pa.Table:
    columns = [
        pa.repeat(pa.scalar(value, field.type), rows.num_rows)
        for value, field in zip((name, *state), _STATE, strict=True)
    ]
    return pa.table([*columns, *rows.columns], schema=pa.schema([*_STATE, *rows.schema]))
