"""Handles an event: decides once, stores the decision and writes it, also if the event is delivered repeatedly.

It knows no cloud. The order of its steps makes a kill at any step harmless: see `Handler.handle`.
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
    """Another delivery of the event is in progress. This delivery should be repeated later."""


@dataclass(frozen=True)
class Handled:
    """A decision with its link. is_repeat: the event was handled before, so nothing was done again.

    link: None if the decision does not invite, or if the survey has no link any more.
    """

    decision: Decision
    link: str | None
    is_repeat: bool

    @property
    def answer(self) -> dict[str, str | bool | None]:
        """The response to a caller. It names no person."""
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
    """The rules of a registry, a store, and an outlet for decisions.

    send: passes an invitation and its link to the system that contacts customers. After a crash it is called again, so
        it must use `invitation_id` as idempotency key. None: the caller sends the link that `handle` returns.
    lease_seconds: how long a delivery may take. Set it longer than the time-out of the function.
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
        """Decide on an event, or return the stored decision.

        The handler reserves the contact, stores the decision, sends and writes it, and then stores that it did so. If
        it is killed before it stores the decision, the next delivery finds the reserved contact as its own. If it is
        killed later, the first delivery after the lease sends and writes the decision.
        Raises StoreError and InProgressError. The event should then be delivered again.
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
                    "Another delivery of this event is in progress. Deliver it again later."
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
    """The handler that the environment variables describe.

    `CES_HOME` contains `registry/`. `CES_PSEUDONYM_KEY` is the key of the pipeline, `CES_LINK_KEY` the key of the
    links. `CES_TRIGGER_STORE` is a file, unless you give a store; `CES_TRIGGER_DECISIONS` is a folder, unless you give
    an outlet. Raises HomeError, which names the missing variables.
    """
    variables = os.environ if environment is None else environment
    names = [HOME_VARIABLE, KEY_VARIABLE, LINK_KEY_VARIABLE]
    names += [STORE_VARIABLE] if store is None else []
    names += [DECISIONS_VARIABLE] if outlet is None else []
    if absent := [name for name in names if not variables.get(name)]:
        raise HomeError(f"{' and '.join(absent)} not set. Set them in the environment of the survey trigger")
    surveys, settings = load_surveys(Home.find(variables[HOME_VARIABLE]).registry)
    return Handler(
        surveys=surveys,
        settings=settings,
        store=SqliteStore(Path(variables[STORE_VARIABLE])) if store is None else store,
        outlet=DecisionFiles(Path(variables[DECISIONS_VARIABLE])) if outlet is None else outlet,
        pseudonyms=Pseudonyms(variables[KEY_VARIABLE].encode()),
        link_key=variables[LINK_KEY_VARIABLE].encode(),
        send=send,
    )


def respond(body: Any, handler: Handler) -> tuple[int, dict[str, Any]]:
    """(HTTP status, JSON of the response) to a request: 400 if the body is no event, 503 if it should be repeated."""
    try:
        return 200, handler.handle(decoded_event(body)).answer
    except UnreadableEventError as problem:
        return 400, {"problem": str(problem)}
    except CesError as problem:
        return 503, {"problem": str(problem)}
