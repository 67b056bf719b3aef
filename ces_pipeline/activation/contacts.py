"""Copies the contacts that other systems made to the trigger handlers, so that the limit covers all sources."""

from datetime import datetime, timedelta

from ces_pipeline.home import Home
from ces_pipeline.registry.settings import Settings
from ces_pipeline.storage.duck import open_published
from ces_pipeline.triggers.contacts import take_contact
from ces_pipeline.triggers.store import Store

_CONTACTS = """
    SELECT person_key, invitation_id AS name, sent_at AS moment
    FROM core.invitations
    WHERE status NOT IN ('out_of_scope', 'bounced', 'failed') AND person_key IS NOT NULL AND sent_at > $since
    UNION ALL
    SELECT respondent_key AS person_key, response_key AS name, recorded_at AS moment
    FROM core.responses
    ANTI JOIN core.response_invitations USING (response_key)
    WHERE respondent_key IS NOT NULL AND recorded_at > $since
    ORDER BY moment, name
"""
"""Contacts as `mart.contact_frequency` counts them. The handlers' own contacts come back under their own names."""


def copy_contacts(home: Home, settings: Settings, store: Store, now: datetime) -> int:
    """Write the published contacts of the last contact window to the store. Returns how many there are.

    A contact that the store already has is not written again. Raises StoreError, and CesError if the published file
    does not open.
    """
    since = now - timedelta(days=settings.contact_window_days)
    with open_published(home.published) as connection:
        rows = connection.execute(_CONTACTS, {"since": since}).fetchall()
    for person, name, moment in rows:
        take_contact(store, person, name, moment, lambda _earlier: True)
    return len(rows)
