"""One event handled: decided once, remembered, written, however often it is delivered.

Knows no cloud. The order of its steps is what makes a kill anywhere harmless: see `Handler.handle`.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.home import HOME_VARIABLE, Home
from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE, Pseudonyms
from ces_pipeline.registry.load import load_surveys
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.triggers.contacts import take_contact
from ces_pipeline.triggers.decisions import Decision, DecisionFiles, Outlet
from ces_pipeline.triggers.event import Event, UnreadableEventError, decoded_event
from ces_pipeline.triggers.links import LinkTarget, signed_link
from ces_pipeline.triggers.rules import may_contact, survey_of_event
from ces_pipeline.triggers.store import SqliteStore, Store

LINK_KEY_VARIABLE = "CES_LINK_KEY"
STORE_VARIABLE = "CES_TRIGGER_STORE"
DECISIONS_VARIABLE = "CES_TRIGGER_DECISIONS"
_DECIDED, _WRITTEN = "decided", "written"


class InProgressError(CesError):
    """Another delivery of the event is being handled right now; this one should come again later."""


@dataclass(frozen=True)
class Handled:
    """A decision with its link. is_repeat: the event had been handled before, and nothing was done again.

    link: None where it does not invite, or its touchpoint has no link any more.
    """

    decision: Decision
    link: str | None
    is_repeat: bool

    @property
    def answer(self) -> dict[str, str | bool | None]:
        """What a caller is told: no person."""
        return {
            "invitation_id": self.decision.invitation_id,
            "invited": self.decision.invites,
            "reason": self.decision.reason,
            "survey": self.decision.survey,
            "link": self.link,
            "is_repeat": self.is_repeat,
        }


@dataclass(frozen=True)
class Handler:
    """The rules of a registry, a store, and where decisions go.

    send: gives an invitation and its link to whatever writes to customers; its idempotency key is `invitation_id`,
        since after a crash it is called again. None: the caller sends what `handle` gives back.
    lease_seconds: how long one delivery may take; longer than the function's time-out.
    """

    surveys: Mapping[str, Survey]
    settings: Settings
    store: Store
    outlet: Outlet
    pseudonyms: Pseudonyms
    link_key: bytes = field(repr=False)
    send: Callable[[Decision, str], None] | None = None
    lease_seconds: float = 60.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def handle(self, event: Event) -> Handled:
        """Decide on an event, or find what was decided on it.

        The contact is reserved first, then the decision is kept, then it is sent and written, then that is noted. Who
        is killed before the decision is kept has reserved a contact that the next delivery finds as its own; who is
        killed after it leaves a decision that is sent and written by the first delivery behind the lease.
        Raises StoreError and InProgressError, after which the event should be delivered again.
        """
        name = hashlib.sha256(json.dumps([event.source, event.event_id]).encode()).hexdigest()[:32]
        text = self.store.get(_DECIDED, name)
        is_mine = False
        if text is None:
            text = self._decide(event, name).to_json()
            is_mine = self.store.put_if_absent(_DECIDED, name, text)
            if not is_mine:
                text = self.store.get(_DECIDED, name) or text
        decision = Decision.from_json(text)
        link = self._link(decision)
        if not is_mine:
            if self.store.get(_WRITTEN, name) is not None:
                return Handled(decision, link, is_repeat=True)
            if self.now() - decision.decided_at < timedelta(seconds=self.lease_seconds):
                raise InProgressError(
                    "this event is being handled by another delivery: deliver it again later"
                )
        if self.send is not None and link is not None:
            self.send(decision, link)
        self.outlet.write(decision)
        self.store.put_if_absent(_WRITTEN, name, "")
        return Handled(decision, link, is_repeat=False)

    def _decide(self, event: Event, name: str) -> Decision:
        now = self.now()
        survey, reason = survey_of_event(event, self.surveys, self.settings, now)
        person = self.pseudonyms.of(event.person) if event.person else None
        if reason is None and person is not None:
            reserved = take_contact(
                self.store, person, name, now, lambda earlier: may_contact(earlier, self.settings, now)
            )
            reason = None if reserved else "over_limit"
            now = reserved or now
        return Decision(
            invitation_id=name,
            source=event.source,
            event_id=event.event_id,
            event_type=event.event_type,
            decided_at=now,
            survey=survey.id if survey else None,
            person=person,
            ticket_id=event.ticket_id,
            reason=reason,
        )

    def _link(self, decision: Decision) -> str | None:
        survey = self.surveys.get(decision.survey or "")
        if not decision.invites or survey is None or survey.link is None:
            return None
        expires = decision.decided_at + timedelta(days=self.settings.invitation_window_days)
        target = LinkTarget(survey.id, decision.invitation_id, decision.ticket_id)
        return signed_link(survey.link, target, expires, self.link_key)


def handler_of(
    environment: Mapping[str, str] | None = None,
    *,
    store: Store | None = None,
    outlet: Outlet | None = None,
    send: Callable[[Decision, str], None] | None = None,
) -> Handler:
    """The handler that the environment describes.

    `CES_HOME` holds `registry/`; `CES_PSEUDONYM_KEY` is the pipeline's own key, `CES_LINK_KEY` that of the links;
    `CES_TRIGGER_STORE` a file and `CES_TRIGGER_DECISIONS` a folder, unless a store and an outlet are given. Raises
    HomeError naming what is not set.
    """
    told = os.environ if environment is None else environment
    names = [HOME_VARIABLE, KEY_VARIABLE, LINK_KEY_VARIABLE]
    names += [STORE_VARIABLE] if store is None else []
    names += [DECISIONS_VARIABLE] if outlet is None else []
    if absent := [name for name in names if not told.get(name)]:
        raise HomeError(f"{' and '.join(absent)} not set: the survey trigger needs them in its environment")
    surveys, settings = load_surveys(Home.find(told[HOME_VARIABLE]).registry)
    return Handler(
        surveys=surveys,
        settings=settings,
        store=SqliteStore(Path(told[STORE_VARIABLE])) if store is None else store,
        outlet=DecisionFiles(Path(told[DECISIONS_VARIABLE])) if outlet is None else outlet,
        pseudonyms=Pseudonyms(told[KEY_VARIABLE].encode()),
        link_key=told[LINK_KEY_VARIABLE].encode(),
        send=send,
    )


def answered(body: Any, handler: Handler) -> tuple[int, dict[str, Any]]:
    """(HTTP status, JSON to answer) of an event that came as a request's body: 400 for what is none, 503 for again."""
    try:
        return 200, handler.handle(decoded_event(body)).answer
    except UnreadableEventError as problem:
        return 400, {"problem": str(problem)}
    except CesError as problem:
        return 503, {"problem": str(problem)}
