"""Protects the report of the demo and of the story: every figure is published, and no address of an export is shown."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ces_pipeline.demo.generate import write_sample
from ces_pipeline.demo.story import Story
from ces_pipeline.home import Home
from ces_pipeline.pages.facts import Ask, read
from ces_pipeline.pages.page import render
from ces_pipeline.pages.words import Words
from ces_pipeline.registry.starter import make_home
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.unit.pages.homes import published_figures, values

pytestmark = pytest.mark.slow
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


@pytest.mark.parametrize(
    "write", [lambda home: write_sample(home.inbox), lambda home: Story().write(home)], ids=["demo", "story"]
)
def test_the_page_shows_published_figures_and_no_address(
    tmp_path: Path, write: Callable[[Home], object]
) -> None:
    home = make_home(Home(tmp_path / "home"))
    write(home)
    run(home, datetime(2026, 11, 1, tzinfo=UTC))
    report = read(home, Ask(comments=5))
    page = render(report, Words("en"))
    shown = values(page)
    assert len(shown) > 200
    assert set(shown) <= published_figures(home, report)
    exported = {
        found.lower()
        for path in home.inbox.rglob("*")
        if path.is_file()
        for found in ADDRESS.findall(path.read_text(encoding="utf-8", errors="ignore"))
    }
    assert not exported & {found.lower() for found in ADDRESS.findall(page)}
