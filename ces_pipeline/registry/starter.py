"""Creates a new home: with an empty registry, or with the commented sample."""

import re
from zoneinfo import available_timezones

from ces_pipeline.errors import HomeError, RegistryError
from ces_pipeline.home import Home, shipped

_EMPTY = {
    "sources.yaml": "# The sources: where exports arrive and how they are read. `ces inspect FILE --write` adds one.\n",
    "surveys.yaml": "# The surveys: an entry is one question at one moment. `ces inspect FILE --write` adds one.\n",
    "segments.yaml": "# Rules that assign personas and journey stages. See `ces docs reference-registry`.\n",
}


def make_home(home: Home, *, has_sample: bool = True, business_time_zone: str = "UTC") -> Home:
    """Create the folders of the home and its registry.

    has_sample: with the commented sources, surveys and segments of the sample; else these files are empty.
    business_time_zone: the IANA zone of "a day". Raises RegistryError if there is no such zone, HomeError if the home
    has a registry already.
    """
    if business_time_zone not in available_timezones():
        raise RegistryError(
            f"--business-time-zone: {business_time_zone!r} is not an IANA time zone (such as Europe/London or UTC)"
        )
    if home.registry.is_dir() and any(home.registry.iterdir()):
        raise HomeError(
            f"{home.registry} already holds a registry: choose another folder, or use this home as it is"
        )
    home.make()
    for entry in sorted(shipped("registry").glob("*.yaml")):
        text = entry.read_text(encoding="utf-8")
        if entry.name in _EMPTY and not has_sample:
            text = f"{_EMPTY[entry.name]}[]\n"
        if entry.name == "settings.yaml":
            text = re.sub(r"(?m)^business_time_zone: \S+", f"business_time_zone: {business_time_zone}", text)
        (home.registry / entry.name).write_text(text, encoding="utf-8")
    return home
