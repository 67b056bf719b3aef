"""Protects that a file fails alone, whatever its parser raises, and that no file takes time or memory without bounds."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ces_pipeline.errors import HomeError, UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.land import step
from ces_pipeline.land.staging import Staging
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline_tests.builders import WEB, InboxHome, answer, csv_text, inbox_home


class OwnError(Exception):
    """An error that a parser brings along."""


RAISED = [
    OwnError("a cell of ann@example.org"),
    RecursionError("a"),
    MemoryError(),
    AssertionError("a"),
    KeyError("a"),
    NotImplementedError("a"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    OverflowError("a"),
    StopIteration(),
    duckdb.BinderException("a"),
    duckdb.OutOfMemoryException("a"),
]


def failing(monkeypatch: pytest.MonkeyPatch, problem: Exception, *, in_rows: bool) -> None:
    """The reader raises this for a.csv: when the file is opened, or when its rows are read."""
    opened = step.open_file

    def open_file(source: Any, file: Any) -> step.Opened:
        if file.name != "a.csv" or in_rows:
            return opened(source, file)
        raise problem

    split = Staging.fill

    def fill(self: Any, export: Any, mapping: Any, file: Any, *more: Any) -> Any:
        if file.name == "a.csv" and in_rows:
            raise problem
        return split(self, export, mapping, file, *more)

    monkeypatch.setattr(step, "open_file", open_file)
    monkeypatch.setattr(Staging, "fill", fill)


@pytest.fixture
def home(tmp_path: Path) -> InboxHome:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(1)])
    home.drop("b.csv", [answer(2)])
    return home


@pytest.mark.parametrize("in_rows", [False, True])
@pytest.mark.parametrize("problem", RAISED, ids=lambda problem: type(problem).__name__)
def test_a_file_fails_alone_whatever_its_parser_raises(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch, problem: Exception, in_rows: bool
) -> None:
    with monkeypatch.context() as patched:
        failing(patched, problem, in_rows=in_rows)
        outcome = home.land()
    (failure,) = outcome.failures
    assert failure.startswith("web: a.csv: ")
    assert "ann@" not in failure
    assert [row["response_id"] for row in home.rows()] == ["r2"]
    assert (home.land().failures, len(home.rows())) == ((), 2)


def test_a_lake_that_cannot_be_written_still_stops_the_source(
    home: InboxHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, duckdb.IOException("No space left on device"), in_rows=True)
    with pytest.raises(HomeError):
        home.land()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_of_many_columns_is_refused_quickly(tmp_path: Path, ending: str) -> None:
    row = {**answer(1), **{f"c{number}": "x" for number in range(20_000)}}
    home = inbox_home(tmp_path, {**WEB, "reader": "csv" if ending == "csv" else "json"})
    text = csv_text([row] * 20) if ending == "csv" else f"{json.dumps(row)}\n" * 20
    home.drop(f"a.{ending}", text)
    home.drop(f"b.{ending}", csv_text([answer(2)]) if ending == "csv" else json.dumps(answer(2)))
    begun = time.process_time()
    outcome = home.land()
    assert time.process_time() - begun < 10
    (failure,) = outcome.failures
    assert failure.startswith(f"web: a.{ending}: ")
    assert outcome.rows_landed == 1


@pytest.mark.parametrize("name", [b"\xff\xfe.csv", b"caf\xe9.csv", b"a\x1b[2J.csv", b"a\nb.csv"])
def test_a_file_name_in_another_encoding_is_landed_or_named(tmp_path: Path, name: bytes) -> None:
    home = inbox_home(tmp_path)
    good = home.drop("b.csv", [answer(2)])
    (good.parent / os.fsdecode(name)).write_text(csv_text([answer(1)]))
    outcome = home.land()
    assert {row["response_id"] for row in home.rows()} >= {"r2"}
    assert len(outcome.failures) + len(home.rows()) == 2
    for text in (*outcome.failures, *outcome.notes, *(delivery.file_name for delivery in home.deliveries())):
        assert text.encode().isascii() or text.isprintable()
    assert home.land().files_known == len(home.rows())


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, Path.mkdir, link_to("gone.csv"), link_to("a.csv"), link_to("/dev/zero")],
    ids=["pipe", "folder", "link to nothing", "link to itself", "link to a device"],
)
def test_what_only_looks_like_a_file_is_named_and_stops_nothing(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    home = inbox_home(tmp_path)
    good = home.drop("b.csv", [answer(2)])
    make(good.with_name("a.csv"))
    (failure,) = home.land().failures
    assert failure.startswith("web: a.csv: ")
    assert [row["response_id"] for row in home.rows()] == ["r2"]
    assert home.land().files_known == 1


HEADER = "id,score,comment,email,recorded\n"
FITTING = "r1,4,fine,ann@example.org,2026-03-02T12:00:00Z\n"
GROWING: dict[str, Callable[[int], str]] = {
    "quotes that open a cell and never close": lambda size: HEADER + FITTING + '"a,' * size + "\n" + FITTING,
    "an open quote in every row": lambda size: HEADER + 'r1,4,fine,"a,2026\n' * size,
    "a line break after an open quote in every row": lambda size: (
        HEADER + 'r1,4,fine,ann@example.org,"2026\ny\n' * size
    ),
    "a quote alone on every line": lambda size: HEADER + '"\n' * size + FITTING,
    "delimiters alone": lambda size: HEADER + ";" * size + "\n",
}


@pytest.mark.parametrize("text", GROWING.values(), ids=GROWING.keys())
def test_the_time_for_damaged_text_grows_with_its_length(tmp_path: Path, text: Callable[[int], str]) -> None:
    def seconds(size: int) -> float:
        path = tmp_path / f"{size}.csv"
        path.write_text(text(size))
        # The shortest of three: other work on the machine only adds time.
        return min(once(path) for _ in range(3))

    def once(path: Path) -> float:
        begun = time.process_time()
        export = READERS["csv"].read(DeliveredFile(path), None)
        with suppress(UnreadableFileError):
            for _ in export.batches:
                pass
        return time.process_time() - begun

    # Four times the length: 4 if the time grows with it, 16 if it grows with its square.
    assert seconds(40_000) < 9 * max(seconds(10_000), 0.05)


def test_a_deep_line_is_set_aside_and_its_neighbours_land(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, {**WEB, "reader": "json"})
    deep = '{"a": ' * 100_000 + "1" + "}" * 100_000
    home.drop("a.jsonl", f"{json.dumps(answer(3))}\n{deep}\n{json.dumps(answer(4))}\n")
    outcome = home.land()
    assert (outcome.failures, outcome.rows_unreadable) == ((), 1)
    assert {row["response_id"] for row in home.rows()} >= {"r3", "r4"}
