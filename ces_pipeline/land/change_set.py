"""A change to landed files that takes effect completely or not at all, also if the process is killed.

All new contents are staged in the lake first, then a plan is written, which commits the change; then the contents are
copied into place. The next landing finishes a plan that was committed, and removes one that was not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.fs as pa_fs

from ces_pipeline.errors import HomeError
from ces_pipeline.land.ledger import Delivery, commit
from ces_pipeline.storage.lake import Lake

_FOLDER = ".change"
_PLAN = f"{_FOLDER}/plan.json"


@dataclass
class ChangeSet:
    """One change. Open it with the landing lock; nothing is visible before `apply`."""

    lake: Lake
    _writes: list[tuple[str, str]] = field(default_factory=list)
    _deletes: list[str] = field(default_factory=list)
    _entries: list[Delivery] = field(default_factory=list)

    def write_table(self, path: str, table: pa.Table) -> tuple[int, str] | None:
        """Replace the file at `path`, or delete it if the table has no rows. Returns its size and SHA-256, or None."""
        if not table.num_rows:
            self._deletes.append(path)
            return None
        staged = self.lake.write_table(f"{_FOLDER}/{len(self._writes):06}.parquet", table)
        self._writes.append((staged.path, path))
        return staged.size, staged.sha256

    def write_bytes(self, path: str, data: bytes) -> None:
        """Replace the file at `path`."""
        staged = f"{_FOLDER}/{len(self._writes):06}"
        self.lake.write_bytes(staged, data)
        self._writes.append((staged, path))

    def delete(self, paths: Sequence[str]) -> None:
        self._deletes += paths

    def commit_entry(self, delivery: Delivery) -> None:
        """Replace a delivery's ledger entry."""
        self._entries.append(delivery)

    def apply(self) -> None:
        """Make the change. A call that is killed is finished by `finish_change`."""
        plan = {
            "writes": self._writes,
            "entries": [delivery.to_json().decode() for delivery in self._entries],
            "deletes": self._deletes,
        }
        self.lake.write_bytes(_PLAN, json.dumps(plan).encode())
        finish_change(self.lake)


def finish_change(lake: Lake) -> bool:
    """Finish a change that was committed, or drop one that was not. True if there was one to finish."""
    if not lake.list(_FOLDER):
        return False
    is_committed = lake.exists(_PLAN)
    if is_committed:
        try:
            plan = json.loads(lake.read_bytes(_PLAN))
            entries = [Delivery.from_json(entry.encode()) for entry in plan["entries"]]
            for staged, path in plan["writes"]:
                lake.write_bytes(path, lake.read_bytes(staged))
        except (ValueError, KeyError, TypeError, OSError) as problem:
            raise HomeError(
                f"{lake.root}/{_FOLDER} holds a correction that was interrupted, and its files are damaged "
                f"({type(problem).__name__}). Restore the lake from a backup; or delete that folder, run `ces doctor` "
                "to see which days no longer add up, and run the correction again"
            ) from problem
        for delivery in entries:
            commit(lake, delivery)
        for path in plan["deletes"]:
            lake.delete(path)
        # The plan goes first: what is staged may be lost from here on.
        lake.delete(_PLAN)
    if lake.files.get_file_info(_FOLDER).type == pa_fs.FileType.Directory:
        lake.files.delete_dir(_FOLDER)
    return is_committed
