"""Any other system: CSV, TSV, workbooks, JSON and Parquet with the columns mapped in the registry, and any JSON API."""

from ces_pipeline.formats.columnar import PARQUET
from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.generic.connector import Rest
from ces_pipeline.vendors.generic.reader import GENERIC_CSV, GENERIC_JSON, XLSX

VENDOR = Vendor(
    "generic",
    "Any other system",
    readers=(GENERIC_CSV, GENERIC_JSON, PARQUET, XLSX),
    connectors=(Rest(),),
)
