"""The lake: Parquet files under one root URL. One rename replaces a file completely.

Handles paths and atomic writes; it does not know what the tables mean. The root is a local folder, or a URL that
pyarrow or fsspec can open. A local root is written with fsync, then rename; an object store has an atomic put.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pa_dataset
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.local_files import damaged_suffix, make_way, replace_file, sync_folder
from ces_pipeline.storage.modes import file_mode
from ces_pipeline.storage.quote import quote_name, quote_text

UNREADABLE = (duckdb.IOException, duckdb.InvalidInputException, pa.ArrowException, OSError)
"""Errors that are raised when a file of the lake is missing or damaged."""

DAMAGED = (pa.ArrowException, OSError, ValueError)
"""Errors that are raised when a damaged Parquet file is read with `Lake.read_table` or `Lake.read_tables`."""

_DAY = "day="
STAGING = ".staging"
_SAMPLE_ROWS = 1_000
_SMALL_ROWS = 10_000
_WRITERS = 8
"""Threads that write files at the same time: a disk syncs several files about as fast as one."""


@dataclass(frozen=True)
class StoredFile:
    """A written file: its path below the root, its size in bytes and the SHA-256 of its bytes."""

    path: str
    size: int
    sha256: str


class FileState(NamedTuple):
    """The version of a file: its size in bytes, and the time of its last change in ns since 1970.

    changed_at: None if the object store does not tell it.
    """

    size: int
    changed_at: int | None


class Lake:
    """One lake. Paths are always relative to its root, with `/` between parts."""

    def __init__(self, root: str | Path):
        """Open the lake; create it if it does not exist. Raises HomeError if a local root cannot be created."""
        self.root = str(root)
        if isinstance(root, Path) or "://" not in str(root):
            base = Path(root).resolve()
            try:
                base.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as problem:
                raise _unwritable(problem) from problem
            self.local: Path | None = base
            self.files: pa_fs.FileSystem = pa_fs.SubTreeFileSystem(str(base), pa_fs.LocalFileSystem())
        else:
            self.local = None
            self.files = _open_url(str(root))

    def day_file(self, table: str, day: date) -> str:
        """Path of a day of a table: `core.responses` -> `core/responses/day=2026-01-31/part-0.parquet`."""
        return f"{table.replace('.', '/')}/{_DAY}{day.isoformat()}/part-0.parquet"

    def days(self, table: str) -> list[date]:
        """The days with a file of the table, ascending."""
        found = []
        for info in self.list(table.replace(".", "/")):
            if info.type == pa_fs.FileType.Directory and (day := day_of_folder(info.base_name)):
                found.append(day)
        return sorted(found)

    def names(self, folder: str) -> list[str]:
        """The names of the entries of a folder; empty if there is no folder of that name."""
        try:
            if self.local is None:
                return [info.base_name for info in self.list(folder)]
            with os.scandir(self.local / folder) as entries:
                return [entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def list(self, folder: str, *, recursive: bool = False) -> list[pa_fs.FileInfo]:
        """The entries of a folder; empty if it does not exist."""
        found: list[pa_fs.FileInfo] = self.files.get_file_info(
            pa_fs.FileSelector(folder, allow_not_found=True, recursive=recursive)
        )
        return found

    def states(self, folder: str, paths: Sequence[str]) -> dict[str, FileState]:
        """Path -> state of those of `paths` that are files. All must be below `folder`.

        An object store is asked once for the folder. A local disk is asked for each path, which is faster there
        than a listing.
        """
        if self.local is not None:
            return {path: state for path in paths if (state := self._local_state(path)) is not None}
        if not paths:
            return {}
        listed = {
            info.path: FileState(info.size, info.mtime_ns)
            for info in self.list(folder, recursive=True)
            if info.type == pa_fs.FileType.File
        }
        return {path: listed[path] for path in paths if path in listed}

    def _local_state(self, path: str) -> FileState | None:
        try:
            # A `Path` for each of thousands of files takes longer than asking for its state.
            found = os.stat(f"{self.local}/{path}")  # noqa: PTH116
        except OSError:
            return None
        return FileState(found.st_size, found.st_mtime_ns) if S_ISREG(found.st_mode) else None

    def exists(self, path: str) -> bool:
        return bool(self.files.get_file_info(path).type == pa_fs.FileType.File)

    def size(self, path: str) -> int | None:
        """Size of a file in bytes; None if it does not exist."""
        info = self.files.get_file_info(path)
        return info.size if info.type == pa_fs.FileType.File else None

    def read_bytes(self, path: str) -> bytes:
        with self.files.open_input_stream(path) as stream:
            data: bytes = stream.read()
            return data

    def read_table(self, path: str, columns: Iterable[str] | None = None) -> pa.Table:
        """The rows of a Parquet file. Raises an error of DAMAGED if it is missing or damaged."""
        with self.files.open_input_file(path) as source:
            file = pq.ParquetFile(source, page_checksum_verification=True)
            # Handing a small file's columns to threads takes longer than reading them.
            return file.read(
                columns=list(columns) if columns is not None else None,
                use_threads=file.metadata.num_rows > _SMALL_ROWS,
            )

    def read_tables(self, paths: Sequence[str], schema: pa.Schema) -> tuple[pa.Table, tuple[str, ...]]:
        """The rows of these Parquet files in their order, with columns `schema`, and those files that are damaged.

        A column that a file lacks is null in its rows: an earlier release wrote it.
        """
        if not paths:
            return schema.empty_table(), ()
        try:
            rows = self._read_one(paths[0], schema) if len(paths) == 1 else self._read_dataset(paths, schema)
            rows.validate(full=True)
            return rows, ()
        except DAMAGED:
            if len(paths) == 1:
                return schema.empty_table(), tuple(paths)
        parts = [self.read_tables([path], schema) for path in paths]
        damaged = tuple(path for _, damaged_paths in parts for path in damaged_paths)
        return pa.concat_tables([rows for rows, _ in parts]), damaged

    def _read_dataset(self, paths: Sequence[str], schema: pa.Schema) -> pa.Table:
        checked = pa_dataset.ParquetFileFormat(
            default_fragment_scan_options=pa_dataset.ParquetFragmentScanOptions(
                page_checksum_verification=True
            )
        )
        found = pa_dataset.dataset(list(paths), filesystem=self.files, format=checked, schema=schema)
        return found.to_table().cast(schema)

    def _read_one(self, path: str, schema: pa.Schema) -> pa.Table:
        stored = self.read_table(path)
        names = set(stored.column_names)
        columns = [
            stored[field.name] if field.name in names else pa.nulls(stored.num_rows, field.type)
            for field in schema
        ]
        return pa.table(columns, names=schema.names).cast(schema)

    def scan(self, connection: duckdb.DuckDBPyConnection, paths: Sequence[str], name: str) -> str:
        """SQL for the rows of these Parquet files, with `place`: the position of the file in `paths`.

        A column that some of the files lack is null in their rows: an earlier release wrote them.
        DuckDB reads files of a local lake directly. Other files are registered as Arrow datasets, with names that
        start with `name`.
        """
        if self.local is None:
            parts = []
            for place, path in enumerate(paths):
                connection.register(
                    f"{name}_{place}", pa_dataset.dataset(path, filesystem=self.files, format="parquet")
                )
                parts.append(f"SELECT {place} AS place, * FROM {quote_name(f'{name}_{place}')}")
            return f"({' UNION ALL BY NAME '.join(parts)})"
        listed = ", ".join(quote_text(str(self.local / path)) for path in paths)
        read = f"read_parquet([{listed}], hive_partitioning=false, union_by_name=true)"
        return f"(SELECT file_index AS place, * FROM {read})"

    def write_table(self, path: str, table: pa.Table) -> StoredFile:
        """Replace the file at `path` by `table` as Parquet (zstd). The same table always gives the same bytes."""
        sink = pa.BufferOutputStream()
        pq.write_table(
            table,
            sink,
            compression="zstd",
            compression_level=1,
            row_group_size=131_072,
            use_dictionary=_repeating(table),
            # Without them, a flipped bit in a value is read as another value.
            write_page_checksum=True,
        )
        return self.write_bytes(path, sink.getvalue())

    def write_tables(self, tables: Mapping[str, pa.Table]) -> None:
        """`write_table` for many files (path -> rows) in parallel: some wait for the disk, others are compressed."""
        _in_parallel([partial(self.write_table, path, table) for path, table in tables.items()])

    def write_bytes(self, path: str, data: bytes | pa.Buffer) -> StoredFile:
        """Replace the file at `path`: write a temporary file next to it, sync, rename. Raises HomeError if it fails."""
        try:
            if self.local is None:
                if "/" in path:
                    self.files.create_dir(path.rpartition("/")[0], recursive=True)
                with self.files.open_output_stream(path) as stream:
                    stream.write(data)
            else:
                target = self.local / path
                target.parent.mkdir(parents=True, exist_ok=True)
                make_way(target)
                replace_file(target, data, mode=file_mode(self.local))
        except OSError as problem:
            raise _unwritable(problem) from problem
        view = memoryview(data)
        return StoredFile(path, view.nbytes, hashlib.sha256(view).hexdigest())

    def adopt(self, staged: Path, path: str) -> None:
        """Move a finished local file into the lake at `path`, synced first."""
        if self.local is None:
            self.write_bytes(path, staged.read_bytes())
            staged.unlink()
            return
        target = self.local / path
        try:
            with staged.open("rb") as stream:
                os.fsync(stream.fileno())
            staged.chmod(file_mode(self.local))
            target.parent.mkdir(parents=True, exist_ok=True)
            make_way(target)
            staged.replace(target)
            sync_folder(target.parent)
        except OSError as problem:
            raise _unwritable(problem) from problem

    def adopt_all(self, staged: Mapping[str, Path]) -> None:
        """`adopt` for many files (path in the lake -> local file) in parallel."""
        _in_parallel([partial(self.adopt, file, path) for path, file in staged.items()])

    def delete(self, path: str) -> None:
        if self.exists(path):
            self.files.delete_file(path)

    def set_aside(self, path: str) -> str:
        """Rename a damaged file or folder, so that no reader finds it and a person can look at it; its new path."""
        aside = f"{path}{damaged_suffix()}"
        try:
            self.files.move(path, aside)
        except OSError as problem:
            raise _unwritable(problem) from problem
        return aside

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A new local folder on the disk of the lake; it is deleted afterwards."""
        base = (self.local / STAGING) if self.local else Path(tempfile.gettempdir())
        try:
            base.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=base, prefix=f"{os.getpid()}-"))
        except OSError as problem:
            raise _unwritable(problem) from problem
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clear_staging(self) -> None:
        """Delete staging folders that killed processes left. Only the process that holds the lock may call it."""
        if self.local is not None:
            shutil.rmtree(self.local / STAGING, ignore_errors=True)


def _in_parallel(tasks: Iterable[Callable[[], object]]) -> None:
    """Run all tasks. If tasks fail, the error of the first one is raised after all have ended."""
    with ThreadPoolExecutor(_WRITERS) as pool:
        for future in [pool.submit(task) for task in tasks]:
            future.result()


def _unwritable(problem: OSError) -> HomeError:
    return HomeError(
        f"the lake could not be written ({problem.strerror or problem}): free disk space or correct its permissions, "
        "then run again"
    )


def unreadable_files(lake: Lake, paths: Iterable[str]) -> list[str]:
    """The Parquet files of `paths` that are missing or damaged. Reads every file completely."""
    found = []
    for path in paths:
        try:
            lake.read_table(path)
        except (pa.ArrowException, OSError):
            found.append(path)
    return found


def _repeating(table: pa.Table) -> list[str]:
    """Columns to store with a dictionary: their first values repeat. Keys and times have too many different values."""
    start = table.slice(0, _SAMPLE_ROWS)
    return [
        name
        for name, column in zip(start.column_names, start.columns, strict=True)
        if not pa.types.is_nested(column.type)
        and not pa.types.is_timestamp(column.type)
        and 2 * pc.count_distinct(column).as_py() <= start.num_rows
    ]


def day_of_folder(name: str) -> date | None:
    """The day of a folder `day=2026-01-31`; None for a folder of another name."""
    try:
        return date.fromisoformat(name.removeprefix(_DAY)) if name.startswith(_DAY) else None
    except ValueError:
        return None


def _open_url(url: str) -> pa_fs.FileSystem:
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.makedirs(path, exist_ok=True)
    return pa_fs.SubTreeFileSystem(path, pa_fs.PyFileSystem(pa_fs.FSSpecHandler(filesystem)))
