"""Writes report pages into a folder: one file per period, `latest.html`, and `index.html`.

The page of the newest complete period is written after each publish. A page of an older period is written again only if
one of its days changed after the publish that it shows; its text names that publish.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from html import unescape
from pathlib import Path

import duckdb

from ces_pipeline.errors import HomeError
from ces_pipeline.home import REPORT_PAGE, Home
from ces_pipeline.pages.facts import Ask, NoSuchPartError, Publication, Report, read, restated_since
from ces_pipeline.pages.page import render, render_index
from ces_pipeline.pages.periods import PERIODS, PeriodName
from ces_pipeline.pages.words import Language, Words
from ces_pipeline.registry import Registry
from ces_pipeline.reports.answers import NothingPublishedError, published
from ces_pipeline.storage.local_files import replace_file
from ces_pipeline.storage.modes import file_mode

LATEST, INDEX = "latest.html", "index.html"
_PUBLISHED_AT = re.compile(r'<meta name="ces-published-at" content="([^"]+)">')
_SELECTION = re.compile(r'<meta name="ces-selection" content="([^"]+)">')
_TITLE = re.compile(r"<title>[^·<]*· ([^<]*)</title>")


@dataclass(frozen=True)
class WrittenPage:
    """A page that was written. report: its facts."""

    path: Path
    size_bytes: int
    report: Report


def ask_of(registry: Registry, home: Home) -> Ask:
    """What the settings ask for: the newest complete period of all surveys."""
    settings = registry.settings.reports
    return Ask(
        period=settings.period,
        periods=settings.weeks,
        comments=settings.comments,
        own=settings.figures,
        registry=home.registry,
    )


def write_pages(
    home: Home, registry: Registry, ask: Ask, *, folder: Path | None = None, language: Language | None = None
) -> list[WrittenPage]:
    """Write the page that is asked for, first in the list, and those that the settings add to a page of all surveys.

    folder: by default that of the home. Older pages of the folder whose days changed are written again. Raises
    NoSuchPartError, PageTooLargeError, HomeError if the folder cannot be written, CesError if the published file or a
    query of the installation cannot be read.
    """
    words = Words(language or registry.settings.reports.language)
    target = home.reports if folder is None else folder
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700 if folder is None else 0o777)
        pages = [_write(home, registry, target, ask, words)]
        if not (ask.owners or ask.surveys):
            pages += [_write(home, registry, target, other, words) for other in _pages_by(registry, ask)]
            pages += _rewrite_restated(home, registry, target, ask, words)
            if ask.on is None:
                _put(target / LATEST, pages[0].path.read_bytes())
        _put(target / INDEX, _index(target, words).encode())
    except OSError as problem:
        raise HomeError(
            f"{target} cannot be written ({problem.strerror or problem}). Free disk space, correct its permissions, or "
            "choose another folder with --out"
        ) from problem
    return pages


def _write(home: Home, registry: Registry, folder: Path, ask: Ask, words: Words) -> WrittenPage:
    report = _read(home, registry, ask)
    page = render(report, words).encode()
    path = folder / _name(report)
    if not path.is_file() or path.read_bytes() != page:
        _put(path, page)
    return WrittenPage(path, len(page), report)


def _read(home: Home, registry: Registry, ask: Ask) -> Report:
    try:
        return read(home, ask)
    except NothingPublishedError:
        settings = registry.settings
        nothing = Publication(None, settings.business_time_zone, settings.minimum_n, None, None, 0, 0, 0)
        return Report(ask, None, False, nothing)


def _name(report: Report) -> str:
    if report.start is None:
        return f"no-answers{_suffix(report.ask)}.html"
    return f"{report.ask.period}-{report.start}{_suffix(report.ask)}.html"


def _suffix(ask: Ask) -> str:
    parts = [*(f"-owner-{_slug(name)}" for name in ask.owners), *(f"-survey-{name}" for name in ask.surveys)]
    return "".join(parts)


def _slug(name: str) -> str:
    """A name as a part of a file name."""
    return re.sub(r"[^\w]+", "-", name.casefold()).strip("-") or "unnamed"


def _pages_by(registry: Registry, ask: Ask) -> Iterator[Ask]:
    """The pages of single owners and surveys that the settings want."""
    surveys = [survey for _, survey in sorted(registry.surveys.items()) if survey.scale]
    wanted = registry.settings.reports.pages_by
    if "owner" in wanted:
        for owner in sorted({survey.owner for survey in surveys if survey.owner}):
            yield replace(ask, owners=(owner,))
    if "survey" in wanted:
        for survey in surveys:
            yield replace(ask, surveys=(survey.id,))


def _rewrite_restated(
    home: Home, registry: Registry, folder: Path, ask: Ask, words: Words
) -> list[WrittenPage]:
    """Write those pages of the folder again that show figures, or comments, from before their days changed.

    A page says which owners and surveys it is about. One that the registry no longer has cannot be written again, so
    its page is deleted: it may show an answer that was erased.
    """
    if not home.published.is_file():
        return []
    stale = []
    with published(home) as connection:
        for path in sorted(folder.glob("*.html")):
            if named := REPORT_PAGE.fullmatch(path.name):
                text = path.read_text(encoding="utf-8")
                period, start = _period(named[1]), date.fromisoformat(named[2])
                if _is_behind(connection, text, period, start):
                    owners, surveys = _selection(text)
                    stale.append(
                        (path, replace(ask, period=period, on=start, owners=owners, surveys=surveys))
                    )
    written = []
    for path, of_page in stale:
        try:
            written.append(_write(home, registry, folder, of_page, words))
        except NoSuchPartError:
            path.unlink()
    return written


def _selection(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The owners and the surveys that a page is about."""
    found = _SELECTION.search(text)
    chosen = json.loads(unescape(found[1])) if found else {}
    return tuple(chosen.get("owners", ())), tuple(chosen.get("surveys", ()))


def _period(name: str) -> PeriodName:
    return next(period for period in PERIODS if period == name)


def _is_behind(connection: duckdb.DuckDBPyConnection, text: str, period: PeriodName, start: date) -> bool:
    at = _PUBLISHED_AT.search(text)
    changed = restated_since(connection, period, start)
    return changed is not None and (at is None or datetime.fromisoformat(at[1]) < changed)


def _index(folder: Path, words: Words) -> str:
    """The list of the pages in the folder, newest first."""
    named = [
        (path.name, found) for path in folder.glob("*.html") if (found := REPORT_PAGE.fullmatch(path.name))
    ]
    ordered = sorted(named, key=lambda entry: (entry[1][3] != "", entry[1][3]))
    ordered.sort(key=lambda entry: (entry[1][2], entry[1][1]), reverse=True)
    links = [(name, _title(folder / name)) for name, _ in ordered]
    return render_index(links, LATEST if (folder / LATEST).is_file() else None, words)


def _title(path: Path) -> str:
    found = _TITLE.search(path.read_text(encoding="utf-8"))
    return unescape(found[1]) if found else path.stem


def _put(path: Path, content: bytes) -> None:
    replace_file(path, content, mode=file_mode(path.parent))
