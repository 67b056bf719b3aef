"""Is this home well? One verdict a line. Reads everything, changes nothing but a probe for writing.

A feed with an API is asked a few questions; an OAuth refresh token may be renewed by that, as by any pull.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing

from ces_pipeline.clean.answers import OFF_SCALE, UNKNOWN, read_answer
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.http.client import RetryPolicy
from ces_pipeline.http.clock import SystemClock
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.inbox import inbox_files
from ces_pipeline.land.pull import open_http
from ces_pipeline.pipeline import is_behind, publish_inputs, stale_days
from ces_pipeline.privacy.key import KEY_FILE
from ces_pipeline.publish.inputs import disagreeing
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.registry.lint import lint
from ces_pipeline.registry.load import load_exports
from ces_pipeline.registry.overlaps import overlaps
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.vendors.catalog import CONNECTORS
from ces_pipeline.vendors.contract import Finding

_SKEW_SECONDS = 120.0
_HASTY = RetryPolicy(attempts=2, waiting_seconds=20.0, read_seconds=20.0)
"""A person is waiting for the verdict."""


def examine(home: Home) -> Iterator[Finding]:
    """Every verdict on a home, in the order in which to mend things."""
    try:
        registry = load_registry(home.registry)
        load_exports(home.registry)
    except CesError as problem:
        yield Finding(False, str(problem))
        return
    yield Finding(True, f"registry: {len(registry.sources)} feeds, {len(registry.surveys)} touchpoints")
    yield from _rules(registry)
    yield from (Finding(True, told, is_warning=True) for told in lint(registry))
    yield from _objectives(registry)
    for look in (_writable, _key, _inbox, _apis, _lake, _published):
        try:
            yield from look(home, registry)
        except CesError as problem:
            yield Finding(False, str(problem))


def _rules(registry: Registry) -> Iterator[Finding]:
    """Rules of segments.yaml that can match the same answer; only one that never decides is a mistake."""
    for one in overlaps(registry):
        if one.is_shadowed:
            yield Finding(
                False,
                f"rules: {one.second.id} never decides, since {one.first.id} before it matches all that it does: "
                f"put it before {one.first.id} in segments.yaml, or take it out",
            )
        else:
            yield Finding(
                True, f"rules: where {one.first.id} and {one.second.id} both match, {one.first.id} decides"
            )


def _objectives(registry: Registry) -> Iterator[Finding]:
    """What a programme should have settled before it starts: where it is going, and who stands behind it."""
    if not registry.objectives:
        yield Finding(
            True,
            "objectives: none: say in objectives.yaml which figure shall go where, by when, and who stands behind it",
            is_warning=True,
        )
        return
    yield Finding(True, f"objectives: {len(registry.objectives)}")
    for key in ("sponsor", "owner", "budget", "follow_up"):
        if lacking := [one.id for one in registry.objectives if getattr(one, key) is None]:
            yield Finding(
                True,
                f"objectives: without {key}: {', '.join(lacking)}: settle it and write it into objectives.yaml",
                is_warning=True,
            )


def _writable(home: Home, _: Registry) -> Iterator[Finding]:
    home.make()
    yield Finding(True, f"home: {home.root} can be written")


def _key(home: Home, _: Registry) -> Iterator[Finding]:
    path = home.root / KEY_FILE
    if not path.exists():
        yield Finding(True, "pseudonym key: from the environment, or made when something is landed")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(False, f"pseudonym key: others can read {path}: run `chmod 600` on it")
    else:
        yield Finding(True, "pseudonym key: readable by its owner alone; keep a backup of it")


def _inbox(home: Home, registry: Registry) -> Iterator[Finding]:
    claimed = set()
    for source in registry.sources.values():
        files = inbox_files(home, source)
        claimed.update(files)
        if not files and source.api is None:
            yield Finding(False, f"inbox: no file for the feed {source.id} below {home.inbox / source.id}")
    stray = sorted(
        str(path.relative_to(home.inbox))
        for path in home.inbox.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path not in claimed
    )
    for name in stray:
        yield Finding(False, f"inbox: {name} belongs to no feed: move it, or mend `inbox` in sources.yaml")
    yield Finding(True, f"inbox: {len(claimed)} files belong to a feed")


def _apis(home: Home, registry: Registry) -> Iterator[Finding]:
    for source in registry.sources.values():
        if source.api is not None:
            yield from _api(home, registry, source)


def _api(home: Home, registry: Registry, source: Source) -> Iterator[Finding]:
    """What a feed's vendor says to a few requests; they are not kept in `audit.requests`."""
    assert source.api is not None
    name = f"api of {source.id}"
    log = RequestLog(source.id, "doctor")
    try:
        with closing(
            open_http(home, source, log, clock=SystemClock(), environment=os.environ, retry_policy=_HASTY)
        ) as http:
            connector = CONNECTORS[source.api.connector]
            for finding in connector.probe(http, source.api):
                yield Finding(finding.is_well, f"{name}: {finding.text.removeprefix(f'{source.id}: ')}")
            if told := _off_scale(registry, source, connector.answers(http, source.api)):
                yield Finding(False, f"{name}: {told}")
            skew = http.skew_seconds
            if skew is not None and abs(skew) > _SKEW_SECONDS:
                yield Finding(
                    False,
                    f"{name}: this machine's clock and the vendor's are {abs(skew):.0f} s apart: set it right",
                )
    except CesError as problem:
        yield Finding(False, f"{name}: {str(problem).removeprefix(f'{source.id}: ')}")


def _off_scale(registry: Registry, source: Source, answers: Sequence[str]) -> str | None:
    """Which of the answers that can be chosen are none of the touchpoint's scale, and would be rejected."""
    survey = registry.surveys.get(source.survey or "")
    if survey is None or survey.scale is None:
        return None
    scale = registry.scales[survey.scale]
    translated = {old.lower(): new for old, new in source.values.get("score", {}).items()}
    off = [
        one
        for one in answers
        if read_answer(translated.get(one.lower(), one), scale)[1] in (OFF_SCALE, UNKNOWN)
    ]
    if not off:
        return None
    return (
        f"its field offers {', '.join(off)}, which the scale {scale.id} does not know: say what they mean under "
        f"`values` of {source.id} in sources.yaml, or mend the scale of {survey.id}"
    )


def _lake(home: Home, registry: Registry) -> Iterator[Finding]:
    state = publish_inputs(home, registry)
    for table, day in disagreeing(Lake(home.lake), state.day_files):
        yield Finding(
            False, f"lake: {table} of {day} is not the file that was cleaned: `ces run` cleans it again"
        )
    for kind in registry.kinds:
        waiting = stale_days(home, registry, kind)
        if waiting:
            yield Finding(
                False,
                f"lake: {len(waiting)} {kind} days ({waiting[0]} to {waiting[-1]}) wait: run `ces run`",
            )
    yield Finding(True, f"lake: {len(state.day_files)} day files")


def _published(home: Home, registry: Registry) -> Iterator[Finding]:
    if not home.published.exists():
        yield Finding(False, "published file: there is none yet: `ces run` makes it")
        return
    with open_published(home.published):
        pass
    if is_behind(home, registry):
        yield Finding(
            False, "published file: the lake or the registry is newer: `ces run` brings it up to date"
        )
    else:
        yield Finding(True, f"published file: {home.published} opens and is up to date")
