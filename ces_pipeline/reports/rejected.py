"""Why rows of cleaned days were rejected, from the day files of the quarantine."""

from collections import Counter
from collections.abc import Collection
from datetime import date

from ces_pipeline.registry.registry import Registry
from ces_pipeline.rules.catalog import DEFAULT_SEVERITIES
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import UNREADABLE, Lake
from ces_pipeline.storage.scratch import scratch


def rejected_reasons(lake: Lake, registry: Registry, kind: str, days: Collection[date]) -> Counter[str]:
    """Reason -> rejected rows of these days. A row with two reasons counts in both.

    A rejected row also has the reasons that only mark or count: those are left out. Empty if a day file cannot be read,
    which `ces doctor` reports.
    """
    table = KINDS[kind].rejected
    paths = [path for day in sorted(days) if lake.exists(path := lake.day_file(table, day))]
    if not paths:
        return Counter()
    survey = "survey_id" if kind == "survey" else "NULL"
    try:
        with scratch() as connection:
            rows = connection.execute(
                f"SELECT survey_id, reason, count(*) FROM (SELECT {survey} AS survey_id, unnest(reasons) AS reason "
                f"FROM {lake.scan(connection, paths, 'rejected_rows')}) GROUP BY ALL ORDER BY ALL"
            ).fetchall()
    except UNREADABLE:
        return Counter()
    found: Counter[str] = Counter()
    for survey_id, reason, n in rows:
        of_survey = registry.surveys.get(survey_id or "")
        severity = of_survey.rules.severity(reason) if of_survey else DEFAULT_SEVERITIES.get(reason, "reject")
        if kind != "survey" or severity == "reject":
            found[reason] += n
    return found
