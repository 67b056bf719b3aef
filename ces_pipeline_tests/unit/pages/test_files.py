"""Protects the folder of pages: one file a period, the newest as latest.html, old ones rewritten only when restated."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home
from ces_pipeline.pages.files import ask_of, write_pages
from ces_pipeline.registry import Registry
from ces_pipeline_tests.lake_days import DAY, SmallHome, registry, response
from ces_pipeline_tests.unit.pages.homes import CHAT_EASES, NEWEST, report_home

NAME = f"week-{NEWEST}.html"
OLDER = NEWEST - timedelta(weeks=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    return report_home(tmp_path_factory.mktemp("files") / "home")


def write(home: Home, here: Registry, **asked: object) -> list[str]:
    pages = write_pages(home, here, replace(ask_of(here, home), **asked))  # type: ignore[arg-type]
    return [page.path.name for page in pages]


def test_a_week_is_one_file_with_a_copy_and_a_list(made: SmallHome, tmp_path: Path) -> None:
    home = made.copied(tmp_path / "copy")
    assert write(home.home, home.registry) == [NAME]
    folder = home.home.reports
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "latest.html", NAME]
    assert (folder / "latest.html").read_bytes() == (folder / NAME).read_bytes()
    assert f'href="{NAME}"' in (folder / "index.html").read_text()
    before = (folder / NAME).stat().st_mtime_ns
    write(home.home, home.registry)
    assert (folder / NAME).stat().st_mtime_ns == before


def test_an_older_page_is_written_again_only_if_one_of_its_days_changed(
    made: SmallHome, tmp_path: Path
) -> None:
    home = made.copied(tmp_path / "copy")
    assert write(home.home, home.registry, on=OLDER) == [f"week-{OLDER}.html"]
    assert write(home.home, home.registry, on=OLDER - timedelta(weeks=1)) == [
        f"week-{OLDER - timedelta(weeks=1)}.html"
    ]
    assert not (home.home.reports / "latest.html").exists()
    assert write(home.home, home.registry) == [NAME]
    rows = [response(f"late-{place}", OLDER, ease=ease) for place, ease in enumerate(CHAT_EASES)]
    home.clean("survey", rows, day=OLDER)
    home.publish("run-2")
    assert write(home.home, home.registry) == [NAME, f"week-{OLDER}.html"]
    text = (home.home.reports / f"week-{OLDER}.html").read_text()
    assert "changed after they were first published" in text
    assert write(home.home, home.registry) == [NAME]


@pytest.mark.slow
def test_a_comment_that_was_erased_leaves_every_page_of_the_folder(tmp_path: Path) -> None:
    home = report_home(tmp_path / "home", weeks=4, comment="the form was long")
    here, folder = home.registry, home.home.reports
    write(home.home, here, on=DAY, surveys=("after_chat", "after_call"), comments=50)
    write(home.home, here, on=DAY, owners=("call team", "chat team"), comments=50)
    write(home.home, here, on=DAY, comments=50)
    assert sum("the form was long" in path.read_text() for path in folder.iterdir()) == 3
    for number in range(7):
        day = DAY + timedelta(days=number)
        home.clean("survey", [response(f"left-{day}", day, ease=75.0)], day=day)
    home.publish("run-2")
    gone = here.model_copy(update={"surveys": {"after_chat": here.surveys["after_chat"]}})
    home.registry = gone
    home.publish("run-3")
    write(home.home, gone)
    assert not any("the form was long" in path.read_text() for path in folder.iterdir())
    # Of the page of two owners, one has no survey any more: it cannot be written again.
    assert sorted(path.name for path in folder.iterdir() if "-0" in path.name and "owner" in path.name) == []


def test_settings_ask_for_pages_of_owners_and_surveys(made: SmallHome, tmp_path: Path) -> None:
    home = made.copied(tmp_path / "copy")
    settings = home.registry.settings
    by = settings.reports.model_copy(update={"pages_by": ("owner", "survey")})
    here = home.registry.model_copy(update={"settings": settings.model_copy(update={"reports": by})})
    stem = f"week-{NEWEST}"
    assert write(home.home, here) == [
        NAME, f"{stem}-owner-call-team.html", f"{stem}-owner-chat-team.html", f"{stem}-survey-after_call.html",
        f"{stem}-survey-after_chat.html",
    ]  # fmt: skip


def test_a_home_that_published_nothing_has_a_page_that_says_so(tmp_path: Path) -> None:
    here = registry(tmp_path / "registry")
    home = Home(tmp_path)
    assert write(home, here) == ["no-answers.html"]
    assert "No answers yet" in (home.reports / "latest.html").read_text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(made: SmallHome, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(HomeError, match="closed"):
        write_pages(made.home, made.registry, ask_of(made.registry, made.home), folder=closed)


def test_a_file_in_place_of_the_folder_is_named(made: SmallHome, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="--out"):
        write_pages(made.home, made.registry, ask_of(made.registry, made.home), folder=tmp_path / "file")
