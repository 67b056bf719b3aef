"""Figures of the report as SVG: pure functions from points to a text.

Every figure is drawn twice, for a wide and for a narrow page, so that its text has one size on both. Colours are
classes of report.css. What is suppressed is drawn as such, and never as 0. What is drawn has its value in `data-v` (in
`data-low` and `data-high` for an interval), and a line of the axis has it in `data-at`: a test reads both back.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDE, NARROW = 912, 343
"""Widths of a figure in CSS pixels."""
LEAST_TREND_SPAN, LEAST_INTERVALS_SPAN = 40, 30
"""Points that an axis spans at least, so that noise is not blown up."""
_KEY_APART = 26.0
"""Pixels between the middles of two names of keys, unless there are too many."""
_LETTER = {WIDE: 7.2, NARROW: 8.1}
"""Width of a letter of the axis text, at most, to cut long labels."""


@dataclass(frozen=True)
class Point:
    """A figure of one period, segment or category; value None: suppressed or not there.

    label: below the axis or left of the row. is_partial: drawn open. breaks: no line comes from the point before.
    """

    label: str
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    is_partial: bool = False
    breaks: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Shares:
    """The shares of one period, 0 to 1; None: suppressed."""

    label: str
    n: int
    difficult: float | None
    difficult_low: float | None
    difficult_high: float | None
    easy: float | None


@dataclass(frozen=True)
class Key:
    """A mark above the line, such as `R1`, at the place between 0 and the number of points at which it happened."""

    name: str
    at: float


@dataclass(frozen=True)
class Axis:
    """A vertical or horizontal axis: values from `least` to `most` at pixels from `start` to `end`."""

    least: float
    most: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value - self.least) / (self.most - self.least) * (self.end - self.start)


def span(
    values: Iterable[float], least_span: float, limits: tuple[float, float] | None, step: float = 10
) -> tuple[float, float]:
    """An axis that holds the values, from step to step, at least so wide, and within the limits."""
    known = list(values) or [50.0]
    low, high = floor(min(known) / step) * step, ceil(max(known) / step) * step
    while high - low < least_span:
        if limits is None or high < limits[1]:
            high += step
        if high - low < least_span and (limits is None or low > limits[0]):
            low -= step
    if limits is not None:
        low, high = max(low, limits[0]), min(high, limits[1])
    return low, high


def trend(
    points: Sequence[Point],
    *,
    minimum_n: int,
    keys: Sequence[Key],
    width: int,
    sentence: str,
    shown: Callable[[float], str],
    limits: tuple[float, float] | None = (0, 100),
) -> str:
    """A line with its band, the number of answers as bars below it, and keys above it."""
    top, bottom, bars_top, bars_bottom = 34, 214, 226, 262
    left, right = 44, width - 12
    ends = [end for point in points for end in (point.value, point.low, point.high) if end is not None]
    step = 10 if limits else _step(ends)
    y = Axis(*span(ends, LEAST_TREND_SPAN if limits else 4 * step, limits, step), bottom, top)
    places = [left + (number + 0.5) * (right - left) / len(points) for number in range(len(points))]
    parts = [*_grid(y, left, right, shown, step), *_keys(keys, left, right, len(points), top, bottom)]
    parts += _line(points, places, y)
    parts += _counts(
        points, places, minimum_n, bars_top, bars_bottom, max(2.0, (right - left) / len(points) * 0.6)
    )
    parts += _labels([point.label for point in points], places, 282, width)
    return _svg(width, 292, sentence, parts)


def bands(points: Sequence[Shares], *, width: int, sentence: str, shown: Callable[[float], str]) -> str:
    """Columns of difficult, neutral and easy answers. Difficult answers stand on the base line with their interval."""
    top, bottom, left, right = 12, 172, 52, width - 12
    y = Axis(0, 1, bottom, top)
    step = (right - left) / len(points)
    bar = max(3.0, step * 0.72)
    parts = [*_grid(y, left, right, shown, 0.25)]
    places = [left + (number + 0.5) * step for number in range(len(points))]
    boxes: dict[str, list[tuple[float, float, float, float]]] = {"nothing": [], "neutral": [], "easy": []}
    over, at, ends = [], [], []
    for point, place in zip(points, places, strict=True):
        edge = place - bar / 2
        if point.difficult is None or point.easy is None:
            boxes["nothing"].append((edge, top, bar, bottom - top))
            continue
        hard, easy = y.at(point.difficult), y.at(1 - point.easy)
        boxes["neutral"].append((edge, easy, bar, max(hard - easy, 0)))
        boxes["easy"].append((edge, top, bar, max(easy - top, 0)))
        over.append(_boxes("difficult", [(edge, hard, bar, bottom - hard)], f' data-v="{point.difficult!r}"'))
        if point.difficult_low is not None and point.difficult_high is not None:
            at.append(place)
            ends.append((point.difficult_low, point.difficult_high))
    parts += [_boxes(kind, found) for kind, found in boxes.items() if found] + over
    parts += _uprights(at, y, ends)
    parts += _labels([point.label for point in points], places, 192, width)
    return _svg(width, 202, sentence, parts)


def intervals(
    points: Sequence[Point],
    *,
    width: int,
    sentence: str,
    shown: Callable[[float], str],
    texts: Sequence[str],
    suppressed: str,
    limits: tuple[float, float] | None = (0, 100),
    zero: bool = False,
    harder_above: float | None = None,
) -> str:
    """A row per point: label, dot with its interval, and a text (n and figures). zero: draw a line at 0.

    harder_above: a point whose lower end is above it is drawn in the colour of difficult answers.
    """
    narrow = width < WIDE
    row, head = (44, 8) if narrow else (26, 8)
    label_width = 0 if narrow else 230
    text_width = 0 if narrow else 250
    left, right = (8, width - 8) if narrow else (label_width + 12, width - text_width - 12)
    ends = [end for point in points for end in (point.value, point.low, point.high) if end is not None]
    ends += [0.0] if zero else []
    step = 10 if limits else _step(ends)
    x = Axis(*span(ends, LEAST_INTERVALS_SPAN if limits else 3 * step, limits, step), left + 8, right - 8)
    height = head + row * len(points) + 26
    parts = []
    at = x.least
    while at <= x.most + 1e-9:
        place = x.at(at)
        bold = " zero" if zero and abs(at) < 1e-9 else ""
        parts.append(
            f'<line class="grid{bold}" x1="{place:.1f}" x2="{place:.1f}" y1="{head}" y2="{height - 22}" '
            f'data-at="{at:g}"/>'
        )
        parts.append(_text(place, height - 6, shown(at), "axis middle"))
        at += step
    for number, (point, text) in enumerate(zip(points, texts, strict=True)):
        middle = head + row * number + (30 if narrow else row / 2)
        letters = int((width * 0.5 if narrow else label_width) / _LETTER[width])
        parts.append(
            _text(
                8 if narrow else 0, middle - 16 if narrow else middle + 4, _cut(point.label, letters), "label"
            )
        )
        parts.append(
            _text(width - 8 if narrow else width, middle - 16 if narrow else middle + 4, text, "value end")
        )
        if point.value is None:
            parts.append(f'<circle class="none" cx="{left + 16}" cy="{middle:.1f}" r="4.5"/>')
            if narrow:
                continue
            parts.append(_text(left + 28, middle + 4, suppressed, "axis"))
            continue
        is_hard = harder_above is not None and point.low is not None and point.low > harder_above
        kind = " hard" if is_hard else ""
        if point.low is not None and point.high is not None:
            parts.append(
                f'<line class="interval{kind}" x1="{x.at(point.low):.1f}" x2="{x.at(point.high):.1f}" '
                f'y1="{middle:.1f}" y2="{middle:.1f}" data-low="{point.low!r}" data-high="{point.high!r}"/>'
            )
        parts.append(
            f'<circle class="dot{kind}" cx="{x.at(point.value):.1f}" cy="{middle:.1f}" r="4.5" '
            f'data-v="{point.value!r}"/>'
        )
    return _svg(width, height, sentence, parts)


def histogram(
    bars: Sequence[tuple[str, int, str]], *, width: int, sentence: str, shown: Callable[[float], str]
) -> str:
    """A column per answer: its label, how often it was given, and the class of its colour."""
    top, bottom, left, right = 26, 132, 12, min(width, 560) - 12
    most = max((n for _, n, _ in bars), default=1) or 1
    y = Axis(0, most, bottom, top)
    step = (right - left) / max(len(bars), 1)
    bar = min(step * 0.8, 64)
    parts = [f'<line class="base" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>']
    for number, (label, n, colour) in enumerate(bars):
        place = left + (number + 0.5) * step
        box = (place - bar / 2, y.at(n), bar, bottom - y.at(n))
        parts.append(_boxes(colour, [box], f' data-v="{n}"'))
        parts.append(_text(place, y.at(n) - 6, shown(n), "value middle"))
        parts.append(_text(place, bottom + 18, _cut(label, int(step / _LETTER[width]) or 1), "axis middle"))
    return _svg(min(width, 560), 160, sentence, parts)


def _line(points: Sequence[Point], places: Sequence[float], y: Axis) -> list[str]:
    parts: list[str] = []
    run: list[int] = []
    runs: list[list[int]] = []
    for number, point in enumerate(points):
        if point.value is None or point.is_partial or point.breaks:
            runs.append(run)
            run = []
        if point.value is not None and not point.is_partial:
            run.append(number)
    runs.append(run)
    for run in runs:
        banded = [number for number in run if points[number].low is not None]
        if len(banded) > 1:
            there = [f"{places[number]:.1f},{y.at(points[number].high or 0):.1f}" for number in banded]
            back = [
                f"{places[number]:.1f},{y.at(points[number].low or 0):.1f}" for number in reversed(banded)
            ]
            parts.append(f'<polygon class="band" points="{" ".join(there + back)}"/>')
        elif banded:
            point = points[banded[0]]
            parts += _uprights([places[banded[0]]], y, [(point.low or 0, point.high or 0)])
        if len(run) > 1:
            line = " ".join(f"{places[number]:.1f},{y.at(points[number].value or 0):.1f}" for number in run)
            parts.append(f'<polyline class="mean" points="{line}"/>')
    for point, place in zip(points, places, strict=True):
        if point.value is None:
            if point.n:
                parts.append(f'<circle class="none" cx="{place:.1f}" cy="{y.start - 8:.1f}" r="4"/>')
            continue
        if point.is_partial and point.low is not None and point.high is not None:
            parts += _uprights([place], y, [(point.low, point.high)])
        kind = "open" if point.is_partial else "dot"
        parts.append(
            f'<circle class="{kind}" cx="{place:.1f}" cy="{y.at(point.value):.1f}" r="3.5" '
            f'data-v="{point.value!r}"/>'
        )
    return parts


def _uprights(places: Sequence[float], y: Axis, ends: Sequence[tuple[float, float]]) -> list[str]:
    """Intervals from low to high, with halos below them."""
    drawn = [
        f"M{place:.1f} {y.at(low):.1f}V{y.at(high):.1f}"
        for place, (low, high) in zip(places, ends, strict=True)
    ]
    return [
        *([f'<path class="halo" d="{"".join(drawn)}"/>'] if drawn else []),
        *(
            f'<path class="upright" d="{line}" data-low="{low!r}" data-high="{high!r}"/>'
            for line, (low, high) in zip(drawn, ends, strict=True)
        ),
    ]


def _counts(
    points: Sequence[Point], places: Sequence[float], minimum_n: int, top: float, bottom: float, bar: float
) -> list[str]:
    most = max([minimum_n, *(point.n for point in points)]) or 1
    y = Axis(0, most, bottom, top)
    boxes: dict[str, list[tuple[float, float, float, float]]] = {"few": [], "count": []}
    for point, place in zip(points, places, strict=True):
        kind = "few" if point.n < minimum_n else "count"
        boxes[kind].append((place - bar / 2, y.at(point.n), bar, bottom - y.at(point.n)))
    parts = [_boxes(kind, found) for kind, found in boxes.items() if found]
    parts.append(
        f'<line class="minimum" x1="{places[0] - bar / 2:.1f}" x2="{places[-1] + bar / 2:.1f}" '
        f'y1="{y.at(minimum_n):.1f}" y2="{y.at(minimum_n):.1f}"/>'
    )
    return parts


def _keys(
    keys: Sequence[Key], left: float, right: float, number: int, top: float, bottom: float
) -> list[str]:
    """Upright lines with a name above them. Names keep a distance from their neighbours."""
    ordered = sorted(keys, key=lambda found: found.at)
    places = [left + key.at * (right - left) / number for key in ordered]
    apart = min(_KEY_APART, (right - left) / max(len(places), 1))
    names = list(places)
    for number_of in range(1, len(names)):
        names[number_of] = max(names[number_of], names[number_of - 1] + apart)
    furthest = right - 8
    for number_of in reversed(range(len(names))):
        names[number_of] = min(names[number_of], furthest)
        furthest = names[number_of] - apart
    parts = []
    for key, place, name_at in zip(ordered, places, names, strict=True):
        parts.append(f'<line class="key" x1="{place:.1f}" x2="{place:.1f}" y1="{top - 8}" y2="{bottom}"/>')
        parts.append(_text(name_at, top - 14, key.name, "keyname middle"))
    return parts


def _grid(y: Axis, left: float, right: float, shown: Callable[[float], str], step: float) -> list[str]:
    parts, at = [], y.least
    while at <= y.most + 1e-9:
        place = y.at(at)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}" data-at="{at:g}"/>'
        )
        parts.append(_text(left - 6, place + 4, shown(at), "axis end"))
        at += step
    return parts


def _labels(labels: Sequence[str], places: Sequence[float], y: float, width: int) -> list[str]:
    """Labels below the axis, as many as fit, the last one always."""
    if not labels:
        return []
    widest = max(map(len, labels)) * _LETTER[width] + 12
    step = places[1] - places[0] if len(places) > 1 else widest
    every = max(1, ceil(widest / step))
    last = len(labels) - 1
    return [
        _text(min(place, width - len(label) * _LETTER[width] / 2 - 2), y, label, "axis middle")
        for number, (label, place) in enumerate(zip(labels, places, strict=True))
        if (last - number) % every == 0
    ]


def _step(values: Sequence[float]) -> float:
    """A round step of an axis without limits: 1, 2, 5, 10 and so on, about five in all."""
    wide = (max(values) - min(values)) if values else 1.0
    rough = wide / 5 or 1.0
    magnitude: float = 10.0 ** floor(log10(rough))
    return next(factor * magnitude for factor in (1.0, 2.0, 5.0, 10.0) if factor * magnitude >= rough * 0.999)


def _boxes(kind: str, boxes: Iterable[tuple[float, float, float, float]], more: str = "") -> str:
    """Boxes of one colour (x, y, width, height) as one path: a `rect` each would make the page much larger."""
    drawn = "".join(
        f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z" for x, y, width, height in boxes
    )
    return f'<path class="{kind}" d="{drawn}"{more}/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: max(letters - 1, 1)]}\N{HORIZONTAL ELLIPSIS}"


def _svg(width: int, height: float, sentence: str, parts: Iterable[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(sentence)}" viewBox="0 0 {width} {height:.0f}" width="{width}" '
        f'height="{height:.0f}">{"".join(parts)}</svg>'
    )
