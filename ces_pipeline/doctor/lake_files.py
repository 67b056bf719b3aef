"""Findings about the files of the lake: what the ledger and the commit markers name is there and can be read."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.fs as pa_fs

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.pipeline import publish_inputs
from ces_pipeline.publish.inputs import disagreeing
from ces_pipeline.registry import Registry
from ces_pipeline.reports.answers import published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.contract import Finding

_NAMED = 5


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
    problems, files = [], 0
    for delivery in deliveries:
        wrong = []
        for path, checksum in delivery.stored_files.items():
            files += 1
            if problem := _file_problem(lake, path, checksum):
                wrong.append(f"lake file {path} {problem}")
        if wrong:
            more = f", and {len(wrong) - 1} more of this delivery" if len(wrong) > 1 else ""
            problems.append(
                f"{wrong[0]}{more}. Run `ces run`: it lands {delivery.file_name} again if the inbox has it, or says "
                f"what it needs. Without the export, restore lake/raw/{delivery.source_id} and "
                f"lake/index/{delivery.source_id} from a backup"
            )
    known = {delivery.delivery_id for delivery in deliveries}
    if lost := sorted(_published_deliveries(home) - known):
        problems.append(
            f"{len(lost)} published deliveries, such as {lost[0][:12]}, are not in the ledger, so their rows would not "
            "be published again. Restore lake/ledger from a backup, or put their exports back into the inbox and run "
            "`ces run`"
        )
    unknown = sorted(
        info.path
        for info in lake.list("raw", recursive=True)
        if info.type == pa_fs.FileType.File
        and info.base_name.endswith(".parquet")
        and not info.base_name.startswith(".")
        and info.base_name.removesuffix(".parquet") not in known
    )
    yield from _listed("landed files", problems)
    if unknown:
        yield Finding(
            True,
            f"landed files: {len(unknown)} raw files, such as {unknown[0]}, belong to no delivery, so they do not "
            "count. A landing that was stopped, or that runs now, left them; the next one writes them again",
            is_warning=True,
        )
    if not problems:
        yield Finding(True, f"landed files: {files:,}, each as it was written")


def _published_deliveries(home: Home) -> set[str]:
    """The ids of the deliveries in the published file; empty if it cannot be read, which another check reports."""
    try:
        with published(home) as connection:
            return {
                row[0] for row in connection.execute("SELECT delivery_id FROM audit.deliveries").fetchall()
            }
    except CesError:
        return set()


def _file_problem(lake: Lake, path: str, checksum: tuple[int, str] | None) -> str | None:
    """What is wrong with a file of landed rows; None if nothing is. Reads it completely."""
    info = lake.files.get_file_info(path)
    if info.type == pa_fs.FileType.NotFound:
        return "is missing"
    if info.type == pa_fs.FileType.Directory:
        return "is a folder"
    if checksum is None:
        return None if _is_readable(lake, info) else "is damaged"
    size, sha256 = checksum
    if info.size != size:
        return f"has {info.size:,} bytes instead of {size:,}"
    return None if hashlib.sha256(lake.read_bytes(path)).hexdigest() == sha256 else "is not as it was written"


def damaged_files(home: Home) -> Iterator[Finding]:
    """Logs, commit markers, key files and caches that cannot be read."""
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
