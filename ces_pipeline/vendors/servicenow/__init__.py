"""ServiceNow: incidents (CSV, Table API JSON, event log), assessments; scores written back."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.servicenow.connector import ServiceNow
from ces_pipeline.vendors.servicenow.reader import SERVICENOW
from ces_pipeline.vendors.servicenow.write_back import ServiceNowWriteBack

VENDOR = Vendor(
    "servicenow",
    "ServiceNow",
    readers=(SERVICENOW,),
    connectors=(ServiceNow(),),
    write_backs={ServiceNow.name: ServiceNowWriteBack()},
)
