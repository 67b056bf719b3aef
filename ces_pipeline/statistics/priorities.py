"""`mart.priorities`: excess effort of categories and personas, their scores, and the intervals of their ranks."""

import zlib
from typing import NamedTuple

import numpy as np
import pandas as pd

from ces_pipeline.statistics.estimates import Z_975, rank_interval, resampled

ALL_PERSONAS = "all personas"
LEVELS = ("category", "category and persona")
_DRAWS = 500
_SEGMENT = ["category", "persona"]
_OF_SEGMENT = [
    *_SEGMENT,
    "first_day",
    "last_day",
    "tickets",
    "effort_index_n",
    "effort_index_sum",
    "value_weight",
    "cost",
    "quick_win_cost",
    "minimum_n",
]
_FIGURES = ["mean_effort_0_100", "excess_effort_0_100", "excess_low_0_100", "excess_high_0_100"]


def priorities(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per category, and per category and persona: every input, contribution, score and rank interval.

    The evidence has one row per category, persona, channel and effort value (channel null: no answer), with the
    facts of category and persona repeated on each.
    """
    segments = evidence[_OF_SEGMENT].drop_duplicates(_SEGMENT, ignore_index=True)
    items = _items(segments)
    given = evidence.loc[evidence["channel"].notna()]
    answers, counts = _Answers(given, items), given["answers"].to_numpy(dtype=float)
    found = answers.excess(counts)
    rows = items.assign(
        n=answers.n(counts).astype(int),
        mean_effort_0_100=found.mean,
        excess_effort_0_100=found.excess,
        excess_low_0_100=found.excess - Z_975 * found.error,
        excess_high_0_100=found.excess + Z_975 * found.error,
        weight_covered_share=found.covered_share,
    )
    rows["is_suppressed"] = rows["n"] < rows["minimum_n"]
    rows[_FIGURES] = rows[_FIGURES].mask(rows["is_suppressed"])
    rows["confidence"] = rows["n"] / (rows["n"] + rows["minimum_n"])
    for name, excess in (("", "effort"), ("_low", "low"), ("_high", "high")):
        rows[f"excess_points{name}"] = (rows["tickets"] * rows[f"excess_{excess}_0_100"]).round(6)
    rows["total_excess_points"] = rows.groupby("level")["excess_points"].transform(_exact_sum)
    rows["effort_score"] = rows["excess_points"] * rows["confidence"]
    rows["priority_score"] = rows["effort_score"] * rows["value_weight"] / rows["cost"]
    rows["is_mixed_scales"] = answers.is_mixed_scales
    rows["missing_inputs"] = _missing(rows)
    known = rows[["cost", "quick_win_cost"]].notna().all(axis=1) & ~rows["is_suppressed"]
    is_cheap = (rows["cost"] <= rows["quick_win_cost"]) & (rows["excess_low_0_100"] > 0)
    rows["is_quick_win"] = is_cheap.astype("boolean").mask(~known)
    rows = pd.concat(
        [_ranked(rows.loc[rows["level"] == level], answers, counts) for level in LEVELS], ignore_index=True
    )
    return rows.sort_values(["level", *_SEGMENT], ignore_index=True)


def _items(segments: pd.DataFrame) -> pd.DataFrame:
    """Categories, followed by their segments; the facts of a category are the sums over its segments."""
    worth = segments["tickets"] * segments["value_weight"].astype(float)
    by_category = segments.assign(worth=worth).groupby("category", sort=True)
    categories = by_category.agg(
        dict.fromkeys(_OF_SEGMENT[2:], "first")
        | dict.fromkeys(("tickets", "effort_index_n", "effort_index_sum"), "sum")
    ).reset_index()
    # skipna=False: if one persona has no weight, the category has none.
    weights = by_category["worth"].agg(lambda of_personas: of_personas.sum(skipna=False)).to_numpy()
    categories["value_weight"] = weights / categories["tickets"]
    items = pd.concat(
        [
            categories.assign(level=LEVELS[0], persona=ALL_PERSONAS),
            segments.assign(level=LEVELS[1]),
        ],
        ignore_index=True,
    )
    for name in ("effort_index_sum", "value_weight", "cost", "quick_win_cost"):
        items[name] = items[name].astype(float)
    items["effort_index_0_100"] = items["effort_index_sum"] / items["effort_index_n"].where(
        items["effort_index_n"] >= items["minimum_n"]
    ).astype(float)
    return items


class _Excess(NamedTuple):
    """Figures per item. NaN: the item has no answer."""

    mean: np.ndarray
    excess: np.ndarray
    error: np.ndarray
    covered_share: np.ndarray


class _Answers:
    """Answers by stratum (channel and persona) and pair (category in a stratum).

    A pair belongs to two items: its category, and the segment of its category and persona.
    """

    def __init__(self, given: pd.DataFrame, items: pd.DataFrame):
        """given: the evidence that has answers; items: rows of `_items`."""
        self._effort = given["effort_0_100"].to_numpy(dtype=float)
        pairs = given[["category", "channel", "persona"]].drop_duplicates(ignore_index=True)
        self._pair = (
            given.groupby(["category", "channel", "persona"], sort=False).ngroup().to_numpy(dtype=int)
        )
        strata = pairs.groupby(["channel", "persona"], sort=False)
        self._stratum_of, self._strata = strata.ngroup().to_numpy(dtype=int), strata.ngroups
        place = pd.Series(items.index, index=pd.MultiIndex.from_frame(items[_SEGMENT]))
        of_items = [
            place.reindex(pd.MultiIndex.from_arrays([pairs["category"], persona])).to_numpy(dtype=int)
            for persona in ([ALL_PERSONAS] * len(pairs), pairs["persona"])
        ]
        self._items_of, self._items = np.concatenate(of_items), len(items)
        self.is_mixed_scales = self._several_scales(given)
        personas = pairs.groupby(self._stratum_of)["persona"].first().to_numpy()
        is_category = (items["level"] == LEVELS[0]).to_numpy()[:, None]
        self._has_persona = is_category | (items["persona"].to_numpy()[:, None] == personas[None, :])

    def _several_scales(self, given: pd.DataFrame) -> np.ndarray:
        """Whether the answers of each item are on several scales."""
        scales = pd.DataFrame(
            {
                "item": np.concatenate([part[self._pair] for part in np.split(self._items_of, 2)]),
                "first": np.tile(given["first_scale_id"].to_numpy(dtype=object), 2),
                "last": np.tile(given["last_scale_id"].to_numpy(dtype=object), 2),
            }
        ).groupby("item")
        mixed = scales["first"].min() != scales["last"].max()
        return mixed.reindex(range(self._items), fill_value=False).to_numpy(dtype=bool)

    def per_item(self, of_pairs: np.ndarray) -> np.ndarray:
        """Sum of a figure of pairs over the pairs of each item."""
        return np.bincount(self._items_of, np.tile(of_pairs, 2), self._items)

    def n(self, counts: np.ndarray) -> np.ndarray:
        """Answers of each item."""
        return self.per_item(np.bincount(self._pair, counts, len(self._stratum_of)))

    def excess(self, counts: np.ndarray) -> _Excess:
        """Mean effort of each item minus that of all answers of its strata, with its standard error.

        The weights are the answers of the strata. The variance within the pairs of a stratum is pooled. An item is
        part of the answers that it is compared with, so its variance has the factor 1 / n - 1 / N.
        """
        n = np.bincount(self._pair, counts, len(self._stratum_of))
        total = np.bincount(self._pair, counts * self._effort, len(n))
        squares = np.bincount(self._pair, counts * self._effort**2, len(n))
        of = self._stratum_of
        stratum_n, stratum_total = np.bincount(of, n, self._strata), np.bincount(of, total, self._strata)
        with np.errstate(divide="ignore", invalid="ignore"):
            within = np.where(n > 0, squares - total**2 / n, 0)
            freedom = np.bincount(of, np.maximum(n - 1, 0), self._strata)
            variance = np.maximum(np.bincount(of, within, self._strata), 0) / freedom
            difference = np.where(n > 0, total / n - (stratum_total / stratum_n)[of], 0)
            weight = np.where(n > 0, stratum_n[of], 0)
            spread = np.where(n > 0, weight**2 * variance[of] * (1 / n - 1 / stratum_n[of]), 0)
            covered = self.per_item(weight)
            return _Excess(
                mean=self.per_item(total) / self.per_item(n),
                excess=self.per_item(weight * difference) / covered,
                error=np.sqrt(self.per_item(spread)) / covered,
                covered_share=covered / (self._has_persona @ stratum_n),
            )


def _exact_sum(points: pd.Series) -> float:
    """Sum of figures with six decimals: the same in any order."""
    return float(int((points.dropna() * 1e6).round().astype(np.int64).sum()) / 1e6)


def _missing(rows: pd.DataFrame) -> pd.Series:
    missing = {
        "answers": rows["is_suppressed"],
        "excess effort": rows["excess_points"] <= 0,
        "value weight": rows["value_weight"].isna(),
        "cost": rows["cost"].isna(),
    }
    named = [", ".join(name for name, is_missing in missing.items() if is_missing[row]) for row in rows.index]
    return pd.Series([text or None for text in named], index=rows.index, dtype="str")


def _ranked(rows: pd.DataFrame, answers: _Answers, counts: np.ndarray) -> pd.DataFrame:
    """Ranks and shares among the rows of a level, with intervals over resampled answers."""
    positions, tickets = rows.index.to_numpy(), rows["tickets"].to_numpy(dtype=float)
    shown = ~rows["is_suppressed"].to_numpy()

    def points(random: np.random.Generator) -> np.ndarray:
        # A Poisson weight per answer is the bootstrap of an unknown number of answers (Hanley and MacGibbon 2006).
        drawn = answers.excess(random.poisson(counts).astype(float)).excess[positions]
        return np.where(shown, tickets * np.nan_to_num(drawn), 0.0)

    seed = zlib.crc32(np.concatenate([counts, tickets]).tobytes())
    drawn = resampled(points, _DRAWS, seed) if shown.any() else np.zeros((0, len(rows)))
    rows = rows.assign(**_shares(rows["excess_points"].to_numpy(dtype=float), drawn, shown))
    with np.errstate(invalid="ignore"):
        worth = (rows["confidence"] * rows["value_weight"] / rows["cost"]).to_numpy(dtype=float)
    for name, score, factor in (
        ("effort", rows["effort_score"], rows["confidence"].to_numpy(dtype=float)),
        ("priority", rows["priority_score"], worth),
    ):
        # A weight or a cost would turn the order of scores below 0 around.
        ranked = (score > 0).to_numpy()
        low, high = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        if ranked.any():
            low[ranked], high[ranked] = rank_interval(drawn[:, ranked] * factor[ranked])
        rows = rows.assign(
            **{
                f"{name}_rank": score.where(ranked).rank(ascending=False, method="min"),
                f"{name}_rank_low": np.floor(low),
                f"{name}_rank_high": np.ceil(high),
            }
        )
    return rows


def _shares(points: np.ndarray, drawn: np.ndarray, shown: np.ndarray) -> dict[str, np.ndarray]:
    """Share of each row in the positive excess points of its level. NaN: suppressed, or no row is above 0."""

    def share(of: np.ndarray) -> np.ndarray:
        above = np.maximum(of, 0)
        level_sum = above.sum(axis=-1, keepdims=True)
        shares: np.ndarray = np.divide(above, level_sum, out=np.full_like(above, np.nan), where=level_sum > 0)
        return shares

    found = np.where(shown, share(np.nan_to_num(points)), np.nan)
    names = ("excess_share_low", "excess_share_high")
    if not np.isfinite(found).any() or not len(drawn):
        return {"excess_share": found} | dict.fromkeys(names, np.full(len(points), np.nan))
    drawn_shares = np.nan_to_num(share(drawn))
    ends = (np.where(shown, np.quantile(drawn_shares, q, axis=0), np.nan) for q in (0.025, 0.975))
    return {"excess_share": found} | dict(zip(names, ends, strict=True))
