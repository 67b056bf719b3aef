"""Estimates of a change from before to after, with intervals. Arrays in, small tuples out; no column names here."""

from typing import NamedTuple

import numpy as np
from scipy import sparse, stats

_POWER_80 = float((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2)


class Change(NamedTuple):
    """A change with its 95 % interval and two-sided p. NaN: not defined."""

    value: float
    low: float
    high: float
    p_value: float

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


UNKNOWN = Change(*[float("nan")] * 4)
FEWEST_STEPS = 3
"""Fewer weeks or days on a side do not show their variance."""


def step_change(values: np.ndarray, is_after: np.ndarray, time: np.ndarray | None = None) -> Change:
    """Level after minus level before, steps equally weighted: least squares with HC2 errors and Student's t.

    time: if given, the model includes a linear trend over it. Undefined below FEWEST_STEPS on a side (with a trend,
    twice as many before). HC2 errors (MacKinnon and White 1985) are valid for unequal variances; for two groups they
    equal Welch's error. HC3 covers 97 % of simulated fixes instead of 95 %.
    """
    # Imported here: the import takes a second, and a home without fixes and releases never needs it.
    from statsmodels.regression.linear_model import OLS

    there = ~np.isnan(values)
    values, is_after = values[there], is_after[there].astype(float)
    before, after = int((is_after == 0).sum()), int(is_after.sum())
    if min(before / (1 if time is None else 2), after) < FEWEST_STEPS or np.ptp(values) == 0:
        return UNKNOWN
    columns = [np.ones(len(values)), is_after]
    if time is not None:
        columns.append(time[there])
    fitted = OLS(values, np.column_stack(columns)).fit(cov_type="HC2", use_t=True)
    low, high = fitted.conf_int()[1]
    return Change(*(float(figure) for figure in (fitted.params[1], low, high, fitted.pvalues[1])))


def adjusted_levels(
    total: np.ndarray, n: np.ndarray, group: np.ndarray, factors: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each group without the additive effects of the factors: the mean at a constant mix.

    total, n: sum and count of each cell, n above 0; group, factors: codes from 0. Weighted least squares of the
    means of the cells on group and factors. A group that no cell connects to the rest keeps its own mean. Returns
    the levels, up to a common constant, and their n.
    """
    effects = [(codes, int(codes.max()) + 1) for codes in (group, *factors)]
    starts = np.cumsum([0, *(size for _, size in effects)])
    columns = np.concatenate([start + codes for start, (codes, _) in zip(starts, effects, strict=False)])
    rows = np.tile(np.arange(len(n)), len(effects))
    design = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(n), starts[-1]))
    # The system is singular (a constant can move between the factors): lstsq takes the solution of least norm.
    normal = (design.T @ (design * n[:, None])).toarray()
    solved = np.linalg.lstsq(normal, design.T @ total, rcond=1e-10)[0]
    groups = effects[0][1]
    levels, start = solved[:groups].copy(), groups
    for codes, size in effects[1:]:
        levels += np.bincount(codes, n, size) @ solved[start : start + size] / n.sum()
        start += size
    return levels, np.bincount(group, n, groups)


def n_to_show(effect: float, variance: float) -> float:
    """Rows on each side to detect a difference of two means of this size with 80 % power at p 0.05."""
    return float(np.ceil(2 * _POWER_80 * variance / effect**2))
