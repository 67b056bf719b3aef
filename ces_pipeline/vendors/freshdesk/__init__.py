"""Freshdesk: tickets and satisfaction ratings; scores written back."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.freshdesk.connector import Freshdesk
from ces_pipeline.vendors.freshdesk.ratings_connector import FreshdeskCsat
from ces_pipeline.vendors.freshdesk.reader import FRESHDESK_JSON
from ces_pipeline.vendors.freshdesk.write_back import FreshdeskWriteBack

VENDOR = Vendor(
    "freshdesk",
    "Freshdesk",
    readers=(FRESHDESK_JSON,),
    connectors=(Freshdesk(), FreshdeskCsat()),
    write_backs={Freshdesk.name: FreshdeskWriteBack()},
)
