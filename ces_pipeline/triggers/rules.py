"""Decides whether an event invites: the rules of the registry, as pure functions. They store nothing.

A person may get at most `contact_limit` contacts in any `contact_window_days` days, over all surveys.
`mart.contact_frequency` audits the same limit.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.triggers.event import Event

REFUSALS = {
    "unregistered_event": "no survey in surveys.yaml has this event as its trigger_event",
    "survey_not_live": "the survey is not live on this day (live_from, live_to)",
    "no_link": "the survey has no link in surveys.yaml",
    "not_eligible": "survey_ineligible in settings.yaml excludes the event",
    "over_limit": "the person already has contact_limit contacts within contact_window_days",
}
"""Reasons why an event does not invite, in the order of the checks."""


def survey_of_event(
    event: Event, surveys: Mapping[str, Survey], settings: Settings, now: datetime
) -> tuple[Survey | None, str | None]:
    """(The survey that the event triggers, the reason why it does not invite or None).

    If several surveys have the same trigger event, the first live survey counts: an event invites at most once.
    """
    triggered = [
        survey
        for survey in surveys.values()
        if survey.trigger_event is not None
        and survey.trigger_event.lower() == event.event_type
        and event.survey in (None, survey.id, *survey.also_known_as)
    ]
    if not triggered:
        return None, "unregistered_event"
    today = settings.business_date(now)
    live = [
        survey
        for survey in triggered
        if (survey.live_from is None or survey.live_from <= today)
        and (survey.live_to is None or today <= survey.live_to)
    ]
    if not live:
        return triggered[0], "survey_not_live"
    survey = live[0]
    if survey.link is None:
        return survey, "no_link"
    for name, excluded in settings.survey_ineligible.items():
        if event.attributes.get(name, "unknown") in excluded:
            return survey, "not_eligible"
    return survey, None


def may_contact(earlier: Iterable[datetime], settings: Settings, now: datetime) -> bool:
    """Whether another contact of a person stays within the limit. earlier: times of the person's earlier contacts.

    A contact exactly one window ago does not count, as in the mart. A contact later than `now` counts: another
    machine decided at the same time, or its clock is ahead.
    """
    since = now - timedelta(days=settings.contact_window_days)
    return sum(since < at for at in earlier) < settings.contact_limit
