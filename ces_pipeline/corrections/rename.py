"""What happens to landed rows when an entry of sources.yaml gets another id or is removed.

A removed entry with landed rows is refused, because its rows would vanish from the published file. A rename moves the
folders of the earlier id to the new one. A killed move is finished by the next run. The keys of rows do not change.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pa_fs

from ces_pipeline.corrections.log import Correction, record
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger, commit
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.journal import is_data_file
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.last_results import results_file
from ces_pipeline.storage.locks import exclusive

_LEDGER, _INDEX, _AUDIT, _MARKERS = "ledger", "index", "audit", "audit/load_audit"
_MOVED_AS_THEY_ARE = ("raw", "pulls")
_RECORD = ".formerly"


def follow_registry(home: Home, registry: Registry, *, is_dry: bool = False) -> list[str]:
    """Refuse removed entries, then move what landed under earlier ids. Returns a note for each rename.

    Call it before anything lands, is cleaned or is published. With `is_dry` it moves nothing. Raises RegistryError,
    before anything changes, for landed rows whose source is not in the registry, and for a `formerly` that does not
    fit what has landed.
    """
    lake = Lake(home.lake)
    landed = _Landed(lake)
    _refuse_removed(landed, registry)
    pending = [(source, list(_pending(landed, source))) for source in registry.sources.values()]
    for source in registry.sources.values():
        _refuse_other_keys(landed, source)
    if is_dry:
        return []
    return [_rename(home, lake, source, old_id) for source, old_ids in pending for old_id in old_ids]


@dataclass
class _Landed:
    """What lies in the lake, by source id."""

    lake: Lake

    @cached_property
    def folders(self) -> set[str]:
        """The ids with a folder in the ledger."""
        return {
            info.base_name
            for info in self.lake.list(_LEDGER)
            if info.type == pa_fs.FileType.Directory and not info.base_name.startswith(".")
        }

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger.read(self.lake)

    def deliveries(self, source_id: str) -> list[Delivery]:
        return self._ledger.of_source(source_id) if source_id in self.folders else []

    def rows(self, source_id: str) -> int:
        return sum(delivery.rows_landed for delivery in self.deliveries(source_id))

    def renamed(self, source_id: str) -> list[str]:
        """The earlier ids whose rows were moved to this id, the oldest first."""
        path = f"{_LEDGER}/{source_id}/{_RECORD}"
        if source_id not in self.folders or not self.lake.exists(path):
            return []
        names: list[str] = json.loads(self.lake.read_bytes(path))
        return names


def _refuse_removed(landed: _Landed, registry: Registry) -> None:
    known = {name for source in registry.sources.values() for name in (source.id, *source.formerly)}
    removed = [(name, rows) for name in sorted(landed.folders - known) if (rows := landed.rows(name))]
    if removed:
        listed = ", ".join(f"{name} ({rows:,} landed rows)" for name, rows in removed)
        first = removed[0][0]
        raise RegistryError(
            f"registry/sources.yaml: entry {listed} is missing, and its rows would vanish from the published file. "
            f"If the source has ended, restore the entry and set ended_on: DATE. If it has a new id, write formerly: "
            f"[{first}] in the new entry. Nothing was changed"
        )


def _pending(landed: _Landed, source: Source) -> Iterator[str]:
    """The earlier ids of a source that still have folders in the lake."""
    for old_id in source.formerly:
        if old_id in landed.folders or any(_folders_of(landed.lake, old_id)):
            yield old_id


def _refuse_other_keys(landed: _Landed, source: Source) -> None:
    """Rows of an id keep the keys of its first id, so `formerly` must begin with it."""
    for source_id in (source.id, *source.formerly):
        earlier = landed.renamed(source_id)
        chain = [*earlier, source_id] if source_id != source.id else earlier
        missing = [name for name in chain if name not in source.formerly]
        first = earlier[0] if earlier else source_id
        if missing or (first != source.first_id and landed.rows(source_id)):
            if not missing and not earlier:
                raise RegistryError(
                    f"registry/sources.yaml: entry {source.id}: formerly: {source_id} has "
                    f"{landed.rows(source_id):,} landed rows of its own, and so cannot be the same source as "
                    f"{source.first_id}. Give each of them its own entry, or take back the rows of one. Nothing was "
                    f"changed"
                )
            wanted = ", ".join(dict.fromkeys([*chain, *source.formerly]))
            raise RegistryError(
                f"registry/sources.yaml: entry {source.id}: formerly must name the ids that the source had, the "
                f"oldest first, because the keys of its rows are made from the first: write formerly: [{wanted}]. "
                f"Nothing was changed"
            )


def _folders_of(lake: Lake, source_id: str) -> Iterator[str]:
    """The folders of a source besides that of the ledger."""
    journals = [info.path for info in lake.list(_AUDIT) if info.type == pa_fs.FileType.Directory]
    for parent in (*_MOVED_AS_THEY_ARE, _INDEX, *journals):
        path = f"{parent}/{source_id}"
        if lake.files.get_file_info(path).type == pa_fs.FileType.Directory:
            yield path


def _rename(home: Home, lake: Lake, source: Source, old_id: str) -> str:
    """Move everything that landed under an earlier id; returns a note.

    A pull, a landing, a cleaning or a publish that runs meanwhile ends first, and later ones wait. The ledger entries
    are written after the rows are moved, and the earlier folders are deleted last: a killed move is repeated.
    """
    pulls = home.lake / "pulls" / old_id
    locks = [
        *([pulls / ".lock"] if pulls.is_dir() else []),
        home.lake / ".landing.lock",
        *(home.lake / f".cleaning-{kind}.lock" for kind in KINDS),
        home.warehouse / ".publish.lock",
    ]
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(exclusive(lock))
        landed = _Landed(lake)
        deliveries = landed.deliveries(old_id)
        moved = landed.renamed(source.id)
        if old_id not in moved:
            detail = f"{old_id} is now {source.id}"
            record(lake, Correction("rename", landed.rows(old_id), source_id=source.id, detail=detail))
            ids = [*(moved or landed.renamed(old_id)), old_id]
            lake.write_bytes(f"{_LEDGER}/{source.id}/{_RECORD}", json.dumps(ids).encode())
        for parent in _MOVED_AS_THEY_ARE:
            _move_files(lake, f"{parent}/{old_id}", f"{parent}/{source.id}")
        # The index also holds copies of the entries, which name the source: they are written with the entries.
        _move_files(lake, f"{_INDEX}/{old_id}", f"{_INDEX}/{source.id}", ".parquet")
        for delivery in deliveries:
            commit(lake, replace(delivery, source_id=source.id))
        _move_journals(lake, old_id, source.id)
        _rename_in_markers(lake, old_id, source.id)
        lake.delete(results_file(f"land-{old_id}"))
        _delete_folder(lake, f"{_INDEX}/{old_id}")
        for info in lake.list(f"{_LEDGER}/{old_id}"):
            if info.base_name.startswith(".") and info.base_name != _RECORD:
                _move(lake, info.path, f"{_LEDGER}/{source.id}/{info.base_name}")
        _delete_folder(lake, f"{_LEDGER}/{old_id}")
        for path in list(_folders_of(lake, old_id)):
            _delete_folder(lake, path)
    rows = _Landed(lake).rows(source.id)
    is_read = f". The folder inbox/{old_id} is still read" if (home.inbox / old_id).is_dir() else ""
    return f"{old_id} is now {source.id}: its {rows:,} landed rows are kept{is_read}"


def _move_files(lake: Lake, old: str, new: str, suffix: str = "") -> None:
    """Move all files below a folder. A file that is there already was moved before, or landed under both ids."""
    for info in lake.list(old, recursive=True):
        is_lock = info.base_name.endswith(".lock")
        if info.type == pa_fs.FileType.File and info.base_name.endswith(suffix) and not is_lock:
            _move(lake, info.path, f"{new}/{info.path.removeprefix(f'{old}/')}")


def _move(lake: Lake, old: str, new: str) -> None:
    if not lake.exists(new):
        lake.files.create_dir(new.rpartition("/")[0], recursive=True)
        lake.files.move(old, new)


def _move_journals(lake: Lake, old_id: str, new_id: str) -> None:
    """Write the logs of the earlier id under the new one. Readers drop a row that is there twice after a kill."""
    for folder in list(_folders_of(lake, old_id)):
        if not folder.startswith(f"{_AUDIT}/"):
            continue
        for info in lake.list(folder):
            if not info.base_name.endswith(".parquet") or info.base_name.startswith("."):
                continue
            path = f"{folder.rpartition('/')[0]}/{new_id}/{info.base_name}"
            try:
                rows = _with_source(lake.read_table(info.path), old_id, new_id)
            except (pa.ArrowInvalid, OSError):
                # The journal sets a damaged file aside.
                _move(lake, info.path, path)
                continue
            if lake.exists(path):
                rows = pa.concat_tables([lake.read_table(path), rows], promote_options="default")
            lake.write_table(path, rows)
            lake.delete(info.path)


def _rename_in_markers(lake: Lake, old_id: str, new_id: str) -> None:
    """The history of cleanings names the source by its new id."""
    for info in lake.list(_MARKERS, recursive=True):
        if info.type != pa_fs.FileType.File or not is_data_file(info.base_name):
            continue
        try:
            rows = lake.read_table(info.path)
        except (pa.ArrowInvalid, OSError):
            # A damaged marker makes its day stale: it is written again when the day is cleaned.
            continue
        if pc.any(pc.equal(rows["source_id"], old_id)).as_py():
            lake.write_table(info.path, _with_source(rows, old_id, new_id))


def _with_source(rows: pa.Table, old_id: str, new_id: str) -> pa.Table:
    if "source_id" not in rows.column_names:
        return rows
    place = rows.schema.get_field_index("source_id")
    names = rows["source_id"]
    renamed = pc.if_else(pc.equal(names, old_id), pa.scalar(new_id, names.type), names)
    return rows.set_column(place, rows.schema.field(place), renamed)


def _delete_folder(lake: Lake, path: str) -> None:
    if lake.files.get_file_info(path).type == pa_fs.FileType.Directory:
        lake.files.delete_dir(path)
