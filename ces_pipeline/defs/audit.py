"""The weekly job `audit`: cleans published days again on the side and reports what would change."""

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.corrections.audit import Audit
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.jobs import weekly
from ces_pipeline.defs.metadata import POOL
from ces_pipeline.defs.snapshot import PUBLISHED_FILE
from ces_pipeline.registry import Registry

AUDIT = "audit"
AUDIT_STEP = "audit_days"


def audit_job() -> dg.JobDefinition:
    """The job. Its report is an observation of the published file; the next publish adds it and runs its check."""

    @dg.op(name=AUDIT_STEP, pool=POOL)
    def audit_days(context: dg.OpExecutionContext, home: HomeResource) -> None:
        found = pipeline.audit(home.home, current_registry(home.home), run_id=context.run_id)
        context.log_event(
            dg.AssetObservation(
                PUBLISHED_FILE,
                metadata={
                    "days_compared": found.days,
                    "rows_compared": found.rows,
                    "days_that_would_change": found.days_that_would_change,
                    "changes": dg.MetadataValue.md(_listed(found)),
                },
            )
        )

    @dg.job(
        name=AUDIT,
        description="Clean published days again on the side and report what would change by today's registry and code. "
        "Changes no day; `ces restate` does.",
    )
    def audit() -> None:
        audit_days()

    return audit


def weekly_audit(registry: Registry) -> dg.ScheduleDefinition:
    """The schedule of the job: on Saturdays, some hours after `schedule_hour` of settings.yaml."""
    return weekly(
        registry,
        "weekly_audit",
        AUDIT,
        "saturday",
        "Report which published days today's registry and code would change.",
    )


def _listed(found: Audit) -> str:
    if not found.findings:
        return "No day would change."
    lines = [
        f"| {kind} | {change} | {days:,} | {rows:,} | {first} | {last} |"
        for kind, change, days, rows, first, last in found.by_change()
    ]
    return "\n".join(["| kind | change | days | rows | first day | last day |", "|" + " --- |" * 6, *lines])
