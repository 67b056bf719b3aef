"""LimeSurvey: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.limesurvey.reader import LIMESURVEY_CSV

VENDOR = Vendor("limesurvey", "LimeSurvey", readers=(LIMESURVEY_CSV,))
