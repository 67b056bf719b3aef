"""KoboToolbox: the CSV or Excel export of submissions, with XML names or labels as column names."""

from ces_pipeline.vendors.named_table import NamedTable

KOBOTOOLBOX_CSV = NamedTable(
    name="kobotoolbox_csv",
    title="KoboToolbox export",
    marks=(
        ("_uuid",),
        ("_submission_time",),
        ("_id",),
        ("_validation_status", "_status", "__version__", "_submitted_by"),
    ),
    fields={
        "response_id": ("_uuid",),
        "started_at": ("start",),
        "submitted_at": ("end", "_submission_time"),
        "recorded_at": ("_submission_time",),
        "device": ("deviceid",),
    },
    people=("_submitted_by", "username", "phonenumber", "_geolocation", "subscriberid", "simserial"),
).reader()
