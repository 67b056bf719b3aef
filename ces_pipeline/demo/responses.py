"""Draws the sample's responses: who answered what and when, and which flaws are planted.

The responses are drawn in chunks of arrays, each with its own seed. `surveys.py` writes them as exports. Flaws have
fixed slots in every PERIOD responses. So every kind occurs in a sample of any size, and flaws do not interact: a
flawed response has exactly the reason of its kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
import numpy.typing as npt

from ces_pipeline.demo.known import SECONDS_A_DAY, Bools, Ints, reason_bit

PERIOD = 200
CHUNK_ROWS = 50_000
_MINUTE, _HOUR = 60, 3_600
# Answers of 15 to 240 s, uniform in log time, lie within 2.5 SD of their mean. So only planted answers are fast.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 15, 240
# The log-time rule needs 100 answers in the weeks before. With 150 drawn, flaws leave at least 100.
_DRAWN_BEFORE_FAST, _SPEED_WINDOW_DAYS = 150, 28
FUTURE_SECONDS = 4_102_444_800 - 200 * SECONDS_A_DAY
"""An instant of 2099."""


class Kind(IntEnum):
    """The flaw that is planted in a response, or its role in a planted group."""

    NORMAL = 0
    TEST = auto()
    INCOMPLETE = auto()
    PARTIAL = auto()
    OFF_SCALE = auto()
    UNKNOWN_ANSWER = auto()
    FAILED_CHECK = auto()
    TOO_FAST = auto()
    MISSING_TIME = auto()
    TIME_ORDER = auto()
    FUTURE = auto()
    UNREGISTERED = auto()
    UNREADABLE = auto()
    FAST = auto()
    SLOW = auto()
    CONTRADICTS = auto()
    SHARED_DEVICE = auto()
    ANSWERED = auto()
    DUPLICATE = auto()
    ANSWERED_LATE = auto()
    DUPLICATE_NEXT_DAY = auto()
    SUBMITTED = auto()
    SUBMITTED_TWICE = auto()
    OTHER_TICKET = auto()
    LATER_AGAIN = auto()
    REVISED = auto()
    REVISED_NEXT_DAY = auto()
    REPEATED = auto()


REASON_OF = {
    Kind.TEST: "test_response",
    Kind.INCOMPLETE: "incomplete",
    Kind.PARTIAL: "partial",
    Kind.OFF_SCALE: "score_off_scale",
    Kind.UNKNOWN_ANSWER: "unknown_answer",
    Kind.FAILED_CHECK: "failed_attention_check",
    Kind.TOO_FAST: "too_fast",
    Kind.MISSING_TIME: "missing_time",
    Kind.TIME_ORDER: "time_order",
    Kind.FUTURE: "in_the_future",
    Kind.UNREGISTERED: "unregistered_survey",
    Kind.UNREADABLE: "unreadable_row",
    Kind.FAST: "fast_for_survey",
    Kind.SLOW: "slow",
    Kind.CONTRADICTS: "comment_contradicts",
    Kind.SHARED_DEVICE: "shared_device",
    Kind.DUPLICATE: "duplicate",
    Kind.DUPLICATE_NEXT_DAY: "duplicate",
    Kind.SUBMITTED_TWICE: "duplicate",
}
_SUSPECT = (Kind.PARTIAL, Kind.FAST, Kind.CONTRADICTS)
_COUNTED = (Kind.SLOW, Kind.SHARED_DEVICE)
_WITHOUT_DAY = (Kind.MISSING_TIME, Kind.FUTURE, Kind.UNREADABLE)
_ENDS_NEXT_DAY = (Kind.ANSWERED_LATE, Kind.DUPLICATE_NEXT_DAY, Kind.LATER_AGAIN)

TWICE = (Kind.ANSWERED, Kind.DUPLICATE)
ACROSS_MIDNIGHT = (Kind.ANSWERED_LATE, Kind.DUPLICATE_NEXT_DAY)
DOUBLE_SUBMIT = (Kind.SUBMITTED, Kind.SUBMITTED_TWICE)
TWO_TICKETS = (Kind.ANSWERED, Kind.OTHER_TICKET)
AGAIN_AFTER_A_DAY = (Kind.ANSWERED, Kind.LATER_AGAIN)
ONE_OFFICE = (Kind.SHARED_DEVICE,) * 3


class Link(IntEnum):
    """How a response refers to tickets."""

    NONE = 0
    TICKET_ID = auto()
    NAMED_NOT_FOUND = auto()
    EXTERNAL_ID = auto()
    REQUESTER_WINDOW = auto()
    AMBIGUOUS = auto()


@dataclass(frozen=True)
class SampleSource:
    """A survey source of the sample.

    number: separates its people, tickets and addresses from those of other sources. share: share of all responses.
    open_hours: UTC hours in which answers are recorded, without the local hour that a clock change repeats.
    scale_max, higher_is_easier, neutral: its scale, which starts at 1. groups: planted kinds; the responses of a group
    belong together. links: probability of each kind of ticket reference; other responses refer to no ticket.
    is_cumulative: whether its second export repeats the first.
    """

    number: int
    source_id: str
    survey_id: str
    share: float
    open_hours: tuple[int, int]
    scale_max: int
    higher_is_easier: bool
    neutral: int
    groups: tuple[tuple[Kind, ...], ...]
    links: dict[Link, float]
    is_cumulative: bool = False


QUALTRICS = SampleSource(
    number=1,
    source_id="qualtrics_support",
    survey_id="support_case_solved",
    share=0.35,
    open_hours=(9, 21),
    scale_max=7,
    higher_is_easier=True,
    neutral=4,
    groups=(
        (Kind.TEST,), (Kind.INCOMPLETE,), (Kind.PARTIAL,), (Kind.OFF_SCALE,), (Kind.UNKNOWN_ANSWER,), TWICE,
        (Kind.FAILED_CHECK,), (Kind.TOO_FAST,), ACROSS_MIDNIGHT, (Kind.MISSING_TIME,), (Kind.TIME_ORDER,),
        (Kind.FUTURE,), ONE_OFFICE, (Kind.CONTRADICTS,), (Kind.REVISED,), (Kind.REVISED_NEXT_DAY,),
        AGAIN_AFTER_A_DAY,
    ),
    links={
        Link.TICKET_ID: 0.5, Link.NAMED_NOT_FOUND: 0.03, Link.REQUESTER_WINDOW: 0.05, Link.AMBIGUOUS: 0.02,
    },
    is_cumulative=True,
)  # fmt: skip
ZIGPOLL = SampleSource(
    number=2,
    source_id="zigpoll_checkout",
    survey_id="checkout_ease",
    share=0.2,
    open_hours=(1, 23),
    scale_max=5,
    higher_is_easier=True,
    neutral=3,
    groups=((Kind.INCOMPLETE,), (Kind.UNKNOWN_ANSWER,), (Kind.UNREGISTERED,)),
    links={Link.EXTERNAL_ID: 0.1},
)
CHAT = SampleSource(
    number=3,
    source_id="chat_widget",
    survey_id="chat_effort",
    share=0.3,
    open_hours=(7, 21),
    scale_max=7,
    higher_is_easier=False,
    neutral=4,
    groups=(
        (Kind.INCOMPLETE,), (Kind.OFF_SCALE,), (Kind.FAST,), TWICE, (Kind.MISSING_TIME,), (Kind.FUTURE,),
        DOUBLE_SUBMIT, (Kind.SLOW,), ACROSS_MIDNIGHT, (Kind.CONTRADICTS,), ONE_OFFICE, (Kind.UNREADABLE,),
        TWO_TICKETS, (Kind.REPEATED,),
    ),
    links={Link.TICKET_ID: 0.35, Link.NAMED_NOT_FOUND: 0.02, Link.REQUESTER_WINDOW: 0.04},
)  # fmt: skip
PHONE = SampleSource(
    number=4,
    source_id="phone_ivr",
    survey_id="phone_effort",
    share=0.15,
    open_hours=(7, 19),
    scale_max=5,
    higher_is_easier=False,
    neutral=3,
    groups=(
        (Kind.INCOMPLETE,), (Kind.OFF_SCALE,), (Kind.UNKNOWN_ANSWER,), TWICE, (Kind.FUTURE,),
        (Kind.UNREADABLE,),
    ),
    links={Link.TICKET_ID: 0.4, Link.NAMED_NOT_FOUND: 0.03},
)  # fmt: skip
SOURCES = (QUALTRICS, ZIGPOLL, CHAT, PHONE)


@dataclass(frozen=True)
class Chunk:
    """Consecutive responses of a source on consecutive days.

    number: number of the chunk within its source, from 1. first_row: count of the source's earlier responses.
    days: day of the sample (0 = first) of each segment. rows: count of responses of each segment. fast_possible:
    whether enough answers precede each segment's day for the log-time rule.
    """

    source: SampleSource
    number: int
    first_row: int
    days: tuple[int, ...]
    rows: tuple[int, ...]
    fast_possible: tuple[bool, ...]


def chunks(source: SampleSource, responses: int, days: int, first_export_days: int) -> Iterator[Chunk]:
    """The chunks of a source. Of seven days, five have twice as many responses as the other two.

    A chunk ends after the days of the first export, and at CHUNK_ROWS.
    """
    weight = np.where(np.arange(days) % 7 < 5, 2.0, 1.0)
    before = np.floor(np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum() * responses + 1e-9).astype(
        np.int64
    )
    before[-1] = responses
    window = before[:-1] - before[np.maximum(np.arange(days) - _SPEED_WINDOW_DAYS, 0)]
    segments: list[tuple[int, int, bool]] = []
    number, first_row, filled = 1, 0, 0
    for day in range(days):
        left = int(before[day + 1] - before[day])
        fast = bool(window[day] >= _DRAWN_BEFORE_FAST)
        while left:
            taken = min(left, CHUNK_ROWS - filled)
            segments.append((day, taken, fast))
            filled, left = filled + taken, left - taken
            if filled == CHUNK_ROWS:
                yield _chunk(source, number, first_row, segments)
                number, first_row, filled, segments = number + 1, first_row + filled, 0, []
        if segments and day in (first_export_days - 1, days - 1):
            yield _chunk(source, number, first_row, segments)
            number, first_row, filled, segments = number + 1, first_row + filled, 0, []


def _chunk(source: SampleSource, number: int, first_row: int, segments: list[tuple[int, int, bool]]) -> Chunk:
    days, rows, fast = zip(*segments, strict=True)
    return Chunk(source, number, first_row, days, rows, fast)


@dataclass
class Responses:
    """A chunk's responses, one array element each, in the order in which their tool recorded them.

    row: number within the source, the base of every id. day: day of the sample on which it was drawn.
    recorded, submitted, started: seconds since 1970, UTC. score: as exported, so it may be off the scale.
    comment: index in COMMENTS, -1 if there is none. person, ticket, order: numbers of the respondent, of the named
    ticket and of the named order; 0: none. owns_ticket: whether the ticket belongs to this response, not to the answer
    that it repeats. network: number of its address or device. reasons: mask of reason bits. new_score: score of its
    revision.
    """

    row: Ints
    kind: Ints
    day: Ints
    recorded: Ints
    submitted: Ints
    started: Ints
    duration_seconds: Ints
    score: Ints
    new_score: Ints
    comment: Ints
    person: Ints
    ticket: Ints
    order: Ints
    link: Ints
    owns_ticket: Bools
    network: Ints
    language: Ints
    product: Ints
    device_type: Ints
    reasons: Ints
    source: SampleSource

    def __len__(self) -> int:
        return len(self.row)

    def of(self, *kinds: Kind) -> Bools:
        return np.isin(self.kind, kinds)

    @property
    def accepted(self) -> Bools:
        accepted: Bools = (self.reasons == 0) | self.of(*_SUSPECT, *_COUNTED)
        return accepted

    @property
    def suspect(self) -> Bools:
        return self.of(*_SUSPECT)

    @property
    def has_day(self) -> Bools:
        return ~self.of(*_WITHOUT_DAY)

    def band(self, score: Ints) -> Ints:
        """1 easy, 0 neutral, -1 difficult."""
        return np.sign(score - self.source.neutral) * (1 if self.source.higher_is_easier else -1)

    def ease_0_100(self, score: Ints) -> npt.NDArray[np.float64]:
        share = (score - 1) / (self.source.scale_max - 1)
        return 100 * (share if self.source.higher_is_easier else 1 - share)

    def take(self, chosen: Bools | Ints) -> "Responses":
        """The chosen responses, in the order chosen."""
        parts = {name: getattr(self, name)[chosen] for name in self.__dataclass_fields__ if name != "source"}
        return Responses(**parts, source=self.source)


def _slots(source: SampleSource) -> tuple[Ints, Ints, Ints]:
    """Per slot of PERIOD: the kind, the position within its group, the size of the group."""
    kind, place, size = np.zeros(PERIOD, np.int64), np.zeros(PERIOD, np.int64), np.ones(PERIOD, np.int64)
    step = PERIOD // len(source.groups)
    for number, group in enumerate(source.groups):
        for at, member in enumerate(group):
            slot = number * step + 3 + at
            kind[slot], place[slot], size[slot] = member, at, len(group)
    return kind, place, size


def draw(chunk: Chunk, *, first_day_seconds: int, days: int, first_export_days: int, seed: int) -> Responses:
    """The chunk's responses. The same arguments always give the same responses.

    first_day_seconds: midnight UTC of the sample's first day. first_export_days: number of days in the first of the
    source's two cumulative exports. Only responses of these days are revised later.
    """
    source = chunk.source
    rng = np.random.default_rng([seed, source.number, chunk.number])
    rows = np.array(chunk.rows)
    n = int(rows.sum())
    row = chunk.first_row + np.arange(n, dtype=np.int64)
    day = np.repeat(np.array(chunk.days, np.int64), rows)
    kind = _planted(chunk, row, day, days=days, first_export_days=first_export_days)

    midnight = first_day_seconds + day * SECONDS_A_DAY
    recorded = midnight + rng.integers(source.open_hours[0] * _HOUR, source.open_hours[1] * _HOUR, n)
    duration = np.exp(rng.uniform(np.log(_SHORTEST_SECONDS), np.log(_LONGEST_SECONDS + 1), n)).astype(
        np.int64
    )
    score = _scores(source, rng, day)
    band = np.sign(score - source.neutral) * (1 if source.higher_is_easier else -1)
    chosen = np.searchsorted(np.cumsum(list(source.links.values())), rng.random(n), side="right")
    link = np.array([*source.links, Link.NONE], np.int64)[chosen]
    comment = np.where(
        rng.random(n) < 1 / 3, (band + 1) * COMMENTS_A_BAND + rng.integers(0, COMMENTS_A_BAND, n), -1
    )
    language = np.where(rng.random(n) < 0.2, rng.integers(1, len(LANGUAGES), n), 0)
    number = source.number * 1_000_000_000 + row + 1

    found = Responses(
        row=row, kind=kind, day=day, recorded=recorded, submitted=recorded, started=recorded,
        duration_seconds=duration, score=score,
        new_score=1 + (score + rng.integers(0, source.scale_max - 1, n)) % source.scale_max,
        comment=np.where(language == 0, comment, -1), person=number.copy(), ticket=np.zeros(n, np.int64),
        order=np.zeros(n, np.int64), link=link, owns_ticket=np.zeros(n, np.bool_), network=number.copy(),
        language=language, product=rng.integers(0, len(PRODUCTS), n),
        device_type=rng.integers(0, len(DEVICE_TYPES), n), reasons=np.zeros(n, np.int64), source=source,
    )  # fmt: skip
    _relate(found, rng, midnight)
    _set_answers(found, rng)
    _set_times(found, rng)
    for flaw, reason in REASON_OF.items():
        found.reasons[found.kind == flaw] = reason_bit(reason)
    return found.take(np.lexsort((row, found.recorded)))


def _planted(chunk: Chunk, row: Ints, day: Ints, *, days: int, first_export_days: int) -> Ints:
    """The kind of each response. A group that does not fit into its segment or its days is not planted."""
    slot_kind, slot_place, slot_size = _slots(chunk.source)
    slot = row % PERIOD
    rows = np.array(chunk.rows)
    within = np.arange(len(row)) - np.repeat(np.cumsum(rows) - rows, rows)
    leader = within - slot_place[slot]
    is_planted = (leader >= 0) & (leader + slot_size[slot] <= np.repeat(rows, rows))
    # The last kind of a group decides for the group.
    last = slot_kind[np.minimum(slot - slot_place[slot] + slot_size[slot] - 1, PERIOD - 1)]
    is_planted &= ~np.isin(last, _ENDS_NEXT_DAY) | (day < days - 1)
    is_planted &= (last != Kind.FAST) | np.repeat(np.array(chunk.fast_possible), rows)
    is_planted &= ~np.isin(last, (Kind.REVISED, Kind.REVISED_NEXT_DAY)) | (day < first_export_days)
    return np.where(is_planted, slot_kind[slot], Kind.NORMAL).astype(np.int64)


def _scores(source: SampleSource, rng: np.random.Generator, day: Ints) -> Ints:
    """Scores that are more often easy than difficult, with a small variation from day to day."""
    ease_weights = np.linspace(1.0, 4.0, source.scale_max)
    cumulative = np.cumsum(ease_weights / ease_weights.sum())
    ease = 1 + np.searchsorted(
        cumulative[:-1], rng.random(len(day)) ** (1 + 0.25 * np.sin(day * 0.7)), side="right"
    )
    raw: Ints = (ease if source.higher_is_easier else source.scale_max + 1 - ease).astype(np.int64)
    return raw


def _relate(found: Responses, rng: np.random.Generator, midnight: Ints) -> None:
    """Set tickets, orders and people. The responses of a group share these, and get related times."""
    kind, number = found.kind, found.person.copy()
    in_pair = found.of(*TWICE, *ACROSS_MIDNIGHT, Kind.OTHER_TICKET, Kind.LATER_AGAIN)
    found.link[in_pair] = Link.TICKET_ID
    # Answers without a person or a time refer to no ticket, which needs a requester and a solve before the answer.
    found.link[found.of(Kind.TEST, *DOUBLE_SUBMIT, *_WITHOUT_DAY)] = Link.NONE
    named = (found.link == Link.TICKET_ID) | (found.link == Link.NAMED_NOT_FOUND)
    found.ticket[named] = number[named]
    found.order[found.link == Link.EXTERNAL_ID] = number[found.link == Link.EXTERNAL_ID]
    found.owns_ticket[:] = ~np.isin(found.link, (Link.NONE, Link.NAMED_NOT_FOUND))

    follower = np.flatnonzero(
        found.of(Kind.DUPLICATE, Kind.DUPLICATE_NEXT_DAY, Kind.OTHER_TICKET, Kind.LATER_AGAIN)
    )
    first = follower - 1
    found.person[follower] = found.person[first]
    same_ticket = follower[kind[follower] != Kind.OTHER_TICKET]
    found.ticket[same_ticket] = found.ticket[same_ticket - 1]
    found.owns_ticket[same_ticket] = False
    opens = found.source.open_hours[0] * _HOUR
    found.recorded[first] = midnight[first] + opens + rng.integers(0, 4 * _HOUR, len(first))
    found.recorded[follower] = found.recorded[first] + rng.integers(30 * _MINUTE, 6 * _HOUR, len(first))

    again = np.flatnonzero(kind == Kind.LATER_AGAIN)
    found.recorded[again] = (
        found.recorded[again - 1] + SECONDS_A_DAY + rng.integers(_HOUR, 2 * _HOUR, len(again))
    )
    late = np.flatnonzero(kind == Kind.ANSWERED_LATE)
    found.recorded[late] = midnight[late] + SECONDS_A_DAY - rng.integers(_MINUTE, 30 * _MINUTE, len(late))
    found.recorded[late + 1] = midnight[late] + SECONDS_A_DAY + rng.integers(_MINUTE, 50 * _MINUTE, len(late))

    twice = np.flatnonzero(kind == Kind.SUBMITTED_TWICE)
    found.recorded[twice] = found.recorded[twice - 1] + rng.integers(1, 5, len(twice))
    found.network[twice] = found.network[twice - 1]
    found.person[found.of(*DOUBLE_SUBMIT, Kind.TEST)] = 0

    offices = np.flatnonzero(kind == Kind.SHARED_DEVICE).reshape(-1, 3)
    found.network[offices] = found.network[offices[:, :1]]
    # Colleagues answer an hour apart. Equal answers within seconds would count as submitted twice.
    arrives = midnight[offices[:, :1]] + opens + rng.integers(0, 4 * _HOUR, (len(offices), 1))
    found.recorded[offices] = arrives + np.arange(3) * _HOUR


def _set_answers(found: Responses, rng: np.random.Generator) -> None:
    source, kind = found.source, found.kind
    off = kind == Kind.OFF_SCALE
    found.score[off] = np.where(rng.random(int(off.sum())) < 0.5, 0, source.scale_max + 1)
    twice = np.flatnonzero(kind == Kind.SUBMITTED_TWICE)
    # Two people may give the same score. Only an identical comment makes the answers identical.
    found.language[twice] = found.language[twice - 1] = 0
    found.comment[twice - 1] = (found.band(found.score[twice - 1]) + 1) * COMMENTS_A_BAND
    for shared in (found.score, found.comment, found.product, found.device_type):
        shared[twice] = shared[twice - 1]

    against = np.flatnonzero(kind == Kind.CONTRADICTS)
    calls_it_easy = rng.random(len(against)) < 0.5
    hard_end, easy_end = (1, source.scale_max) if source.higher_is_easier else (source.scale_max, 1)
    found.score[against] = np.where(calls_it_easy, hard_end, easy_end)
    found.comment[against] = np.where(calls_it_easy, 2, 0) * COMMENTS_A_BAND
    found.language[against] = 0
    # An answer without a score needs a comment, or it would be empty.
    blank = kind == Kind.INCOMPLETE
    found.comment[blank] = COMMENTS_A_BAND
    found.language[blank] = 0
    # A comment drawn for one score would contradict another.
    found.comment[found.of(Kind.OFF_SCALE, Kind.UNKNOWN_ANSWER, Kind.REVISED, Kind.REVISED_NEXT_DAY)] = -1


def _set_times(found: Responses, rng: np.random.Generator) -> None:
    kind, n = found.kind, len(found)
    found.duration_seconds[kind == Kind.TOO_FAST] = 1
    found.duration_seconds[kind == Kind.FAST] = rng.integers(3, 5, int((kind == Kind.FAST).sum()))
    slow = kind == Kind.SLOW
    # Not full minutes, or start and submit would look like times with minute precision.
    found.duration_seconds[slow] = rng.integers(40, 120, int(slow.sum())) * _MINUTE + 17
    found.recorded[kind == Kind.FUTURE] = FUTURE_SECONDS + found.row[kind == Kind.FUTURE] % SECONDS_A_DAY
    found.submitted = found.recorded - rng.integers(0, 2, n)
    found.submitted[found.of(*DOUBLE_SUBMIT)] = found.recorded[found.of(*DOUBLE_SUBMIT)]
    found.started = found.submitted - found.duration_seconds
    backwards = kind == Kind.TIME_ORDER
    found.started[backwards] = found.submitted[backwards] + 10 * _MINUTE


LANGUAGES = ("EN", "DE", "FR", "ES")
PRODUCTS = ("Starter", "Team", "Enterprise")
DEVICE_TYPES = ("desktop", "mobile", "tablet")
COMMENTS_A_BAND = 6
COMMENTS = (
    # Difficult.
    "It was really difficult, I had to explain everything three times",
    "Very hard to get through to anyone",
    "Frustrating, I was sent from one team to the next",
    "Too complicated, and it took far too long",
    "Difficult to find the right form; write to me at {email}",
    "Frustrating: nobody called me back on +44 20 7946 0958",
    # Neither.
    "It was about what I expected",
    "The invoice arrived on Tuesday",
    "I contacted you about my delivery",
    "Average",
    "My order came in two parcels",
    "I wrote on Monday, you answered on Wednesday",
    # Easy.
    "Very easy, thank you",
    "Quick and simple",
    "Super easy, solved in one message",
    "So simple, \"just like that\"",
    "Really easy; thanks to the agent who wrote to {email}",
    "Easy and fast, great help",
)  # fmt: skip
"""COMMENTS_A_BAND comments each for difficult, neither and easy. `{email}` is replaced by the respondent's address."""
