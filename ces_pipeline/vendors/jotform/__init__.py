"""Jotform: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.jotform.reader import JOTFORM_CSV

VENDOR = Vendor("jotform", "Jotform", readers=(JOTFORM_CSV,))
