"""Delighted: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.delighted.reader import DELIGHTED_CSV

VENDOR = Vendor("delighted", "Delighted", readers=(DELIGHTED_CSV,))
