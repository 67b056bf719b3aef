"""Protects the verdicts on segments: 20 without a difference hardly ever have one, whatever the shape of the answers."""

import pytest

from ces_pipeline_tests.simulations.segments import SHAPES, SIZES, TOP_BOXES, table


def test_the_smallest_segments_of_the_most_skewed_answers_are_hardly_ever_claimed() -> None:
    found = table(300, ["falling"], [0.6, 0.9], [30]).set_index("top_box")
    assert found["any_of_20"].max() <= 0.06, found
    assert found["covered_same"].min() >= 0.93, found
    assert (found["found_25"] >= 0.9).all(), found


@pytest.mark.slow
def test_noise_is_claimed_in_at_most_six_of_a_hundred_families_and_intervals_cover() -> None:
    found = table(1_000)
    assert len(found) == len(SHAPES) * len(TOP_BOXES) * len(SIZES)
    # 3,000 families over the shapes of a cell have an error of 0.4 %, 1,000 of one shape 0.8 %.
    assert found.groupby(["top_box", "n"])["any_of_20"].mean().max() <= 0.06, found
    assert found["any_of_20"].max() <= 0.06 + 2 * 0.008, found
    assert found[["covered_same", "covered_15"]].min().min() >= 0.93, found
    assert found["wrong_sign"].max() <= 0.005, found
    # Not bought by never finding anything.
    power = found.set_index("n")
    assert power.loc[30, "found_25"].min() >= 0.5, found
    assert power.loc[60, "found_25"].min() >= 0.9, found
    assert power.loc[150, "found_15"].min() >= 0.85, found
