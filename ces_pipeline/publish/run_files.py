"""Tables of the lake that get a file with each publish: many files are joined to one for each month.

A home that lands every few minutes would otherwise read thousands of files in each publish.
"""

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.publish.inputs import row_files
from ces_pipeline.schemas.table import Table
from ces_pipeline.schemas.tables import TABLES
from ces_pipeline.storage.journal import without_repeats
from ces_pipeline.storage.lake import Lake

PER_RUN = {"audit.check_results": "checked_at", "audit.restatements": "restated_at"}
"""Table with a file per run -> the column that names the month."""
_MOST_FILES = 300
_JOINED = "joined-"


def join_run_files(lake: Lake) -> None:
    """Join the files of each table that has too many. Needs the lock of a publish.

    The joined file is written before the others are deleted. If a process is killed in between, their rows are there
    twice, and every reader takes a key once.
    """
    for name, month_of in PER_RUN.items():
        table = TABLES[name]
        paths = [path for path in row_files(lake, table) if not _file_name(path).startswith(_JOINED)]
        if len(paths) > _MOST_FILES:
            _join(lake, table, month_of, paths)


def _join(lake: Lake, table: Table, month_of: str, paths: list[str]) -> None:
    rows, damaged = lake.read_tables(paths, table.arrow)
    months = pc.strftime(rows[month_of], format="%Y-%m")
    for month in pc.unique(months).to_pylist():
        path = f"{table.name.replace('.', '/')}/{_JOINED}{month}.parquet"
        before, damaged_before = lake.read_tables([path] if lake.exists(path) else [], table.arrow)
        if damaged_before:
            # The next publish sets it aside, and takes its rows from the published file.
            return
        added = rows.filter(pc.equal(months, month))
        lake.write_table(path, without_repeats(pa.concat_tables([before, added]), table.key))
    for path in paths:
        if path not in damaged:
            lake.delete(path)


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
