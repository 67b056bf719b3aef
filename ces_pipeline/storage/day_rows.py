"""Rows of a table that has one small file per day, such as the commit markers of a kind's days."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from ces_pipeline.storage.lake import FileState, Lake, day_of_folder
from ces_pipeline.storage.small_files import small_file_rows

_FILE = "part-0.parquet"


def day_rows_file(folder: str, day: date) -> str:
    """Path of a day's file below a folder of days."""
    return f"{folder}/day={day.isoformat()}/{_FILE}"


@dataclass(frozen=True)
class DayRows:
    """The rows of all days in a folder, by day; the day of each row; and the state of each day's file."""

    rows: pa.Table
    days: list[date]
    states: dict[date, FileState]


def read_day_rows(lake: Lake, folder: str, schema: pa.Schema) -> DayRows:
    """The rows of every day below a folder, with columns `schema`, without those of damaged files.

    Opens only files that are new or changed.
    """
    days = {f"{name}/{_FILE}": day for name in lake.names(folder) if (day := day_of_folder(name))}
    found = lake.states(folder, [f"{folder}/{name}" for name in days])
    states = {path.removeprefix(f"{folder}/"): state for path, state in found.items()}
    read = small_file_rows(
        lake, folder, states, schema, lambda name: lake.read_tables([f"{folder}/{name}"], schema)[0]
    )
    return DayRows(
        read.rows.select(schema.names),
        [days[name] for name in read.names],
        {days[name]: state for name, state in states.items()},
    )
