"""Typeform: response exports (CSV)."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.typeform.reader import TYPEFORM_CSV

VENDOR = Vendor("typeform", "Typeform", readers=(TYPEFORM_CSV,))
