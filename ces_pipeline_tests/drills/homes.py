"""Whole runs on small homes, and what they leave behind: bytes of day files, rows of the published file."""

import io
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ces_pipeline import pipeline
from ces_pipeline.home import Home
from ces_pipeline.land.step import land_source
from ces_pipeline.pipeline import DayResult, PublishResult
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.duck import open_published
from ces_pipeline_tests.builders import NOW

DAY_TABLES = tuple(name for kind in KINDS.values() for name in kind.tables)


def stale(home: Home, kind: str = "survey") -> list[str]:
    """The stale days, as texts."""
    return [day.isoformat() for day in pipeline.stale_days(home, load_registry(home.registry), kind)]


def clean(
    home: Home,
    days: Iterable[date] | None = None,
    kind: str = "survey",
    *,
    registry: Registry | None = None,
    executor: Executor | None = None,
) -> list[DayResult]:
    """Clean these days, by default the stale days. registry: that of the home, if it is loaded already."""
    registry = registry or load_registry(home.registry)
    chosen = list(days) if days is not None else pipeline.stale_days(home, registry, kind)
    return list(pipeline.clean(home, registry, kind, chosen, run_id="test", executor=executor))


def land(home: Home, now: datetime = NOW, *, registry: Registry | None = None) -> list[str]:
    """Land every source; returns the failures. registry: that of the home, if it is loaded already."""
    registry = registry or load_registry(home.registry)
    landings = [land_source(home, registry, source, now=now) for source in registry.sources.values()]
    return [failure for landing in landings for failure in landing.failures]


def run(home: Home, now: datetime = NOW) -> PublishResult:
    """Land, clean the stale days, publish. Every step must succeed."""
    registry = load_registry(home.registry)
    assert land(home, now, registry=registry) == []
    for kind in registry.kinds:
        results = clean(home, kind=kind, registry=registry)
        assert [result.problems for result in results if result.problems] == []
    result = pipeline.publish(home, registry, run_id="test")
    assert result.published, result.blocking_failures
    return result


def core_bytes(home: Home, names: Iterable[str] = DAY_TABLES) -> dict[str, bytes]:
    """Path below the lake -> bytes, of every day file."""
    folders = [home.lake / name.replace(".", "/") for name in names]
    return {
        str(path.relative_to(home.lake)): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*.parquet"))
    }


def core_rows(home: Home, without: Iterable[str] = ()) -> dict[str, list[str]]:
    """Path below the lake -> rows as sorted texts, of every day file."""
    left_out = set(without)
    return {
        path: sorted(
            repr({name: value for name, value in row.items() if name not in left_out})
            for row in pq.read_table(io.BytesIO(data)).to_pylist()
        )
        for path, data in core_bytes(home).items()
    }


def published_rows(
    home: Home, layers: tuple[str, ...] = ("core", "mart")
) -> dict[str, list[tuple[Any, ...]]]:
    """Table -> its rows, of these layers of the published file."""
    with open_published(home.published) as connection:
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in PUBLISHED_TABLES
            if name.startswith(layers)
        }


def visible_strays(home: Home) -> list[str]:
    """Files that a reader of the lake's tables or of the warehouse sees, and that no day and no publish owns."""
    marked = set(core_bytes(home)) | set(core_bytes(home, ("core.tickets", "core.response_tickets")))
    found = [
        path
        for folder in (home.lake / "core", home.warehouse)
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home.root).parts)
    ]
    return sorted(
        str(path)
        for path in found
        if path != home.published and str(path).removeprefix(f"{home.lake}/") not in marked
    )


def damage(path: Path, how: str) -> None:
    """Truncate, delete, flip one bit of a file, or put a folder in its place. An empty file gets a byte."""
    data = path.read_bytes()
    if how in ("deleted", "folder"):
        path.unlink()
        if how == "folder":
            path.mkdir()
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif not data:
        path.write_bytes(b"x")
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


def same(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """The names whose values differ or that only one of the two has: empty where both are the same."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
