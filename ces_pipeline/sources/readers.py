"""The table of readers: name in `sources.yaml` -> Reader."""

from ces_pipeline.sources.contract import Reader
from ces_pipeline.sources.generic import GENERIC_CSV

READERS: dict[str, Reader] = {reader.name: reader for reader in (GENERIC_CSV,)}
