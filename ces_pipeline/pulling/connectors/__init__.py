"""The connectors, one module per vendor, and the table of them.

To add one: write its module, add it here. Nothing else needs to know.
"""

from ces_pipeline.pulling.connectors.freshdesk import Freshdesk
from ces_pipeline.pulling.connectors.freshdesk_csat import FreshdeskCsat
from ces_pipeline.pulling.connectors.medallia import Medallia
from ces_pipeline.pulling.connectors.qualtrics import Qualtrics
from ces_pipeline.pulling.connectors.rest import Rest
from ces_pipeline.pulling.connectors.servicenow import ServiceNow
from ces_pipeline.pulling.connectors.zendesk import ZendeskField, ZendeskTickets
from ces_pipeline.pulling.connectors.zendesk_surveys import ZendeskRatings, ZendeskSurveyResponses
from ces_pipeline.pulling.connectors.zigpoll import Zigpoll
from ces_pipeline.pulling.connectors.zigpoll_counters import ZigpollCounters
from ces_pipeline.pulling.contract import Connector

CONNECTORS: dict[str, Connector] = {
    connector.name: connector
    for connector in (
        ZendeskTickets(),
        ZendeskField(),
        ZendeskRatings(),
        ZendeskSurveyResponses(),
        Qualtrics(),
        Zigpoll(),
        ZigpollCounters(),
        Medallia(),
        Freshdesk(),
        FreshdeskCsat(),
        ServiceNow(),
        Rest(),
    )
}
"""Name in `api.connector` of a feed -> Connector."""
