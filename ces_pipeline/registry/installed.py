"""The installed vendors, found through the entry-point group `ces_pipeline.vendors`.

The registry checks the readers, connectors and write-backs of its entries against them. It imports no vendor: the
protocols below hold what it needs of one. The full contract is `ces_pipeline.vendors.contract`.
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
    """What the registry needs of a reader."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    @property
    def reads_json_lines(self) -> bool: ...


class InstalledSignature(Protocol):
    """What the registry needs of a signature of webhooks."""

    @property
    def name(self) -> str: ...
    def problem(self, receive: Any) -> tuple[str, str] | None: ...


class InstalledConnector(Protocol):
    """What the registry needs of a connector."""

    @property
    def name(self) -> str: ...
    @property
    def readers(self) -> tuple[str, ...]: ...
    @property
    def options(self) -> Mapping[str, str]: ...
    def check(self, api: Any) -> None: ...
    def ticket_field(self, api: Any) -> str | None: ...


class InstalledWriteBack(Protocol):
    """What the registry needs of a write-back."""

    def check(self, field: str) -> None: ...


class InstalledVendor(Protocol):
    """What the registry needs of a vendor."""

    @property
    def name(self) -> str: ...
    @property
    def readers(self) -> Iterable[InstalledReader]: ...
    @property
    def connectors(self) -> Iterable[InstalledConnector]: ...
    @property
    def write_backs(self) -> Mapping[str, InstalledWriteBack]: ...
    @property
    def signatures(self) -> Iterable[InstalledSignature]: ...


@cache
def installed_vendors() -> tuple[InstalledVendor, ...]:
    """Every installed vendor, sorted by name; `generic` is last, because it reads any file.

    Raises HomeError, which names the vendor, if a vendor cannot be loaded, if a folder of this package has no entry
    point, or if two vendors define a reader, connector or signature of the same name.
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
        names += [f"signature {signature.name}" for signature in vendor.signatures]
        for name in names:
            if owners.setdefault(name, vendor.name) != vendor.name:
                raise HomeError(
                    f"the vendors {owners[name]} and {vendor.name} both define the {name}: uninstall one of them"
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
    for part in ("name", "readers", "connectors", "write_backs", "signatures"):
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
