"""Finds the newest of several versions of a row: by their own times, then by the order of receipt."""

import numpy as np
import pandas as pd

from ces_pipeline.rules.in_the_future import CLOCK_SKEW_SECONDS

_SKEW = pd.Timedelta(seconds=CLOCK_SKEW_SECONDS)
_OLDEST = pd.Timestamp("1900-01-01", tz="UTC")
_RANK = ["received_order", "received_at", "delivery_id", "row_number"]
_OUTCOME = pd.CategoricalDtype(["newest", "superseded", "landed_again"])


def resolve_versions(
    rows: pd.DataFrame,
    key: str,
    cross_day_revisions: pd.DataFrame | None = None,
    order: tuple[str, ...] = ("version_at",),
) -> pd.DataFrame:
    """The rows with columns `outcome` (`newest`, `superseded`, `landed_again`) and `revision` (1, 2, ...).

    rows: `key`, content, version_at (the row's own time), received_order, received_at, delivery_id, row_number; of a
    day and its look-back days.
    cross_day_revisions: `key`, content, day, version_at, received_order, received_at, delivery_id of all versions of
    keys that have versions on several days; rows then needs column `day`.
    order: the columns that decide which version is newer, most important first (nulls are oldest).
    If they are equal, the version that was received later is newer, in one delivery the later row. A content that was
    received again before any other content of that time belongs to the first delivery; the others are `landed_again`.
    A receipt before the row's own time counts only if there is no other: a clock was wrong.
    """
    all_newest = pd.Categorical.from_codes(np.zeros(len(rows), dtype=np.int8), dtype=_OUTCOME)
    result = rows.assign(outcome=all_newest, revision=1)
    crowded = rows[key].duplicated(keep=False).to_numpy()
    if crowded.any():
        few = rows.loc[crowded, list(dict.fromkeys([key, "content", "version_at", *order, *_RANK]))]
        few = few.sort_values([key, *order, *_RANK], kind="stable", na_position="first")
        again = _repeats_the_row_before(few, key)
        result.loc[few.index[again], "outcome"] = "landed_again"
        contents = few[~again]
        result.loc[contents.index, "revision"] = contents.groupby(key, sort=False).cumcount().to_numpy() + 1
        older = contents[key].duplicated(keep="last")
        result.loc[contents.index[older], "outcome"] = "superseded"
    if cross_day_revisions is not None and len(cross_day_revisions):
        _apply_cross_day_revisions(result, key, cross_day_revisions)
    return result


def newest(resolved: pd.DataFrame) -> pd.DataFrame:
    """The newest version of each row, with a new index."""
    counts = (resolved["outcome"] == "newest").to_numpy(dtype=bool)
    return resolved.reset_index(drop=True) if counts.all() else resolved[counts].reset_index(drop=True)


def _repeats_the_row_before(versions: pd.DataFrame, key: str) -> np.ndarray:
    """Which of the sorted versions only repeat another one: those with the key and the content of the one before.

    Of several such versions in a row, the first that was not received before its own time is none; else the first.
    """
    keys, contents = versions[key].to_numpy(), versions["content"].to_numpy()
    again = np.zeros(len(versions), dtype=bool)
    again[1:] = (keys[1:] == keys[:-1]) & (contents[1:] == contents[:-1])
    early = (versions["version_at"] > versions["received_at"] + _SKEW).to_numpy(dtype=bool)
    if not early.any():
        return again
    runs = np.cumsum(~again)
    places = pd.Series(np.arange(len(versions)))
    first = places.groupby(runs).transform("min").to_numpy()
    in_time = places.where(~early).groupby(runs).transform("min").to_numpy()
    owner = np.where(np.isnan(in_time), first, in_time)
    return np.asarray(places.to_numpy() != owner)


def _apply_cross_day_revisions(result: pd.DataFrame, key: str, revisions: pd.DataFrame) -> None:
    """Set outcome and revision of the rows that have versions on other days."""
    affected = result[result[key].isin(revisions[key]) & (result["outcome"] != "landed_again")]
    if affected.empty:
        return
    version = [key, "content", "delivery_id"]
    columns = [*version, "day", "version_at", "received_order", "received_at"]
    # The rows of this day replace their copies, because only they have row numbers.
    here = affected[[*columns, "row_number"]].astype({"row_number": "float64"}).assign(place=affected.index)
    others = revisions.loc[revisions[key].isin(affected[key]), columns]
    copies = others.set_index(version).index.isin(affected.set_index(version).index)
    elsewhere = others[~copies].drop_duplicates(version).assign(row_number=np.nan, place=-1)
    history = pd.concat([here, elsewhere], ignore_index=True)
    history["version_at"] = history["version_at"].fillna(_OLDEST)
    history = history.sort_values([key, "version_at", *_RANK], kind="stable")
    again = _repeats_the_row_before(history, key)
    contents = history[~again]
    revision = (contents.groupby(key, sort=False).cumcount() + 1).to_numpy()
    is_newest = ~contents[key].duplicated(keep="last").to_numpy()
    own = contents["place"].to_numpy() >= 0
    places = contents["place"].to_numpy()[own]
    # A row without a usable time lies on its day of receipt: receiving it again later adds no row.
    result.loc[affected.index, "outcome"] = "landed_again"
    result.loc[affected.index, "revision"] = 1
    result.loc[places, "outcome"] = np.where(is_newest, "newest", "superseded")[own]
    result.loc[places, "revision"] = revision[own]
