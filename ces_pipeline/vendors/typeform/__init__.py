"""Typeform: response exports (CSV)."""

from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.typeform.reader import TYPEFORM_CSV

VENDOR = Vendor(
    "typeform",
    "Typeform",
    readers=(TYPEFORM_CSV,),
    signatures=(
        WebhookSignature(
            "typeform",
            "HMAC-SHA256 of the body in `Typeform-Signature`",
            header="Typeform-Signature",
            prefix="sha256=",
        ),
    ),
)
