"""Findings about the files of the lake: what the ledger and the commit markers name is there and can be read."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.land.paths import index_file, raw_file
from ces_pipeline.pipeline import publish_inputs
from ces_pipeline.publish.inputs import disagreeing
from ces_pipeline.registry import Registry
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding

_NAMED = 5
_RESTORE = (
    "Restore it from a backup. Without a backup, put the export ({file}) back into inbox/{source}, take the delivery "
    "back with `ces unland {delivery}`, and run `ces run`"
)


def ledger_entries(home: Home) -> Iterator[Finding]:
    """Entries of the ledger that cannot be read."""
    lake = Lake(home.lake)
    damaged = []
    for info in lake.list("ledger", recursive=True):
        if info.path.count("/") == 2 and info.path.endswith(".json") and not info.base_name.startswith("."):
            try:
                Delivery.from_json(lake.read_bytes(info.path))
            except Exception:
                damaged.append(info.path)
    try:
        known = len(Ledger.read(lake).deliveries)
    except CesError as problem:
        yield Finding(False, f"ledger: {problem}")
        return
    for path in sorted(damaged):
        yield Finding(
            False, f"ledger: lake file {path} is damaged. Run `ces run`, which writes it again from its copy"
        )
    if not damaged:
        yield Finding(True, f"ledger: {known:,} deliveries")


def landed_files(home: Home) -> Iterator[Finding]:
    """Raw files and key files that the ledger names, and raw files of deliveries that it does not know."""
    lake = Lake(home.lake)
    deliveries = Ledger.read(lake).deliveries
    problems, named, files = [], set(), 0
    for delivery in deliveries:
        advice = _RESTORE.format(
            file=delivery.file_name, source=delivery.source_id, delivery=delivery.delivery_id[:12]
        )
        for day, (landed, _) in sorted(delivery.days.items()):
            path = raw_file(delivery.source_id, delivery.delivery_id, day)
            named.add(path)
            if landed and (problem := _row_problem(lake, path, landed)):
                problems.append(f"lake file {path} {problem}. {advice}")
            files += bool(landed)
        keys = index_file(delivery.source_id, delivery.delivery_id)
        if delivery.rows_landed and not lake.exists(keys):
            problems.append(
                f"lake file {keys} is missing. Run `ces run`: it makes it anew, or says what it needs"
            )
    known = {delivery.delivery_id for delivery in deliveries}
    unknown = sorted(
        info.path
        for info in lake.list("raw", recursive=True)
        if info.type == pa_fs.FileType.File
        and info.base_name.endswith(".parquet")
        and not info.base_name.startswith(".")
        and info.base_name.removesuffix(".parquet") not in known
    )
    if unknown:
        problems.append(
            f"{len(unknown)} raw files, such as {unknown[0]}, belong to a delivery that the ledger does not know, so "
            "their rows do not count. Restore lake/ledger from a backup, or put the export back into the inbox and run "
            "`ces run`"
        )
    yield from _listed("landed files", problems)
    if not problems:
        yield Finding(True, f"landed files: {files:,} raw files, each with the rows that the ledger names")


def _row_problem(lake: Lake, path: str, rows: int) -> str | None:
    """What is wrong with a raw file of so many rows, from its footer; None if nothing is."""
    kind = lake.files.get_file_info(path).type
    if kind == pa_fs.FileType.NotFound:
        return "is missing"
    if kind == pa_fs.FileType.Directory:
        return "is a folder"
    try:
        with lake.files.open_input_file(path) as source:
            found = pq.ParquetFile(source).metadata.num_rows
    except (pa.ArrowException, OSError):
        return "is damaged"
    return None if found == rows else f"has {found:,} rows, but the ledger names {rows:,}"


def damaged_files(home: Home) -> Iterator[Finding]:
    """Logs, key files and caches that cannot be read. Raw files and day files are examined elsewhere."""
    lake = Lake(home.lake)
    problems, files = [], 0
    for info in [*lake.list("audit", recursive=True), *lake.list("index", recursive=True)]:
        if info.base_name.startswith(".") or ".damaged-" in info.path:
            continue
        if info.base_name.endswith(".parquet"):
            files += 1
            if not _is_readable(lake, info):
                problems.append(
                    f"lake file {info.path} is damaged. Run `ces run`: it makes it good, or says what it needs"
                )
    for info in lake.list("ledger", recursive=True):
        if info.base_name == ".seen" and not _is_json(lake, info):
            problems.append(f"lake file {info.path} is damaged. It is only a cache: `ces run` makes it anew")
    yield from _listed("lake", problems)
    if not problems:
        yield Finding(True, f"lake: {files:,} logs, commit markers and key files can be read")


def day_files(home: Home, registry: Registry) -> Iterator[Finding]:
    """Day files that differ from their commit markers."""
    state = publish_inputs(home, registry)
    wrong = disagreeing(Lake(home.lake), state.day_files)
    yield from _listed(
        "day files",
        [
            f"{table} of {day}: the file is missing or was changed after cleaning. Run `ces run`, which cleans that "
            "day again"
            for table, day in wrong
        ],
    )
    if not wrong:
        yield Finding(True, f"day files: {len(state.day_files):,}, each as it was cleaned")


def set_aside(home: Home) -> Iterator[Finding]:
    """Damaged files that a run set aside."""
    found = sorted(path for path in home.root.rglob("*.damaged-*"))
    found += sorted((home.dagster).glob("damaged-*")) if home.dagster.is_dir() else []
    if found:
        yield Finding(
            True,
            f"lake: {len(found)} damaged files were set aside, such as {found[0]}. If you need nothing of them, "
            "delete them",
            is_warning=True,
        )


def _is_readable(lake: Lake, info: Any) -> bool:
    if info.type != pa_fs.FileType.File:
        return False
    try:
        lake.read_table(info.path)
    except (pa.ArrowException, OSError):
        return False
    return True


def _is_json(lake: Lake, info: Any) -> bool:
    try:
        json.loads(lake.read_bytes(info.path))
    except (OSError, ValueError):
        return False
    return True


def _listed(subject: str, problems: Iterable[str]) -> Iterator[Finding]:
    found = list(problems)
    yield from (Finding(False, f"{subject}: {text}") for text in found[:_NAMED])
    if len(found) > _NAMED:
        yield Finding(False, f"{subject}: {len(found) - _NAMED} more problems of this kind")
