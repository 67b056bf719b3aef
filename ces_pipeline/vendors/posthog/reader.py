"""PostHog: exports of `survey sent` events."""

from ces_pipeline.vendors.named_table import NamedTable

POSTHOG_CSV = NamedTable(
    name="posthog_csv",
    title="PostHog export",
    marks=(("event",), ("distinct_id",), ("timestamp",), ("properties.$survey_id", "$survey_id")),
    fields={
        "response_id": (
            "properties.$survey_submission_id",
            "$survey_submission_id",
            "properties.$survey_response_id",
            "uuid",
        ),
        "survey": ("properties.$survey_id", "$survey_id"),
        "respondent": ("distinct_id",),
        "submitted_at": ("timestamp",),
        "finished": ("properties.$survey_completed", "$survey_completed"),
    },
    people=("person.properties.email", "person_properties.email", "properties.$ip", "properties.$device_id"),
    time_zone="UTC",
).reader()
