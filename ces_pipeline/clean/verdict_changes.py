"""The history of verdicts: which responses of a day are judged otherwise than before, and why."""

from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.clean.plan import DayPlan
from ces_pipeline.schemas.audit import VERDICT_CHANGES
from ces_pipeline.schemas.responses import REJECTED_RESPONSES, RESPONSES
from ces_pipeline.storage.journal import without_repeats
from ces_pipeline.storage.lake import UNREADABLE, Lake

VERDICT_COLUMNS = (
    *("response_key", "delivery_id", "source_id", "survey_id", "day"),
    *("verdict_before", "verdict_now", "reasons_before", "reasons_now"),
)
_COMMA = ","
_ROW = ["response_key", "delivery_id"]
_ACCEPTED = ["response_key", "source_id", "survey_id", "delivery_id", "is_suspect", "flags"]
_REJECTED = ["response_key", "source_id", "survey_id", "delivery_id", "reasons"]


def store_changes(
    lake: Lake, plan: DayPlan, tables: dict[str, dict[date, pa.Table]], run_id: str, now: datetime
) -> None:
    """Add the changed verdicts of a day to its history. Call it before the day's files are replaced.

    tables: table -> day -> new rows. A day that is judged again by the same inputs adds nothing.
    """
    found = changes_of_day(lake, plan.day, tables)
    if found.empty:
        return
    facts: dict[str, Any] = {
        "rule_version": plan.rule_version,
        "inputs": plan.inputs,
        "run_id": run_id,
        "changed_at": now,
    }
    # An answer of no registered survey has no survey_id; pandas writes that as NaN, which is no text.
    records = found.astype("object").where(found.notna(), None).to_dict("records")
    rows = pa.Table.from_pylist([{**row, **facts} for row in records], schema=VERDICT_CHANGES.arrow)
    path = lake.day_file(VERDICT_CHANGES.name, plan.day)
    try:
        stored = [lake.read_table(path).cast(VERDICT_CHANGES.arrow)] if lake.exists(path) else []
    except UNREADABLE:
        lake.set_aside(path)
        stored = []
    lake.write_table(path, without_repeats(pa.concat_tables([*stored, rows]), VERDICT_CHANGES.key))


def changes_of_day(lake: Lake, day: date, tables: dict[str, dict[date, pa.Table]]) -> pd.DataFrame:
    """The responses of a day that are judged otherwise than in the lake's files, as `changes`, with `day`.

    tables: table -> day -> new rows.
    """
    before = [_stored(lake, name, day, columns) for name, columns in _parts()]
    if not any(part.num_rows for part in before):
        return pd.DataFrame()
    now = [
        tables[name][day].select(columns) if day in tables[name] else _empty(name, columns)
        for name, columns in _parts()
    ]
    if all(was.equals(rows) for was, rows in zip(before, now, strict=True)):
        return pd.DataFrame()
    return changes(before[0], before[1], now[0], now[1]).assign(day=day)


def changes(
    accepted_before: pa.Table, rejected_before: pa.Table, accepted_now: pa.Table, rejected_now: pa.Table
) -> pd.DataFrame:
    """The responses with the same content whose verdict or reasons differ: identity, verdicts and reasons.

    The tables have the columns _ACCEPTED or _REJECTED.
    """
    before = _verdicts(accepted_before, rejected_before)
    now = _verdicts(accepted_now, rejected_now).drop(columns=["source_id", "survey_id"])
    both = before.merge(now, on=_ROW, suffixes=("_before", "_now"))
    differ = (both["verdict_before"] != both["verdict_now"]) | (both["reasons_before"] != both["reasons_now"])
    found: pd.DataFrame = both[differ].reset_index(drop=True)
    for name in ("reasons_before", "reasons_now"):
        found[name] = [text.split(_COMMA) if text else [] for text in found[name]]
    return found


def _verdicts(accepted: pa.Table, rejected: pa.Table) -> pd.DataFrame:
    """Each response with its verdict, and its reasons or flags as one text."""
    verdicts = {
        "accepted": pc.if_else(accepted["is_suspect"], "suspect", "accepted"),
        "rejected": pa.array(["rejected"] * rejected.num_rows, pa.string()),
    }
    parts = []
    for rows, verdict, reasons in (
        (accepted, verdicts["accepted"], accepted["flags"]),
        (rejected, verdicts["rejected"], rejected["reasons"]),
    ):
        table = rows.select([*_ROW, "source_id", "survey_id"])
        table = table.append_column("verdict", verdict).append_column(
            "reasons", pc.binary_join(reasons, _COMMA)
        )
        parts.append(table)
    joined = pa.concat_tables(parts, promote_options="permissive")
    found: pd.DataFrame = joined.to_pandas().drop_duplicates(_ROW)
    return found


def _parts() -> tuple[tuple[str, list[str]], tuple[str, list[str]]]:
    return (RESPONSES.name, _ACCEPTED), (REJECTED_RESPONSES.name, _REJECTED)


def _stored(lake: Lake, name: str, day: date, columns: list[str]) -> pa.Table:
    """The rows of the day's file; none if it is missing or damaged."""
    path = lake.day_file(name, day)
    try:
        return lake.read_table(path, columns) if lake.exists(path) else _empty(name, columns)
    except UNREADABLE:
        return _empty(name, columns)


def _empty(name: str, columns: list[str]) -> pa.Table:
    schema = (RESPONSES if name == RESPONSES.name else REJECTED_RESPONSES).arrow
    return pa.schema([schema.field(column) for column in columns]).empty_table()
