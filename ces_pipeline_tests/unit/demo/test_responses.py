"""Protects the planted data: groups are complete, flaws do not interact, chunks cover all responses."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.demo.known import reason_bit
from ces_pipeline.demo.responses import (
    CHUNK_ROWS,
    QUALTRICS,
    REASON_OF,
    SOURCES,
    Kind,
    Link,
    Responses,
    SampleSource,
    chunks,
    draw,
)

FIRST = int(datetime(2026, 10, 2, tzinfo=UTC).timestamp())
DAYS = 30
DAY = 86_400


def drawn(source: SampleSource, responses: int = 6_000) -> Responses:
    parts = [
        draw(chunk, first_day_seconds=FIRST, days=DAYS, first_export_days=15, seed=3)
        for chunk in chunks(source, responses, DAYS, 15)
    ]
    names = [name for name in parts[0].__dataclass_fields__ if name != "source"]
    return Responses(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names}, source=source)


def by_row(found: Responses) -> Responses:
    return found.take(np.argsort(found.row))


@given(responses=st.integers(1, 250_000), days=st.integers(2, 40))
def test_chunks_cover_every_response_once_and_stay_small(responses: int, days: int) -> None:
    first_row = 0
    for chunk in chunks(QUALTRICS, responses, days, days // 2):
        assert chunk.first_row == first_row
        assert 0 < sum(chunk.rows) <= CHUNK_ROWS
        assert min(chunk.rows) > 0
        assert max(chunk.days) < days
        first_row += sum(chunk.rows)
    assert first_row == responses


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.source_id)
def test_every_planted_kind_of_a_source_occurs(source: SampleSource) -> None:
    planted = {kind for group in source.groups for kind in group}
    assert set(drawn(source).kind.tolist()) == {Kind.NORMAL, *planted}


def test_the_sources_together_have_every_reason() -> None:
    mask = 0
    for source in SOURCES:
        mask |= int(np.bitwise_or.reduce(drawn(source).reasons))
    assert mask == sum(reason_bit(reason) for reason in set(REASON_OF.values()))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.source_id)
def test_duplicates_repeat_person_and_ticket_within_a_day_and_nothing_else_does(source: SampleSource) -> None:
    found = by_row(drawn(source))
    answers = pd.DataFrame(
        {"person": found.person, "ticket": found.ticket, "at": found.recorded, "kind": found.kind}
    )[(found.person > 0) & (found.ticket > 0)].sort_values(["person", "ticket", "at"])
    gap = answers.groupby(["person", "ticket"])["at"].diff()
    is_repeat = answers["kind"].isin([Kind.DUPLICATE, Kind.DUPLICATE_NEXT_DAY])
    assert ((gap < DAY) == is_repeat).all()
    later = gap[answers["kind"] == Kind.LATER_AGAIN]
    assert (later > DAY).all()
    next_day = answers[answers["kind"] == Kind.DUPLICATE_NEXT_DAY]["at"] // DAY
    first_day = answers["at"].shift()[next_day.index] // DAY
    assert (next_day == first_day + 1).all()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.source_id)
def test_only_planted_offices_and_double_submits_share_a_device(source: SampleSource) -> None:
    found = drawn(source)
    frame = pd.DataFrame(
        {"network": found.network, "day": found.day, "person": found.person, "kind": found.kind}
    )
    people = frame.groupby(["network", "day"])["person"].transform("nunique")
    assert ((people == 3) == (frame["kind"] == Kind.SHARED_DEVICE)).all()
    shared = frame[frame.duplicated("network", keep=False)]["kind"]
    assert set(shared) <= {Kind.SHARED_DEVICE, Kind.SUBMITTED, Kind.SUBMITTED_TWICE}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.source_id)
def test_natural_durations_are_never_fast_and_planted_ones_always(source: SampleSource) -> None:
    found = drawn(source, 20_000)
    log_seconds = np.log(found.duration_seconds)
    floor = log_seconds.mean() - 2.5 * log_seconds.std()
    assert (np.exp(floor) > found.duration_seconds[found.of(Kind.FAST)]).all()
    others = ~found.of(Kind.FAST, Kind.TOO_FAST)
    assert (np.exp(floor) < found.duration_seconds[others]).all()


def test_links_by_person_belong_to_people_who_answered_once() -> None:
    found = drawn(QUALTRICS)
    by_person = np.isin(found.link, (Link.REQUESTER_WINDOW, Link.AMBIGUOUS))
    counts = pd.Series(found.person).value_counts()
    assert (counts[found.person[by_person]] == 1).all()
    assert (found.ticket[by_person] == 0).all()


def test_responses_accepted_have_scores_on_their_scale() -> None:
    for source in SOURCES:
        found = drawn(source)
        kept = found.take(found.accepted)
        assert kept.score.min() >= 1
        assert kept.score.max() <= source.scale_max
        assert set(np.unique(kept.ease_0_100(kept.score) >= 0)) == {True}
