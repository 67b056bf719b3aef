"""Protects the interval macros: they are the textbook's, they cover what they promise, and nothing is no figure."""

import itertools
import math
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from ces_pipeline.publish.derived import define_macros
from ces_pipeline_tests.simulations import means
from ces_pipeline_tests.sql.by_hand import mean_interval

SAMPLES = 4_000


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        define_macros(connection)
        yield connection


def asked(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, *macros: str) -> list[np.ndarray]:
    connection.register("frame", frame)
    answer = connection.execute(f"SELECT {', '.join(macros)} FROM frame").fetchnumpy()
    return list(answer.values())


def test_the_quantiles_of_students_t_are_those_of_scipy(connection: duckdb.DuckDBPyConnection) -> None:
    degrees = np.array([*range(1, 200), 1_000, 1_000_000])
    (found,) = asked(connection, pd.DataFrame({"df": degrees}), "t_975(df)")
    assert found == pytest.approx(stats.t.ppf(0.975, degrees), abs=5e-8)


def test_wilson_is_that_of_statsmodels_and_stays_a_share(connection: duckdb.DuckDBPyConnection) -> None:
    frame = pd.DataFrame([(k, n) for n in (1, 5, 30, 385) for k in range(n + 1)], columns=["k", "n"])
    low, high = asked(connection, frame, "share_low(k, n)", "share_high(k, n)")
    known = proportion_confint(frame["k"], frame["n"], method="wilson")
    assert low == pytest.approx(known[0], abs=1e-12)
    assert high == pytest.approx(known[1], abs=1e-12)
    assert low.min() >= 0
    assert high.max() <= 1


def test_the_net_interval_is_the_one_computed_by_hand(connection: duckdb.DuckDBPyConnection) -> None:
    # 60 easy, 20 difficult of 100: (60.75 - 20.75) / 103 and (60.75 + 20.75) / 103.
    net, ends = 40 / 103, 81.5 / 103
    half = 1.959963984540054 * math.sqrt((ends - net**2) / 103)
    found = connection.execute("SELECT net_low(60, 20, 100), net_high(60, 20, 100)").fetchone()
    assert found == pytest.approx((net - half, net + half), abs=1e-12)
    assert connection.execute("SELECT net_low(0, 10, 10), net_high(10, 0, 10)").fetchone() == (-1, 1)


def test_the_rank_of_a_medians_lower_end_is_the_exact_one_of_the_binomial(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    sizes = np.unique([*range(6, 3_000), *np.geomspace(3_000, 5e6, 500).astype(int)])
    (found,) = asked(connection, pd.DataFrame({"n": sizes}), "median_low_rank(n)")
    # The least x with P(X <= x) above 2.5 % is the greatest k with P(X <= k - 1) below.
    assert (found == stats.binom.ppf(0.025, sizes, 0.5)).all()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        # P(X = 0) of 5 is 1/32, more than 2.5 %; of 6 it is 1/64.
        ([1, 2, 3, 4, 5], None, None),
        ([1, 2, 3, 4, 5, 6], 1, 6),
        # P(X <= 1) of 10 is 11/1024 and P(X <= 2) is 56/1024.
        ([*range(10, 110, 10)], 20, 90),
        ([], None, None),
    ],
)
def test_a_medians_interval_lies_between_the_values_that_the_binomial_names(
    connection: duckdb.DuckDBPyConnection, values: list[float], low: float | None, high: float | None
) -> None:
    found = connection.execute(
        "SELECT median_low(l), median_high(l) FROM (SELECT ?::DOUBLE[] AS l)", [values]
    )
    assert found.fetchone() == (low, high)


@pytest.mark.parametrize("n", [6, 31, 200])
def test_a_medians_interval_covers_at_least_as_often_as_it_says(
    connection: duckdb.DuckDBPyConnection, n: int
) -> None:
    drawn = np.sort(np.random.default_rng(20260302).lognormal(3, 2, (SAMPLES, n)), axis=1)
    low, high = asked(connection, pd.DataFrame({"l": list(drawn)}), "median_low(l)", "median_high(l)")
    covered = np.mean((low <= np.exp(3)) & (np.exp(3) <= high))
    # Ranks are integers: the binomial coverage is a little above 95 %.
    exact = 1 - 2 * stats.binom.cdf(stats.binom.ppf(0.025, n, 0.5) - 1, n, 0.5)
    assert 0.95 <= exact <= 0.98
    assert covered == pytest.approx(exact, abs=0.012)


def test_a_suppressed_figure_is_null(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute("SELECT shown(true, 7), shown(false, 7)").fetchone() == (None, 7)


@pytest.mark.parametrize("values", [[100.0] * 30, [0.0, 0.0], [0.0, 100.0], [50.0, 75.0, 75.0, 100.0]])
def test_the_interval_of_a_mean_is_the_one_computed_by_hand(
    connection: duckdb.DuckDBPyConnection, values: list[float]
) -> None:
    moments = f"{len(values)}, {sum(values)}, {sum(value**2 for value in values)}"
    found = connection.execute(f"SELECT mean_low({moments}), mean_high({moments})").fetchone()
    assert found == pytest.approx(mean_interval(values))
    assert found is not None
    assert found[0] < found[1]


def test_the_interval_of_a_mean_holds_the_mean_and_turns_with_the_scale(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    counts = np.array([counts for counts in itertools.product(range(0, 40, 3), repeat=3) if sum(counts) > 1])
    n, ease = counts.sum(axis=1), np.array([0.0, 50.0, 100.0])
    frame = pd.DataFrame(
        {
            "n": n,
            "total": counts @ ease,
            "squares": counts @ ease**2,
            "effort": counts @ (100 - ease),
            "effort_squares": counts @ (100 - ease) ** 2,
        }
    )
    low, high, effort_low, effort_high = asked(
        connection,
        frame,
        "mean_low(n, total, squares)",
        "mean_high(n, total, squares)",
        "mean_low(n, effort, effort_squares)",
        "mean_high(n, effort, effort_squares)",
    )
    mean = frame["total"] / n
    assert (low <= mean + 1e-9).all()
    assert (mean <= high + 1e-9).all()
    assert effort_low == pytest.approx(100 - high)
    assert effort_high == pytest.approx(100 - low)


@pytest.mark.parametrize("n", means.SIZES)
@pytest.mark.parametrize("answers", means.SCALES)
def test_the_interval_of_a_mean_of_skewed_answers_covers_as_it_says(
    connection: duckdb.DuckDBPyConnection, answers: int, n: int
) -> None:
    found = {kind: means.coverage(connection, answers, kind, n) for kind in means.KINDS}
    assert {kind: row.lowest >= 0.93 for kind, row in found.items()} == dict.fromkeys(means.KINDS, True)
    assert min(row.narrowest for row in found.values()) > 0
    if n == 30:
        # Student's t alone fails here, so the simulation can tell.
        assert min(row.plain_lowest for row in found.values()) < 0.88


def test_of_nothing_there_is_no_figure(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT share_low(0, 0), share_high(0, 0), net_low(0, 0, 0), net_high(0, 0, 0),
            t_975(0), sample_sd(1, 50.0, 2500.0), mean_low(1, 50.0, 2500.0), mean_high(0, 0, 0),
            mean_low(40, 50.0, NULL), mean_high(40, 50.0, NULL)
    """
    assert connection.execute(query).fetchone() == (None,) * 10


@pytest.mark.parametrize("n", [30, 200])
def test_ninety_five_percent_intervals_cover_about_that_often(
    connection: duckdb.DuckDBPyConnection, n: int
) -> None:
    shares = np.array([0.05, 0.1, 0.15, 0.2, 0.2, 0.2, 0.1])
    ease = np.linspace(0, 100, 7)
    counts = np.random.default_rng(20260302).multinomial(n, shares, SAMPLES)
    frame = pd.DataFrame(
        {
            "n": n,
            "easy": counts[:, 4:].sum(axis=1),
            "difficult": counts[:, :3].sum(axis=1),
            "total": counts @ ease,
            "squares": counts @ ease**2,
        }
    )
    mean_low, mean_high, share_low, share_high, net_low, net_high = asked(
        connection,
        frame,
        "mean_low(n, total, squares)",
        "mean_high(n, total, squares)",
        "share_low(easy, n)",
        "share_high(easy, n)",
        "net_low(easy, difficult, n)",
        "net_high(easy, difficult, n)",
    )
    covered = {
        "mean": (mean_low <= shares @ ease) & (shares @ ease <= mean_high),
        "share": (share_low <= shares[4:].sum()) & (shares[4:].sum() <= share_high),
        "net": (net_low <= shares[4:].sum() - shares[:3].sum())
        & (shares[4:].sum() - shares[:3].sum() <= net_high),
    }
    assert {name: 0.93 <= float(np.mean(hits)) <= 0.97 for name, hits in covered.items()} == dict.fromkeys(
        covered, True
    )
