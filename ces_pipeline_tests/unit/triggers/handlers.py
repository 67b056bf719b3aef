"""Handlers for tests: one trigger, a clock that the test sets, and the links and rows they produced."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ces_pipeline.privacy.pseudonyms import Pseudonyms
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.triggers.decisions import Decision, DecisionFiles
from ces_pipeline.triggers.event import Event
from ces_pipeline.triggers.handler import Handler
from ces_pipeline.triggers.store import SqliteStore

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY, LINK_KEY = b"test-key", b"test-link-key"
PERSON = "ann@example.org"


def survey(**more: Any) -> Survey:
    entry = {"id": "after_chat", "scale": "ease_1_5", "trigger_event": "chat_closed"}
    return Survey.model_validate({**entry, "link": "https://surveys.example.com/effort", **more})


def event(name: str = "e1", person: str | None = PERSON, **more: Any) -> Event:
    return Event(
        **{"source": "chats", "event_id": name, "event_type": "chat_closed", "person": person, **more}
    )


@dataclass
class Desk:
    """A store, a folder of decisions, and handlers that use them. now: the time of their clock."""

    folder: Path
    now: datetime = MONDAY
    sent: list[tuple[str, str]] = field(default_factory=list)

    def handler(
        self, *surveys: Survey, send: Callable[[Decision, str], None] | None = None, **settings: Any
    ) -> Handler:
        return Handler(
            surveys={item.id: item for item in surveys or (survey(),)},
            settings=Settings.model_validate({"contact_limit": 2, "contact_window_days": 10, **settings}),
            store=SqliteStore(self.folder / "store.db"),
            outlet=DecisionFiles(self.folder / "decisions"),
            pseudonyms=Pseudonyms(KEY),
            link_key=LINK_KEY,
            send=send or (lambda decision, link: self.sent.append((decision.invitation_id, link))),
            now=lambda: self.now,
        )

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows written, in the order of writing."""
        files = sorted((self.folder / "decisions").glob("*"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]
