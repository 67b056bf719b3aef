"""Formbricks: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.formbricks.reader import FORMBRICKS_CSV

VENDOR = Vendor("formbricks", "Formbricks", readers=(FORMBRICKS_CSV,))
