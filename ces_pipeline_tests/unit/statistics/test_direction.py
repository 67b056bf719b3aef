"""Protects mart.direction_drift: the correlations, when a drift begins and ends, and what is never flagged."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ces_pipeline.schemas.mart.direction import DIRECTION_DRIFT
from ces_pipeline.statistics.direction import direction_drift
from ces_pipeline_tests.simulations.direction import FIRST, answers, evidence


def made(*flips: int, correlation: float = 0.7, days: int = 90, seed: int = 1) -> pd.DataFrame:
    """Twenty answers a day; on each of the days `flips` the score changes its direction."""
    found = answers(np.random.default_rng(seed), "ordinal", correlation, days, 20, None)
    turns = sum((found["day"] >= flip).astype(int) for flip in flips)
    return found.assign(ease=np.where(np.asarray(turns) % 2, 100 - found["ease"], found["ease"]))


def judged(found: pd.DataFrame, **facts: Any) -> dict[str, Any]:
    rows = direction_drift(evidence(found, **facts))
    assert list(rows.columns) == list(DIRECTION_DRIFT.columns)
    (row,) = rows.to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_a_correlation_is_that_within_groups_of_neighbouring_days() -> None:
    # Two days of 12 answers, each a group: by hand 12 x 2500 of squares of ease, 12 x 0.25 of the signal, and products
    # of 12 x 25 x (8 - 4) / 12 = 100. The signal is higher on the second day, which does not count.
    day = pd.DataFrame({"day": 0, "ease": [0, 100] * 6, "other": [0.0, 1.0] * 4 + [1.0, 0.0] * 2})
    row = judged(pd.concat([day, day.assign(day=1, other=day["other"] + 5)]), minimum_n=20)
    assert row["n"] == 24
    assert row["correlation"] == pytest.approx(1 / 3)
    half = 1.959964 / np.sqrt(22 - 2)
    assert row["correlation_low"] == pytest.approx(np.tanh(np.arctanh(1 / 3) - half), abs=1e-6)
    assert row["correlation_high"] == pytest.approx(np.tanh(np.arctanh(1 / 3) + half), abs=1e-6)


def test_a_score_that_is_turned_round_is_flagged_with_its_day() -> None:
    row = judged(made(40))
    assert (row["state"], row["is_flagged"]) == ("reversed", True)
    assert FIRST + timedelta(days=38) <= row["first_day"] <= FIRST + timedelta(days=41)
    assert FIRST + timedelta(days=40) <= row["flagged_on"] <= FIRST + timedelta(days=43)
    assert row["correlation_before"] > 0.4 > 0 > row["correlation_high"]
    assert row["n_before"] + row["n"] == len(made(40))


@pytest.mark.parametrize("sign", [1, -1])
def test_without_an_expected_sign_the_direction_is_that_of_the_answers_before(sign: int) -> None:
    found = made(40)
    row = judged(found.assign(other=sign * found["other"]), expected_sign=0)
    assert row["state"] == "reversed"
    assert sign * row["correlation_before"] > 0.4
    assert row["expected_sign"] is None


def test_a_column_that_holds_something_else_no_longer_agrees() -> None:
    found = made()
    mixed = np.random.default_rng(2).permutation(found["ease"])
    row = judged(found.assign(ease=np.where(found["day"] >= 40, mixed, found["ease"])))
    assert (row["state"], row["is_flagged"]) == ("no longer agrees", True)
    assert row["correlation_low"] < 0 < row["correlation_high"]


def test_a_drift_that_was_corrected_is_not_flagged_and_a_second_one_is() -> None:
    assert judged(made(30, 60))["state"] == "agrees"
    assert not judged(made(30, 60))["is_flagged"]
    # The wrong days are not part of what was before.
    assert judged(made(30, 60))["correlation_before"] == pytest.approx(
        judged(made())["correlation_before"], abs=0.05
    )
    again = judged(made(30, 60, 80))
    assert again["state"] == "reversed"
    assert again["first_day"] >= FIRST + timedelta(days=78)


def test_a_signal_with_a_direction_of_its_own_is_flagged_from_the_first_day() -> None:
    row = judged(made(0))
    assert (row["state"], row["is_flagged"], row["n_before"]) == ("reversed", True, 0)
    assert row["first_day"] == FIRST
    assert judged(made(0), expected_sign=0)["state"] == "agrees"


def test_what_cannot_be_judged_is_named_and_not_flagged() -> None:
    assert judged(made(days=1))["state"] == "too few answers"
    assert np.isnan(judged(made(days=1))["correlation"])
    equal = judged(made().assign(other=4.1))
    assert (equal["state"], equal["is_flagged"]) == ("too few answers", False)
    assert np.isnan(equal["correlation"])
    assert judged(made(correlation=0.0))["state"] == "no clear direction"


def test_the_order_of_the_days_does_not_matter_and_later_days_do_not_change_when_it_was_found() -> None:
    rows = evidence(made(40))
    assert direction_drift(rows).equals(direction_drift(rows.iloc[::-1]))
    early = direction_drift(rows[rows["day"] <= FIRST + timedelta(days=50)])
    assert early["flagged_on"].equals(direction_drift(rows)["flagged_on"])


def test_no_evidence_gives_no_rows() -> None:
    assert list(direction_drift(evidence(made()).iloc[:0]).columns) == list(DIRECTION_DRIFT.columns)
