"""Protects the first promise of the lake: the same deliveries received in the same order give the same figures.

Random responses with revisions, moves to other days, repeats and unusable times are dealt into random exports, which
two homes receive in the same order, one file at a time or several in one run, with runs in between, and land again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ces_pipeline.privacy.pseudonyms import KEY_VARIABLE
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline_tests.builders import WEB, InboxHome, csv_text, inbox_home
from ces_pipeline_tests.drills.homes import clean, core_bytes, core_rows, published_rows, run, same

pytestmark = pytest.mark.slow

FEED = {
    **WEB,
    "columns": {**WEB["columns"], "device": "device", "finished": "finished", "duration_seconds": "seconds"},
}
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
RECEIVED = datetime(2026, 3, 12, 12, tzinfo=UTC)
FUTURE_HOURS = 300
"""Hours after FIRST that are in the future of every receipt."""


@dataclass(frozen=True)
class Response:
    """One content of a response. hour: hours after FIRST, or None for no time."""

    number: int
    hour: int | None
    minute: int
    score: str | None
    person: int
    device: str | None
    finished: str
    seconds: int

    def row(self) -> dict[str, Any]:
        at = (
            "" if self.hour is None else (FIRST + timedelta(hours=self.hour, minutes=self.minute)).isoformat()
        )
        return {
            "id": f"r{self.number}",
            "score": self.score,
            "comment": "very easy",
            "email": f"person{self.person}@example.org",
            "recorded": at,
            "device": self.device,
            "finished": self.finished,
            "seconds": self.seconds,
        }


RESPONSE = st.builds(
    Response,
    number=st.integers(1, 6),
    hour=st.one_of(st.integers(0, 100), st.integers(0, 100), st.none(), st.just(FUTURE_HOURS)),
    minute=st.integers(0, 2),
    score=st.sampled_from(["1", "3", "5", "Very easy", "6", "meh", None]),
    person=st.integers(1, 3),
    device=st.sampled_from([None, "a", "b"]),
    finished=st.sampled_from(["True", "True", "False"]),
    seconds=st.sampled_from([1, 30, 30]),
)
RESPONSES = st.lists(RESPONSE, min_size=2, max_size=14)


def dealt(responses: Sequence[Response], random: Random) -> list[str]:
    """The responses as exports: every one in at least one, many in several, some twice in one, in random order."""
    count = random.randint(2, 4)
    files: list[list[Response]] = [[] for _ in range(count)]
    for response in responses:
        for place in random.sample(range(count), random.randint(1, count)):
            files[place] += [response] * random.choice([1, 1, 1, 2])
    for rows in files:
        random.shuffle(rows)
    return sorted({csv_text([response.row() for response in rows]) for rows in files if rows})


@contextmanager
def home() -> Iterator[InboxHome]:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, "0123456789abcdef" * 4)
        yield inbox_home(Path(folder) / "home", FEED, settings={"speed_window_days": 3})


def receive(
    small: InboxHome, exports: Sequence[tuple[str, datetime]], random: Random, *, together: bool = False
) -> None:
    """Land the exports (content, received at) in this order, cleaning in between at random and at the end.

    together: those that were received at one time are landed by one call.
    """
    for number, (text, received_at) in enumerate(exports):
        small.drop(f"{number}.csv", text)
        if together and (received_at,) == tuple(at for _, at in exports[number + 1 : number + 2]):
            continue
        assert small.land(now=received_at).failures == ()
        if random.random() < 0.4:
            clean(small.home)
    assert [result.problems for result in clean(small.home) if result.problems] == []


EVERY = 4
"""One example in so many is published too: day files that are equal byte by byte publish alike."""
SMALL = settings(
    max_examples=16,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def receive_in_two_ways(responses: list[Response], seed: int, *, publishes: bool) -> None:
    """Receive the same exports in two homes, in other batches: their day files must be the same, byte by byte.

    publishes: publish both too; the rows must be the same.
    """
    random = Random(seed)
    texts = dealt(responses, random)
    random.shuffle(texts)
    # Several days of receipt, so that rows without a usable time lie on different days.
    receipts = sorted(RECEIVED - timedelta(days=random.randint(0, 3)) for _ in texts)
    exports = list(zip(texts, receipts, strict=True))
    with home() as first, home() as second:
        receive(first, exports, random)
        receive(second, exports, random, together=True)
        if seed % 2:
            # Another entry makes every delivery stale: each keeps its place in the order of receipt.
            second.write_registry({**FEED, "ignore": ["nothing"]}, settings={"speed_window_days": 3})
            assert second.land(now=RECEIVED + timedelta(days=5)).failures == ()
            second.write_registry(FEED, settings={"speed_window_days": 3})
            assert second.land(now=RECEIVED + timedelta(days=5)).failures == ()
            clean(second.home)
            # Rows that were received before their own time are final in the first home too by now.
            assert first.land(now=RECEIVED + timedelta(days=5)).failures == ()
            clean(first.home)
        assert same(core_bytes(first.home), core_bytes(second.home)) == []
        if publishes:
            run(first.home, now=RECEIVED)
            run(second.home, now=RECEIVED)
            assert same(published_rows(first.home), published_rows(second.home)) == []


@settings(SMALL, max_examples=8)
@given(responses=RESPONSES, seed=st.integers(0, 2**32))
def test_the_same_exports_in_any_batches_give_the_same_bytes(responses: list[Response], seed: int) -> None:
    receive_in_two_ways(responses, seed, publishes=False)


@SMALL
@given(responses=RESPONSES, seed=st.integers(0, 2**32))
def test_the_same_exports_in_any_batches_publish_the_same_rows(responses: list[Response], seed: int) -> None:
    receive_in_two_ways(responses, seed, publishes=seed % EVERY == 0)


PLACE = {"delivery_id", "row_number"}
ABOUT_DELIVERIES = {"landed", "redelivered"}
"""Columns of marts, and below the metrics, that count what was delivered how often."""
SHARES_OF_DELIVERED = ("redelivered_share", "superseded_share")


@settings(SMALL, max_examples=6)
@given(responses=RESPONSES, seed=st.integers(0, 2**32))
def test_the_same_responses_in_other_exports_give_the_same_rows(responses: list[Response], seed: int) -> None:
    random = Random(seed)
    # Two contents of one response at one time differ only by their exports: here no two share a time.
    distinct = {
        (response.number, response.hour, response.minute): response
        for response in responses
        if response.hour not in (None, FUTURE_HOURS)
    }
    if not distinct:
        return
    with home() as first, home() as second:
        for small in (first, second):
            receive(small, [(text, RECEIVED) for text in dealt(list(distinct.values()), random)], random)
        assert same(core_rows(first.home, PLACE), core_rows(second.home, PLACE)) == []
        if seed % EVERY == 0:
            figures = [published_marts(small) for small in (first, second)]
            assert figures[0] == figures[1]


def published_marts(small: InboxHome) -> dict[str, list[tuple[Any, ...]]]:
    """The marts without what counts deliveries."""
    run(small.home, now=RECEIVED)
    found = {}
    for name, rows in published_rows(small.home, ("mart",)).items():
        kept = [
            place
            for place, column in enumerate(PUBLISHED_TABLES[name].columns)
            if column not in ABOUT_DELIVERIES
        ]
        found[name] = sorted(
            (
                tuple(row[place] for place in kept)
                for row in rows
                if name != "mart.program_metrics" or row[1] not in SHARES_OF_DELIVERED
            ),
            key=repr,
        )
    return found


def test_running_anything_twice_changes_nothing() -> None:
    random = Random(7)
    responses = [
        Response(number % 9, number * 5, number % 3, "135"[number % 3], number % 4, None, "True", 30)
        for number in range(25)
    ]
    texts = dealt(responses, random)
    with home() as small:
        receive(small, [(text, RECEIVED) for text in texts], random)
        run(small.home, now=RECEIVED)
        core, rows = core_bytes(small.home), published_rows(small.home)
        for number, text in enumerate(texts):
            small.drop(f"copy of {number}.csv", text)
        assert run(small.home, now=RECEIVED).unchanged
        days = {
            result.day
            for result in clean(small.home, [FIRST.date() + timedelta(days=step) for step in range(12)])
        }
        assert len(days) == 12
        assert core_bytes(small.home) == core
        run(small.home, now=RECEIVED)
        assert published_rows(small.home) == rows
        small.home.published.unlink()
        run(small.home, now=RECEIVED)
        assert published_rows(small.home) == rows
