"""The fields that a feed's columns can be mapped to, and what each holds.

These names are the vocabulary of `columns:` in `sources.yaml`, of the readers' own mappings and of the raw files.
How a field is treated (as a person, a time, a free text) is said here once; the treatment itself is in `land.py`.
"""

from dataclasses import dataclass
from typing import Literal

Treatment = Literal["text", "person", "time", "free_text"]


@dataclass(frozen=True)
class Field:
    """One field of a raw file.

    treatment: `text` is kept as it is; `person` is kept only as a keyed hash, under the name `<name>_key`;
    `time` becomes a UTC instant; `free_text` is kept redacted.
    answer: whether it is something the respondent said (the double-submit rule compares those).
    """

    name: str
    means: str
    treatment: Treatment = "text"
    answer: bool = False

    @property
    def stored_as(self) -> str:
        return f"{self.name}_key" if self.treatment == "person" else self.name


SURVEY_FIELDS: tuple[Field, ...] = (
    Field("response_id", "the platform's id of the response"),
    Field("survey", "the platform's name of the survey, if one source carries several"),
    Field("respondent", "who answered: e-mail, contact or user id", "person"),
    Field("device", "device or cookie id", "person"),
    Field("ip_address", "network address", "person"),
    Field("ticket_id", "the ticket that the answer is about"),
    Field("external_id", "another reference shared with the ticket system"),
    Field("channel", "channel of the interaction"),
    Field("product", "product or service"),
    Field("journey_stage", "stage of the customer journey"),
    Field("process", "support, renewal, expansion ..."),
    Field("device_type", "mobile, desktop ..."),
    Field("language", "language of the answer"),
    Field("score", "the effort or ease answer, number or label", answer=True),
    Field("csat", "the satisfaction answer, number or label", answer=True),
    Field("nps", "likelihood to recommend, 0 to 10", answer=True),
    Field("comment", "free text", "free_text", answer=True),
    Field("status", "the platform's own status: preview, test, spam ..."),
    Field("finished", "whether the survey was completed"),
    Field("progress", "percent of the survey seen"),
    Field("duration_seconds", "seconds from first view to submit, as reported"),
    Field("started_at", "first view", "time"),
    Field("submitted_at", "submit", "time"),
    Field("recorded_at", "when the platform recorded the response", "time"),
)

TICKET_FIELDS: tuple[Field, ...] = (
    Field("ticket_id", "the ticket system's id"),
    Field("external_id", "another reference shared with the survey"),
    Field("status", "state as the system names it"),
    Field("priority", "priority as the system names it"),
    Field("category", "issue category"),
    Field("channel", "how the ticket came in"),
    Field("product", "product or service"),
    Field("requester", "who asked: e-mail or user id", "person"),
    Field("group_name", "the team that holds it"),
    Field("created_at", "opened", "time"),
    Field("first_reply_at", "first public reply of an agent", "time"),
    Field("solved_at", "latest solve", "time"),
    Field("closed_at", "closed", "time"),
    Field("updated_at", "when this update was made", "time"),
    Field("version", "a number that grows with every update, where the system has one"),
    Field("first_reply_minutes", "calendar minutes to the first reply, as reported"),
    Field("resolution_minutes", "calendar minutes to the latest solve, as reported"),
    Field("reopens", "times reopened"),
    Field("handoffs", "times given to another agent or group"),
    Field("replies", "public replies by agents"),
    Field("csat", "satisfaction with the ticket, number or label"),
    Field("is_deleted", "true where the system deleted the ticket"),
)


ACCOUNT_FIELDS: tuple[Field, ...] = (
    Field("person", "who, by the e-mail or id that answers and tickets name them by", "person"),
    Field("account", "the account that the person belongs to", "person"),
    Field("valid_from", "when this version began to hold", "time"),
    Field("valid_to", "when it ended: the first moment at which it no longer held", "time"),
)
"""Every other column of the export is an attribute of the account, kept under its own name."""

INVITATION_FIELDS: tuple[Field, ...] = (
    Field("invitation_id", "the platform's id of the invitation"),
    Field("survey", "the platform's name of the survey, if one source carries several"),
    Field("person", "who was asked, by the e-mail or id that answers name them by", "person"),
    Field("response_id", "the answer that came of it, where the platform says"),
    Field("ticket_id", "the ticket that it asks about"),
    Field("event_id", "the event that sent it out"),
    Field("channel", "how it was sent"),
    Field("status", "what became of it: sent, bounced, opened, refused, out of scope ..."),
    Field("sent_at", "when it was sent", "time"),
)

EVENT_FIELDS: tuple[Field, ...] = (
    Field("event_id", "the system's id of the event"),
    Field("event_type", "what happened, as `trigger_event` of surveys.yaml names it"),
    Field("survey", "the platform's name of the survey, for events that are views of a survey"),
    Field("person", "whom it happened to, by the e-mail or id that answers name them by", "person"),
    Field("ticket_id", "the ticket that it is about"),
    Field("category", "a category of the event or measure"),
    Field("value", "a number that it carries, such as how many views or milliseconds"),
    Field("occurred_at", "when it happened", "time"),
)

FOLLOW_UP_FIELDS: tuple[Field, ...] = (
    Field("follow_up_id", "the system's id of the follow-up; the same on all of its steps"),
    Field("response_id", "the answer that is followed up, by its platform's id"),
    Field("ticket_id", "or the ticket that the answer is about"),
    Field("agent", "who took the step", "person"),
    Field("state", "what was done: assigned, contacted, resolved"),
    Field("changed_at", "when", "time"),
)

_FIELDS: dict[str, tuple[Field, ...]] = {
    "survey": SURVEY_FIELDS,
    "tickets": TICKET_FIELDS,
    "accounts": ACCOUNT_FIELDS,
    "invitations": INVITATION_FIELDS,
    "events": EVENT_FIELDS,
    "follow_ups": FOLLOW_UP_FIELDS,
}


def field_table(kind: str) -> tuple[Field, ...]:
    """The fields of a kind of feed, in the order in which raw files store them."""
    return _FIELDS[kind]


def fields_of(kind: str) -> dict[str, Field]:
    return {field.name: field for field in field_table(kind)}
