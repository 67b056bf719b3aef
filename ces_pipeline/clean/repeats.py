"""Finds rows that repeat an earlier row."""

import numpy as np
import pandas as pd


def repeated(
    rows: pd.DataFrame, key: list[pd.Series], seconds: np.ndarray, eligible: np.ndarray
) -> np.ndarray:
    """True if the latest earlier eligible row with the same key is at most `seconds` before this row.

    rows: event_at, response_id, response_key. seconds: one value per row. A row whose first key part is null repeats
    no row. Rows at the same time are ordered by response id, then by response key: two sources may use the same ids.
    """
    repeat = np.zeros(len(rows), dtype=bool)
    known = (key[0].notna() & rows["event_at"].notna()).to_numpy()
    if not known.any():
        return repeat
    # Most values of the first key part occur once: those rows repeat no row.
    positions = np.flatnonzero(known)
    group = pd.factorize(key[0].iloc[positions])[0].astype(np.int64)
    crowded = np.bincount(group)[group] > 1
    for part in key[1:]:
        positions, group = positions[crowded], group[crowded]
        codes = pd.factorize(part.iloc[positions])[0].astype(np.int64)
        group = pd.factorize(group * (len(codes) + 1) + codes + 1)[0].astype(np.int64)
        crowded = np.bincount(group)[group] > 1 if len(group) else np.zeros(0, dtype=bool)
    if not crowded.any():
        return repeat
    positions = positions[crowded]
    at = rows["event_at"].to_numpy(dtype="datetime64[us]")[positions]
    ids, keys = (
        pd.factorize(rows[name].iloc[positions], sort=True)[0] for name in ("response_id", "response_key")
    )
    order = np.lexsort((keys, ids, at, group[crowded]))
    positions, at, group = positions[order], at[order].astype("int64"), group[crowded][order]
    # The position of the latest eligible row before each row, and whether it is in the same group.
    places = np.where(eligible[positions], np.arange(len(positions)), -1)
    before = np.concatenate([[-1], np.maximum.accumulate(places)[:-1]])
    same = (before >= 0) & (group[before] == group)
    repeat[positions] = same & (at - at[before] <= seconds[positions] * 1e6)
    return repeat
