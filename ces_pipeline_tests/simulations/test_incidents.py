"""Holds that every planted change of a made-up home becomes an incident in time, and that a clean twin has few incidents."""

from pathlib import Path

import pytest

from ces_pipeline_tests.simulations.incidents import PLANTED, noticed, series_years

SEED = 3
LATEST_DAYS = {
    "harder": 6,
    "beyond": 0,
    "silent": 0,
    "fewer": 9,
    "flood": 0,
    "fewer_comments": 9,
    "slower": 9,
}
"""Survey -> most days from its change until a rule notices it: the medians of the detector's own simulation, and two."""
FALSE_A_YEAR = 0.4


@pytest.mark.slow
def test_every_planted_change_is_noticed_in_time_and_a_clean_home_has_few_incidents(tmp_path: Path) -> None:
    found = noticed(tmp_path / "planted", SEED, is_planted=True)
    for planted in PLANTED:
        own = [each for each in found if (each.rule, each.survey) == (planted.rule, planted.survey)]
        delays = [each.detected - planted.first for each in own if each.detected >= planted.first]
        assert delays, planted
        assert min(delays) <= LATEST_DAYS[planted.survey], planted
    clean = noticed(tmp_path / "clean", SEED, is_planted=False)
    assert len(clean) <= FALSE_A_YEAR * series_years()
    assert [each for each in clean if each.rule == "beyond_threshold"] == []
