"""Protects the state machine of incidents: when one begins, what is a repeat, when it is over. Days are by hand."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.watch.episodes import Episode, Figures, Step, Verdict, episodes

FIRST = date(2026, 3, 2)
WORDS: dict[str, Verdict] = {"x": "affected", ".": "usual", "?": "unknown"}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def of(drawn: str, *, usual: int = 7, cooldown: int = 14) -> list[Episode]:
    """The episodes of days that are drawn: x affected, . usual, ? unknown."""
    steps = [Step(day(number), WORDS[letter], Figures(float(number))) for number, letter in enumerate(drawn)]
    newest = day(len(drawn) - 1)
    return episodes(steps, usual_steps=usual, cooldown_days=cooldown, newest_day=newest)


def spans(found: list[Episode]) -> list[tuple[int, int, int | None]]:
    """First, last affected and recovery day of each, as numbers."""
    return [
        (
            (episode.first_day - FIRST).days,
            (episode.last_day - FIRST).days,
            None if episode.recovered_day is None else (episode.recovered_day - FIRST).days,
        )
        for episode in found
    ]


def test_a_spike_is_one_episode_that_recovers_after_seven_usual_days() -> None:
    assert spans(of("...x......")) == [(3, 3, None)]
    assert spans(of("...x.......")) == [(3, 3, 10)]


def test_a_lasting_shift_is_one_episode() -> None:
    assert spans(of("....." + "x" * 200)) == [(5, 204, None)]


def test_single_usual_days_in_between_end_nothing() -> None:
    assert spans(of("x..x...x......")) == [(0, 7, None)]


def test_days_without_evidence_are_no_recovery() -> None:
    assert spans(of("x......?????")) == [(0, 0, None)]
    assert spans(of("x......?????.")) == [(0, 0, 12)]


def test_what_comes_back_within_the_cooldown_is_a_repeat() -> None:
    (found,) = of("x" + "." * 7 + "." * 10 + "x")
    assert (found.repeats, found.recovered_day, found.last_day) == ([day(18)], None, day(18))


def test_what_comes_back_after_the_cooldown_is_another_episode() -> None:
    assert spans(of("x" + "." * 7 + "." * 14 + "x", cooldown=14)) == [(0, 0, 7), (22, 22, None)]


def test_an_episode_is_closed_when_its_cooldown_is_over() -> None:
    (still,) = of("x" + "." * 7 + "." * 14)
    assert (still.recovered_day, still.closed_day) == (day(7), None)
    (closed,) = of("x" + "." * 7 + "." * 15)
    assert closed.closed_day == day(22)


def test_the_first_day_may_be_earlier_than_the_step_that_shows_it() -> None:
    steps = [Step(day(9), "affected", first_day=day(4))]
    (found,) = episodes(steps, usual_steps=1, cooldown_days=14, newest_day=day(9))
    assert (found.first_day, found.detected_day) == (day(4), day(9))


def test_it_is_detected_on_the_day_of_the_alarm_that_shows_earlier_days_to_be_affected() -> None:
    steps = [Step(day(number), "affected", first_day=day(2), is_alarm=number == 6) for number in range(2, 9)]
    (found,) = episodes(steps, usual_steps=1, cooldown_days=14, newest_day=day(9))
    assert (found.first_day, found.detected_day, found.last_day) == (day(2), day(6), day(8))


def test_the_figures_are_those_of_the_last_affected_day() -> None:
    (found,) = of("xx.")
    assert found.figures.observed == 1.0


DRAWN = st.text(alphabet="x.?", min_size=1, max_size=120)


@given(DRAWN, st.integers(1, 8), st.integers(0, 30))
def test_every_affected_day_is_in_exactly_one_episode(drawn: str, usual: int, cooldown: int) -> None:
    found = of(drawn, usual=usual, cooldown=cooldown)
    for number, letter in enumerate(drawn):
        if letter == "x":
            assert sum(episode.first_day <= day(number) <= episode.last_day for episode in found) == 1
    assert all(earlier.last_day < later.first_day for earlier, later in pairwise(found))
    assert sum(episode.recovered_day is None for episode in found[:-1]) == 0


@given(DRAWN, st.integers(1, 8), st.integers(0, 30))
def test_a_recovery_follows_so_many_usual_days_and_no_affected_one(
    drawn: str, usual: int, cooldown: int
) -> None:
    for first, last, recovered in spans(of(drawn, usual=usual, cooldown=cooldown)):
        assert drawn[first] == drawn[last] == "x"
        if recovered is not None:
            after = drawn[last + 1 : recovered + 1]
            assert "x" not in after
            assert after.count(".") == usual


@given(DRAWN, st.integers(1, 8), st.integers(0, 30))
def test_a_later_day_never_moves_the_beginning_of_an_episode(drawn: str, usual: int, cooldown: int) -> None:
    before = spans(of(drawn[:-1], usual=usual, cooldown=cooldown)) if len(drawn) > 1 else []
    now = spans(of(drawn, usual=usual, cooldown=cooldown))
    assert [first for first, *_ in now][: len(before)] == [first for first, *_ in before]
