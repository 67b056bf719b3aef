"""Is this home well? One verdict a line. Reads everything, changes nothing but a probe for writing."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ces_pipeline.errors import CesError
from ces_pipeline.landing.inbox import inbox_files
from ces_pipeline.landing.privacy import KEY_FILE
from ces_pipeline.pipeline import stale_days
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.settings import Home
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.state import disagreeing, lake_state
from ces_pipeline.storage.warehouse import is_behind


@dataclass(frozen=True)
class Finding:
    """One verdict. `is_well` False is something to mend."""

    is_well: bool
    text: str


def examine(home: Home) -> Iterator[Finding]:
    """Every verdict on a home, in the order in which to mend things."""
    try:
        registry = load_registry(home.registry)
    except CesError as problem:
        yield Finding(False, str(problem))
        return
    yield Finding(True, f"registry: {len(registry.sources)} feeds, {len(registry.surveys)} touchpoints")
    for look in (_writable, _key, _inbox, _lake, _published):
        try:
            yield from look(home, registry)
        except CesError as problem:
            yield Finding(False, str(problem))


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
        if not files:
            yield Finding(False, f"inbox: no file for the feed {source.id} below {home.inbox / source.id}")
    stray = sorted(
        str(path.relative_to(home.inbox))
        for path in home.inbox.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path not in claimed
    )
    for name in stray:
        yield Finding(False, f"inbox: {name} belongs to no feed: move it, or mend `inbox` in sources.yaml")
    yield Finding(True, f"inbox: {len(claimed)} files belong to a feed")


def _lake(home: Home, registry: Registry) -> Iterator[Finding]:
    state = lake_state(home, registry)
    for table, day in disagreeing(Lake(home.lake), state.day_files):
        yield Finding(
            False, f"lake: {table} of {day} is not the file that was cleaned: `ces run` cleans it again"
        )
    for kind in ("survey", "tickets"):
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
