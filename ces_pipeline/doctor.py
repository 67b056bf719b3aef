"""The checks of `ces doctor`, one verdict each. Reads everything; writes only a probe file.

Sends a few requests to each source's API. Like any pull, this may renew an OAuth refresh token.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.clean.answers import OFF_SCALE, UNKNOWN, read_answer
from ces_pipeline.clean.unknown_words import counted_words
from ces_pipeline.errors import CesError
from ces_pipeline.home import Home
from ces_pipeline.http.client import RetryPolicy
from ces_pipeline.http.clock import SystemClock
from ces_pipeline.http.request_log import RequestLog
from ces_pipeline.land.inbox import inbox_files
from ces_pipeline.land.inputs import stale_deliveries
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
_SHORT = RetryPolicy(attempts=2, waiting_seconds=20.0, read_seconds=20.0)
"""Short, because a person waits for the verdict."""


def examine(home: Home) -> Iterator[Finding]:
    """Every verdict on a home, in the order in which problems should be corrected."""
    try:
        registry = load_registry(home.registry)
        load_exports(home.registry)
    except CesError as problem:
        yield Finding(False, str(problem))
        return
    yield Finding(True, f"registry: {len(registry.sources)} sources, {len(registry.surveys)} surveys")
    yield from _rules(registry)
    yield from (Finding(True, text, is_warning=True) for text in lint(registry))
    yield from _objectives(registry)
    for check in (_writable, _key, _inbox, _deliveries, _apis, _lake, _published):
        try:
            yield from check(home, registry)
        except CesError as problem:
            yield Finding(False, str(problem))


def _rules(registry: Registry) -> Iterator[Finding]:
    """Rules of segments.yaml that can match the same response. Only a rule that is never used is a mistake."""
    for overlap in overlaps(registry):
        first, second = overlap.first.id, overlap.second.id
        if overlap.is_shadowed:
            yield Finding(
                False,
                f"rules: {second} is never used, because {first} comes before it and matches everything that {second} "
                f"matches. In segments.yaml, move {second} before {first} or remove it",
            )
        else:
            yield Finding(True, f"rules: if {first} and {second} both match, {first} is used")


def _objectives(registry: Registry) -> Iterator[Finding]:
    """What a programme should decide before it starts: its objectives, and the people responsible for them."""
    if not registry.objectives:
        yield Finding(
            True,
            "objectives: none. Add them to objectives.yaml: each with its figure, target, date and sponsor",
            is_warning=True,
        )
        return
    yield Finding(True, f"objectives: {len(registry.objectives)}")
    for key in ("sponsor", "owner", "budget", "follow_up"):
        if lacking := [objective.id for objective in registry.objectives if getattr(objective, key) is None]:
            yield Finding(
                True,
                f"objectives: no {key} for {', '.join(lacking)}. Add `{key}` in objectives.yaml",
                is_warning=True,
            )


def _writable(home: Home, _: Registry) -> Iterator[Finding]:
    home.make()
    yield Finding(True, f"home: {home.root} is writable")


def _key(home: Home, _: Registry) -> Iterator[Finding]:
    path = home.root / KEY_FILE
    if not path.exists():
        yield Finding(True, "pseudonym key: from the environment, or created when the first delivery lands")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(False, f"pseudonym key: other users can read {path}. Run `chmod 600 {path}`")
    else:
        yield Finding(True, "pseudonym key: only its owner can read it; keep a backup")


def _inbox(home: Home, registry: Registry) -> Iterator[Finding]:
    claimed = set()
    for source in registry.sources.values():
        files = inbox_files(home, source)
        claimed.update(files)
        if not files and source.api is None:
            yield Finding(
                False,
                f"inbox: source {source.id} has no file in {home.inbox / source.id}. Put an export there, "
                f"or remove the source from sources.yaml",
            )
    stray = sorted(
        str(path.relative_to(home.inbox))
        for path in home.inbox.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path not in claimed
    )
    for name in stray:
        yield Finding(False, f"inbox: {name} matches no source. Move it, or correct `inbox` in sources.yaml")
    yield Finding(True, f"inbox: {len(claimed)} files belong to a source")


def _deliveries(home: Home, registry: Registry) -> Iterator[Finding]:
    for source in registry.sources.values():
        again, kept = stale_deliveries(home, registry, source)
        if again:
            yield Finding(
                False,
                f"deliveries: {len(again)} of source {source.id} were landed with another entry in sources.yaml "
                f"or with other code. Run `ces run`, which lands their files again",
            )
        if kept:
            yield Finding(
                True,
                f"deliveries: {len(kept)} of source {source.id} were landed with another entry in sources.yaml "
                f"or with other code, and their files are not in the inbox. Their rows stay as they are. "
                "To read them again, deliver the files again",
                is_warning=True,
            )


def _apis(home: Home, registry: Registry) -> Iterator[Finding]:
    for source in registry.sources.values():
        if source.api is not None:
            yield from _api(home, registry, source)


def _api(home: Home, registry: Registry, source: Source) -> Iterator[Finding]:
    """Verdicts on a source's API, from a few requests, which are not stored in `audit.requests`."""
    assert source.api is not None
    name = f"api of {source.id}"
    log = RequestLog(source.id, "doctor")
    try:
        with closing(
            open_http(home, source, log, clock=SystemClock(), environment=os.environ, retry_policy=_SHORT)
        ) as http:
            connector = CONNECTORS[source.api.connector]
            for finding in connector.probe(http, source.api):
                yield Finding(finding.is_well, f"{name}: {finding.text.removeprefix(f'{source.id}: ')}")
            if problem := _off_scale(registry, source, connector.answers(http, source.api)):
                yield Finding(False, f"{name}: {problem}")
            skew = http.skew_seconds
            if skew is not None and abs(skew) > _SKEW_SECONDS:
                yield Finding(
                    False,
                    f"{name}: this machine's clock differs from the vendor's by {abs(skew):.0f} s. Set the clock",
                )
    except CesError as error:
        yield Finding(False, f"{name}: {str(error).removeprefix(f'{source.id}: ')}")


def _off_scale(registry: Registry, source: Source, answers: Sequence[str]) -> str | None:
    """A line about the answers that the vendor's field offers but the survey's scale does not have; None if all fit."""
    survey = registry.surveys.get(source.survey or "")
    if survey is None or survey.scale is None:
        return None
    scale = registry.scales[survey.scale]
    translated = {old.lower(): new for old, new in source.values.get("score", {}).items()}
    off = [
        answer
        for answer in answers
        if read_answer(translated.get(answer.lower(), answer), scale)[1] in (OFF_SCALE, UNKNOWN)
    ]
    if not off:
        return None
    return (
        f"its field offers {', '.join(off)}, but scale {scale.id} does not have these answers, so they would be "
        f"rejected. Translate them under `values` of {source.id} in sources.yaml, or correct the scale of {survey.id}"
    )


def _lake(home: Home, registry: Registry) -> Iterator[Finding]:
    state = publish_inputs(home, registry)
    for table, day in disagreeing(Lake(home.lake), state.day_files):
        yield Finding(
            False,
            f"lake: {table} of {day}: the file is missing or was changed after cleaning. Run `ces run`, which "
            f"cleans that day again",
        )
    for kind in registry.kinds:
        stale = stale_days(home, registry, kind)
        if stale:
            yield Finding(
                False,
                f"lake: {len(stale)} {kind} days ({stale[0]} to {stale[-1]}) are stale. Run `ces run`",
            )
    yield Finding(True, f"lake: {len(state.day_files)} day files")
    yield from _unknown_words(state.load_audit)


def _unknown_words(load_audit: pa.Table) -> Iterator[Finding]:
    """The words of flags and states that no list knows, from the days' latest cleaning."""
    marked = load_audit.filter(pc.field("unknown_words").is_valid())
    for (source_id, field, word), n in sorted(counted_words(marked.to_pylist()).items()):
        yield Finding(
            False,
            f"unknown word: {field} of source {source_id} holds {word!r} in {n:,} rows, and no list knows it. Say what "
            f"it means under `values` of {source_id} in sources.yaml",
        )


def _published(home: Home, registry: Registry) -> Iterator[Finding]:
    if not home.published.exists():
        yield Finding(False, "published file: it does not exist yet. Run `ces run`, which creates it")
        return
    with open_published(home.published):
        pass
    if is_behind(home, registry):
        yield Finding(
            False, "published file: the lake or the registry is newer. Run `ces run`, which updates it"
        )
    else:
        yield Finding(True, f"published file: {home.published} opens and is up to date")
