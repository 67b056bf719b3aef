"""SurveyMonkey: response exports (CSV)."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.surveymonkey.reader import SURVEYMONKEY_CSV

VENDOR = Vendor("surveymonkey", "SurveyMonkey", readers=(SURVEYMONKEY_CSV,))
