"""Zendesk: tickets, a score in a ticket field, satisfaction ratings and survey responses; scores written back."""

from ces_pipeline.http.signatures import WebhookSignature
from ces_pipeline.vendors.contract import Vendor
from ces_pipeline.vendors.zendesk.connector import ZendeskField, ZendeskTickets
from ces_pipeline.vendors.zendesk.reader import ZENDESK_JSON
from ces_pipeline.vendors.zendesk.surveys_connector import ZendeskRatings, ZendeskSurveyResponses
from ces_pipeline.vendors.zendesk.write_back import ZendeskWriteBack

VENDOR = Vendor(
    "zendesk",
    "Zendesk",
    readers=(ZENDESK_JSON,),
    connectors=(ZendeskTickets(), ZendeskField(), ZendeskRatings(), ZendeskSurveyResponses()),
    write_backs={ZendeskTickets.name: ZendeskWriteBack()},
    signatures=(
        WebhookSignature(
            "zendesk",
            "HMAC-SHA256 of time and body in `X-Zendesk-Webhook-Signature`",
            header="X-Zendesk-Webhook-Signature",
            timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
            separator="",
        ),
    ),
)
