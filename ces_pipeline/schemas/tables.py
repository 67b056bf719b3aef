"""Every published table by name.

The Pandera schemas validate day files before they are written. They also give the comments of the DuckDB file, the
column schemas in Dagster and the data dictionary. The rules that judge answers are in `ces_pipeline.clean`.
"""

from ces_pipeline.schemas import (
    accounts,
    audit,
    events,
    follow_ups,
    incidents,
    invitations,
    responses,
    tickets,
)
from ces_pipeline.schemas.mart import MARTS
from ces_pipeline.schemas.table import Table

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        responses.RESPONSES,
        responses.REJECTED_RESPONSES,
        responses.RESPONSE_TICKETS,
        tickets.TICKET_VERSIONS,
        tickets.TICKETS,
        tickets.REJECTED_TICKETS,
        accounts.ACCOUNT_VERSIONS,
        accounts.ACCOUNTS,
        accounts.REJECTED_ACCOUNTS,
        invitations.INVITATIONS,
        invitations.REJECTED_INVITATIONS,
        invitations.RESPONSE_INVITATIONS,
        events.EVENTS,
        events.REJECTED_EVENTS,
        follow_ups.FOLLOW_UPS,
        follow_ups.REJECTED_FOLLOW_UPS,
        follow_ups.RESPONSE_FOLLOW_UPS,
        audit.LOAD_AUDIT,
        audit.DELIVERIES,
        audit.DELIVERY_DAYS,
        audit.CHECK_RESULTS,
        audit.RESTATEMENTS,
        audit.FIGURE_HISTORY,
        audit.REQUESTS,
        audit.PULLS,
        audit.PULL_WINDOWS,
        audit.DELIVERY_COLUMNS,
        audit.SCHEMA_CHANGES,
        audit.CORRECTIONS,
        audit.AUDITS,
        audit.AUDIT_FINDINGS,
        audit.VERDICT_CHANGES,
        incidents.INCIDENT_EVENTS,
        incidents.INCIDENTS,
        incidents.ALERT_DELIVERIES,
        audit.PROBES,
        *MARTS,
    )
}
"""Full name (`core.responses`) -> table."""

__all__ = ["TABLES", "Table"]
