"""The fields that the columns of a source can be mapped to, and what each contains.

`columns:` in `sources.yaml`, the mappings of the readers, and the raw files use these names. The treatment of each
field (person, time, free text) is declared here; the code of the treatments is in `ces_pipeline.land`.
"""

from dataclasses import dataclass
from typing import Literal

Treatment = Literal["text", "person", "time", "free_text"]


_RAW_TYPES = {"time": "TIMESTAMPTZ"}


@dataclass(frozen=True)
class Field:
    """One field of a raw file.

    treatment: `text` is kept unchanged; `person` is kept only as a keyed hash, under the name `<name>_key`;
    `time` becomes a UTC instant; `free_text` is kept redacted.
    answer: True for an answer of the respondent (the double-submit rule compares answers).
    also_hashed: True for a text that has its keyed hash next to it, as `<name>_key`: an answer names it by its hash.
    is_listed: True for a field of few different values, such as answer options, channels and states: landing counts
    them in each delivery.
    """

    name: str
    means: str
    treatment: Treatment = "text"
    answer: bool = False
    also_hashed: bool = False
    is_listed: bool = False

    @property
    def stored_as(self) -> str:
        return f"{self.name}_key" if self.treatment == "person" else self.name

    @property
    def key_column(self) -> str | None:
        """The raw file's column with the field's keyed hash; None if it has none."""
        return f"{self.name}_key" if self.treatment == "person" or self.also_hashed else None

    @property
    def raw_types(self) -> dict[str, str]:
        """Column -> SQL type of the field in raw files. A person's key is the 32 bytes of its hash."""
        columns = {} if self.treatment == "person" else {self.name: _RAW_TYPES.get(self.treatment, "VARCHAR")}
        return columns | ({self.key_column: "BLOB"} if self.key_column else {})


SURVEY_FIELDS: tuple[Field, ...] = (
    Field("response_id", "the platform's id of the response"),
    Field("survey", "the platform's name of the survey, if one source carries several", is_listed=True),
    Field("respondent", "who answered: e-mail, contact or user id", "person"),
    Field("device", "device or cookie id", "person"),
    Field("ip_address", "network address", "person"),
    Field("ticket_id", "the ticket that the answer is about"),
    Field("external_id", "another reference shared with the ticket system; many are a person's", "person"),
    Field("channel", "channel of the interaction", is_listed=True),
    Field("product", "product or service", is_listed=True),
    Field("journey_stage", "stage of the customer journey", is_listed=True),
    Field("process", "support, renewal, expansion ...", is_listed=True),
    Field("device_type", "mobile, desktop ...", is_listed=True),
    Field("language", "language of the answer", is_listed=True),
    Field("score", "the effort or ease answer, number or label", answer=True, is_listed=True),
    Field("csat", "the satisfaction answer, number or label", answer=True, is_listed=True),
    Field("nps", "likelihood to recommend, 0 to 10", answer=True, is_listed=True),
    Field("comment", "free text", "free_text", answer=True),
    Field("status", "the platform's own status: preview, test, spam ...", is_listed=True),
    Field("finished", "whether the survey was completed", is_listed=True),
    Field("progress", "percent of the survey seen"),
    Field("duration_seconds", "seconds from first view to submit, as reported"),
    Field("started_at", "first view", "time"),
    Field("submitted_at", "submit", "time"),
    Field("recorded_at", "when the platform recorded the response", "time"),
    Field("modified_at", "last change: decides between two versions, not the day", "time"),
)

TICKET_FIELDS: tuple[Field, ...] = (
    Field("ticket_id", "the ticket system's id"),
    Field("external_id", "another reference shared with the survey", also_hashed=True),
    Field("status", "state, in the words of the system", is_listed=True),
    Field("priority", "priority, in the words of the system", is_listed=True),
    Field("category", "issue category", is_listed=True),
    Field("channel", "how the ticket came in", is_listed=True),
    Field("product", "product or service", is_listed=True),
    Field("requester", "who asked: e-mail or user id", "person"),
    Field("group_name", "the team that the ticket is assigned to"),
    Field("created_at", "opened", "time"),
    Field("first_reply_at", "first public reply of an agent", "time"),
    Field("solved_at", "latest solve", "time"),
    Field("closed_at", "closed", "time"),
    Field("updated_at", "when this update was made", "time"),
    Field("version", "a number that grows with every update, if the system has one"),
    Field("first_reply_minutes", "calendar minutes to the first reply, as reported"),
    Field("resolution_minutes", "calendar minutes to the latest solve, as reported"),
    Field("first_reply_hours", "the same in hours, or as hours, minutes and seconds: 1:30:00"),
    Field("first_reply_seconds", "the same in seconds"),
    Field(
        "resolution_hours", "calendar hours to the latest solve, or as hours, minutes and seconds: 1:30:00"
    ),
    Field("resolution_seconds", "the same in seconds"),
    Field("reopens", "times reopened"),
    Field("handoffs", "times given to another agent or group"),
    Field("replies", "public replies by agents"),
    Field("csat", "satisfaction with the ticket, number or label", is_listed=True),
    Field("is_deleted", "true if the system deleted the ticket, or when it did"),
    Field("is_spam", "true if the system marked the ticket as spam", is_listed=True),
    Field("is_merged", "true if the ticket was merged into another", is_listed=True),
    Field("merged_into", "the id of the ticket that it was merged into"),
    Field("tags", "its tags: some systems note a merge there", "free_text"),
)


ACCOUNT_FIELDS: tuple[Field, ...] = (
    Field("person", "the person: the same e-mail or id as in answers and tickets", "person"),
    Field("account", "the account that the person belongs to", "person"),
    Field("valid_from", "when this version became valid", "time"),
    Field("valid_to", "when it ended: the first moment at which it was no longer valid", "time"),
)
"""Every other column of the export is an attribute of the account, kept under its own name."""

INVITATION_FIELDS: tuple[Field, ...] = (
    Field("invitation_id", "the platform's id of the invitation"),
    Field("survey", "the platform's name of the survey, if one source carries several", is_listed=True),
    Field("person", "the invited person: the same e-mail or id as in answers", "person"),
    Field("response_id", "the answer to the invitation, if the platform reports it"),
    Field("ticket_id", "the ticket that it asks about"),
    Field("event_id", "the event that triggered it"),
    Field("channel", "how it was sent", is_listed=True),
    Field("status", "its state: sent, bounced, opened, refused, out of scope ...", is_listed=True),
    Field("sent_at", "when it was sent", "time"),
)

EVENT_FIELDS: tuple[Field, ...] = (
    Field("event_id", "the system's id of the event"),
    Field("event_type", "what happened; the same word as `trigger_event` of surveys.yaml", is_listed=True),
    Field(
        "survey", "the platform's name of the survey, for events that are views of a survey", is_listed=True
    ),
    Field("person", "the person: the same e-mail or id as in answers", "person"),
    Field("ticket_id", "the ticket that it is about"),
    Field("category", "a category of the event or measure", is_listed=True),
    Field("value", "number of the event, such as views or milliseconds"),
    Field("occurred_at", "when it happened", "time"),
)

FOLLOW_UP_FIELDS: tuple[Field, ...] = (
    Field("follow_up_id", "the system's id of the follow-up; the same on all of its steps"),
    Field("response_id", "the answer that is followed up, by its platform's id"),
    Field("ticket_id", "the ticket that the answer is about; instead of response_id"),
    Field("agent", "who took the step", "person"),
    Field("state", "what was done: assigned, contacted, resolved", is_listed=True),
    Field("changed_at", "when the step was done", "time"),
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
    """The fields of a kind of source, in the order in which raw files store them."""
    return _FIELDS[kind]


def fields_of(kind: str) -> dict[str, Field]:
    return {field.name: field for field in field_table(kind)}


def version_at(kind: str) -> str:
    """SQL for the instant of a raw row that decides which of two versions of a row is newer."""
    return "coalesce(modified_at, event_at)" if "modified_at" in fields_of(kind) else "event_at"
