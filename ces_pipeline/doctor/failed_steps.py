"""The failures of the last run, for findings that only need to know whether there are some."""

from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.last_results import LastResult, last_results


def failed_steps(home: Home) -> list[LastResult]:
    """What the last run of each step could not do; none where that cannot be read, which `days.last_run` reports."""
    try:
        return last_results(Lake(home.lake))
    except CesError:
        return []
