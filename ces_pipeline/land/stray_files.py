"""Files of the inbox that no source takes: in the folder of no source, straight in the inbox, or of another name."""

from dataclasses import dataclass
from pathlib import Path

from ces_pipeline.home import Home
from ces_pipeline.land.inbox import inbox_files
from ces_pipeline.privacy.shown import shown_name
from ces_pipeline.registry.registry import Registry

_UNFINISHED = {".part", ".tmp", ".crdownload"}
_NO_EXPORTS = {"thumbs.db", "known_answers.json"}


@dataclass(frozen=True)
class StrayFile:
    """A file that no source takes. name: its path in the inbox, without people. advice: why, and what to do."""

    name: str
    advice: str
    is_unfinished: bool = False


def stray_files(home: Home, registry: Registry) -> list[StrayFile]:
    """The files that no source takes, by name. Hidden files are none; a folder that cannot be read has none."""
    taken = {path for source in registry.sources.values() for path in inbox_files(home, source)}
    found = sorted(
        path
        for path in home.inbox.rglob("*")
        if path not in taken
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(home.inbox).parts)
        and path.name.lower() not in _NO_EXPORTS
    )
    return [_stray(home, registry, path) for path in found]


def _stray(home: Home, registry: Registry, path: Path) -> StrayFile:
    parts = path.relative_to(home.inbox).parts
    name = "/".join(map(shown_name, parts))
    if len(parts) == 1:
        return StrayFile(name, "it is in no source's folder. Move it into inbox/SOURCE/")
    by_folder = {
        name: source for source in registry.sources.values() for name in (source.id, *source.formerly)
    }
    source = by_folder.get(parts[0])
    if source is None:
        folder = shown_name(parts[0])
        return StrayFile(
            name,
            f"sources.yaml has no source {folder}. Move the file into a source's folder, or add the source with "
            f"`ces inspect FILE --source {folder} --write`",
        )
    if path.suffix.lower() in _UNFINISHED:
        return StrayFile(
            name, "it is an unfinished download or copy. It lands when it has its final name", True
        )
    return StrayFile(
        name,
        f"its name does not fit `inbox: {source.inbox}` of source {source.id}. Move it, or correct `inbox` in "
        "sources.yaml",
    )
