"""Estimates of a change from before to after, with intervals. Arrays in, small tuples out; no column names here."""

from typing import NamedTuple

import numpy as np
from scipy import optimize, sparse, stats

_Z = float(stats.norm.ppf(0.975))
_POWER_80 = (_Z + float(stats.norm.ppf(0.8))) ** 2
FEWEST_STEPS = 3
"""Fewer weeks or days on a side do not show their variance."""
LEAST_CORRELATION, MOST_CORRELATION = 0.1, 0.95
"""Limits of the correlation of neighbouring steps. It is never taken as none: so few steps cannot show that."""


class Change(NamedTuple):
    """A change with its 95 % interval and two-sided p. NaN: not defined.

    step_variance: the variance of a step, times the factor by which serial correlation lowers the effective n. In long
    windows of k steps on each side, the squared error is 2 * step_variance / k.
    """

    value: float
    low: float
    high: float
    p_value: float
    step_variance: float = float("nan")

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


UNKNOWN = Change(*[float("nan")] * 4)


def step_change(
    values: np.ndarray,
    is_after: np.ndarray,
    at: np.ndarray | None = None,
    *,
    has_trend: bool = False,
    weekday: np.ndarray | None = None,
) -> Change:
    """Level after minus level before, steps (weeks or days) equally weighted, by least squares and Student's t.

    values: one figure a step, in order of time, NaN: none. at: the place of each step in time, in steps (default: no
    gaps). has_trend: the model includes a linear trend over `at`. weekday: codes from 0; the model includes a level for
    each, and a step whose weekday occurs once says nothing. Undefined below FEWEST_STEPS on a side (with a trend, twice
    as many before), below as many residual degrees of freedom, or if the residuals do not vary.

    Steps are correlated by `r` to the power of their distance. `r` is the lag-1 correlation of the residuals without
    its bias: the value under which that correlation is the expected one. (Kendall 1954 gives the bias around one mean;
    here it is that of the model.) The squared HC2 error (MacKinnon and White 1985) is scaled to be unbiased under `r`,
    and t has the degrees of freedom of Bell and McCaffrey (2002) under `r`.
    """
    there = ~np.isnan(values)
    place = np.arange(len(values), dtype=float) if at is None else at.astype(float)
    design = _design(is_after, place if has_trend else None, weekday)
    used = _informative(design, there)
    values, design, place, after = values[used], design[used], place[used], is_after[used].astype(bool)
    n_after, n_before = int(after.sum()), int((~after).sum())
    freedom = len(values) - design.shape[1]
    if min(n_before / (2 if has_trend else 1), n_after) < FEWEST_STEPS or freedom < FEWEST_STEPS:
        return UNKNOWN
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return UNKNOWN
    solver = np.linalg.pinv(design)
    residual_maker = np.eye(len(values)) - design @ solver
    residuals = residual_maker @ values
    # Equal figures, or figures that the model fits exactly, differ by the rounding of their sums.
    if np.ptp(values) <= 1e-12 * np.abs(values).max() or np.ptp(residuals) <= 1e-10 * np.ptp(values):
        return UNKNOWN
    contrast = solver[1]
    value = float(contrast @ values)
    distance = np.abs(np.subtract.outer(place, place))
    correlation = _serial_correlation(residual_maker, residuals, distance)
    correlations = correlation**distance
    # The squared HC2 error, and the quadratic form of the values that it is.
    leverage = contrast**2 / np.diag(residual_maker)
    squared = float(np.sum(residuals**2 * leverage))
    form = residual_maker @ np.diag(leverage) @ residual_maker
    expected = float(np.sum(form * correlations))
    error = float(np.sqrt(squared * (contrast @ correlations @ contrast) / expected))
    product = form @ correlations
    degrees = expected**2 / float(np.sum(product * product.T))
    half = float(stats.t.ppf(0.975, degrees)) * error
    p_value = 2 * float(stats.t.sf(abs(value) / error, degrees))
    # In a long window the mean of correlated steps varies (1 + r) / (1 - r) times as much as that of independent ones.
    of_step = squared / expected * (1 + correlation) / (1 - correlation)
    # A trend or weekdays in the model make the step less certain than the difference of two means.
    of_model = float(contrast @ contrast) / (1 / n_before + 1 / n_after)
    return Change(value, value - half, value + half, p_value, of_step * of_model)


def _design(is_after: np.ndarray, trend: np.ndarray | None, weekday: np.ndarray | None) -> np.ndarray:
    columns = [np.ones(len(is_after)), is_after.astype(float)]
    if trend is not None:
        columns.append(trend)
    if weekday is not None:
        columns += [(weekday == code).astype(float) for code in np.unique(weekday)[1:]]
    return np.column_stack(columns)


def _informative(design: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Rows that are there and that the model does not fit exactly, whatever their value."""
    used = there.copy()
    while used.any():
        fitted = design[used] @ np.linalg.pinv(design[used])
        is_exact = np.diag(fitted) > 1 - 1e-9
        if not is_exact.any():
            break
        used[np.flatnonzero(used)[is_exact]] = False
    return used


def _serial_correlation(residual_maker: np.ndarray, residuals: np.ndarray, distance: np.ndarray) -> float:
    """Correlation of steps one step apart. distance: of each step from each; their order is that of the rows."""
    neighbours = (np.eye(len(residuals), k=1) + np.eye(len(residuals), k=-1)) / 2
    observed = residuals @ neighbours @ residuals / np.sum(residuals**2)
    between = residual_maker @ neighbours @ residual_maker

    def surplus(correlation: float) -> float:
        correlations = correlation**distance
        return float(np.sum(between * correlations) / np.sum(residual_maker * correlations) - observed)

    if surplus(LEAST_CORRELATION) >= 0:
        return LEAST_CORRELATION
    if surplus(MOST_CORRELATION) <= 0:
        return MOST_CORRELATION
    return float(optimize.brentq(surplus, LEAST_CORRELATION, MOST_CORRELATION, xtol=1e-6))


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


def steps_to_show(effect: float, variance: float) -> float:
    """Steps on each side to detect a difference of two means of this size with 80 % power at p 0.05.

    variance: that of a step. The normal approximation, with Guenther's (1981) term for Student's t.
    """
    return float(np.ceil(2 * _POWER_80 * variance / effect**2 + _Z**2 / 4))
