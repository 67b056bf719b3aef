"""Protects what a spreadsheet saves in other settings: the same answers give the same figures, or a clear question."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ces_pipeline import Home, clean, land, load_registry, stale_days
from ces_pipeline.profiling import inspect_file, write_proposal
from ces_pipeline.registry.starter import make_home
from ces_pipeline.storage.lake import Lake

_HEADER = ("Response ID", "Submitted", "Score", "Comment", "Duration (seconds)", "Finished")
_WESTERN = ("Müller war schnell; sehr gut", "Très bien, à bientôt", "naïve café", "")
_JAPANESE = ("とても簡単でした", "ありがとう, 助かりました", "表示が遅い", "")
_SHOWN, _NOT_SHOWN = (20, 9, 13, 1), (2, 9, 11, 1)
"""Days of the answers: with some above 12, and with none."""


@dataclass(frozen=True)
class Settings:
    """How a spreadsheet writes a table as text."""

    delimiter: str
    time: Callable[[datetime], str]
    decimal: str
    flags: tuple[str, str]
    encoding: str
    comments: tuple[str, ...] = _WESTERN


def _american(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M} {'PM' if at.hour >= 12 else 'AM'}"


_ENGLISH = ("TRUE", "FALSE")
SAVED = {
    "US": Settings(",", _american, ".", _ENGLISH, "cp1252"),
    "US, UTF-8": Settings(",", _american, ".", _ENGLISH, "utf-8-sig"),
    "German": Settings(";", "{:%d.%m.%Y %H:%M}".format, ",", ("WAHR", "FALSCH"), "cp1252"),
    "French": Settings(";", "{:%d/%m/%Y %H:%M}".format, ",", ("VRAI", "FAUX"), "cp1252"),
    "Japanese": Settings(
        ",", lambda at: f"{at:%Y/%m/%d} {at.hour}:{at:%M}", ".", _ENGLISH, "cp932", _JAPANESE
    ),
}


def _rows(days: Sequence[int], comments: Sequence[str]) -> list[tuple[str, datetime, int, str, float, bool]]:
    hours = (9, 14, 12, 0)
    return [
        (f"A-10{n}", datetime(2026, 10, day, hours[n], 5), 7 - 2 * n, comments[n], 40.5 + n, n != 3)
        for n, day in enumerate(days)
    ]


def _text(days: Sequence[int], settings: Settings) -> bytes:
    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return settings.flags[not value]
        if isinstance(value, datetime):
            return settings.time(value)
        text = str(value).replace(".", settings.decimal) if isinstance(value, float) else str(value)
        return f'"{text}"' if settings.delimiter in text else text

    table = [_HEADER, *_rows(days, settings.comments)]
    lines = [settings.delimiter.join(map(cell, row)) for row in table]
    return ("\r\n".join(lines) + "\r\n").encode(settings.encoding)


def _workbook(days: Sequence[int], comments: Sequence[str]) -> bytes:
    book = openpyxl.Workbook()
    for row in (_HEADER, *_rows(days, comments)):
        book.active.append([None if cell == "" else cell for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _answers(
    folder: Path, name: str, content: bytes, questions: set[str] | None = None, **answered: Any
) -> list[tuple[Any, ...]]:
    """The accepted answers of a file that is inspected, registered, landed and cleaned.

    questions: is filled with what the inspection asks.
    """
    home = make_home(Home(folder / ("answered" if answered else "home")))
    path = folder / name
    path.write_bytes(content)
    found = inspect_file(
        path,
        load_registry(home.registry),
        source="asked",
        survey="support",
        score="Score",
        scale="ces2_agreement_1_7",
        higher_means="easier",
        time_zone="Europe/Berlin",
        **answered,
    )
    if found.questions:
        assert questions is not None, [question.text for question in found.questions]
        questions |= {question.answer_with.split()[0] for question in found.questions}
        return []
    write_proposal(home, found)
    inbox = home.inbox / "asked"
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / name).write_bytes(content)
    registry = load_registry(home.registry)
    assert [failure for outcome in land(home, registry) for failure in outcome.failures] == []
    for _ in clean(home, registry, "survey", stale_days(home, registry, "survey"), run_id="test"):
        pass
    lake = Lake(home.lake)
    rows = [
        row
        for day in lake.days("core.responses")
        for row in lake.read_table(lake.day_file("core.responses", day)).to_pylist()
    ]
    return sorted(
        (
            row["response_id"],
            row["score"],
            row["submitted_at"].astimezone(UTC),
            row["comment"],
            row["duration_seconds"],
            "partial" in row["flags"],
        )
        for row in rows
    )


def _expected(days: Sequence[int], comments: Sequence[str]) -> list[tuple[Any, ...]]:
    """Berlin is two hours ahead of UTC until 25 October 2026."""
    minutes = (7, 12, 10, -2)
    first = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
    return [
        (
            id_,
            float(score),
            datetime.fromtimestamp(first + (day - 1) * 86400 + hour * 3600 + 300, UTC),
            comment or None,
            duration,
            not finished,
        )
        for (id_, _, score, comment, duration, finished), day, hour in zip(
            _rows(days, comments), days, minutes, strict=True
        )
    ]


@pytest.mark.parametrize("name", SAVED)
def test_a_text_file_in_any_settings_gives_the_same_answers(tmp_path: Path, name: str) -> None:
    settings = SAVED[name]
    answers = _answers(tmp_path, "answers.csv", _text(_SHOWN, settings))
    assert answers == _expected(_SHOWN, settings.comments)


@pytest.mark.parametrize("comments", [_WESTERN, _JAPANESE])
def test_the_workbook_gives_the_same_answers(tmp_path: Path, comments: tuple[str, ...]) -> None:
    assert _answers(tmp_path, "answers.xlsx", _workbook(_SHOWN, comments)) == _expected(_SHOWN, comments)


@pytest.mark.parametrize(("name", "order"), [("US", "month"), ("French", "day")])
def test_dates_that_show_no_order_are_asked_about_and_an_option_answers(
    tmp_path: Path, name: str, order: str
) -> None:
    content = _text(_NOT_SHOWN, SAVED[name])
    questions: set[str] = set()
    assert _answers(tmp_path, "answers.csv", content, questions) == []
    assert questions == {"--date-order"}
    answers = _answers(tmp_path, "answers.csv", content, date_order=order)
    assert answers == _expected(_NOT_SHOWN, SAVED[name].comments)


@pytest.mark.parametrize("name", ["German", "Japanese"])
def test_dates_with_dots_or_with_the_year_first_are_not_asked_about(tmp_path: Path, name: str) -> None:
    answers = _answers(tmp_path, "answers.csv", _text(_NOT_SHOWN, SAVED[name]))
    assert answers == _expected(_NOT_SHOWN, SAVED[name].comments)
