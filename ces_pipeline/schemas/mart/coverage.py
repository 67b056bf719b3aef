"""Columns of the mart on coverage: the share of responses with a known tag."""

from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

QUESTION = "are_tags_known"

TAG_COVERAGE_DAILY = Table(
    "mart.tag_coverage_daily",
    "One row per day x tag with accepted responses: how many have a known value.",
    ("day", "tag"),
    {
        "day": column(DAY, "Business-zone date of recorded_at."),
        "tag": column(TEXT, "`channel`, `persona`, `product`, `device`, `journey_stage` or `language`."),
        "responses": column(INTEGER, "Accepted responses of the day (including suspect ones)."),
        "known": column(INTEGER, "Of these, with a known value."),
        "not_known": column(INTEGER, "Of these, `unknown` or `unassigned`."),
        "known_share": column(
            NUMBER, "known / responses, 0 to 1; counts every response, so it has no interval."
        ),
    },
    sort=("day", "tag"),
)
