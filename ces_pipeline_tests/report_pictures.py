"""Pictures of the report for the README: `python -m ces_pipeline_tests.report_pictures [--folder .github]`.

They show the demo story in Debian's Chromium, on a wide page and on a phone. Needs the extra `dev`.
"""

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from ces_pipeline.demo.story import Story
from ces_pipeline.home import Home
from ces_pipeline.pages.facts import Ask, read
from ces_pipeline.pages.page import render
from ces_pipeline.pages.words import Words
from ces_pipeline.registry.starter import make_home
from ces_pipeline_tests.drills.homes import run

SIZES = {"report-wide": (976, 1180), "report-phone": (375, 1180)}
"""Name of a picture -> width and height of the part of the page that it shows."""


def take(folder: Path) -> list[Path]:
    """Write the pictures into the folder."""
    taken = []
    with TemporaryDirectory() as scratch:
        home = make_home(Home(Path(scratch) / "story"))
        Story().write(home)
        run(home, datetime(2026, 11, 1, tzinfo=UTC))
        page = Path(scratch) / "page.html"
        page.write_text(render(read(home, Ask()), Words("en")), encoding="utf-8")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            for name, (width, height) in SIZES.items():
                shown = browser.new_page(viewport={"width": width, "height": height})
                shown.goto(page.as_uri())
                taken.append(folder / f"{name}.png")
                shown.screenshot(path=taken[-1])
            browser.close()
    return taken


def main() -> None:
    """Take the pictures and print their files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".github"), help="where the pictures go")
    for path in take(parser.parse_args().folder):
        print(f"{path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
