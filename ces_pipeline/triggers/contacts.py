"""Contacts of persons in a store: numbered, each number given once, so that a limit holds however many take at once.

How many are allowed is in `rules.py`.
"""

import json
from collections.abc import Callable, Collection
from datetime import datetime

from ces_pipeline.triggers.store import Store


def take_contact(
    store: Store, person: str, name: str, at: datetime, allows: Callable[[Collection[datetime]], bool]
) -> datetime | None:
    """Note a contact of a person by its own name, unless the earlier ones do not allow it.

    Since when it is noted: `at`, or earlier where it was noted before; None where it is not allowed. Of two at the same
    moment one takes the number, the other looks again.
    """
    partition = f"contact/{person}"
    while True:
        held = {int(row): json.loads(text) for row, text in store.rows(partition).items()}
        contacts = {told["invitation_id"]: datetime.fromisoformat(told["at"]) for told in held.values()}
        if name in contacts:
            return contacts[name]
        if not allows(contacts.values()):
            return None
        text = json.dumps({"invitation_id": name, "at": at.isoformat()})
        if store.put_if_absent(partition, f"{max(held, default=0) + 1:09}", text):
            return at
