"""Holds that a home of 200 days finds each planted incident in time and opens it, and its twin hardly any.

`python -m ces_pipeline_tests.simulations.planted_home` prints the delays.
"""

from pathlib import Path

import pytest

from ces_pipeline_tests.simulations.planted_home import (
    HARDER,
    NEW_FORM,
    PLANTED,
    TOO_HARD,
    alarms,
    delay_days,
    incidents,
    is_noticed,
    published_home,
    series_years,
)
from ces_pipeline_tests.simulations.test_anomalies import FALSE_LIMITS


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_each_planted_incident_is_found_in_time(tmp_path: Path, seed: int) -> None:
    home = published_home(tmp_path, PLANTED, seed)
    found = alarms(home)
    delays = {incident: delay_days(incident, found) for incident in PLANTED}
    late = {incident: days for incident, days in delays.items() if days is None or days > incident.most_days}
    assert late == {}
    opened = incidents(home)
    assert [planted for planted in PLANTED if not is_noticed(planted, opened)] == []
    (too_hard,) = (incident for incident in opened if incident["rule_id"] == TOO_HARD)
    assert too_hard["segment"] == "web"
    assert 0 <= (too_hard["detected_day"] - HARDER.first).days <= 1
    assert too_hard["low"] > too_hard["expected"] == 40
    assert any(NEW_FORM in change for change in too_hard["nearby_changes"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_twin_without_incidents_stays_within_the_budget(tmp_path: Path, seed: int) -> None:
    twin = published_home(tmp_path, (), seed)
    assert series_years(twin) > 10
    assert len(alarms(twin)) <= FALSE_LIMITS["days differ"] * series_years(twin)
    assert [incident for incident in incidents(twin) if incident["rule_id"] == TOO_HARD] == []
