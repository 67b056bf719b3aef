"""Delighted: the CSV export of survey responses."""

from ces_pipeline.vendors.named_table import NamedTable

DELIGHTED_CSV = NamedTable(
    name="delighted_csv",
    title="Delighted export",
    marks=(
        ("ID", "Response ID"),
        ("Person ID", "Person", "Email"),
        ("Survey type",),
        ("Score",),
        ("Comment",),
    ),
    fields={
        "response_id": ("ID", "Response ID"),
        "respondent": ("Person ID", "Person", "Email"),
        "score": ("Score",),
        "comment": ("Comment",),
        "submitted_at": ("Created at", "Responded at", "Created"),
    },
    people=("Email", "Name", "Phone number", "Permalink"),
).reader()
