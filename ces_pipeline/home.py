"""Paths of one installation: its home folder, and the folders that ship with the package.

Configuration is in the registry (`ces_pipeline.registry`).
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ces_pipeline.errors import HomeError

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"
HOME_VARIABLE = "CES_HOME"
REPORT_PAGE = re.compile(r"(week|month|quarter)-(\d{4}-\d{2}-\d{2})((?:-(?:owner|survey)-[\w-]+)?)\.html")
"""A page in the folder of reports: its period, the first day, and the owner or survey that it is about, if not all."""


def shipped(name: str) -> Path:
    """The shipped folder `name` (`sql`, `registry`): from the installed wheel, else from the checkout."""
    inside = _SHIPPED / name
    if inside.is_dir():
        return inside
    return _PACKAGE.parent / {"registry": "data/registry"}.get(name, name)


@dataclass(frozen=True)
class Home:
    """The home folder of one installation. No file in it stores an absolute path, so it can be moved."""

    root: Path

    @classmethod
    def find(cls, given: str | Path | None = None) -> "Home":
        """The home named by `given`, else by `CES_HOME`, else the checkout's `data/` (else `./data`)."""
        chosen = given or os.environ.get(HOME_VARIABLE)
        if chosen:
            return cls(Path(chosen).expanduser().resolve())
        checkout = _PACKAGE.parent / "data"
        return cls(checkout if (checkout / "registry").is_dir() else Path.cwd() / "data")

    @property
    def registry(self) -> Path:
        return self.root / "registry"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def published(self) -> Path:
        """The DuckDB file that analysts open."""
        return self.warehouse / "ces.duckdb"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def private(self) -> tuple[Path, ...]:
        """The folders that hold comments: the owner's alone, unless the settings share them."""
        return (self.lake, self.warehouse, self.reports)

    def make(self) -> "Home":
        """Create the folders. Raises HomeError if the home cannot be written."""
        try:
            for folder in (self.registry, self.inbox, self.dagster):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in self.private:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A name of its own: several commands may start at once.
            probe = self.lake / f".writable-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)
        except OSError as problem:
            raise HomeError(
                f"the home {self.root} cannot be written ({problem.strerror or problem}). "
                f"Choose another with --home or {HOME_VARIABLE}, or correct its permissions"
            ) from problem
        return self
