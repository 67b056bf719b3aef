"""Formbricks: the CSV or Excel export of responses."""

from ces_pipeline.vendors.named_table import NamedTable

FORMBRICKS_CSV = NamedTable(
    name="formbricks_csv",
    title="Formbricks export",
    marks=(("Response ID",), ("Timestamp",), ("Finished",), ("Survey ID",)),
    fields={
        "response_id": ("Response ID",),
        "survey": ("Survey ID",),
        "respondent": ("User ID", "Formbricks ID (internal)"),
        "submitted_at": ("Timestamp",),
        "finished": ("Finished",),
        "language": ("Language",),
    },
    people=("Formbricks ID (internal)", "Email", "First Name", "Last Name", "Notes"),
).reader()
