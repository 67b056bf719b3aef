"""The current registry, cached: steps and sensors see an edit without a reload of Dagster."""

from functools import lru_cache
from pathlib import Path

from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry


def current_registry(home: Home) -> Registry:
    """The home's registry, read again only if one of its files changed. Raises RegistryError."""
    files = sorted(home.registry.glob("*.yaml"))
    stamps = tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return _read(home.registry, stamps)


@lru_cache(maxsize=4)
def _read(folder: Path, _files: tuple[tuple[str, int, int], ...]) -> Registry:
    return load_registry(folder)
