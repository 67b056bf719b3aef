"""The job `probe`, which times questions on the published file, and its schedule."""

import dagster as dg

from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.jobs import every, schedule
from ces_pipeline.registry import Registry
from ces_pipeline.reports import probe as probing

PROBE = "probe"


def probe_job() -> dg.JobDefinition:
    """The job. It fails if a question failed. It waits for no other run: the file must be readable at any time."""

    @dg.op(name="ask_questions")
    def ask_questions(context: dg.OpExecutionContext, home: HomeResource) -> None:
        found = probing.probe(home.home, current_registry(home.home).settings.probe_limit_seconds)
        context.add_output_metadata({f"{one.question} seconds": round(one.seconds, 4) for one in found})
        if failed := [f"{one.question}: {one.failure}" for one in found if one.failure]:
            raise dg.Failure(description="\n".join(failed), allow_retries=False)

    @dg.job(name=PROBE, description="Open the published file and time five questions of the cookbook.")
    def probe() -> None:
        ask_questions()

    return probe


def probe_schedule(registry: Registry, minutes: int) -> dg.ScheduleDefinition:
    """The schedule of the job: every so many minutes."""
    return schedule(
        registry, "probe", PROBE, every(minutes), "Measure whether the published file can be read."
    )
