"""Any other system: CSV, TSV, workbooks, JSON and Parquet with the columns mapped in the registry, and any JSON API."""

from ces_pipeline.formats.columnar import PARQUET
from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.generic.connector import Rest
from ces_pipeline.vendors.generic.reader import GENERIC_CSV, GENERIC_JSON, XLSX

VENDOR = Vendor(
    "generic",
    "Any other system",
    readers=(GENERIC_CSV, GENERIC_JSON, PARQUET, XLSX),
    connectors=(Rest(),),
    signatures=(
        WebhookSignature(
            "standard_webhooks",
            "Standard Webhooks: HMAC-SHA256 of id, time and body in `webhook-signature`",
            header="webhook-signature",
            prefix="v1,",
            timestamp_header="webhook-timestamp",
            id_header="webhook-id",
            has_standard_secret=True,
        ),
        WebhookSignature(
            "hmac_sha256",
            "HMAC-SHA256 of the body, or of time, dot and body, in a header of your choice",
            encoding="any",
            prefix="sha256=",
            may_name_timestamp=True,
        ),
        WebhookSignature(
            "shared_secret",
            "the secret itself in a header of your choice, for senders that cannot sign, such as Zapier",
            algorithm=None,
        ),
    ),
)
