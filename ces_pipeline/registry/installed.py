"""Which vendors are installed: they are found through the entry-point group `ces_pipeline.vendors`.

The registry checks readers, connectors and write-backs that its entries name against these, and knows no vendor itself:
what it needs of one is in the protocols below. The full contract is `ces_pipeline.vendors.contract`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from ces_pipeline.errors import HomeError

GROUP = "ces_pipeline.vendors"
_FOLDER = Path(__file__).resolve().parent.parent / "vendors"


class InstalledReader(Protocol):
    """What the registry asks of a reader."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...


class InstalledConnector(Protocol):
    """What the registry asks of a connector."""

    @property
    def name(self) -> str: ...
    @property
    def readers(self) -> tuple[str, ...]: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    def check(self, api: Any) -> None: ...
    def ticket_field(self, api: Any) -> str | None: ...


class InstalledWriteBack(Protocol):
    """What the registry asks of a write-back."""

    def check(self, field: str) -> None: ...


class InstalledVendor(Protocol):
    """What the registry asks of a vendor."""

    @property
    def name(self) -> str: ...
    @property
    def readers(self) -> Iterable[InstalledReader]: ...
    @property
    def connectors(self) -> Iterable[InstalledConnector]: ...
    @property
    def write_backs(self) -> Mapping[str, InstalledWriteBack]: ...


@cache
def installed_vendors() -> tuple[InstalledVendor, ...]:
    """Every installed vendor: the named systems by name, `generic` last, since it reads anything.

    Raises HomeError, which names the vendor, where one cannot be loaded, where a folder of this package has no entry
    point, or where two bring a reader or connector of the same name.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    for folder in sorted(_FOLDER.glob("*/__init__.py")):
        if folder.parent.name not in points:
            raise HomeError(
                f"the vendor {folder.parent.name} has a folder but no entry point: add "
                f'`{folder.parent.name} = "{GROUP}.{folder.parent.name}:VENDOR"` under '
                f'[project.entry-points."{GROUP}"] in pyproject.toml, then install again with pip'
            )
    found = tuple(_load(points[name]) for name in sorted(points, key=lambda name: (name == "generic", name)))
    owners: dict[str, str] = {}
    for vendor in found:
        names = [f"reader {reader.name}" for reader in vendor.readers]
        names += [f"connector {connector.name}" for connector in vendor.connectors]
        for name in names:
            if owners.setdefault(name, vendor.name) != vendor.name:
                raise HomeError(
                    f"two installed vendors bring the {name}: {owners[name]} and {vendor.name}: uninstall one of them"
                )
    return found


def _load(point: EntryPoint) -> InstalledVendor:
    try:
        vendor: InstalledVendor = point.load()
    except Exception as problem:
        package = point.dist.name if point.dist else point.value
        raise HomeError(
            f"the vendor {point.name} of the package {package} cannot be loaded "
            f"({type(problem).__name__}: {problem}): repair or uninstall that package"
        ) from problem
    for part in ("name", "readers", "connectors", "write_backs"):
        if not hasattr(vendor, part):
            raise HomeError(
                f"the vendor {point.name}: {point.value} has no {part}: it must be a Vendor of "
                f"ces_pipeline.vendors.contract"
            )
    if vendor.name != point.name:
        raise HomeError(
            f"the vendor {point.name}: its VENDOR is named {vendor.name}: give both the same name"
        )
    return vendor
