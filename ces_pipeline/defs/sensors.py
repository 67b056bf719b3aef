"""The sensors: they land new files, clean stale days, and publish if the published file is out of date."""

import hashlib
import json
import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from ces_pipeline.defs.current import current_registry
from ces_pipeline.defs.exports import export_keys
from ces_pipeline.defs.jobs import CLEAN_AND_PUBLISH, LAND, run_at_work
from ces_pipeline.defs.metadata import asset_key
from ces_pipeline.defs.night import night_began, night_tags
from ces_pipeline.defs.partitions import range_tags, stale_ranges
from ces_pipeline.defs.report import publish_keys
from ces_pipeline.errors import RegistryError
from ces_pipeline.home import Home
from ces_pipeline.pipeline import publish_inputs
from ces_pipeline.publish.fingerprints import state_fingerprint
from ces_pipeline.publish.publication import read_publication
from ces_pipeline.publish.step import is_behind
from ces_pipeline.registry import Registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.spool import is_handed_over

QUIET_SECONDS = 10
"""A file that changed more recently may not be complete yet: it may still be copied."""


def registry_at_rest(home: Home, instance: dg.DagsterInstance) -> Registry | dg.SkipReason:
    """The registry; or why a sensor must wait: there is none, it has a mistake, or a run may change what is read."""
    if not home.registry.is_dir():
        return dg.SkipReason("this home has no registry yet")
    if run_at_work(instance):
        return dg.SkipReason("a run is in progress")
    try:
        return current_registry(home)
    except RegistryError as problem:
        return dg.SkipReason(str(problem))


def stale_days_sensor(
    home: Home, kinds: Collection[str], exports: Collection[dg.AssetKey]
) -> dg.SensorDefinition:
    """Requests one run per range of stale days, and then a publish if the published file is out of date.

    kinds: the kinds of source that have an asset; those of a registry that was edited later need a reload of Dagster.
    exports: the assets of copies of the published file, likewise.
    """

    @dg.sensor(
        name="stale_days_sensor",
        job_name=CLEAN_AND_PUBLISH,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Cleans every stale day, of any age, and then publishes; on a night without news, runs the checks.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        registry = registry_at_rest(home, context.instance)
        if isinstance(registry, dg.SkipReason):
            return registry
        if new := [kind for kind in registry.kinds if kind not in kinds]:
            return dg.SkipReason(
                f"the registry has its first source of kind {new[0]}: reload the code location `ces_pipeline` on the "
                "page Deployment, or start `ces ui` again"
            )
        # The state changes with every delivery, cleaning and registry change, so a failed range is requested again
        # only after a change.
        inputs = publish_inputs(home, registry)
        state = state_fingerprint(registry, inputs)
        tags = night_tags(registry, datetime.now(UTC))
        publishing = [*publish_keys(), *(key for key in export_keys(registry) if key in exports)]
        requests = [
            dg.RunRequest(
                run_key=run_key([state, kind, str(first), str(last)]),
                asset_selection=[asset_key(KINDS[kind].accepted)],
                tags={**range_tags(first, last), **tags},
            )
            for kind in registry.kinds
            for first, last in stale_ranges(
                home, registry, [day for pending_kind, day in inputs.pending if pending_kind == kind]
            )
        ]
        known = set(json.loads(context.cursor or "[]"))
        fresh = [request for request in requests if request.run_key not in known]
        if is_behind(home, registry, inputs):
            # It runs after the cleanings, since runs of this home execute one after the other. If it waited until no
            # day is stale, files that arrive every minute would put it off for ever.
            publish = dg.RunRequest(
                run_key=run_key([state, "publish"]), asset_selection=publishing, tags=tags
            )
            fresh += [] if publish.run_key in known else [publish]
        elif not fresh and (night := night_without_checks(home, registry, datetime.now(UTC))):
            checks = dg.RunRequest(
                run_key=run_key(["checks", night.isoformat()]), asset_selection=publishing, tags=tags
            )
            fresh = [] if checks.run_key in known else [checks]
            requests.append(checks)
        if not fresh:
            return dg.SkipReason("no day is stale and the published file is up to date")
        asked = {request.run_key for request in (*requests, *fresh)}
        return dg.SensorResult(run_requests=fresh, cursor=json.dumps(sorted(map(str, asked))))

    return sensor


def night_without_checks(home: Home, registry: Registry, now: datetime) -> datetime | None:
    """When the newest night began, if the file was last published before it; else None.

    Checks depend on the date, and every night must prove that they run: a publish that finds nothing new does both.
    """
    published, night = read_publication(home.published), night_began(registry, now)
    return night if published is not None and published.published_at < night else None


def inbox_sensor(home: Home) -> dg.SensorDefinition:
    """Requests job `land` if the files of the inbox, or how they are read, have changed since the last tick."""

    @dg.sensor(
        name="inbox_sensor",
        job_name=LAND,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Lands new and changed files of the inbox.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        found = sorted(_files(home.inbox))
        if not found:
            return dg.SkipReason("the inbox is empty")
        # One that keeps growing delays no other. A time in the future, from another clock, says nothing.
        now = time.time()
        files = [file for file in found if not 0 <= now - file[2] < QUIET_SECONDS]
        if not files:
            return dg.SkipReason("each file changed in the last seconds and may still be copied")
        try:
            sources = current_registry(home).sources.values()
        except RegistryError as problem:
            # The files are landed at the first tick after the registry is right again.
            return dg.SkipReason(str(problem))
        # An entry that is new or corrected makes files land that were there before.
        seen = run_key([files, [(source.id, source.inbox, source.reading) for source in sources]])
        if seen == context.cursor:
            return dg.SkipReason("no new file")
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=seen)], cursor=seen)

    return sensor


def _files(inbox: Path) -> Iterable[tuple[str, int, float]]:
    """The files that may cause a landing. Received payloads do not: a landing makes their file, and lands it."""
    for path in inbox.rglob("*"):
        if path.is_file() and not path.name.startswith(".") and not is_handed_over(path.name):
            status = path.stat()
            yield str(path.relative_to(inbox)), status.st_size, status.st_mtime


def run_key(parts: object) -> str:
    """A run key of what a request depends on, as JSON: Dagster starts one run for each key."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
