"""The readers, connectors, write-backs and signatures of every installed vendor, by the names in the registry."""

from typing import cast

from ces_pipeline.formats.contract import Reader
from ces_pipeline.http.signatures import WebhookSignature
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

SIGNATURES: dict[str, WebhookSignature] = {
    signature.name: signature for vendor in VENDORS for signature in vendor.signatures
}
"""Name in `receive.signature` of a source -> how its webhooks are signed."""
