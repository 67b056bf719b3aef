"""Qualtrics: survey exports (CSV) and the response-export API."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.qualtrics.connector import Qualtrics
from ces_pipeline.vendors.qualtrics.reader import QUALTRICS_CSV

VENDOR = Vendor("qualtrics", "Qualtrics", readers=(QUALTRICS_CSV,), connectors=(Qualtrics(),))
