"""`mart.anomalies_daily`: the days and weeks on which a figure was unusual."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ces_pipeline.schemas.mart.anomalies import ANOMALIES_DAILY
from ces_pipeline.statistics.detector import PACES, Findings, Grain, examine, stabilised, unstabilised

METHOD_VERSION = 1
"""Raised when a change of the method would give other rows for the same evidence."""
LEAST_PER_STEP = {"count": 10.0, "share": 5.0, "mean": 20.0}
"""What a day or week must bring on average before it is judged: rows of a count, values of a mean, and of a share both
cases and other rows. A figure of which a day brings less is judged by the week."""
_JUDGED_BY_DAYS = 56
"""So many days before a step show what a day brings."""
_LOGARITHMS = ("duration_seconds", "arrival_minutes")
_SERIES = ["series_kind", "dimension", "segment"]
_WORDS = {
    "count": ("more", "fewer"),
    "share": ("higher", "lower"),
    "mean": ("higher", "lower"),
    "effort": ("harder", "easier"),
    "difficult_share": ("harder", "easier"),
    "duration_seconds": ("longer", "shorter"),
    "arrival_minutes": ("longer", "shorter"),
}
"""Figure or series_kind -> the words for up and down."""


def anomalies_daily(evidence: pd.DataFrame) -> pd.DataFrame:
    """One row per series and day or week with what was observed and expected, and a verdict.

    The evidence has one row per series and day with rows: `figure` (`count`, `share` or `mean`), `n`, and `total`: the
    rows, the cases among n, or the sum of n values, whose squares add up to `square_total`. `examined_from`,
    `examined_to` and `minimum_n` are the same in all rows. Times in seconds and minutes are logarithms. Rows with
    the figure `holiday` name the days that are not judged.
    """
    columns = list(ANOMALIES_DAILY.columns)
    is_holiday = evidence["figure"] == "holiday"
    holidays = pd.DatetimeIndex(pd.to_datetime(evidence.loc[is_holiday, "day"]))
    series = [
        _Series.of(found, str(figure), grain, holidays)
        for figure, found in evidence[~is_holiday].groupby("figure", sort=True)
        for grain in PACES
    ]
    # The first days of a home make no complete week.
    parts = [found.rows() for found in series if len(found.days)]
    if not parts:
        return pd.DataFrame(columns=columns)
    rows = pd.concat(parts, ignore_index=True)
    return rows.sort_values([*_SERIES, "grain", "day"], ignore_index=True)[columns]


@dataclass(frozen=True)
class _Series:
    """All series of one figure by day or by week. Arrays have a row per step and a column per series.

    days: of a week, its Sunday. started: from the first step with rows on.
    """

    figure: str
    grain: Grain
    names: pd.DataFrame
    days: pd.DatetimeIndex
    is_free: np.ndarray
    n: np.ndarray
    total: np.ndarray
    square_total: np.ndarray
    started: np.ndarray
    minimum_n: int

    @classmethod
    def of(cls, evidence: pd.DataFrame, figure: str, grain: Grain, holidays: pd.DatetimeIndex) -> "_Series":
        facts = evidence.iloc[0]
        days = pd.date_range(facts["examined_from"], facts["examined_to"], freq="D")
        is_free: np.ndarray = days.isin(holidays)
        tables = evidence.assign(day=pd.to_datetime(evidence["day"])).pivot(
            index="day", columns=_SERIES, values=["n", "total", "square_total"]
        )
        names = tables["n"].columns.to_frame(index=False)
        sums = {
            name: tables[name].reindex(days).fillna(0).to_numpy(dtype=float)
            for name in ("n", "total", "square_total")
        }
        if grain == "week":
            # Complete weeks only.
            begin = -days[0].weekday() % 7
            weeks = max(0, len(days) - begin) // 7
            kept = slice(begin, begin + 7 * weeks)
            days = days[kept][6::7]
            is_free = np.any(is_free[kept].reshape(weeks, 7), axis=1)
            sums = {
                name: values[kept].reshape(weeks, 7, len(names)).sum(axis=1) for name, values in sums.items()
            }
        started = np.logical_or.accumulate(sums["n"] > 0, axis=0)
        return cls(
            figure, grain, names, days, is_free, **sums, started=started, minimum_n=int(facts["minimum_n"])
        )

    def rows(self) -> pd.DataFrame:
        """The rows of the table that are judged, and the newest one of each series."""
        values, weights, least_variance, enough = self._on_scale()
        usable = np.repeat(~self.is_free[:, None], len(self.names), axis=1)
        judged = self._judged(enough)
        month_days = np.stack([self.days.day, self.days.day - self.days.days_in_month - 1], axis=1)
        found = examine(
            values,
            weights,
            least_variance,
            usable,
            judged,
            month_days,
            self.grain,
            is_proportional=self.figure == "count",
        )
        shown = judged & self.started
        shown[-1:] |= self.started[-1:]
        step, column = np.nonzero(shown)
        at = (step, column)
        limit = PACES[self.grain].spike * found.error
        # A step without a verdict is in no incident: the figure may be judged by the other grain by then.
        in_incident = (found.incident[at] > 0) & judged[at]
        names = self.names.iloc[column].reset_index(drop=True)
        first_days = self.days[_first_steps(found.incident)[at]]
        baseline = np.maximum(step - PACES[self.grain].window, self.started.argmax(axis=0)[column])
        kinds = self.names["series_kind"].to_numpy()
        return names.assign(
            grain=self.grain,
            day=self.days[step].date,
            observed=self._observed(kinds, values)[at],
            expected=self._shown_as(kinds, found.expected)[at],
            expected_low=self._shown_as(kinds, found.expected - limit)[at],
            expected_high=self._shown_as(kinds, found.expected + limit)[at],
            n=self.n[at].astype(int),
            z=found.z[at],
            cusum_up=found.cusum_up[at],
            cusum_down=found.cusum_down[at],
            state=_states(found, usable, judged)[at],
            direction=_directions(kinds[column], self.figure, found.is_high[at], in_incident),
            incident_first_day=pd.Series(first_days.date, dtype=object).where(in_incident, None),
            baseline_first_day=self.days[np.minimum(baseline, step)].date,
            baseline_steps=found.history[at],
            method_version=METHOD_VERSION,
        )

    def _on_scale(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Values, weights and least variance as `examine` takes them, and the rows that LEAST_PER_STEP counts."""
        n, total = self.n, self.total
        equal = np.ones(n.shape)
        if self.figure == "count":
            return np.where(self.started, stabilised(total), np.nan), equal, equal, total
        seen = n > 0
        if self.figure == "share":
            # The variance is about 1 / (n + 1/2) whatever the share is (Anscombe 1948).
            values = np.where(seen, 2 * np.arcsin(np.sqrt((total + 3 / 8) / (n + 3 / 4))), np.nan)
            return values, n + 0.5, equal, np.minimum(total, n - total)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(seen, total / n, np.nan)
            within = np.where(seen, np.maximum(self.square_total - total**2 / n, 0), 0)
        window = PACES[self.grain].window
        free = _sums_before(np.maximum(n - 1, 0), window)
        return values, n, _sums_before(within, window) / np.maximum(free, 1), n

    def _judged(self, enough: np.ndarray) -> np.ndarray:
        """Where the days before bring enough rows for a verdict; of weeks, where they do and days do not."""
        steps = _JUDGED_BY_DAYS // (1 if self.grain == "day" else 7)
        counted = np.maximum(_sums_before(self.started.astype(float), steps), 1)
        average = _sums_before(enough, steps) / counted
        least = LEAST_PER_STEP[self.figure]
        enough_rows: np.ndarray = average >= least
        return enough_rows if self.grain == "day" else enough_rows & (average / 7 < least)

    def _observed(self, kinds: np.ndarray, values: np.ndarray) -> np.ndarray:
        if self.figure == "count":
            return self.total
        with np.errstate(divide="ignore", invalid="ignore"):
            figures = self.total / self.n if self.figure == "share" else self._shown_as(kinds, values)
        shown: np.ndarray = np.where(self.n >= self.minimum_n, figures, np.nan)
        return shown

    def _shown_as(self, kinds: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values of the scale that is examined, as the figures that people read."""
        if self.figure == "count":
            return unstabilised(values)
        if self.figure == "share":
            shares: np.ndarray = np.sin(np.clip(values, 0, np.pi) / 2) ** 2
            return shares
        is_logarithm = np.isin(kinds, _LOGARITHMS)
        return np.where(is_logarithm, np.exp(np.where(is_logarithm, values, 0)), values)


def _sums_before(values: np.ndarray, window: int) -> np.ndarray:
    """For each row, the sum of the `window` rows before it."""
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    steps = np.arange(len(values))
    before: np.ndarray = sums[steps] - sums[np.maximum(steps - window, 0)]
    return before


def _first_steps(incident: np.ndarray) -> np.ndarray:
    """For each step, the first step with the same number of incident in its series."""
    first = np.zeros(incident.shape, dtype=int)
    for step in range(1, len(incident)):
        first[step] = np.where(incident[step] == incident[step - 1], first[step - 1], step)
    return first


def _states(found: Findings, usable: np.ndarray, judged: np.ndarray) -> np.ndarray:
    words = {
        "holiday": ~usable,
        "too few rows": ~judged,
        "too little history": np.isnan(found.error),
        "new level": found.is_new_level,
        "spike up": found.spike & (found.z > 0),
        "spike down": found.spike,
        "drift up": found.drift & found.is_high,
        "drift down": found.drift,
        "in an incident": found.incident > 0,
    }
    return np.select([*words.values()], [*words], "usual")


def _directions(kinds: np.ndarray, figure: str, is_high: np.ndarray, in_incident: np.ndarray) -> np.ndarray:
    found = np.full(len(kinds), None, dtype=object)
    for kind in np.unique(kinds):
        higher, lower = _WORDS.get(kind, _WORDS[figure])
        of_kind = in_incident & (kinds == kind)
        found[of_kind] = np.where(is_high[of_kind], higher, lower)
    return found
