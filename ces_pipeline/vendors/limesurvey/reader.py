"""LimeSurvey: response exports, with question codes or full questions as column names."""

from ces_pipeline.vendors.named_table import NamedTable

LIMESURVEY_CSV = NamedTable(
    name="limesurvey_csv",
    title="LimeSurvey export",
    marks=(
        ("id", "Response ID"),
        ("submitdate", "Date submitted"),
        ("lastpage", "Last page"),
        ("startlanguage", "Start language"),
    ),
    fields={
        "response_id": ("id", "Response ID"),
        "submitted_at": ("submitdate", "Date submitted"),
        "started_at": ("startdate", "Date started"),
        "recorded_at": ("datestamp", "Date last action"),
        "language": ("startlanguage", "Start language"),
        "ip_address": ("ipaddr", "IP address"),
    },
    people=("token", "Access code", "refurl", "Referrer URL"),
    # An unfinished answer has no submit date; LimeSurvey exports it all the same.
    finished_if_filled="submitted_at",
).reader()
