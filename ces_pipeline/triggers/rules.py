"""Whether an event invites: the registry's rules, as pure functions. Nothing is remembered or written here.

How often a person may be asked is what `mart.contact_frequency` audits: `contact_limit` contacts in any
`contact_window_days` days, over all touchpoints.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.triggers.event import Event

REFUSALS = {
    "unregistered_event": "no touchpoint of surveys.yaml has it as its trigger_event",
    "survey_not_live": "its touchpoint is not asked on this day (live_from, live_to)",
    "no_link": "its touchpoint has no link in surveys.yaml",
    "not_eligible": "survey_ineligible of settings.yaml excepts it",
    "over_limit": "the person was asked as often as contact_limit allows within contact_window_days",
}
"""Why an event invites nobody, in the order in which it is looked at."""


def survey_of_event(
    event: Event, surveys: Mapping[str, Survey], settings: Settings, now: datetime
) -> tuple[Survey | None, str | None]:
    """(The touchpoint that the event triggers, why it does not invite all the same).

    Of several touchpoints of one trigger event the first that is live counts: one event is one invitation at most.
    """
    triggered = [
        one
        for one in surveys.values()
        if one.trigger_event is not None
        and one.trigger_event.lower() == event.event_type
        and event.survey in (None, one.id, *one.also_known_as)
    ]
    if not triggered:
        return None, "unregistered_event"
    today = now.astimezone(ZoneInfo(settings.business_time_zone)).date()
    live = [
        one
        for one in triggered
        if (one.live_from is None or one.live_from <= today) and (one.live_to is None or today <= one.live_to)
    ]
    if not live:
        return triggered[0], "survey_not_live"
    survey = live[0]
    if survey.link is None:
        return survey, "no_link"
    for name, excepted in settings.survey_ineligible.items():
        if event.attributes.get(name, "unknown") in excepted:
            return survey, "not_eligible"
    return survey, None


def may_contact(earlier: Iterable[datetime], settings: Settings, now: datetime) -> bool:
    """Whether one more contact of a person stays within the limit; earlier: when they were contacted before.

    A contact exactly a window ago counts no more, as in the mart.
    """
    since = now - timedelta(days=settings.contact_window_days)
    return sum(since < at <= now for at in earlier) < settings.contact_limit
