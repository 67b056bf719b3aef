"""Which steps of a daily or weekly figure are unusual: the detector of `mart.anomalies_daily`.

Arrays in, arrays out; no column names here. All series are examined together, step after step.

A step is compared with the steps before it: with the level of the figures and, for days, the effect of the weekday. One
unusual figure is a `spike`. A small change that stays is found by a two-sided CUSUM (Page 1954): a `drift`. Both open
an incident, which begins with the first affected step. The incident closes when the figures are back, or when they have
kept a new level for so long that it is the level from then on: a lasting change is one incident.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import special

Grain = Literal["day", "week"]

_SLACK = 0.5
"""Of the CUSUM, in standard deviations of a step: the smallest change that it is meant to find is twice as large."""
_CLIPPED = 6.0
"""A larger |z| counts as this much in the CUSUM, so that one step does not look like a drift."""
_MOST_AUTOCORRELATION = 0.6
_MONTHS = 6
"""So many earlier months show what a day of the month is like."""
_CLEAR = 1.5
"""In standard deviations of a day: what a day of the month adds in each of the months that show it."""
_SHOWN = 3.0
"""z of a mean from which figures are not back, or have another level."""


@dataclass(frozen=True)
class Pace:
    """Lengths in steps, and limits.

    cycle: after so many steps a pattern repeats. window: steps that a step is compared with. start: steps before the
    first verdict. quiet: steps after which figures are back. lasting: steps after which another level is the usual one.
    spike: |z| from which one figure is unusual by itself. drift: limit of the CUSUM. A year has seven times as many
    days as weeks, so the limits of days are higher.
    """

    cycle: int
    window: int
    start: int
    quiet: int
    lasting: int
    spike: float
    drift: float


PACES: dict[Grain, Pace] = {
    "day": Pace(cycle=7, window=56, start=56, quiet=14, lasting=21, spike=4.0, drift=7.0),
    "week": Pace(cycle=1, window=26, start=13, quiet=4, lasting=8, spike=3.5, drift=4.0),
}


@dataclass(frozen=True)
class Findings:
    """Arrays of one row per step and one column per series.

    expected, error: the figure that the steps before lead to, and its standard deviation; NaN: too little history. z:
    how many standard deviations the figure is off. spike, drift: the step raised an alarm. incident: number of its
    incident in its series, from 1; 0: none. is_high: its figures are too high, not too low. is_new_level: at this step
    the level of the incident became the usual one. history: number of steps it was compared with.
    """

    expected: np.ndarray
    error: np.ndarray
    z: np.ndarray
    cusum_up: np.ndarray
    cusum_down: np.ndarray
    spike: np.ndarray
    drift: np.ndarray
    incident: np.ndarray
    is_high: np.ndarray
    is_new_level: np.ndarray
    history: np.ndarray

    @classmethod
    def blank(cls, shape: tuple[int, ...]) -> "Findings":
        """No verdict and no incident at any step."""
        return cls(
            expected=np.full(shape, np.nan),
            error=np.full(shape, np.nan),
            z=np.full(shape, np.nan),
            cusum_up=np.zeros(shape),
            cusum_down=np.zeros(shape),
            spike=np.zeros(shape, dtype=bool),
            drift=np.zeros(shape, dtype=bool),
            incident=np.zeros(shape, dtype=int),
            is_high=np.zeros(shape, dtype=bool),
            is_new_level=np.zeros(shape, dtype=bool),
            history=np.zeros(shape, dtype=int),
        )


def stabilised(counts: np.ndarray) -> np.ndarray:
    """Counts on a scale where Poisson noise has the variance 1 at every level (Anscombe 1948)."""
    scaled: np.ndarray = 2 * np.sqrt(counts + 3 / 8)
    return scaled


def unstabilised(values: np.ndarray) -> np.ndarray:
    """The counts of `stabilised` values; at least 0."""
    counts: np.ndarray = np.maximum(np.square(np.maximum(values, 0) / 2) - 3 / 8, 0)
    return counts


def examine(
    values: np.ndarray,
    weights: np.ndarray,
    least_variance: np.ndarray,
    usable: np.ndarray,
    judged: np.ndarray,
    month_days: np.ndarray,
    grain: Grain,
    *,
    is_proportional: bool,
) -> Findings:
    """Examine every step of every series: equally spaced steps in rows, series in columns.

    values: the figures; NaN: none. weights: the variance of a figure is inversely proportional to it: the answers
    behind a mean, 1 for `stabilised` counts. least_variance: of a figure of weight 1; a smaller estimate is chance.
    usable: False where a figure says nothing about other steps (a holiday) and gets no verdict. judged: False where a
    figure gets no verdict, because too few rows are behind it. month_days: one row per step with its day of the month
    and its distance from the end of the month (-1 is the last day); used for days only. is_proportional: what a weekday
    adds grows with the level.
    """
    watch = _Watch(
        values,
        np.where(np.isnan(values), 0, weights),
        least_variance,
        usable,
        judged,
        month_days,
        PACES[grain],
        is_proportional,
    )
    for step in range(len(values)):
        watch.examine(step)
    return watch.found


def _normal_scores(t: np.ndarray, free: np.ndarray) -> np.ndarray:
    """z of a normal distribution that is as rare as t with so many degrees of freedom."""
    far = np.abs(t) > 1
    scores = t.copy()
    scores[far] = np.sign(t[far]) * -special.ndtri(special.stdtr(np.maximum(free[far], 1), -np.abs(t[far])))
    return scores


def _ratio(part: np.ndarray, size: np.ndarray) -> np.ndarray:
    """part / size; 0 where the size is 0."""
    return part / np.where(size > 0, size, 1) * (size > 0)


@dataclass
class _Watch:
    values: np.ndarray
    weights: np.ndarray
    least_variance: np.ndarray
    usable: np.ndarray
    judged: np.ndarray
    month_days: np.ndarray
    pace: Pace
    is_proportional: bool
    found: Findings = field(init=False)

    def __post_init__(self) -> None:
        shape = self.values.shape
        self.found = Findings.blank(shape)
        self.filled = np.nan_to_num(self.values)
        seen = self.weights > 0
        self.begun = np.where(seen.any(axis=0), seen.argmax(axis=0), len(self.values))
        self.left_out = ~(seen & self.usable)
        """Steps that no later step is compared with."""
        self.level = np.zeros(shape, dtype=int)
        """Number of the level that a step belongs to; a new one begins with a lasting change."""
        self.off = np.full(shape, np.nan)
        """Figure minus what level and weekday lead to."""
        series = shape[1]
        self.up, self.down = np.zeros(series), np.zeros(series)
        self.up_began, self.down_began = np.zeros(series, dtype=int), np.zeros(series, dtype=int)
        self.is_open = np.zeros(series, dtype=bool)
        self.first, self.alarmed = np.zeros(series, dtype=int), np.zeros(series, dtype=int)
        self.incidents = np.zeros(series, dtype=int)

    def examine(self, step: int) -> None:
        if step:
            self.level[step] = self.level[step - 1]
        if step < self.pace.start:
            return
        found = self.found
        expected, variance, inflation, level_error, history, free = self._expected(step)
        enough = (
            (step - self.begun >= self.pace.start) & (history >= self.pace.start // 2) & self.judged[step]
        )
        self.off[step] = np.where(self.weights[step] > 0, self.filled[step] - expected, np.nan)
        error = np.where(enough, np.sqrt(variance), np.nan)
        expected = np.where(enough, expected + self._of_the_month(step, np.sqrt(variance)), np.nan)
        z = _normal_scores((self.values[step] - expected) / error, free)
        z = np.where(self.usable[step] & (self.weights[step] > 0), z, np.nan)
        found.expected[step], found.error[step], found.z[step], found.history[step] = (
            expected,
            error,
            z,
            history,
        )
        self._add_to_cusum(step, z / np.sqrt(inflation), _SLACK + level_error)
        spike = np.abs(z) >= self.pace.spike
        drift = ~self.is_open & (np.maximum(self.up, self.down) > self.pace.drift)
        found.spike[step], found.drift[step] = spike, drift
        for series in np.flatnonzero((spike | drift) & ~self.is_open).tolist():
            if spike[series]:
                self._open(step, series, step, is_high=bool(z[series] > 0))
            else:
                is_high = bool(self.up[series] > self.down[series])
                began = self.up_began if is_high else self.down_began
                self._open(step, series, int(began[series]), is_high=is_high)
        for series in np.flatnonzero(self.is_open).tolist():
            self._follow(step, series)

    def _expected(self, step: int) -> tuple[np.ndarray, ...]:
        """What the steps before lead to.

        Returns the expected figure, its variance, how much autocorrelation inflates the variance of a sum, the error of
        a young level, the number of steps compared with, and the degrees of freedom of the variance.
        """
        pace = self.pace
        begin = max(0, step - pace.window)
        values = self.filled[begin:step]
        weights = np.where(self.left_out[begin:step], 0, self.weights[begin:step])
        back = self.level[step - 1] - self.level[begin:step]
        levels = min(int(back.max(initial=0)) + 1, 3)
        of_level = [weights * (back == which) for which in range(levels)] if levels > 1 else [weights]
        sizes = [part.sum(axis=0) for part in of_level]
        which = np.minimum(back, levels - 1)
        places = np.arange(begin, step) % pace.cycle
        at = (places == np.arange(pace.cycle)[:, None]).astype(float)
        of_place = at @ weights
        effects = np.zeros(of_place.shape)
        # What a weekday adds to a count grows with its level.
        scale: np.ndarray | float = 1.0
        added: np.ndarray | float = 0.0
        for _ in range(2 if pace.cycle > 1 else 1):
            rest = values - added
            means = np.stack(
                [_ratio((part * rest).sum(axis=0), size) for part, size in zip(of_level, sizes, strict=True)]
            )
            level = np.take_along_axis(means, which, axis=0) if levels > 1 else means[0]
            base = values - level
            if pace.cycle > 1:
                scale = (
                    level / np.where(means[0] > 0, means[0], 1)
                    if self.is_proportional and levels > 1
                    else 1.0
                )
                effects = _ratio(at @ (weights * scale * base), at @ (weights * scale**2))
                added = scale * effects[places]
        used = (weights > 0).sum(axis=0)
        free = used - levels
        shrunk = np.zeros(used.shape)
        if pace.cycle > 1:
            # Effects that chance explains are left out in part (James and Stein 1961, positive part).
            scatter = (weights * (base - added) ** 2).sum(axis=0) / np.maximum(free - pace.cycle + 1, 1)
            between = (of_place * effects**2).sum(axis=0) / (pace.cycle - 1)
            shrunk = np.clip(1 - _ratio(scatter, between), 0, 1) * (between > 0)
            effects, added = effects * shrunk, added * shrunk
            free = free - np.round(shrunk * (pace.cycle - 1))
        left = base - added
        scatter = np.maximum((weights * left**2).sum(axis=0) / np.maximum(free, 1), self.least_variance[step])
        whitened = left * np.sqrt(weights)
        pairs = ((weights[1:] > 0) & (weights[:-1] > 0)).sum(axis=0)
        r = _ratio((whitened[1:] * whitened[:-1]).sum(axis=0), (whitened**2).sum(axis=0))
        r = r * _ratio(used, pairs) - 1 / np.sqrt(np.maximum(used, 1))
        r = np.clip(r, 0, _MOST_AUTOCORRELATION)
        place = of_place[step % pace.cycle] if pace.cycle > 1 else np.ones(used.shape)
        variance = scatter * (
            _ratio(np.ones(used.shape), self.weights[step])
            + _ratio(np.ones(used.shape), sizes[0])
            + shrunk * np.where(place > 0, 1 / np.where(place > 0, place, 1), 1)
        )
        of_newest = ((back == 0) & (weights > 0)).sum(axis=0)
        level_error = 1 / np.sqrt(np.maximum(of_newest, 1)) - 1 / np.sqrt(pace.window)
        expected = means[0] + (effects[step % pace.cycle] if pace.cycle > 1 else 0)
        return expected, variance, (1 + r) / (1 - r), level_error, used, free

    def _of_the_month(self, step: int, error: np.ndarray) -> np.ndarray:
        """What the same day of earlier months adds, where at least three of them, and all, show it clearly."""
        effect = np.zeros(self.values.shape[1])
        if self.pace.cycle == 1:
            return effect
        for place in range(self.month_days.shape[1]):
            same = np.flatnonzero(self.month_days[:step, place] == self.month_days[step, place])[-_MONTHS:]
            off = self.off[same]
            known = ~np.isnan(off)
            enough = (known.sum(axis=0) >= 3) & (effect == 0)
            lowest = np.where(known, off, np.inf).min(axis=0, initial=np.inf)
            highest = np.where(known, off, -np.inf).max(axis=0, initial=-np.inf)
            shown = enough & ((lowest >= _CLEAR * error) | (highest <= -_CLEAR * error))
            if shown.any():
                effect[shown] = np.nanmedian(off[:, shown], axis=0)
        return effect

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

    def _open(self, step: int, series: int, first: int, *, is_high: bool) -> None:
        self.is_open[series] = True
        self.first[series], self.alarmed[series] = first, step
        self.incidents[series] += 1
        self.found.incident[first : step + 1, series] = self.incidents[series]
        self.found.is_high[first : step + 1, series] = is_high
        self.left_out[first : step + 1, series] = True
        self.up[series] = self.down[series] = 0

    def _follow(self, step: int, series: int) -> None:
        """Close the incident if the figures are back, or if they have another level for long enough."""
        pace, first = self.pace, self.first[series]
        self.found.incident[step, series] = self.incidents[series]
        self.found.is_high[step, series] = self.found.is_high[first, series]
        self.left_out[step, series] = True
        z = self.found.z[: step + 1, series]
        if step - self.alarmed[series] >= pace.quiet:
            recent = _known(z[-pace.quiet :])
            is_back = (
                abs(recent.sum()) < _SHOWN * np.sqrt(len(recent)) and (np.abs(recent) < pace.spike).all()
            )
            if len(recent) >= pace.quiet / 2 and is_back:
                self._close(step - pace.quiet + 1, step, series)
                return
        length = step - first + 1
        since = _known(z[first:])
        if length >= pace.lasting and len(since) >= pace.lasting / 2:
            half = since[len(since) // 2 :]
            is_shown = abs(since.sum()) >= _SHOWN * np.sqrt(len(since)) and since.sum() * half.sum() > 0
            if is_shown or length >= 2 * pace.lasting:
                self._take_level(step, series)

    def _close(self, back_from: int, step: int, series: int) -> None:
        self.is_open[series] = False
        again = slice(back_from, step + 1)
        self.left_out[again, series] = ~(self.usable[again, series] & (self.weights[again, series] > 0))

    def _take_level(self, step: int, series: int) -> None:
        """The incident's level becomes the usual one, from the step at which the figures changed most clearly."""
        reach = self.pace.lasting // 3
        begin = max(0, self.first[series] - reach)
        z = self.found.z[begin : step + 1, series]
        places = range(1, min(2 * reach + 1, len(z) - 1))
        scatter = [_scatter(z[:place]) + _scatter(z[place:]) for place in places]
        change = begin + 1 + int(np.argmin(scatter))
        self.level[change : step + 1, series] = self.level[step, series] + 1
        self.found.is_new_level[step, series] = True
        self._close(change, step, series)


def _known(values: np.ndarray) -> np.ndarray:
    known: np.ndarray = values[~np.isnan(values)]
    return known


def _scatter(values: np.ndarray) -> float:
    """Sum of squares around the mean of the values that are known; infinite if none is."""
    known = _known(values)
    return float(((known - known.mean()) ** 2).sum()) if len(known) else float("inf")
