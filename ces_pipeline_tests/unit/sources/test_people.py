"""Unmapped columns that hold people are found by name, and answers are not destroyed for mentioning people."""

import pytest

from ces_pipeline.sources.people import looks_like_people

PEOPLE = (
    "RecipientLastName", "RecipientFirstName", "RecipientEmail", "Email Address", "E-mail", "email", "IPAddress",
    "IP Address", "LocationLatitude", "LocationLongitude", "latitude", "phone", "Phone number", "mobile", "Name",
    "caller_id", "opened_by", "resolved_by", "assigned_to", "sys_created_by", "sys_updated_by", "closed_by",
    "requester_id", "submitter_id", "assignee_id", "collaborator_ids", "follower_ids", "email_cc_ids", "recipient",
    "responder_name", "requester_name", "agent", "agent_email", "Agent name", "customer_name", "customerEmail",
    "user id", "userId", "customer_id", "Customer", "full name", "First Name", "contact.email", "participantId",
    "device_id", "sessionId", "from_email", "to_emails", "cc_emails", "street address", "mobile number",
    "metadata.customer_email", "requester.phone", "What is your e-mail address, so that we can come back to you?",
    "Please leave your name and phone number if you wish to be called",
)  # fmt: skip

NOT_PEOPLE = (
    "product name", "file name", "survey name", "company", "Company", "Company name", "User Agent", "UserLanguage",
    "Response ID", "ticket_id", "organization_id", "brand_id", "group_id", "assignment_group", "contact_type",
    "opened_at", "resolved_at", "reply_time_in_minutes", "agent_wait_time_in_minutes", "requester_updated_at",
    "assignee_stations", "email_config_id", "requester_status_name", "agent_responded_at", "Submitted via",
    "Duration (in seconds)", "Customer effort score", "customer_segment", "customer satisfaction", "Gender",
    "Location (Census Region)", "location", "Network", "is_mobile_app", "device type", "agent_rating", "Timestamp",
    "How easy was it to reach an agent by phone or by e-mail today?", "Who ever has had a great influence on you",
    "Was the agent helpful to the customer in his or her need", "hostname", "event", "q0001", "impact", "zip_file",
    "How easy is it for you to upgrade to newer versions of Python libraries", "", "positive_employee",
)  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_names_of_people(name: str) -> None:
    assert looks_like_people(name)


@pytest.mark.parametrize("name", NOT_PEOPLE)
def test_names_of_other_things(name: str) -> None:
    assert not looks_like_people(name)
