"""The readers, connectors and write-backs of every installed vendor, by the names that the registry uses."""

from typing import cast

from ces_pipeline.formats.contract import Reader
from ces_pipeline.registry.installed import installed_vendors
from ces_pipeline.vendors.contract import Connector, Vendor, WriteBack

VENDORS: tuple[Vendor, ...] = cast("tuple[Vendor, ...]", installed_vendors())

READERS: dict[str, Reader] = {reader.name: reader for vendor in VENDORS for reader in vendor.readers}
"""Name in `reader` of a source -> Reader."""

CONNECTORS: dict[str, Connector] = {
    connector.name: connector for vendor in VENDORS for connector in vendor.connectors
}
"""Name in `api.connector` of a source -> Connector."""

WRITE_BACKS: dict[str, WriteBack] = {
    connector: write_back for vendor in VENDORS for connector, write_back in vendor.write_backs.items()
}
"""Name in `api.connector` of a source -> how scores are written to its tickets."""
