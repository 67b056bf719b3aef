"""Contacts of people in a store. Each contact takes the next number, and a number is taken only once.

So concurrent handlers cannot exceed the limit. `rules.py` decides the limit.
"""

import json
from collections.abc import Callable, Collection
from datetime import datetime

from ces_pipeline.triggers.store import Store


def take_contact(
    store: Store, person: str, name: str, at: datetime, allows: Callable[[Collection[datetime]], bool]
) -> datetime | None:
    """Store a contact of a person under its own name, if `allows` accepts the person's earlier contacts.

    Returns the time of the contact: `at`, or the earlier time if it was stored before; None if it is not allowed. If
    two handlers try to take the same number, one succeeds and the other reads the contacts again.
    """
    partition = f"contact/{person}"
    while True:
        stored = {int(row): json.loads(text) for row, text in store.rows(partition).items()}
        contacts = {
            contact["invitation_id"]: datetime.fromisoformat(contact["at"]) for contact in stored.values()
        }
        if name in contacts:
            return contacts[name]
        if not allows(contacts.values()):
            return None
        text = json.dumps({"invitation_id": name, "at": at.isoformat()})
        if store.put_if_absent(partition, f"{max(stored, default=0) + 1:09}", text):
            return at


def forget_contacts(store: Store, person: str) -> None:
    """Remove a person's contacts from the store."""
    store.delete(f"contact/{person}")
