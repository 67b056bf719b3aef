"""Published homes for tests of the report: two surveys on scales of opposite direction, eight weeks of answers."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from ces_pipeline.home import Home
from ces_pipeline.pages.facts import Ask, Report, ask_query, read
from ces_pipeline.pages.page import render
from ces_pipeline.pages.periods import steps_back
from ces_pipeline.pages.words import Language, Words
from ces_pipeline.registry import load_registry
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import DAY, SmallHome, registry, response

WEEKS = 8
NEWEST = DAY + timedelta(weeks=WEEKS - 1)
"""Monday of the newest complete week."""
CHAT: dict[str, Any] = {
    "id": "after_chat", "title": "After a chat", "scale": "ease_1_5", "owner": "chat team", "wording": "Was it easy?",
}  # fmt: skip
CALL: dict[str, Any] = {
    "id": "after_call", "title": "After a call", "scale": "effort_1_7", "owner": "call team",
}  # fmt: skip
CHAT_EASES = (100.0, 75.0, 75.0, 50.0, 25.0, 100.0)
HARDER_EASES = (50.0, 25.0, 0.0, 25.0, 75.0, 0.0)
CALL_EASES = (0.0, 0.0, 16.666667, 33.333333, 50.0, 16.666667)


def call(key: str, day: date, ease: float, **values: Any) -> dict[str, Any]:
    """An answer on the scale of effort from 1 to 7: a higher score is harder."""
    score = round(7 - ease * 6 / 100)
    band = "easy" if score <= 3 else "neutral" if score == 4 else "difficult"
    more = {
        "score": score,
        "effort_band": band,
        "scale_id": "effort_1_7",
        "survey_id": "after_call",
        "channel": "phone",
    }
    return response(key, day, ease=ease, **{**more, **values})


def report_home(
    root: Path,
    *,
    minimum_n: int = 30,
    weeks: int = WEEKS,
    chat: Mapping[str, Any] = CHAT,
    files: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    comment: str | None = None,
) -> SmallHome:
    """A published home: ease of chats falls in the newest week; calls are harder than chats in all of them.

    chat: the entry of the first survey. files: further registry files, name -> content. comment: of a difficult answer
    of each day.
    """
    here = root / "registry"
    registry(here, minimum_n=minimum_n, **(settings or {}))
    for name, content in {"surveys": [dict(chat), CALL], **(files or {})}.items():
        (here / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    home = SmallHome(root, load_registry(here))
    home.home.make()
    for number in range(7 * weeks + 1 if weeks else 0):
        day = DAY + timedelta(days=number)
        eases = HARDER_EASES if number // 7 == weeks - 1 else CHAT_EASES
        rows = [
            response(
                f"chat-{day}-{place}", day, ease=ease, channel="chat" if place % 2 else "web", respondent_key=f"person-{place}",
                comment=comment if ease == 0 or ease == 25 else None, csat_0_100=ease, nps=place + 4,
            )
            for place, ease in enumerate(eases)
        ]  # fmt: skip
        rows += [call(f"call-{day}-{place}", day, ease) for place, ease in enumerate(CALL_EASES)]
        home.clean("survey", rows, day=day)
    home.publish()
    return home


def facts_of(home: SmallHome, **asked: Any) -> Report:
    """The facts of a page of the home."""
    return read(home.home, Ask(**asked))


def page_of(home: SmallHome, language: Language = "en", **asked: Any) -> str:
    """A page of the home."""
    return render(facts_of(home, **asked), Words(language))


def values(page: str) -> list[float]:
    """The figures of a page to the last bit, in order: printed ones and drawn ones."""
    return [float(found) for found in re.findall(r'data-v="?([^ ">]+)', page)]


def published_figures(home: Home, report: Report) -> set[float]:
    """Every figure that the queries of the report give for its period, asked of the published file once more."""
    assert report.start is not None
    wanted = {
        "period": report.ask.period,
        "period_start": report.start,
        "period_end": report.end,
        "first_start": steps_back(report.ask.period, report.start, report.ask.periods - 1),
        "comments": report.ask.comments,
    }
    with open_published(home.published) as connection:
        return {
            float(value)
            for file in sql_files("report")
            for row in ask_query(connection, file, wanted)
            for value in row.values()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
