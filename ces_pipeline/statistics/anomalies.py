"""Which steps of a daily or weekly figure are unusual: the detector of `mart.anomalies_daily`.

Arrays in, arrays out; no column names here. All series are examined together, step after step.

A step is compared with the steps before it: with the level of the figures and, for days, the effect of the weekday. One
unusual figure is a `spike`. A small change that stays is found by a two-sided CUSUM (Page 1954): a `drift`. Either opens
an incident, which begins with the first affected step. The incident closes when the figures are back, or when they have
kept a new level for so long that it is the level from then on: a lasting change is one incident.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import special, stats

Grain = Literal["day", "week"]

_SLACK = 0.5
"""Of the CUSUM, in standard deviations of a step: the smallest change that it is meant to find is twice as large."""
_CLIPPED = 6.0
"""A larger |z| counts as this much in the CUSUM, so that one step does not look like a drift."""
_MOST_AUTOCORRELATION = 0.6
_SHOWN = 3.0
"""z of a mean from which figures are not back, or have another level."""


@dataclass(frozen=True)
class Pace:
    """Lengths in steps, and limits. cycle: after so many steps a pattern repeats. window: steps that a step is compared
    with. start: steps before the first verdict. quiet: steps after which figures are back. settled: steps of a new level.
    spike: |z| from which one figure is unusual by itself. drift: limit of the CUSUM. There are seven times as many days
    as weeks, so the limits of days are higher."""

    cycle: int
    window: int
    start: int
    quiet: int
    settled: int
    spike: float
    drift: float


PACES: dict[Grain, Pace] = {
    "day": Pace(cycle=7, window=56, start=56, quiet=14, settled=21, spike=4.0, drift=7.0),
    "week": Pace(cycle=1, window=26, start=13, quiet=3, settled=6, spike=3.5, drift=4.0),
}


@dataclass(frozen=True)
class Findings:
    """Arrays of one row per step and one column per series.

    expected, error: the figure that the steps before lead to, and its standard deviation; NaN: too little history. z: how
    many standard deviations the figure is off. spike, drift: the step raised an alarm. incident: number of its incident
    in its series, from 1; 0: none. affected: the step is part of what happened, not of the wait for its end.
    is_new_level: at this step the level of the incident became the usual one. history: steps it was compared with.
    """

    expected: np.ndarray
    error: np.ndarray
    z: np.ndarray
    cusum_up: np.ndarray
    cusum_down: np.ndarray
    spike: np.ndarray
    drift: np.ndarray
    incident: np.ndarray
    is_new_level: np.ndarray
    history: np.ndarray


def stabilised(counts: np.ndarray) -> np.ndarray:
    """Counts on a scale where Poisson noise has the variance 1 at every level (Anscombe 1948)."""
    return 2 * np.sqrt(counts + 3 / 8)


def unstabilised(values: np.ndarray) -> np.ndarray:
    """The counts of `stabilised` values; at least 0."""
    return np.maximum((np.maximum(values, 0) / 2) ** 2 - 3 / 8, 0)


def examine(
    values: np.ndarray,
    weights: np.ndarray,
    least_variance: np.ndarray,
    usable: np.ndarray,
    grain: Grain,
) -> Findings:
    """Examine every step of every series: equally spaced steps in rows, series in columns.

    values: the figures; NaN: none. weights: the variance of a figure is inversely proportional to it: the answers behind
    a mean, 1 for `stabilised` counts. least_variance: per series, of a figure of weight 1; a smaller estimate is chance.
    usable: False where a figure says nothing about other steps (a holiday) and gets no verdict.
    """
    watch = _Watch(values, np.where(np.isnan(values), 0, weights), least_variance, usable, PACES[grain])
    for step in range(len(values)):
        watch.examine(step)
    return watch.found


def _normal_scores(t: np.ndarray, free: np.ndarray) -> np.ndarray:
    """z of a normal distribution that is as rare as t with so many degrees of freedom."""
    scores = t.copy()
    far = np.abs(np.nan_to_num(t)) > 1
    tail = stats.t.logsf(np.abs(t[far]), np.maximum(free[far], 1))
    scores[far] = np.sign(t[far]) * -special.ndtri_exp(tail)
    return scores


@dataclass
class _Watch:
    values: np.ndarray
    weights: np.ndarray
    least_variance: np.ndarray
    usable: np.ndarray
    pace: Pace
    found: Findings = field(init=False)

    def __post_init__(self) -> None:
        shape = self.values.shape
        self.found = Findings(
            *(np.full(shape, np.nan) for _ in range(3)),
            *(np.zeros(shape) for _ in range(2)),
            *(np.zeros(shape, dtype=bool) for _ in range(2)),
            np.zeros(shape, dtype=int),
            np.zeros(shape, dtype=bool),
            np.zeros(shape, dtype=int),
        )
        seen = self.weights > 0
        self.begun = np.where(seen.any(axis=0), seen.argmax(axis=0), len(self.values))
        self.left_out = ~(seen & self.usable)
        """Steps that no later step is compared with."""
        self.level = np.zeros(shape, dtype=int)
        """Number of the level that a step belongs to; a new one begins with a lasting change."""
        series = shape[1]
        self.up, self.down = np.zeros(series), np.zeros(series)
        self.up_began, self.down_began = np.zeros(series, dtype=int), np.zeros(series, dtype=int)
        self.is_open = np.zeros(series, dtype=bool)
        self.first, self.alarmed = np.zeros(series, dtype=int), np.zeros(series, dtype=int)
        self.incidents = np.zeros(series, dtype=int)

    def examine(self, step: int) -> None:
        found = self.found
        if step:
            self.level[step] = self.level[step - 1]
        expected, variance, inflation, level_error, history, free = self._expected(step)
        enough = (step - self.begun >= self.pace.start) & (history >= self.pace.start // 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(enough, np.sqrt(variance), np.nan)
            z = (self.values[step] - expected) / error
        z = _normal_scores(z, free)
        z = np.where(self.usable[step] & (self.weights[step] > 0), z, np.nan)
        found.expected[step] = np.where(enough, expected, np.nan)
        found.error[step], found.z[step], found.history[step] = error, z, history
        self._add_to_cusum(step, z / np.sqrt(inflation), _SLACK + level_error)
        spike = np.abs(np.nan_to_num(z)) >= self.pace.spike
        drift = ~self.is_open & (np.maximum(self.up, self.down) > self.pace.drift)
        found.spike[step], found.drift[step] = spike, drift
        for series in np.flatnonzero((spike | drift) & ~self.is_open):
            began = self.up_began if self.up[series] >= self.down[series] else self.down_began
            self._open(step, series, step if spike[series] else int(began[series]))
        for series in np.flatnonzero(self.is_open):
            self._follow(step, series)

    def _expected(self, step: int) -> tuple[np.ndarray, ...]:
        """Expected figure, its variance, inflation of a sum's variance by autocorrelation, error of the level, history."""
        pace = self.pace
        begin = max(0, step - pace.window)
        values = np.nan_to_num(self.values[begin:step])
        weights = np.where(self.left_out[begin:step], 0, self.weights[begin:step])
        level = self.level[step - 1] if step else self.level[0]
        back = level - self.level[begin:step]
        places = np.arange(begin, step) % pace.cycle
        effects = np.zeros((pace.cycle, values.shape[1]))
        means = np.zeros((3, values.shape[1]))
        with np.errstate(divide="ignore", invalid="ignore"):
            for _ in range(3 if pace.cycle > 1 else 1):
                rest = values - effects[places]
                for which in range(3):
                    of_level = weights * (back == which)
                    means[which] = np.nan_to_num((of_level * rest).sum(axis=0) / of_level.sum(axis=0))
                if pace.cycle > 1:
                    rest = values - np.take_along_axis(means, np.minimum(back, 2), axis=0)
                    for place in range(pace.cycle):
                        of_place = weights[places == place]
                        effects[place] = np.nan_to_num(
                            (of_place * rest[places == place]).sum(axis=0) / of_place.sum(axis=0)
                        )
            is_used = weights > 0
            used = is_used.sum(axis=0)
            free = used - 1 - np.minimum(back.max(axis=0, initial=0), 2)
            shrunk = np.zeros(values.shape[1])
            base = values - np.take_along_axis(means, np.minimum(back, 2), axis=0)
            if pace.cycle > 1:
                # Effects that chance explains are left out in part (James and Stein 1961, positive part).
                scatter = (weights * (base - effects[places]) ** 2).sum(axis=0) / np.maximum(free - pace.cycle + 1, 1)
                between = (weights * effects[places] ** 2).sum(axis=0) / (pace.cycle - 1)
                shrunk = np.clip(np.nan_to_num(1 - scatter / between), 0, 1)
                effects *= shrunk
                free = free - np.round(shrunk * (pace.cycle - 1))
            left = base - effects[places]
            scatter = np.maximum((weights * left**2).sum(axis=0) / np.maximum(free, 1), self.least_variance)
            whitened = left * np.sqrt(weights)
            both = is_used[1:] & is_used[:-1]
            pairs = both.sum(axis=0)
            r = (whitened[1:] * whitened[:-1] * both).sum(axis=0) / (whitened**2).sum(axis=0)
            r = np.nan_to_num(r * used / np.maximum(pairs, 1)) - 1 / np.sqrt(np.maximum(used, 1))
            r = np.clip(r, 0, _MOST_AUTOCORRELATION)
            of_level = np.where(back == 0, weights, 0).sum(axis=0)
            of_place = weights[places == step % pace.cycle].sum(axis=0) if pace.cycle > 1 else np.full(r.shape, np.inf)
            variance = scatter * (
                1 / self.weights[step] + 1 / of_level + shrunk * np.where(of_place > 0, 1 / of_place, 1)
            )
            steps_of_level = ((back == 0) & is_used).sum(axis=0)
            level_error = 1 / np.sqrt(np.maximum(steps_of_level, 1)) - 1 / np.sqrt(pace.window)
        return (
            means[0] + effects[step % pace.cycle],
            variance,
            (1 + r) / (1 - r),
            level_error,
            used,
            free,
        )

    def _add_to_cusum(self, step: int, z: np.ndarray, slack: np.ndarray) -> None:
        counted = ~np.isnan(z) & ~self.is_open
        clipped = np.clip(np.nan_to_num(z), -_CLIPPED, _CLIPPED)
        for name, towards in (("up", 1), ("down", -1)):
            before = getattr(self, name)
            began = getattr(self, f"{name}_began")
            began[counted & (before == 0)] = step
            after = np.where(counted, np.maximum(before + towards * clipped - slack, 0), before)
            setattr(self, name, after)
        self.found.cusum_up[step], self.found.cusum_down[step] = self.up, self.down

    def _open(self, step: int, series: int, first: int) -> None:
        self.is_open[series] = True
        self.first[series], self.alarmed[series] = first, step
        self.incidents[series] += 1
        self.found.incident[first : step + 1, series] = self.incidents[series]
        self.left_out[first : step + 1, series] = True
        self.up[series] = self.down[series] = 0

    def _follow(self, step: int, series: int) -> None:
        """Close the incident if the figures are back, or if they have another level for long enough."""
        pace, first = self.pace, self.first[series]
        self.found.incident[step, series] = self.incidents[series]
        self.left_out[step, series] = True
        z = self.found.z[:, series]
        if step - self.alarmed[series] >= pace.quiet:
            recent = z[step - pace.quiet + 1 : step + 1]
            recent = recent[~np.isnan(recent)]
            if len(recent) >= pace.quiet / 2 and abs(recent.sum()) < _SHOWN * np.sqrt(len(recent)) and np.abs(recent).max() < pace.spike:
                self._close(step - pace.quiet + 1, step, series)
                return
        since = z[first : step + 1]
        since = since[~np.isnan(since)]
        if step - first + 1 >= pace.settled and len(since) >= pace.settled / 2:
            half = since[len(since) // 2 :]
            is_shown = abs(since.sum()) >= _SHOWN * np.sqrt(len(since)) and since.sum() * half.sum() > 0
            if is_shown or step - first + 1 >= 2 * pace.settled:
                self._take_level(step, series)

    def _close(self, back_from: int, step: int, series: int) -> None:
        self.is_open[series] = False
        again = slice(back_from, step + 1)
        self.left_out[again, series] = ~(self.usable[again, series] & (self.weights[again, series] > 0))

    def _take_level(self, step: int, series: int) -> None:
        """The incident's level becomes the usual one, from the step at which the figures changed most clearly."""
        reach = self.pace.settled // 3
        begin = max(0, self.first[series] - reach)
        z = self.found.z[begin : step + 1, series]
        changes = range(1, min(2 * reach + 1, len(z) - 1))
        spread = [np.nansum((z[:k] - np.nanmean(z[:k])) ** 2) + np.nansum((z[k:] - np.nanmean(z[k:])) ** 2) if np.isfinite(z[:k]).any() and np.isfinite(z[k:]).any() else np.inf for k in changes]
        change = begin + 1 + int(np.argmin(spread)) if spread else int(self.first[series])
        self.level[change : step + 1, series] = self.level[step, series] + 1
        self.found.is_new_level[step, series] = True
        self._close(change, step, series)
