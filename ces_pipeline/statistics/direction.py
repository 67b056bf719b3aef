"""`mart.direction_drift`: does the score still go with the other facts of the same answers as it did before?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ces_pipeline.schemas.mart.direction import DIRECTION_DRIFT
from ces_pipeline.statistics.estimates import Z_975
from ces_pipeline.statistics.ranks import fisher_interval

METHOD_VERSION = 1
"""Raised when a change of the method would give other rows for the same evidence."""
WINDOWS = np.array([30, 45, 60, 90, 135, 200, 300, 500])
"""The newest answers that are compared with those before: so many, and the rest of their first group."""
CERTAIN = 4.75
"""Standard errors between the newest answers and those before at which the relation is another one. Every night asks
about every window and signal: 2 would be exceeded by chance."""
CLEAR = 3.0
"""Standard errors from zero at which answers have a direction."""
_GROUP = 12
"""The answers of neighbouring days are a group of at least so many. Correlations are those within groups, so that days
that differ from others, and trends, do not count."""
_SHOWN = 60
"""Newest answers that are published while nothing is found."""
_SERIES = ["source_id", "survey_id", "signal"]
_SUMS = ["n", "ease_sum_0_100", "signal_sum", "ease_square_sum_0_100", "signal_square_sum", "product_sum"]
Row = dict[str, Any]


def direction_drift(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per source, survey and signal: the correlation with ease before and now, and what changed since when.

    The evidence has the rows of `mart.score_signals_daily`. `expected_sign` is 1 or -1 if the signal has a
    direction by its definition, else 0; `minimum_n` is the same in all rows.
    """
    rows = [
        {**dict(zip(_SERIES, map(str, names), strict=True)), **Series.of(found).row()}
        for names, found in evidence.groupby(_SERIES, sort=True)
    ]
    return pd.DataFrame(rows, columns=list(DIRECTION_DRIFT.columns))


@dataclass(frozen=True)
class Drift:
    """A change of the relation.

    first: the group with which it begins. found: place of the day that shows it. before: moments of the answers that it
    is compared with. ended: the first group of the old relation afterwards; None: it goes on.
    """

    first: int
    found: int
    before: np.ndarray
    ended: int | None


@dataclass(frozen=True)
class Series:
    """One series. Moments are sums within groups: number of answers, degrees of freedom, squares of ease and of the
    signal, products.

    days: those with answers. groups: place of the first day of each. counted: answers before each group. until: moments
    of all answers to the end of each day. before: moments of all answers before each group.
    """

    days: list[date]
    groups: np.ndarray
    counted: np.ndarray
    until: np.ndarray
    before: np.ndarray
    expected_sign: int
    minimum_n: int

    @classmethod
    def of(cls, evidence: pd.DataFrame) -> "Series":
        """The series of the evidence's rows."""
        found = evidence.sort_values("day")
        sums = np.vstack([np.zeros(len(_SUMS)), np.cumsum(found[_SUMS].to_numpy(dtype=float), axis=0)])
        starts = [0]
        for day in range(1, len(found)):
            if sums[day, 0] - sums[starts[-1], 0] >= _GROUP:
                starts.append(day)
        groups = np.array(starts)
        of_day = np.searchsorted(groups, np.arange(len(found)), side="right") - 1
        complete = np.cumsum(_moments(sums[groups[1:]] - sums[groups[:-1]]), axis=0)
        before = np.vstack([np.zeros(complete.shape[1]), complete])
        until = before[of_day] + _moments(sums[1:] - sums[groups[of_day]])
        facts = found.iloc[0]
        expected_sign, minimum_n = int(facts["expected_sign"]), int(facts["minimum_n"])
        return cls(list(found["day"]), groups, sums[groups, 0], until, before, expected_sign, minimum_n)

    def row(self) -> Row:
        """The columns of the series but its names."""
        drift = next(reversed([*self.drifts()]), None)
        goes_on = drift is not None and drift.ended is None
        if drift is not None and goes_on:
            first, moments_before = drift.first, drift.before
        else:
            first = max(0, int(self._begin(len(self.days) - 1, max(_SHOWN, self.minimum_n))))
            moments_before = self.before[first] - self._left_out(drift)
        moments = self.until[-1] - self.before[first]
        was, now = (_figures(found, self.minimum_n) for found in (moments_before, moments))
        return {
            "expected_sign": self.expected_sign or None,
            **{f"{name}_before": value for name, value in was.items()},
            "first_day": self.days[self.groups[first]],
            "last_day": self.days[-1],
            **now,
            "state": self._drift_state(moments_before, now)
            if goes_on
            else self._state(moments_before + moments, now),
            "is_flagged": goes_on,
            "flagged_on": self.days[drift.found] if drift is not None and goes_on else None,
            "method_version": METHOD_VERSION,
        }

    def drifts(self) -> Iterator[Drift]:
        """The changes of the relation, in their order; only the last one may go on."""
        drift = self._next_drift(0, np.zeros(self.before.shape[1]))
        while drift is not None:
            yield drift
            if drift.ended is None:
                return
            drift = self._next_drift(drift.ended, self._left_out(drift))

    def _drift_state(self, before: np.ndarray, now: Row) -> str:
        sign = self.expected_sign or np.sign(_fisher(before)[0])
        far_end = now["correlation_high"] if sign > 0 else -now["correlation_low"]
        return "reversed" if far_end < 0 else "no longer agrees"

    def _state(self, moments: np.ndarray, now: Row) -> str:
        """The state of answers without a drift; moments: of all of them."""
        if np.isnan(now["correlation"]):
            return "too few answers"
        value, error = _fisher(moments)
        is_clear = (self.expected_sign * value if self.expected_sign else abs(value)) >= CLEAR * error
        return "agrees" if is_clear else "no clear direction"

    def _left_out(self, drift: Drift | None) -> np.ndarray:
        """Moments that later comparisons leave out of what was before: those of the answers of drifts that ended."""
        if drift is None or drift.ended is None:
            return np.zeros(self.before.shape[1])
        left_out: np.ndarray = self.before[drift.ended] - drift.before
        return left_out

    def _next_drift(self, from_group: int, left_out: np.ndarray) -> Drift | None:
        """The first change that begins with this group or later. left_out: moments of answers of drifts that ended."""
        days = np.arange(len(self.days))
        begin = self._begin(days[:, None], WINDOWS[self.minimum_n <= WINDOWS])
        is_window = begin >= from_group
        begin = np.maximum(begin, from_group)
        before = self.before[begin] - left_out
        value, error = _fisher(self.until[:, None] - self.before[begin])
        value_before, error_before = _fisher(before)
        sign = np.sign(value_before)
        is_clear = sign * value_before >= CLEAR * error_before
        with np.errstate(invalid="ignore"):
            difference = sign * (value_before - value) / np.hypot(error_before, error)
            # Minutes of tickets may stop to go with ease by themselves: other categories, a fix.
            end = Z_975 if self.expected_sign else -Z_975
            difference = np.where(is_clear & (sign * value < end * error), difference, np.nan)
            if self.expected_sign:
                difference = np.where(sign == self.expected_sign, difference, np.nan)
                difference = np.fmax(difference, -self.expected_sign * value / error)
        found = is_window & (difference >= CERTAIN)
        if not found.any():
            return None
        day = int(found.any(axis=1).argmax())
        window = int(np.where(found[day], difference[day], -np.inf).argmax())
        first, moments = int(begin[day, window]), before[day, window]
        sign_before = self.expected_sign or int(sign[day, window])
        return Drift(first, day, moments, self._end(first, day, sign_before))

    def _end(self, first: int, found: int, sign: int) -> int | None:
        """The first group of the first window, after a drift was found, that has its old sign again; None: none has."""
        days = np.arange(found + 1, len(self.days))
        begin = self._begin(days[:, None], WINDOWS[self.minimum_n <= WINDOWS])
        is_window = begin > first
        begin = np.maximum(begin, 0)
        value, error = _fisher(self.until[days][:, None] - self.before[begin])
        is_back = is_window & (sign * value >= CERTAIN * error)
        if not is_back.any():
            return None
        day = int(is_back.any(axis=1).argmax())
        return int(begin[day][is_back[day]].max())

    def _begin(self, days: Any, answers: Any) -> Any:
        """The last group with which so many answers to the end of these days begin; -1: there are fewer."""
        until = self.until[days][..., 0]
        return np.searchsorted(self.counted, until - answers, side="right") - 1


def _moments(sums: np.ndarray) -> np.ndarray:
    """Moments within groups; sums: a row per group, with the columns of _SUMS."""
    n, ease, signal, ease_squared, signal_squared, product = sums.T
    return np.stack(
        [n, n - 1, ease_squared - ease**2 / n, signal_squared - signal**2 / n, product - ease * signal / n],
        axis=1,
    )


def _fisher(moments: np.ndarray) -> tuple[Any, Any]:
    """Fisher's transformation of the correlation and its standard error; NaN where it is not defined."""
    _, free, ease, signal, product = np.moveaxis(moments, -1, 0)
    # Sums of equal values leave a rest of rounding.
    varies = (free > 2) & (np.minimum(ease, signal) > 1e-6 * np.maximum(free, 1))
    spread = np.where(varies, ease * signal, 1)
    value = np.where(varies, np.clip(product / np.sqrt(spread), -0.999, 0.999), np.nan)
    return np.arctanh(value), np.sqrt(1 / np.where(varies, free - 2, np.nan))


def _figures(moments: np.ndarray, minimum_n: int) -> Row:
    n, (value, error) = int(moments[0]), _fisher(moments)
    row = {"n": n, **dict.fromkeys(("correlation", "correlation_low", "correlation_high"), np.nan)}
    if n >= minimum_n and np.isfinite(value):
        low, high = fisher_interval(float(np.tanh(value)), float(error) ** 2)
        row |= {"correlation": float(np.tanh(value)), "correlation_low": low, "correlation_high": high}
    return row
