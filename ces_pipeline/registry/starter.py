"""Creates a new home with the starter registry."""

from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home, shipped


def make_home(home: Home) -> Home:
    """Create the folders of the home and copy the starter registry. Raises HomeError if it has a registry already."""
    if home.registry.is_dir() and any(home.registry.iterdir()):
        raise HomeError(
            f"{home.registry} already holds a registry: choose another folder, or use this home as it is"
        )
    home.make()
    for entry in sorted(shipped("registry").glob("*.yaml")):
        (home.registry / entry.name).write_bytes(entry.read_bytes())
    return home
