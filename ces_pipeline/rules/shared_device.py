"""one device or address used by several people that day"""

from math import inf
from typing import TYPE_CHECKING

from ces_pipeline.rules.contract import Numbers, Rule, at_most, poison

if TYPE_CHECKING:
    from ces_pipeline.clean.response_facts import ResponseFacts


def people_above_limit_on_device(facts: "ResponseFacts") -> Numbers:
    """How many more people than allowed used the row's device or address that day (below 0: fewer)."""
    limit = facts.per_survey(lambda survey: survey.rules.shared_device_people, inf)
    return facts.people_on_device - limit + 1


# How crowded a device is depends on which other rows are at hand, so it decides nothing about other rows.
RULE = Rule(
    name="shared_device",
    position=160,
    severity="info",
    evidence=people_above_limit_on_device,
    check=at_most(0),
    poison=poison(
        {"respondent_key": "one", "ip_address_key": "office"},
        {"respondent_key": "another", "ip_address_key": "office"},
        rules={"shared_device_people": 2},
    ),
    makes_ineligible=False,
    settings=("shared_device_people",),
)
