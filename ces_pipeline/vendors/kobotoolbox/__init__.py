"""KoboToolbox: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.kobotoolbox.reader import KOBOTOOLBOX_CSV

VENDOR = Vendor("kobotoolbox", "KoboToolbox", readers=(KOBOTOOLBOX_CSV,))
