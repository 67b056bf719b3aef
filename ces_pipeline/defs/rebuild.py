"""The weekly job `rebuild`: rebuilds the published file from the lake and compares it with the updated one."""

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.jobs import weekly
from ces_pipeline.defs.metadata import POOL
from ces_pipeline.defs.snapshot import PUBLISHED_FILE
from ces_pipeline.registry import Registry

REBUILD = "rebuild"
REBUILD_STEP = "rebuild_and_compare"


def rebuild_job() -> dg.JobDefinition:
    """The job. It fails if a table of the updated file differed; the rebuilt file is published all the same."""

    @dg.op(name=REBUILD_STEP, pool=POOL)
    def rebuild_and_compare(context: dg.OpExecutionContext, home: HomeResource) -> None:
        result = pipeline.rebuild(home.home, current_registry(home.home), run_id=context.run_id)
        problems = [f"{failure.check.name}: {failure.detail}" for failure in result.blocking_failures]
        if result.published:
            context.log_event(
                dg.AssetMaterialization(
                    PUBLISHED_FILE,
                    metadata={
                        "rebuilt_because": result.rebuilt_because,
                        "compared": result.compared,
                        "tables_that_differed": len(result.differences),
                        "size_bytes": result.path.stat().st_size,
                    },
                )
            )
        if problems := [*problems, *result.differences]:
            raise dg.Failure(description="\n".join(problems), allow_retries=False)

    @dg.job(
        name=REBUILD,
        description="Rebuild the published file from the lake, compare all tables with the updated file, publish it.",
    )
    def rebuild() -> None:
        rebuild_and_compare()

    return rebuild


def weekly_rebuild(registry: Registry) -> dg.ScheduleDefinition:
    """The schedule of the job: on Sundays, some hours after `schedule_hour` of settings.yaml."""
    return weekly(
        registry,
        "weekly_rebuild",
        REBUILD,
        "sunday",
        "Prove that the nightly updates led to the rows that a rebuild gives.",
    )
