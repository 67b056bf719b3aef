"""How much of the tags is known: columns of the marts on coverage."""

from ces_pipeline.schemas.table import DAY, INTEGER, NUMBER, TEXT, Table, column

TAG_COVERAGE_DAILY = Table(
    "mart.tag_coverage_daily",
    "One row per day x tag with accepted responses: how many carry it.",
    ("day", "tag"),
    {
        "day": column(DAY, "Business-zone date of recorded_at."),
        "tag": column(TEXT, "`channel`, `persona`, `product`, `device`, `journey_stage` or `language`."),
        "responses": column(INTEGER, "Accepted responses of the day (suspect ones included)."),
        "known": column(INTEGER, "Of these, with a known value."),
        "not_known": column(INTEGER, "Of these, `unknown` or `unassigned`."),
        "known_share": column(NUMBER, "known / responses, 0 to 1: a count of all, so without an interval."),
    },
    sort=("day", "tag"),
)

TABLES = (TAG_COVERAGE_DAILY,)
