"""A decision on an event, as text in a store and as a row of a source of kind `invitations`."""

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
    """The decision on an event. invitation_id: a hash of the event's source and id, so the same at every delivery.

    survey: id of the survey. person: keyed hash of the person. reason: None if it invites, else one of `REFUSALS`.
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
        fields = json.loads(text)
        return cls(**{**fields, "decided_at": datetime.fromisoformat(fields["decided_at"])})

    @property
    def row(self) -> str:
        """The decision as a line of JSON. A person who is not invited is `out_of_scope`, with the reason."""
        fields = {
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
        return json.dumps(fields) + "\n"


class Outlet(Protocol):
    """The place that decisions are written to, such as a bucket whose objects are copied to the inbox."""

    def write(self, decision: Decision) -> None:
        """Write the row of a decision. After a crash it may be written again; landing drops the repetition."""


class DecisionFiles:
    """JSON Lines files in a folder, one per UTC day. The folder is the source's inbox, or is copied to it."""

    def __init__(self, folder: Path):
        self._folder = folder

    def write(self, decision: Decision) -> None:
        """Append the row and sync the file. Raises StoreError."""
        path = self._folder / f"decisions-{decision.decided_at:%Y-%m-%d}.jsonl"
        try:
            with exclusive(path.with_name(f".{path.name}.lock")):
                _append_line(path, decision.row.encode())
        except (OSError, HomeError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else "its lock file cannot be created"
            raise StoreError(
                f"{path.name} cannot be written ({why}). Correct its permissions or free space"
            ) from None


def _append_line(path: Path, line: bytes) -> None:
    """Append a line and sync the file. A partial line of a killed writer is ended first: it is one unreadable row."""
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
