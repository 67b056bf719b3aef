"""Direction drift: how many answers after a flip it is found, and how often answers without one are flagged.

`python -m ces_pipeline_tests.simulations.direction [--seeds 100]` prints a row per kind of answers, correlation and
answers a day. Scores and signals are ordinal (1 to 5, most at the good end) unless the kind says otherwise.
"""

import argparse
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy import stats

from ces_pipeline.statistics.direction import Series, direction_drift

FIRST = date(2026, 1, 1)
FLIP_DAY = 40
_CUTS = stats.norm.ppf([0.08, 0.17, 0.32, 0.58])
"""Where the shares of answers up to 1, 2, 3 and 4 end."""
KINDS = ("ordinal", "minutes", "counts", "days differ")
SIGNALS = {
    "csat": ("ordinal", 0.6, 1),
    "nps": ("days differ", 0.5, 1),
    "ticket_csat": ("ordinal", 0.3, 1),
    "comment_length": ("minutes", -0.15, 0),
    "reopens": ("counts", -0.2, 0),
    "replies": ("counts", -0.3, 0),
    "handoffs": ("counts", -0.1, 0),
    "resolution_minutes": ("minutes", -0.3, 0),
}
"""The signals of a survey: kind of their values, correlation, and expected sign."""


def answers(
    random: np.random.Generator, kind: str, correlation: float, days: int, a_day: float, flip: int | None
) -> pd.DataFrame:
    """Answers with `day` (a number), `ease` and `other`. correlation: of the normal values behind the two.

    kind: `minutes` are skewed, `counts` mostly 0; where `days differ`, a quarter of both variances is shared by the
    answers of a day. flip: from this day on the score is read in the wrong direction.
    """
    day = np.repeat(np.arange(days), random.poisson(a_day, days))
    ease, noise = random.standard_normal((2, len(day)))
    other = correlation * ease + np.sqrt(1 - correlation**2) * noise
    if kind == "days differ":
        shared = random.standard_normal((2, days))[:, day] / 2
        ease, other = (
            np.sqrt(0.75) * values + part for values, part in zip((ease, other), shared, strict=True)
        )
    score = 1 + np.searchsorted(_CUTS, ease)
    if flip is not None:
        score = np.where(day >= flip, 6 - score, score)
    values = {
        "minutes": np.log1p(np.exp(5 + 1.5 * other)),
        "counts": np.log1p(np.floor(np.exp(0.9 * other - 0.5))),
    }.get(kind, 25.0 * np.searchsorted(_CUTS, other))
    return pd.DataFrame({"day": day, "ease": 25.0 * (score - 1), "other": values})


def evidence(
    found: pd.DataFrame, signal: str = "csat", expected_sign: int = 1, minimum_n: int = 30
) -> pd.DataFrame:
    """Answers as the query of the mart lists them."""
    ease, other = found["ease"], found["other"]
    sums = pd.DataFrame(
        {
            "day": found["day"], "n": 1, "ease_sum_0_100": ease, "ease_square_sum_0_100": ease**2,
            "signal_sum": other, "signal_square_sum": other**2, "product_sum": ease * other,
        }
    )  # fmt: skip
    rows = sums.groupby("day", as_index=False).sum()
    return rows.assign(
        source_id="web", survey_id="chat", signal=signal, expected_sign=expected_sign, minimum_n=minimum_n,
        day=[FIRST + timedelta(days=int(day)) for day in rows["day"]],
    )  # fmt: skip


def delay(found: pd.DataFrame, expected_sign: int) -> float:
    """Answers from the flip to the end of the day that shows it; infinite if it is never found or found before."""
    (row,) = direction_drift(evidence(found, expected_sign=expected_sign)).to_dict("records")
    if not row["is_flagged"]:
        return np.inf
    shown = (row["flagged_on"] - FIRST).days
    return np.inf if shown < FLIP_DAY else float(((found["day"] >= FLIP_DAY) & (found["day"] <= shown)).sum())


def delay_table(
    seeds: int,
    kinds: Iterable[str] = ("ordinal",),
    correlations: Iterable[float] = (0.3, 0.4, 0.5, 0.6, 0.7),
    per_day: Iterable[float] = (3, 8, 20),
) -> pd.DataFrame:
    """One row per kind, correlation and answers a day: observed correlation before the flip, and answers to the alarm."""
    rows = []
    for kind in kinds:
        for correlation in correlations:
            for a_day in per_day:
                random = np.random.default_rng([len(kind), int(100 * correlation), int(a_day)])
                made = [
                    answers(random, kind, correlation, FLIP_DAY + 500 // int(a_day), a_day, FLIP_DAY)
                    for _ in range(seeds)
                ]
                delays = [delay(found, 1) for found in made]
                observed = [
                    found[found["day"] < FLIP_DAY][["ease", "other"]].corr().iloc[0, 1] for found in made
                ]
                rows.append(
                    {
                        "kind": kind, "correlation": np.mean(observed), "answers_a_day": a_day,
                        "median_answers": np.median(delays), "found_in_60": np.mean(np.array(delays) <= 60),
                        "found": np.mean(np.isfinite(delays)),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def false_table(seeds: int, per_day: Iterable[float] = (3, 8, 20), days: int = 365) -> pd.DataFrame:
    """One row per number of answers a day: share of surveys without a flip, each with SIGNALS, that were ever flagged."""
    rows = []
    for a_day in per_day:
        random = np.random.default_rng([int(a_day), days])
        was_flagged = np.array(
            [
                [
                    _was_flagged(
                        evidence(answers(random, kind, correlation, days, a_day, None), expected_sign=sign)
                    )
                    for kind, correlation, sign in SIGNALS.values()
                ]
                for _ in range(seeds)
            ]
        )
        by_signal = dict(zip(SIGNALS, was_flagged.mean(axis=0), strict=True))
        rows.append({"answers_a_day": a_day, "flagged": was_flagged.any(axis=1).mean(), **by_signal})
    return pd.DataFrame(rows)


def _was_flagged(found: pd.DataFrame) -> bool:
    """Whether a drift was found on any day, also one that ended."""
    return any(True for _ in Series.of(found).drifts())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="seeds a row")
    seeds = parser.parse_args().seeds
    print(delay_table(seeds, KINDS).round(3).to_string(index=False))
    print(false_table(seeds).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
