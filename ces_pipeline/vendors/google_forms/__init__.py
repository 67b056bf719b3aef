"""Google Forms: response sheets saved as CSV."""

from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.google_forms.reader import GOOGLE_FORMS_CSV

VENDOR = Vendor("google_forms", "Google Forms", readers=(GOOGLE_FORMS_CSV,))
