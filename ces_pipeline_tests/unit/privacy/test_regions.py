"""The home region of phone numbers comes from the settings, else from the business time zone."""

import pytest

from ces_pipeline.privacy.regions import phone_regions


@pytest.mark.parametrize(
    ("given", "zone", "regions"),
    [
        ((), "Europe/Berlin", ("DE",)),
        ((), "Europe/Oslo", ("NO",)),
        ((), "US/Eastern", ("US",)),
        ((), "Asia/Calcutta", ("IN",)),
        ((), "UTC", ()),
        (("FR", "BE"), "Europe/Berlin", ("FR", "BE")),
    ],
)
def test_the_regions_of_an_installation(given: tuple[str, ...], zone: str, regions: tuple[str, ...]) -> None:
    assert phone_regions(given, zone) == regions
