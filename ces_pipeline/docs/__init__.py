"""The documentation pages, shipped in the package: which topics there are, and the text of one.

A topic is a Markdown file of this folder, or the `README.md` of a vendor's folder under the vendor's name. Pages whose
name begins with `reference-`, and the glossary, are written by `generate.py`. Only the standard library is imported.
"""

from pathlib import Path

from ces_pipeline.errors import CesError

FOLDER = Path(__file__).resolve().parent
VENDORS = FOLDER.parent / "vendors"

_READING_ORDER = (
    "getting-started",
    "sources",
    "surveys-and-scales",
    "apis",
    "receiving",
    "judging",
    "correcting-mistakes",
    "operating",
    "alerts",
    "reports",
    "analysts",
    "dashboards",
    "triggers",
    "sending-out",
    "privacy",
    "limits-and-performance",
    "glossary",
)
"""Pages that are not named here follow, by name."""


class UnknownTopicError(CesError, KeyError):
    """There is no page on this topic. The message lists the topics that exist."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic

    def __str__(self) -> str:
        return f"no page on {self.topic!r}: choose one of {', '.join(topics())}"


def topics() -> dict[str, str]:
    """Topic -> title of its page, in reading order: guides, reference pages, vendors."""
    return {topic: _title(path) for topic, path in _files().items()}


def page(topic: str) -> str:
    """The page on a topic, in Markdown. Raises UnknownTopicError."""
    path = _files().get(topic)
    if path is None:
        raise UnknownTopicError(topic)
    return path.read_text(encoding="utf-8")


def _files() -> dict[str, Path]:
    pages = {path.stem: path for path in sorted(FOLDER.glob("*.md"))}
    vendors = {path.parent.name: path for path in sorted(VENDORS.glob("*/README.md"))}
    ordered = [topic for topic in _READING_ORDER if topic in pages]
    rest = [topic for topic in pages if topic not in ordered]
    return {topic: pages[topic] for topic in (*ordered, *rest)} | vendors


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip()
