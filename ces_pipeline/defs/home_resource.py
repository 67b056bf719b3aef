"""The home as a resource of Dagster: its page shows where a deployment keeps its data, and every step works there."""

from pathlib import Path

import dagster as dg

from ces_pipeline.home import Home


class HomeResource(dg.ConfigurableResource[Home]):
    """The home folder of an installation. root: its path."""

    root: str

    @property
    def home(self) -> Home:
        """The home, as steps use it."""
        return Home(Path(self.root))
