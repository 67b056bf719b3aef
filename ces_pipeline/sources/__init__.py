"""Readers of exports, one module per system, and the table of them.

To add a format: write its module, add its `Reader` here. Nothing else needs to know.
"""

from ces_pipeline.sources.contract import Export, Reader, UnreadableRow
from ces_pipeline.sources.files import DeliveredFile
from ces_pipeline.sources.readers import READERS

__all__ = ["READERS", "DeliveredFile", "Export", "Reader", "UnreadableRow"]
