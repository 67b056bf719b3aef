"""Microsoft Forms: response exports."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.microsoft_forms.reader import MICROSOFT_FORMS_XLSX

VENDOR = Vendor("microsoft_forms", "Microsoft Forms", readers=(MICROSOFT_FORMS_XLSX,))
