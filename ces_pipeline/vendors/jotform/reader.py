"""Jotform: the CSV or Excel export of submissions."""

from ces_pipeline.vendors.named_table import NamedTable

JOTFORM_CSV = NamedTable(
    name="jotform_csv",
    title="Jotform export",
    marks=(("Submission Date",), ("Submission ID",)),
    fields={
        "response_id": ("Submission ID",),
        "submitted_at": ("Submission Date",),
        "ip_address": ("Submission IP", "IP"),
        "respondent": ("Email", "E-mail"),
    },
    people=("Name", "Full Name", "Phone Number"),
    unless=("Respondent ID",),
    time_formats=("%b %d, %Y", "%b %d, %Y %H:%M"),
).reader()
