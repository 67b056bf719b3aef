"""Which of several contents of one row is the one that counts. Order of landing plays no part in it."""

import numpy as np
import pandas as pd

_OLDEST = pd.Timestamp("1900-01-01", tz="UTC")
_RANK = ["as_of", "delivery_id", "row_number"]
_OUTCOME = pd.CategoricalDtype(["newest", "superseded", "landed_again"])


def resolve_versions(
    rows: pd.DataFrame, key: str, moves: pd.DataFrame | None = None, order: tuple[str, ...] = ("event_at",)
) -> pd.DataFrame:
    """The rows with columns `outcome` (`newest`, `superseded`, `landed_again`) and `revision` (1, 2, ...).

    rows: `key`, content, event_at, as_of, delivery_id, row_number; of a day and the days it looks back on.
    moves: key, content, day, event_at, as_of, delivery_id of keys with contents on several days; rows then needs `day`.
    order: the columns that say which content is newer, most important first (nulls are oldest).
    Among equals newest is the delivery with the later as_of, then the greater id, then row number.
    The same content twice (deliveries came out of order) belongs to the oldest delivery that holds it.
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
    if moves is not None and len(moves):
        _apply_moves(result, key, moves)
    return result


def newest(resolved: pd.DataFrame) -> pd.DataFrame:
    """The rows that count, renumbered."""
    counts = (resolved["outcome"] == "newest").to_numpy(dtype=bool)
    return resolved.reset_index(drop=True) if counts.all() else resolved[counts].reset_index(drop=True)


def _apply_moves(result: pd.DataFrame, key: str, moves: pd.DataFrame) -> None:
    """Set outcome and revision of rows whose other contents stand on other days."""
    affected = result[result[key].isin(moves[key]) & (result["outcome"] != "landed_again")]
    if affected.empty:
        return
    columns = [key, "content", "day", "event_at", "as_of", "delivery_id"]
    # The rows at hand come first, since only they tell their row number.
    here = affected[[*columns, "row_number"]].astype({"row_number": "float64"})
    elsewhere = moves.loc[moves[key].isin(affected[key]), columns].assign(row_number=np.nan)
    history = pd.concat([here, elsewhere], ignore_index=True)
    history["event_at"] = history["event_at"].fillna(_OLDEST)
    history = history.sort_values([key, "as_of", "delivery_id"], kind="stable").drop_duplicates(
        [key, "content"]
    )
    history = history.sort_values([key, "event_at", *_RANK], kind="stable")
    history["revision"] = history.groupby(key, sort=False).cumcount() + 1
    history["is_newest"] = ~history[key].duplicated(keep="last")
    told = history[[key, "content", "revision", "is_newest", "day"]].rename(columns={"day": "own_day"})
    joined = affected[[key, "content", "day"]].merge(told, on=[key, "content"], how="left")
    outcome = np.where(joined["is_newest"].to_numpy(), "newest", "superseded")
    # A row without a usable time lies on the day of its receipt: a later receipt of it is no row of its own.
    elsewhere_owned = (joined["own_day"] != joined["day"]).to_numpy(dtype=bool)
    result.loc[affected.index, "revision"] = np.where(elsewhere_owned, 1, joined["revision"].to_numpy())
    result.loc[affected.index, "outcome"] = np.where(elsewhere_owned, "landed_again", outcome)
