"""REDCap: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.redcap.reader import REDCAP_CSV

VENDOR = Vendor("redcap", "REDCap", readers=(REDCAP_CSV,))
