"""Protects figures of what is not over yet: without any change, none is measured, however long things take."""

import pytest

from ces_pipeline_tests.simulations import contact_frequency, resolution_time


@pytest.mark.slow
@pytest.mark.parametrize("median_days", [0.25, 2.0, 10.0])
def test_no_change_of_the_time_to_resolution_is_measured_as_none(median_days: float) -> None:
    found = resolution_time.simulate(median_days, factor=1, seeds=60)
    assert abs(found.mean_share) <= 0.02
    # 60 intervals of 95 %: more than 8 miss in about one of 150 runs.
    assert found.missed_share <= 8 / 60


@pytest.mark.slow
def test_a_doubled_time_to_resolution_is_measured_as_double() -> None:
    found = resolution_time.simulate(median_days=5, factor=2, seeds=40)
    assert found.mean_share == pytest.approx(-1, abs=0.05)
    assert found.missed_share <= 7 / 40


@pytest.mark.parametrize("days", [30, 45, 120])
def test_another_invitation_lowers_no_share_if_it_lowers_no_chance(days: int) -> None:
    shares = contact_frequency.answered_shares(days)
    # Three of a hundred answers take longer than the time to answer, and may come later.
    for place in (1, 2, 3):
        final, _ = shares[place]
        assert final == pytest.approx(contact_frequency.CHANCE, abs=0.04)
    # At 30 days the share of all invitations is too low by an eighth: the simulation would show the fault.
    if days == 30:
        assert shares[1][1] < 0.36
