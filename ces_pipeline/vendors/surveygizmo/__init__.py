"""SurveyGizmo (Alchemer): response exports (CSV)."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.surveygizmo.reader import SURVEYGIZMO_CSV

VENDOR = Vendor("surveygizmo", "SurveyGizmo (Alchemer)", readers=(SURVEYGIZMO_CSV,))
