"""A bounded run of the fuzzing of all readers; `python -m ces_pipeline_tests.fuzz_readers` runs 20,000 files."""

import pytest

from ces_pipeline_tests.fuzz_readers import fuzz, make


@pytest.mark.parametrize("first", [100_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_no_record_of_a_damaged_export_is_missing_from_the_books(first: int) -> None:
    outcomes = fuzz(7, first, 180)
    assert set(outcomes) <= {"read", "refused"}
    # Both happen: a reader that refuses everything would lose nothing either.
    assert outcomes["read"] > 90
    assert outcomes["refused"] > 10


def test_a_damaged_export_is_made_again_from_its_number() -> None:
    assert make(1, 25)[1] == make(1, 25)[1]
    assert sum(make(1, number)[1].expected for number in range(40)) > 100
