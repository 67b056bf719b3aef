"""From invitation to published answer: columns of the marts on response rates, latency and contact frequency."""

from typing import Any

from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

_DISPOSITIONS = {
    "invited": column(
        INTEGER, "Invitations of the day but those out of scope: the sum of the six dispositions."
    ),
    "completes": column(INTEGER, "Disposition I: answered completely."),
    "partials": column(INTEGER, "Disposition P: answered, unfinished."),
    "refusals": column(INTEGER, "Disposition R: refused, or begun and broken off."),
    "non_contacts": column(INTEGER, "Disposition NC: sent, delivered, opened or bounced, and no answer."),
    "others": column(
        INTEGER,
        "Disposition O: the sending failed, or the platform says answered and no accepted answer has come.",
    ),
    "unknown_eligibility": column(INTEGER, "Disposition U: nothing known of what became of it."),
    "out_of_scope": column(INTEGER, "Invitations that were not to be answered; no part of any rate."),
}


def _interval(name: str, means: str) -> dict[str, Any]:
    return {
        name: column(NUMBER, f"{means}, 0 to 1; null: see why_null.", nullable=True),
        f"{name}_low": column(NUMBER, "Lower end of its 95 % interval (Wilson); null as it.", nullable=True),
        f"{name}_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
    }


_BASIS = column(
    TEXT,
    "`invitations`: a response rate; `views`: completed share of views, no response rate; `none`: neither.",
)
_WHY_NULL = column(TEXT, "Why there is no rate; null: there is one.", nullable=True)

RESPONSE_FUNNEL_DAILY = Table(
    "mart.response_funnel_daily",
    "One row per touchpoint x day with invitations, views or responses.",
    ("survey_id", "day"),
    {
        "survey_id": column(TEXT, "The touchpoint."),
        "day": column(DAY, "Business-zone date of the invitation, of the view, or of the response."),
        "basis": _BASIS,
        **_DISPOSITIONS,
        "views": column(INTEGER, "Times the survey was shown; null: not delivered.", nullable=True),
        "responses": column(INTEGER, "Accepted responses recorded on the day, of whatever invitation."),
        "uninvited_responses": column(INTEGER, "Of these, those that came of no invitation we know of."),
        "is_final": column(
            FLAG, "True where the time in which the day's invitations may be answered is over."
        ),
        "n": column(INTEGER, "Denominator of the rates: invited, or views; null: neither.", nullable=True),
        **_interval("response_rate_1", "AAPOR RR1: completes / invited"),
        **_interval("response_rate_2", "AAPOR RR2: completes and partials / invited"),
        **_interval("completed_views_share", "Responses / views"),
        "why_null": _WHY_NULL,
    },
    sort=("survey_id", "day"),
)

RESPONSE_RATES = Table(
    "mart.response_rates",
    "One row per registered touchpoint and basis of its rate.",
    ("survey_id", "basis"),
    {
        "survey_id": column(TEXT, "The touchpoint."),
        "basis": _BASIS,
        "owner": column(TEXT, "Who answers for it; null: not said.", nullable=True),
        "responses": column(INTEGER, "Accepted responses on days of this basis."),
        "uninvited_responses": column(INTEGER, "Of these, those that came of no invitation we know of."),
        "last_response_day": column(DAY, "Newest day with a response; null: none.", nullable=True),
        "days_silent": column(
            INTEGER, "Days from then to the newest response of any touchpoint; null: none.", nullable=True
        ),
        "n": column(
            INTEGER,
            "Denominator: invitations of final days, or views; null: none is delivered.",
            nullable=True,
        ),
        **_interval("rate", "RR1 where the basis is invitations, responses / views where it is views"),
        "response_rate_2": column(
            NUMBER, "AAPOR RR2, 0 to 1; null as the rate, and where the basis is views.", nullable=True
        ),
        "why_null": _WHY_NULL,
    },
    sort=("survey_id", "basis"),
)

RESPONSE_LATENCY_DAILY = Table(
    "mart.response_latency_daily",
    "One row per touchpoint x day x step of the way from event to published answer, with at least one measured pass.",
    ("survey_id", "day", "step"),
    {
        "survey_id": column(TEXT, "The touchpoint."),
        "day": column(DAY, "Business-zone date of the invitation (first step) or of the response."),
        "step": column(
            TEXT,
            "`event_to_invitation`, `invitation_to_response`, `response_to_landed` or `landed_to_published`.",
        ),
        "n": column(INTEGER, "Passes of zero time or more."),
        "negative_count": column(
            INTEGER, "Passes of negative time: data errors, left out of the percentiles."
        ),
        "p50_minutes": column(NUMBER, "Median; null: fewer than the minimum n.", nullable=True),
        "p90_minutes": column(NUMBER, "90th percentile; null as the median.", nullable=True),
        "p95_minutes": column(NUMBER, "95th percentile; null as the median.", nullable=True),
        "longest_minutes": column(NUMBER, "The longest; null as the median.", nullable=True),
        "is_suppressed": column(FLAG, "True where n is below the minimum n."),
    },
    sort=("survey_id", "day", "step"),
)

CONTACT_FREQUENCY = Table(
    "mart.contact_frequency",
    "One row per place of a contact among those of the same customer within the contact window, over all feeds.",
    ("place",),
    {
        "place": column(
            INTEGER,
            "1 for a customer's first contact within the window, 2 for the second ...; contact_limit + 1 stands for "
            "all beyond the limit; null: the person is not known.",
            nullable=True,
        ),
        "is_over_limit": column(FLAG, "True where the contact is beyond the limit."),
        "contacts": column(INTEGER, "Invitations, and answers that came of none."),
        "customers": column(INTEGER, "Known people among them."),
        "invitations": column(INTEGER, "Contacts that are invitations."),
        "answered": column(INTEGER, "Invitations with an accepted response."),
        "answered_share": column(
            NUMBER, "answered / invitations, 0 to 1; null: fewer than the minimum n.", nullable=True
        ),
        "answered_share_low": column(
            NUMBER, "Lower end of its 95 % interval (Wilson); null as it.", nullable=True
        ),
        "answered_share_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
        "is_suppressed": column(FLAG, "True where invitations are fewer than the minimum n."),
    },
    sort=("place",),
)

OVER_CONTACTED_CUSTOMERS = Table(
    "mart.over_contacted_customers",
    "One row per customer who was asked more often than the contact limit within a contact window, over all feeds.",
    ("person_key",),
    {
        "person_key": column(TEXT, "Keyed hash of who, as respondent_key."),
        "contacts": column(INTEGER, "Contacts in all."),
        "touchpoints": column(INTEGER, "Different touchpoints among them."),
        "most_in_window": column(INTEGER, "Most contacts within one window."),
        "contacts_over_limit": column(INTEGER, "Contacts that came when the limit was reached already."),
        "first_over_day": column(DAY, "Day of the first of these."),
        "last_over_day": column(DAY, "Day of the last of these."),
    },
    sort=("person_key",),
)

EVENT_COVERAGE_DAILY = Table(
    "mart.event_coverage_daily",
    "One row per day x type of event that triggers a touchpoint, with at least one event.",
    ("day", "event_type"),
    {
        "day": column(DAY, "Business-zone date of the event."),
        "event_type": column(TEXT, "The event, as trigger_event of a touchpoint."),
        "events": column(INTEGER, "Events."),
        "with_invitation": column(INTEGER, "Of these, named by an invitation."),
        "with_several_invitations": column(INTEGER, "Of these, named by more than one."),
        "with_response": column(INTEGER, "Events whose invitation has an accepted response."),
        "invited_share": column(
            NUMBER, "with_invitation / events, 0 to 1; null: fewer events than the minimum n.", nullable=True
        ),
        "invited_share_low": column(
            NUMBER, "Lower end of its 95 % interval (Wilson); null as it.", nullable=True
        ),
        "invited_share_high": column(NUMBER, "Upper end of that interval; null as it.", nullable=True),
        "is_suppressed": column(FLAG, "True where events are fewer than the minimum n."),
    },
    sort=("day", "event_type"),
)

TABLES = (
    EVENT_COVERAGE_DAILY,
    RESPONSE_FUNNEL_DAILY,
    RESPONSE_RATES,
    RESPONSE_LATENCY_DAILY,
    CONTACT_FREQUENCY,
    OVER_CONTACTED_CUSTOMERS,
)
