"""Medallia: feedback records by its query API, and CSV exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.medallia.connector import Medallia
from ces_pipeline.vendors.medallia.reader import MEDALLIA_CSV, MEDALLIA_JSON

VENDOR = Vendor("medallia", "Medallia", readers=(MEDALLIA_JSON, MEDALLIA_CSV), connectors=(Medallia(),))
