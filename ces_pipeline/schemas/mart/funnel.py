"""Columns of the marts on response rates, latency and contact frequency: from invitation to published answer."""

from typing import Any

from ces_pipeline.schemas.table import DAY, FLAG, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "who_is_asked_and_answers"

_DISPOSITIONS = {
    "invited": column(
        INTEGER, "Invitations of the day, without those out of scope: the sum of the six dispositions."
    ),
    "completes": column(INTEGER, "Disposition I: answered completely."),
    "partials": column(INTEGER, "Disposition P: answered, unfinished."),
    "refusals": column(INTEGER, "Disposition R: refused, or started and abandoned."),
    "non_contacts": column(INTEGER, "Disposition NC: sent, delivered, opened or bounced, without an answer."),
    "others": column(
        INTEGER,
        "Disposition O: sending failed, or the platform reports an answer but no answer was accepted.",
    ),
    "unknown_eligibility": column(INTEGER, "Disposition U: the result is not known."),
    "out_of_scope": column(INTEGER, "Invitations that needed no answer; not part of any rate."),
}


def _interval(name: str, means: str) -> dict[str, Any]:
    return {
        name: column(NUMBER, f"{means}, 0 to 1; null: see why_null.", nullable=True),
        f"{name}_low": column(
            NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", nullable=True
        ),
        f"{name}_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
    }


_BASIS = column(
    TEXT,
    "`invitations`: a response rate; `views`: responses per view, which is no response rate; `none`: neither.",
)
_WHY_NULL = column(TEXT, "Why there is no rate; null: there is a rate.", nullable=True)

RESPONSE_FUNNEL_DAILY = Table(
    "mart.response_funnel_daily",
    "One row per survey x day with invitations, views or responses.",
    ("survey_id", "day"),
    {
        "survey_id": column(TEXT, "The survey."),
        "day": column(DAY, "Business-zone date of the invitation, of the view, or of the response."),
        "basis": _BASIS,
        **_DISPOSITIONS,
        "views": column(INTEGER, "Times the survey was shown; null: no views are delivered.", nullable=True),
        "responses": column(INTEGER, "Accepted responses recorded on the day, to any invitation or none."),
        "uninvited_responses": column(INTEGER, "Of these, responses without a known invitation."),
        "is_final": column(FLAG, "True if the time to answer the invitations of the day is over."),
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
    "One row per registered survey and basis of its rate.",
    ("survey_id", "basis"),
    {
        "survey_id": column(TEXT, "The survey."),
        "basis": _BASIS,
        "owner": column(TEXT, "Who is responsible for it; null: not given.", nullable=True),
        "responses": column(INTEGER, "Accepted responses on days of this basis."),
        "uninvited_responses": column(INTEGER, "Of these, responses without a known invitation."),
        "last_response_day": column(DAY, "Newest day with a response; null: none.", nullable=True),
        "days_silent": column(
            INTEGER,
            "Days from last_response_day to the newest response of any survey; null: none.",
            nullable=True,
        ),
        "n": column(
            INTEGER,
            "Denominator: invitations of final days, or views; null: none are delivered.",
            nullable=True,
        ),
        **_interval("rate", "RR1 if the basis is invitations, responses / views if it is views"),
        "response_rate_2": column(
            NUMBER, "AAPOR RR2, 0 to 1; null: no rate, or the basis is views.", nullable=True
        ),
        "why_null": _WHY_NULL,
    },
    sort=("survey_id", "basis"),
)

RESPONSE_LATENCY_DAILY = Table(
    "mart.response_latency_daily",
    "One row per survey x day x step from event to published answer, with at least one measured case.",
    ("survey_id", "day", "step"),
    {
        "survey_id": column(TEXT, "The survey."),
        "day": column(DAY, "Business-zone date of the invitation (first step) or of the response."),
        "step": column(
            TEXT,
            "`event_to_invitation`, `invitation_to_response`, `response_to_landed`, `landed_to_published`; "
            "`response_to_published` is the last two together.",
        ),
        "n": column(INTEGER, "Cases with a time of zero or more."),
        "negative_count": column(
            INTEGER, "Cases with a negative time: data errors, not part of the percentiles."
        ),
        "p50_minutes": column(NUMBER, "Median; null: fewer than the minimum n.", nullable=True),
        "p90_minutes": column(NUMBER, "90th percentile; null: no median.", nullable=True),
        "p95_minutes": column(NUMBER, "95th percentile; null: no median.", nullable=True),
        "longest_minutes": column(NUMBER, "Longest time; null: no median.", nullable=True),
        "is_suppressed": column(FLAG, "True if n is below the minimum n."),
    },
    sort=("survey_id", "day", "step"),
)

CONTACT_FREQUENCY = Table(
    "mart.contact_frequency",
    "One row per position of a contact among the contacts of a customer within the contact window, over all sources.",
    ("place",),
    {
        "place": column(
            INTEGER,
            "1 for a customer's first contact within the window, 2 for the second ...; contact_limit + 1 for all "
            "contacts above the limit; null: the person is not known.",
            nullable=True,
        ),
        "is_over_limit": column(FLAG, "True if the contact is above the limit."),
        "contacts": column(INTEGER, "Invitations, and answers without an invitation."),
        "customers": column(INTEGER, "Known people among the contacts."),
        "invitations": column(INTEGER, "Contacts that are invitations."),
        "final_invitations": column(INTEGER, "Of these, invitations whose time to answer is over."),
        "answered": column(INTEGER, "Of these, invitations with an accepted response."),
        "answered_share": column(
            NUMBER, "answered / final_invitations, 0 to 1; null: fewer than the minimum n.", nullable=True
        ),
        "answered_share_low": column(
            NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", nullable=True
        ),
        "answered_share_high": column(
            NUMBER, "Upper end of that interval; null: no estimate.", nullable=True
        ),
        "is_suppressed": column(FLAG, "True if final_invitations are fewer than the minimum n."),
    },
    sort=("place",),
)

OVER_CONTACTED_CUSTOMERS = Table(
    "mart.over_contacted_customers",
    "One row per customer with more contacts than the contact limit within a contact window, over all sources.",
    ("person_key",),
    {
        "person_key": column(TEXT, "Keyed hash of the customer, same as respondent_key."),
        "contacts": column(INTEGER, "All contacts of the customer."),
        "touchpoints": column(INTEGER, "Different surveys among the contacts."),
        "most_in_window": column(INTEGER, "Most contacts within one window."),
        "contacts_over_limit": column(INTEGER, "Contacts that came after the limit was reached."),
        "first_over_day": column(DAY, "Day of the first contact over the limit."),
        "last_over_day": column(DAY, "Day of the last contact over the limit."),
    },
    sort=("person_key",),
)

EVENT_COVERAGE_DAILY = Table(
    "mart.event_coverage_daily",
    "One row per day x type of event that triggers a survey, with at least one event.",
    ("day", "event_type"),
    {
        "day": column(DAY, "Business-zone date of the event."),
        "event_type": column(TEXT, "The event, same as trigger_event of a survey."),
        "events": column(INTEGER, "Number of events."),
        "with_invitation": column(INTEGER, "Of these, events that an invitation names."),
        "with_several_invitations": column(INTEGER, "Of these, events that several invitations name."),
        "with_response": column(INTEGER, "Events whose invitation has an accepted response."),
        "is_final": column(
            FLAG, "True if the data reach `invite_window_days` beyond the day: its invitations have come."
        ),
        "invited_share": column(
            NUMBER, "with_invitation / events, 0 to 1; null: see why_null.", nullable=True
        ),
        "invited_share_low": column(
            NUMBER, "Lower end of its 95 % interval (Wilson); null: no estimate.", nullable=True
        ),
        "invited_share_high": column(NUMBER, "Upper end of that interval; null: no estimate.", nullable=True),
        "is_suppressed": column(FLAG, "True if events are fewer than the minimum n."),
        "why_null": column(TEXT, "Why there is no share; null: there is one.", nullable=True),
    },
    sort=("day", "event_type"),
)
