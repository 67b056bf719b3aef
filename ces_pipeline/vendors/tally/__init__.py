"""Tally: response exports."""

from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.tally.reader import TALLY_CSV

VENDOR = Vendor(
    "tally",
    "Tally",
    readers=(TALLY_CSV,),
    signatures=(
        WebhookSignature("tally", "HMAC-SHA256 of the body in `Tally-Signature`", header="Tally-Signature"),
    ),
)
