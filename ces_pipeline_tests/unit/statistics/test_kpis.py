"""Protects the association of effort with other KPIs: a planted dependence is recovered, none is not invented."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ces_pipeline.statistics.kpis import kpi_association


def evidence(correlation: float, n: int, seed: int) -> pd.DataFrame:
    """Answers on five points to each of two questions, from a Gaussian copula of this correlation, as counts."""
    generator = np.random.default_rng(seed)
    normal = generator.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], n)
    boxes = np.floor(5 * stats.norm.cdf(normal)).clip(0, 4) * 25
    frame = pd.DataFrame(boxes, columns=["ease_0_100", "other"]).assign(
        kpi="csat", survey_id="s", minimum_n=30
    )
    return frame.groupby(list(frame.columns), as_index=False).size().rename(columns={"size": "pairs"})


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_intervals_cover_the_true_association_as_often_as_they_say(correlation: float) -> None:
    truth = kpi_association(evidence(correlation, 400_000, 1)).iloc[0]
    found = pd.concat([kpi_association(evidence(correlation, 200, seed)) for seed in range(2, 202)])
    covered = (found["spearman_low"] <= truth["spearman"]) & (truth["spearman"] <= found["spearman_high"])
    assert 0.92 <= covered.mean() <= 0.98


def test_each_survey_and_kpi_has_its_own_row() -> None:
    csat = evidence(0.6, 50, 1)
    found = kpi_association(pd.concat([csat.assign(kpi="nps"), csat, csat.assign(survey_id="a")]))
    assert list(zip(found["kpi"], found["survey_id"], found["n"], strict=True)) == [
        ("csat", "a", 50),
        ("csat", "s", 50),
        ("nps", "s", 50),
    ]
    assert found["spearman"].nunique() == 1
