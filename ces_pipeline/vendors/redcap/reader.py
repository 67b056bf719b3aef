"""REDCap: the CSV export of a survey, raw or with labels."""

from ces_pipeline.vendors.named_table import NamedTable

REDCAP_CSV = NamedTable(
    name="redcap_csv",
    title="REDCap export",
    marks=(("record_id", "Record ID"), ("redcap_survey_identifier", "Survey Identifier")),
    fields={
        "response_id": ("record_id", "Record ID"),
        "respondent": ("redcap_survey_identifier", "Survey Identifier"),
    },
    # One pair of columns for each survey; an export of several must name its own.
    endings={"submitted_at": "_timestamp", "finished": "_complete"},
    values={
        "finished": {
            "0": "false",
            "1": "true",
            "2": "true",
            "incomplete": "false",
            "unverified": "true",
            "complete": "true",
        }
    },
).reader()
