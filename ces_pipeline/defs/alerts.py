"""The job `alert`, which sends the messages on incidents that are due, and the sensor that requests it."""

from datetime import UTC, datetime

import dagster as dg

from ces_pipeline import pipeline
from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.failed_runs import failed_runs
from ces_pipeline.defs.home_resource import HomeResource
from ces_pipeline.defs.sensors import registry_at_rest, run_key
from ces_pipeline.home import Home

ALERT = "alert"


def alert_job() -> dg.JobDefinition:
    """The job. It fails if a channel did not take its messages; they are sent again an hour later."""

    @dg.op(name="send_alerts")
    def send_alerts(context: dg.OpExecutionContext, home: HomeResource) -> None:
        at, registry = home.home, current_registry(home.home)
        done = pipeline.alert(at, registry, failed_runs=failed_runs(at.dagster))
        context.add_output_metadata(
            {"open_incidents": len(done.open), "messages_sent": sum(done.sent.values())}
        )
        if failures := [*done.failures, *pipeline.write_metrics_file(at, registry)]:
            raise dg.Failure(description="\n".join(failures), allow_retries=False)

    @dg.job(
        name=ALERT,
        description="Log which sources, steps, runs and nights failed, and send the messages that are due.",
    )
    def alert() -> None:
        send_alerts()

    return alert


def alerts_sensor(home: Home) -> dg.SensorDefinition:
    """Requests job `alert` when a message is due, or when a source, a step, a run or a night failed or recovered.

    It waits until no run is in progress, so that a step that is retried is not reported before it has failed for good.
    """

    @dg.sensor(
        name="alerts_sensor",
        job_name=ALERT,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends the messages on incidents after a publish, after a failed run, and after a missed night.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        registry = registry_at_rest(home, context.instance)
        if isinstance(registry, dg.SkipReason):
            return registry
        if not registry.alerts.rules and not any(channel.events for channel in registry.alerts.channels):
            return dg.SkipReason("alerts.yaml has no rule, and no channel that sends events")
        found = pipeline.alert(home, registry, is_dry=True, failed_runs=failed_runs(home.dagster))
        if not found.is_due:
            return dg.SkipReason("no message is due")
        # What a channel did not take is sent again an hour later.
        hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
        return dg.RunRequest(
            run_key=run_key([hour, found.due, [incident.incident_id for incident in found.open]])
        )

    return sensor
