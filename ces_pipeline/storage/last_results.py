"""What the last run of each step could not do: one small JSON file per step, so that `ces doctor` knows it.

A step that did everything has no file. The texts are those that the run showed; they name no person. Which steps there
are is decided in `ces_pipeline.pipeline`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ces_pipeline.errors import CesError, HomeError
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.locks import exclusive

FOLDER = "results"


@dataclass(frozen=True)
class LastResult:
    """What a step could not do. at: when it last ran. failures: subject (a day, or empty) -> lines of text."""

    step: str
    at: datetime
    failures: dict[str, list[str]]


def results_file(step: str) -> str:
    """Path of a step's file in the lake."""
    return f"{FOLDER}/{step}.json"


def record(lake: Lake, step: str, subjects: Iterable[str], failures: Mapping[str, Sequence[str]]) -> None:
    """Record what a step could not do for these subjects, in place of what it could not do for them before.

    failures: subject -> lines of text. Raises HomeError if the lake cannot be written.
    """
    path = results_file(step)
    if not failures and not lake.exists(path):
        return
    with _locked(lake):
        kept = {} if (known := _known(lake, step)) is None else dict(known.failures)
        for subject in subjects:
            kept.pop(subject, None)
        kept |= {subject: list(lines) for subject, lines in failures.items() if lines}
        if not kept:
            lake.delete(path)
            return
        entry = {"at": datetime.now(UTC).isoformat(), "failures": kept}
        lake.write_bytes(path, json.dumps(entry, indent=1, sort_keys=True).encode())


@contextmanager
def recorded(lake: Lake, step: str) -> Iterator[None]:
    """Record an error that ends the block, and raise it. Only the kind of an internal error is recorded."""
    try:
        yield
    except Exception as problem:
        text = str(problem) if isinstance(problem, CesError) else f"internal error ({type(problem).__name__})"
        # If the disk cannot be written, the error itself says so.
        with suppress(HomeError):
            record(lake, step, [""], {"": [text]})
        raise


def last_results(lake: Lake) -> list[LastResult]:
    """What the last run of every step could not do, by step. Raises CesError that names a file that is damaged."""
    found = []
    try:
        files = sorted(lake.list(FOLDER), key=lambda info: info.path)
    except OSError as problem:
        raise CesError(
            f"lake folder {FOLDER} cannot be read ({type(problem).__name__}). It only keeps what the last run could "
            "not do: delete it and run `ces run`"
        ) from problem
    for info in files:
        if info.base_name.endswith(".json") and not info.base_name.startswith("."):
            found.append(_read(lake, info.base_name.removesuffix(".json")))
    return found


def _known(lake: Lake, step: str) -> LastResult | None:
    """What is recorded of a step; None if nothing is, or if the file is damaged: the step replaces it now."""
    if not lake.exists(results_file(step)):
        return None
    try:
        return _read(lake, step)
    except CesError:
        return None


def _read(lake: Lake, step: str) -> LastResult:
    path = results_file(step)
    try:
        entry: dict[str, Any] = json.loads(lake.read_bytes(path))
        failures = {
            str(subject): [str(line) for line in lines] for subject, lines in entry["failures"].items()
        }
        return LastResult(step, datetime.fromisoformat(entry["at"]), failures)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as problem:
        raise CesError(
            f"lake file {path} is damaged ({type(problem).__name__}). It only keeps what the last run could not do: "
            "delete it and run `ces run`"
        ) from problem


@contextmanager
def _locked(lake: Lake) -> Iterator[None]:
    if lake.local is None:
        yield
        return
    with exclusive(lake.local / FOLDER / ".lock"):
        yield
