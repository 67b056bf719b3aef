"""Appends the entries that an inspection proposes to a registry: all of them, or none."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ces_pipeline.errors import HomeError, RegistryError
from ces_pipeline.home import Home
from ces_pipeline.profiling.result import Inspection, entries_yaml
from ces_pipeline.registry.load import load_registry
from ces_pipeline.storage.local_files import replace_file


def write_proposal(home: Home, inspection: Inspection) -> tuple[str, ...]:
    """Append the proposed entries to the registry of the home. Existing text stays unchanged. Returns the added ids.

    Raises RegistryError and writes nothing if a question needs a decision first, if an id already exists, or if the
    registry would be invalid with the entries. Raises HomeError if the registry cannot be written.
    """
    blocking = [
        f"{question.text} answer with {question.answer_with}"
        for question in inspection.questions
        if question.blocks
    ]
    if blocking:
        raise RegistryError(
            f"{inspection.file}: nothing written, because it needs your decision: {'; '.join(blocking)}"
        )
    added = {"surveys.yaml": inspection.proposal.surveys, "sources.yaml": inspection.proposal.sources}
    texts = {name: _with_entries(home.registry / name, entries) for name, entries in added.items() if entries}
    try:
        home.registry.mkdir(parents=True, exist_ok=True)
        _check_registry(home.registry, texts)
        # Surveys first: if the second write fails, no source names a missing survey.
        for name, text in texts.items():
            replace_file(home.registry / name, text.encode())
    except OSError as problem:
        raise HomeError(
            f"the registry {home.registry} cannot be written ({problem.strerror or problem}): "
            "correct its permissions"
        ) from problem
    load_registry(home.registry)
    return tuple(entry["id"] for entries in added.values() for entry in entries)


def _with_entries(path: Path, entries: tuple[dict[str, Any], ...]) -> str:
    existing = path.read_text(encoding="utf-8") if path.exists() else ""
    # Entries cannot be appended to an empty flow list `[]`, so it is removed; its comments stay.
    existing = re.sub(r"(?m)^\[\s*\]\s*$\n?", "", existing)
    if existing and not existing.endswith("\n"):
        existing += "\n"
    return existing + entries_yaml(entries)


def _check_registry(folder: Path, texts: dict[str, str]) -> None:
    """Load a copy of the registry with the new texts, so that an invalid registry is never written."""
    with tempfile.TemporaryDirectory(prefix="ces-registry-") as scratch:
        copy = Path(scratch)
        for path in folder.glob("*.yaml"):
            shutil.copyfile(path, copy / path.name)
        for name, text in texts.items():
            (copy / name).write_text(text, encoding="utf-8")
        try:
            load_registry(copy)
        except RegistryError as problem:
            raise RegistryError(str(problem).replace(scratch, str(folder)) + " (nothing written)") from None
