"""How a day's rows differ from those that its files hold: which rows are judged otherwise, and which have other values.

Frames in, counts out; no file is read or written here.
"""

from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa

from ces_pipeline.schemas.kinds import KINDS

_NO_ROW = "no row"
_OF_THE_CODE = "rule_version"
"""Names the code that judged a rejected row, also if it judges as before."""

Tables = tuple[pa.Table, pa.Table]
"""Accepted and rejected rows of a day."""


def day_changes(kind: str, before: Tables, now: Tables) -> dict[str, int]:
    """Change in words -> its rows; empty if the rows are equal, whatever code judged them.

    A change of the verdict is `rejected (too_fast) -> accepted`; one of values names the columns.
    """
    before, now = (_without_code(tables) for tables in (before, now))
    if all(was.equals(rows) for was, rows in zip(before, now, strict=True)):
        return {}
    was, rows = (_judged(kind, tables) for tables in (before, now))
    identity = [KINDS[kind].key, "delivery_id", "place"]
    both = was.merge(rows, on=identity, how="outer", suffixes=("_was", ""))
    verdicts = [both[name].fillna(_NO_ROW) for name in ("verdict_was", "verdict")]
    is_other = (verdicts[0] != verdicts[1]).to_numpy()
    found = Counter(
        f"{one} -> {other}" for one, other in zip(verdicts[0][is_other], verdicts[1][is_other], strict=True)
    )
    same = both[~is_other]
    names = sorted(set(rows.columns) - {*identity, "verdict"})
    differs = {name: _differ(same[f"{name}_was"], same[name]) for name in names}
    for place in np.flatnonzero(np.logical_or.reduce([*differs.values()])):
        changed = [name for name, flags in differs.items() if flags[place]]
        found[f"other values of {', '.join(changed)}"] += 1
    return dict(found)


def _without_code(tables: Tables) -> Tables:
    accepted, rejected = (
        rows.drop_columns([_OF_THE_CODE]) if _OF_THE_CODE in rows.column_names else rows for rows in tables
    )
    return accepted, rejected


def _judged(kind: str, tables: Tables) -> pd.DataFrame:
    """The rows of both tables with their verdict in words.

    place: the number of a row among those of its key and delivery.
    """
    parts = []
    for rows, word, listed in zip(tables, ("accepted", "rejected"), ("flags", "reasons"), strict=True):
        frame = rows.to_pandas()
        lists = frame.pop(listed) if listed in frame else pd.Series([None] * len(frame), index=frame.index)
        # Null: the files of an earlier release have no flags of tickets.
        reasons = lists.map(lambda names: "" if names is None else ", ".join(names)).astype("str")
        words = pd.Series(word, index=frame.index, dtype="object")
        if "is_suspect" in frame:
            words = words.mask(frame.pop("is_suspect").astype("bool"), "suspect")
        parts.append(frame.assign(verdict=words.where(reasons == "", words + " (" + reasons + ")")))
    judged: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return judged.assign(place=judged.groupby([KINDS[kind].key, "delivery_id"]).cumcount())


def _differ(was: pd.Series, now: pd.Series) -> np.ndarray:
    is_null = was.isna() & now.isna()
    flags: np.ndarray = ((was != now) & ~is_null).to_numpy(dtype=bool, na_value=True)
    return flags
