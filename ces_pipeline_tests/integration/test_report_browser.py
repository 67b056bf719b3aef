"""Protects the report as people see it: in Chromium, offline, wide and narrow, light and dark, and on paper."""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ces_pipeline.demo.story import Story
from ces_pipeline.home import Home
from ces_pipeline.pages.facts import Ask, read
from ces_pipeline.pages.page import render
from ces_pipeline.pages.words import Words
from ces_pipeline.registry.starter import make_home
from ces_pipeline_tests.drills.homes import run
from ces_pipeline_tests.lake_days import SmallHome
from ces_pipeline_tests.unit.pages.homes import CHAT, NEWEST, page_of, report_home
from ces_pipeline_tests.unit.pages.test_page import HOSTILE

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not installed"),
]
WIDTHS = (320, 375, 768, 1180)
VIEWS = [(width, scheme) for width in (1180, 375) for scheme in ("light", "dark")]


@dataclass(frozen=True)
class Pages:
    """Name -> file of a page."""

    files: dict[str, Path]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = tmp_path_factory.mktemp("pages")
    story = make_home(Home(folder / "story"))
    Story().write(story)
    run(story, datetime(2026, 11, 1, tzinfo=UTC))
    two = report_home(folder / "two", weeks=27)
    chat = {**CHAT, "title": HOSTILE, "wording": HOSTILE, "owner": HOSTILE}
    releases = [{"id": "r1", "day": str(NEWEST - timedelta(days=10)), "title": HOSTILE}]
    hostile = report_home(folder / "hostile", chat=chat, files={"releases": releases}, comment=HOSTILE)
    texts = {
        "story": render(read(story, Ask(comments=3)), Words("en")),
        "two": page_of(two),
        "month": page_of(two, "de", period="month"),
        "suppressed": page_of(_copy(two, folder, minimum_n=10_000)),
        "empty": page_of(report_home(folder / "empty", weeks=0)),
        "hostile": page_of(hostile, comments=5),
    }
    files = {}
    for name, text in texts.items():
        files[name] = folder / f"{name}.html"
        files[name].write_text(text, encoding="utf-8")
    return Pages(files)


def _copy(home: SmallHome, folder: Path, *, minimum_n: int) -> SmallHome:
    return report_home(folder / f"minimum-{minimum_n}", minimum_n=minimum_n)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser: Any, path: Path, width: int = 1180, scheme: str = "light", **more: Any) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **more
    )
    page = context.new_page()
    page.requests, page.messages = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda message: page.messages.append(message.text))
    page.on("pageerror", lambda error: page.messages.append(str(error)))
    page.goto(path.as_uri())
    return page


NAMES = ("story", "two", "month", "suppressed", "empty", "hostile")


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_in_any_view(pages: Pages, browser: Any, name: str) -> None:
    for width, scheme in VIEWS:
        # axe-core runs as a script, which the page's own policy forbids.
        page = opened(browser, pages.files[name], width, scheme, bypass_csp=True)
        page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true })")
        violations = axe.Axe().run(page).response["violations"]
        page.context.close()
        assert [(found["id"], found["nodes"][0]["html"][:120]) for found in violations] == [], (width, scheme)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_for_nothing_and_runs_no_script(pages: Pages, browser: Any, name: str) -> None:
    page = opened(browser, pages.files[name])
    assert [url for url in page.requests if not url.startswith("data:")] == [pages.files[name].as_uri()]
    assert page.messages == []
    assert page.evaluate("document.scripts.length") == 0
    page.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_text_is_large_enough_and_nothing_scrolls_sideways(pages: Pages, browser: Any, name: str) -> None:
    for width in WIDTHS:
        page = opened(browser, pages.files[name], width)
        assert (
            page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        ), width
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('body *')]
              .filter(found => found.getClientRects().length && [...found.childNodes].some(
                node => node.nodeType === 3 && node.textContent.trim()))
              .map(found => {
                const svg = found.closest('svg');
                const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
                return parseFloat(getComputedStyle(found).fontSize) * scale;
              })"""
        )
        assert min(sizes) >= 12 * 0.999, width
        page.context.close()


def test_figures_line_up_below_one_another(pages: Pages, browser: Any) -> None:
    page = opened(browser, pages.files["two"])
    lefts = page.evaluate(
        "[...document.querySelectorAll('.wide svg')].map(found => found.getBoundingClientRect().left)"
    )
    assert len(set(lefts)) == 1
    page.context.close()


def test_a_survey_with_26_weeks_is_one_sheet_of_paper(pages: Pages, browser: Any, tmp_path: Path) -> None:
    page = opened(browser, pages.files["two"])
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(pdf) <= 500_000
    # Two surveys, and at most two sheets each for the other parts.
    assert 4 <= len(re.findall(rb"/Type\s*/Page[^s]", pdf)) <= 6
    # A figure that were cut would span two sheets: none is higher than a sheet, and none may break.
    page.emulate_media(media="print")
    assert set(
        page.evaluate("[...document.querySelectorAll('figure')].map(f => getComputedStyle(f).breakInside)")
    ) == {"avoid"}
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.context.close()


def test_six_surveys_with_26_weeks_are_a_page_that_can_be_mailed(tmp_path: Path) -> None:
    found = read(report_home(tmp_path / "home", weeks=27).home, Ask())
    began = time.perf_counter()
    text = render(replace(found, touchpoints=found.touchpoints * 3), Words("en"))
    assert time.perf_counter() - began <= 5
    assert len(text.encode()) <= 400_000


# The palette. Simulation of colour vision: Machado, Oliveira and Fernandes (2009), severity 1.
CONES = {
    "usual": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    shares = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted(
        (float(linear(name) @ [0.2126, 0.7152, 0.0722]) for name in (one, other)), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, cones: np.ndarray) -> np.ndarray:
    seen = np.clip(cones @ linear(colour), 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / [0.9505, 1.0, 1.089]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def palettes() -> list[dict[str, str]]:
    import ces_pipeline.pages as package

    css = (Path(package.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
    found = [
        dict(re.findall(r"--(\w+): (#\w{6})", block))
        for block in re.findall(r":root {(.*?)}", css, re.DOTALL)
    ]
    return [palette for palette in found if palette]


@pytest.mark.parametrize("palette", palettes())
def test_colours_are_told_apart_by_everyone(palette: dict[str, str]) -> None:
    for text in ("ink", "soft", "hard", "blue"):
        assert contrast(palette[text], palette["paper"]) >= 4.5, text
        assert contrast(palette[text], palette["tile"]) >= 4.5, text
    for graphic in ("hard", "easy", "blue", "soft"):
        assert contrast(palette[graphic], palette["paper"]) >= 3, graphic
    for cones in CONES.values():
        for one, other in combinations(("hard", "neutral", "easy"), 2):
            distance = float(np.linalg.norm(lab(palette[one], cones) - lab(palette[other], cones)))
            assert distance >= 25, (one, other, distance)
