"""SurveyMonkey: response exports (CSV)."""

from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.surveymonkey.reader import SURVEYMONKEY_CSV

VENDOR = Vendor(
    "surveymonkey",
    "SurveyMonkey",
    readers=(SURVEYMONKEY_CSV,),
    signatures=(
        WebhookSignature(
            "surveymonkey",
            "HMAC-SHA1 of the body in `Sm-Signature`; the secret is the app's client id, `&` and its client secret",
            header="Sm-Signature",
            algorithm="sha1",
        ),
    ),
)
