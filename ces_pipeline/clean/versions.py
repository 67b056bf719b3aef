"""Finds the newest of several versions of a row. The order of landing does not matter."""

import numpy as np
import pandas as pd

_OLDEST = pd.Timestamp("1900-01-01", tz="UTC")
_RANK = ["as_of", "delivery_id", "row_number"]
_OUTCOME = pd.CategoricalDtype(["newest", "superseded", "landed_again"])


def resolve_versions(
    rows: pd.DataFrame,
    key: str,
    cross_day_revisions: pd.DataFrame | None = None,
    order: tuple[str, ...] = ("event_at",),
) -> pd.DataFrame:
    """The rows with columns `outcome` (`newest`, `superseded`, `landed_again`) and `revision` (1, 2, ...).

    rows: `key`, content, event_at, as_of, delivery_id, row_number; of a day and its look-back days.
    cross_day_revisions: `key`, content, day, event_at, as_of, delivery_id of all versions of keys that have versions
    on several days; rows then needs column `day`.
    order: the columns that decide which version is newer, most important first (nulls are oldest).
    If they are equal, the greater (as_of, delivery_id, row_number) is newer. The same content in several deliveries
    belongs to the oldest of them; the others are `landed_again`.
    """
    all_newest = pd.Categorical.from_codes(np.zeros(len(rows), dtype=np.int8), dtype=_OUTCOME)
    result = rows.assign(outcome=all_newest, revision=1)
    crowded = rows[key].duplicated(keep=False).to_numpy()
    if crowded.any():
        few = rows.loc[crowded, [key, "content", *order, *_RANK]].sort_values([key, *_RANK], kind="stable")
        again = few.duplicated([key, "content"], keep="first")
        result.loc[few.index[again], "outcome"] = "landed_again"
        contents = few[~again].sort_values([key, *order, *_RANK], kind="stable", na_position="first")
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


def _apply_cross_day_revisions(result: pd.DataFrame, key: str, revisions: pd.DataFrame) -> None:
    """Set outcome and revision of the rows that have versions on other days."""
    affected = result[result[key].isin(revisions[key]) & (result["outcome"] != "landed_again")]
    if affected.empty:
        return
    columns = [key, "content", "day", "event_at", "as_of", "delivery_id"]
    # The rows of this day come first, because only they have row numbers.
    here = affected[[*columns, "row_number"]].astype({"row_number": "float64"})
    elsewhere = revisions.loc[revisions[key].isin(affected[key]), columns].assign(row_number=np.nan)
    history = pd.concat([here, elsewhere], ignore_index=True)
    history["event_at"] = history["event_at"].fillna(_OLDEST)
    history = history.sort_values([key, "as_of", "delivery_id"], kind="stable").drop_duplicates(
        [key, "content"]
    )
    history = history.sort_values([key, "event_at", *_RANK], kind="stable")
    history["revision"] = history.groupby(key, sort=False).cumcount() + 1
    history["is_newest"] = ~history[key].duplicated(keep="last")
    resolved = history[[key, "content", "revision", "is_newest", "day"]].rename(columns={"day": "own_day"})
    joined = affected[[key, "content", "day"]].merge(resolved, on=[key, "content"], how="left")
    outcome = np.where(joined["is_newest"].to_numpy(), "newest", "superseded")
    # A row without a usable time lies on its day of receipt: receiving it again later adds no row.
    elsewhere_owned = (joined["own_day"] != joined["day"]).to_numpy(dtype=bool)
    result.loc[affected.index, "revision"] = np.where(elsewhere_owned, 1, joined["revision"].to_numpy())
    result.loc[affected.index, "outcome"] = np.where(elsewhere_owned, "landed_again", outcome)
