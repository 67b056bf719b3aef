"""Decisions: what one looks like, kept in a store or written as a row of an `invitations` feed."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ces_pipeline.errors import HomeError
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.triggers.store import StoreError


@dataclass(frozen=True)
class Decision:
    """What became of an event. invitation_id: made of the event's source and id, so the same at every delivery.

    person: their keyed hash. reason: None where it invites, else one of `REFUSALS`.
    """

    invitation_id: str
    source: str
    event_id: str
    event_type: str
    decided_at: datetime
    survey: str | None
    person: str | None
    ticket_id: str | None
    reason: str | None

    @property
    def invites(self) -> bool:
        return self.reason is None

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "decided_at": self.decided_at.isoformat()}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Decision":
        told = json.loads(text)
        return cls(**{**told, "decided_at": datetime.fromisoformat(told["decided_at"])})

    @property
    def row(self) -> str:
        """A line of the feed: who is not invited is out of scope, with the reason beside it."""
        told = {
            "invitation_id": self.invitation_id,
            "survey": self.survey,
            "person": self.person,
            "ticket_id": self.ticket_id,
            "event_id": self.event_id,
            "status": "sent" if self.invites else "out_of_scope",
            "sent_at": self.decided_at.isoformat(),
            "reason": self.reason,
            "event_source": self.source,
            "event_type": self.event_type,
        }
        return json.dumps(told) + "\n"


class Outlet(Protocol):
    """Where decisions go, such as an object `<invitation_id>.jsonl` in a bucket that is copied to the inbox."""

    def write(self, decision: Decision) -> None:
        """Write the row of a decision. A decision may be written again after a crash: landing drops repetitions."""


class DecisionFiles:
    """JSON Lines files in a folder, one a day of UTC; the feed's inbox, or what is copied there."""

    def __init__(self, folder: Path):
        self._folder = folder

    def write(self, decision: Decision) -> None:
        """Add the row, synced. Raises StoreError."""
        path = self._folder / f"decisions-{decision.decided_at:%Y-%m-%d}.jsonl"
        try:
            with exclusive(path.with_name(f".{path.name}.lock")):
                _append_line(path, decision.row.encode())
        except (OSError, HomeError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else "its lock file cannot be made"
            raise StoreError(
                f"{path.name} cannot be written ({why}): correct its permissions or free space"
            ) from None


def _append_line(path: Path, line: bytes) -> None:
    """Add a line, synced. What a killed writer left is ended first: it becomes one unreadable row, not two."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        if size:
            stream.seek(size - 1)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
