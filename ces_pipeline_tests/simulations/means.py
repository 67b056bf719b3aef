"""How often the 95 % interval of a mean holds the truth, for skewed answers.

`python -m ces_pipeline_tests.simulations.means` prints one line per scale, kind of answers and n: the lowest and the
highest coverage over 35 to 90 % best answers, with the macros of the marts and with plain Student's t.
"""

from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
from scipy import stats

from ces_pipeline.publish.derived import define_macros

BEST_SHARES = (0.35, 0.5, 0.6, 0.7, 0.8, 0.9)
SIZES = (30, 60, 150)
SCALES = (5, 7, 11)
"""Numbers of answers of a scale."""
SAMPLES = 4_000


def others(kind: str, answers: int) -> np.ndarray:
    """How the answers that are not the best one are spread, from the worst to the second best."""
    spread = {
        "even": np.ones(answers - 1),
        "rising": np.arange(1.0, answers),
        "second best": np.eye(answers - 1)[-1],
        "half worst": np.r_[answers - 2, np.ones(answers - 2)],
    }[kind]
    return spread / spread.sum()


KINDS = ("even", "rising", "second best", "half worst")


class Coverage(NamedTuple):
    """Shares of samples whose interval holds the truth, over BEST_SHARES; narrowest: the smallest width."""

    lowest: float
    highest: float
    plain_lowest: float
    narrowest: float


def coverage(connection: duckdb.DuckDBPyConnection, answers: int, kind: str, n: int) -> Coverage:
    """connection: with the macros. The draws depend on the arguments alone."""
    chance = np.random.default_rng([answers, KINDS.index(kind), n])
    ease = np.linspace(0, 100, answers)
    frames = []
    for best in BEST_SHARES:
        shares = np.r_[others(kind, answers) * (1 - best), best]
        drawn = chance.multinomial(n, shares, SAMPLES)
        frames.append(
            pd.DataFrame(
                {"best": best, "truth": shares @ ease, "total": drawn @ ease, "squares": drawn @ ease**2}
            )
        )
    frame = pd.concat(frames, ignore_index=True).assign(n=n)
    connection.register("samples", frame)
    found = connection.execute(
        "SELECT mean_low(n, total, squares) AS low, mean_high(n, total, squares) AS high FROM samples"
    ).fetchnumpy()
    mean = frame["total"] / n
    spread = np.sqrt(np.maximum(frame["squares"] / n - mean**2, 0) / (n - 1))
    by_best = pd.DataFrame(
        {
            "covered": (found["low"] <= frame["truth"]) & (frame["truth"] <= found["high"]),
            "plain": abs(mean - frame["truth"]) <= stats.t.ppf(0.975, n - 1) * spread,
        }
    ).groupby(frame["best"])
    covered, plain = by_best["covered"].mean(), by_best["plain"].mean()
    return Coverage(covered.min(), covered.max(), plain.min(), float((found["high"] - found["low"]).min()))


def main() -> None:
    print("answers  others       n     lowest  highest  plain t, lowest  smallest width")
    with duckdb.connect() as connection:
        define_macros(connection)
        for answers in SCALES:
            for kind in KINDS:
                for n in SIZES:
                    found = coverage(connection, answers, kind, n)
                    print(
                        f"{answers:7}  {kind:11}  {n:4}  {found.lowest:7.3f}  {found.highest:7.3f}  "
                        f"{found.plain_lowest:15.3f}  {found.narrowest:14.2f}"
                    )


if __name__ == "__main__":
    main()
