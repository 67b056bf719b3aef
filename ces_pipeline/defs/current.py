"""The current registry, cached: steps and sensors see an edit without a reload of Dagster."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry


def current_registry(home: Home) -> Registry:
    """The home's registry, read again only if one of its files changed. Raises RegistryError."""
    return _read(home.registry, tuple(_stamps(home.registry)))


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in sorted(folder.glob("*.yaml")):
        # An editor replaces a file by another one: it may be gone for a moment.
        with suppress(OSError):
            status = path.stat()
            yield path.name, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _read(folder: Path, _files: tuple[tuple[str, int, int], ...]) -> Registry:
    return load_registry(folder)
