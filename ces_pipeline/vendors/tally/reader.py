"""Tally: the CSV export of submissions."""

from ces_pipeline.vendors.named_table import NamedTable

TALLY_CSV = NamedTable(
    name="tally_csv",
    title="Tally export",
    marks=(("Submission ID",), ("Respondent ID",), ("Submitted at",)),
    fields={
        "response_id": ("Submission ID",),
        "respondent": ("Respondent ID",),
        "submitted_at": ("Submitted at",),
    },
).reader()
