"""Protects the figures: what is drawn is what is written, what is suppressed is drawn as such, and nothing overlaps."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.pages.figures import (
    NARROW,
    WIDE,
    Axis,
    Key,
    Point,
    Shares,
    bands,
    histogram,
    intervals,
    span,
    trend,
)

HALF_A_PIXEL = 0.5
POINTS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 15), st.integers(30, 400), st.booleans(), st.booleans()),
    min_size=2,
    max_size=26,
)


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def axis_of(svg: str, pixel: str) -> Axis:
    """The axis, from its two outermost lines."""
    lines = [
        (float(line.attrib["data-at"]), float(line.attrib[pixel]))
        for line in drawn(svg).iter("line")
        if "data-at" in line.attrib
    ]
    (least, start), (most, end) = min(lines), max(lines)
    return Axis(least, most, start, end)


def points_of(found: list[tuple[float, float, int, bool, bool]]) -> list[Point]:
    return [
        Point(f"{number} Oct", n, None, None, None)
        if is_few
        else Point(
            f"{number} Oct", n, value, max(value - half, 0), min(value + half, 100), is_partial=partial
        )
        for number, (value, half, n, is_few, partial) in enumerate(found)
    ]


def upright_ends(svg: str) -> list[tuple[float, float, float, float]]:
    """Of each upright interval: its low and high pixel, and its low and high value."""
    found = []
    for path in drawn(svg).iter("path"):
        if path.attrib["class"] == "upright":
            low, high = re.fullmatch(r"M[\d.]+ ([\d.]+)V([\d.]+)", path.attrib["d"]).groups()  # type: ignore[union-attr]
            found.append(
                (float(low), float(high), float(path.attrib["data-low"]), float(path.attrib["data-high"]))
            )
    return found


@given(POINTS, st.sampled_from([WIDE, NARROW]))
def test_a_trend_draws_its_values_where_they_are(
    found: list[tuple[float, float, int, bool, bool]], width: int
) -> None:
    points = points_of(found)
    svg = trend(points, minimum_n=30, keys=(), width=width, sentence="ease", shown=str)
    y = axis_of(svg, "y1")
    assert y.most - y.least >= 40
    circles = [circle for circle in drawn(svg).iter("circle") if "data-v" in circle.attrib]
    assert [float(circle.attrib["data-v"]) for circle in circles] == [
        point.value for point in points if point.value is not None
    ]
    for circle in circles:
        assert abs(float(circle.attrib["cy"]) - y.at(float(circle.attrib["data-v"]))) <= HALF_A_PIXEL
    for low_pixel, high_pixel, low, high in upright_ends(svg):
        assert abs(low_pixel - y.at(low)) <= HALF_A_PIXEL
        assert abs(high_pixel - y.at(high)) <= HALF_A_PIXEL
    for x in (float(circle.attrib["cx"]) for circle in drawn(svg).iter("circle")):
        assert 0 <= x <= width


def test_a_band_is_drawn_between_the_ends_of_the_intervals() -> None:
    points = [Point("a", 40, 60.0, 55.0, 66.0), Point("b", 40, 70.0, 64.0, 75.0)]
    svg = trend(points, minimum_n=30, keys=(), width=WIDE, sentence="ease", shown=str)
    y = axis_of(svg, "y1")
    (band,) = drawn(svg).iter("polygon")
    pixels = [float(place.split(",")[1]) for place in band.attrib["points"].split()]
    assert pixels == pytest.approx([y.at(66), y.at(75), y.at(64), y.at(55)], abs=HALF_A_PIXEL)


def runs_of(svg: str) -> list[int]:
    return [len(line.attrib["points"].split()) for line in drawn(svg).iter("polyline")]


def test_no_line_runs_through_what_is_suppressed_not_complete_or_reworded() -> None:
    def point(**more: object) -> Point:
        return Point("a", 40, **{"value": 60.0, "low": 50.0, "high": 70.0, **more})  # type: ignore[arg-type]

    def line(points: list[Point]) -> list[int]:
        return runs_of(trend(points, minimum_n=30, keys=(), width=WIDE, sentence="ease", shown=str))

    three = [point()] * 3
    assert line([*three, *three]) == [6]
    assert line([*three, Point("a", 5), *three]) == [3, 3]
    assert line([*three, point(breaks=True), *three]) == [3, 4]
    assert line([*three, point(is_partial=True), *three]) == [3, 3]


def test_what_is_suppressed_has_an_open_circle_and_no_value() -> None:
    svg = trend([Point("a", 5), Point("b", 0)], minimum_n=30, keys=(), width=WIDE, sentence="e", shown=str)
    circles = list(drawn(svg).iter("circle"))
    # Without any answer nothing is suppressed either.
    assert [circle.attrib["class"] for circle in circles] == ["none"]
    assert "data-v" not in svg


@given(st.lists(st.floats(0, 26), max_size=6), st.sampled_from([WIDE, NARROW]))
def test_names_of_keys_do_not_overlap(places: list[float], width: int) -> None:
    keys = [Key(f"R{number}", place) for number, place in enumerate(places)]
    points = [Point("a", 40, 60.0, 50.0, 70.0)] * 26
    svg = trend(points, minimum_n=30, keys=keys, width=width, sentence="ease", shown=str)
    names = sorted(
        float(text.attrib["x"]) for text in drawn(svg).iter("text") if "keyname" in text.attrib["class"]
    )
    assert len(names) == len(places)
    assert all(later - earlier >= 22 for earlier, later in pairwise(names))
    assert all(0 <= x <= width for x in names)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=26),
    st.sampled_from([WIDE, NARROW]),
)
def test_bands_draw_the_shares_from_both_ends(found: list[tuple[float, float, bool]], width: int) -> None:
    shares = [
        Shares("a", 5, None, None, None, None)
        if is_few
        else Shares("a", 40, hard * 0.9, hard * 0.8, min(hard, 1.0), easy * (1 - hard * 0.9))
        for hard, easy, is_few in found
    ]
    svg = bands(shares, width=width, sentence="shares", shown=str)
    y = axis_of(svg, "y1")
    hard_paths = [path for path in drawn(svg).iter("path") if path.attrib["class"] == "difficult"]
    known = [share for share in shares if share.difficult is not None and share.easy is not None]
    assert [float(path.attrib["data-v"]) for path in hard_paths] == [share.difficult for share in known]
    for path in hard_paths:
        (box,) = boxes(path.attrib["d"])
        assert box[1] == pytest.approx(y.at(float(path.attrib["data-v"])), abs=HALF_A_PIXEL)
    easy = [
        box
        for path in drawn(svg).iter("path")
        if path.attrib["class"] == "easy"
        for box in boxes(path.attrib["d"])
    ]
    assert [box[3] for box in easy] == pytest.approx(
        [y.at(1 - (share.easy or 0)) - y.at(1) for share in known], abs=HALF_A_PIXEL
    )


def boxes(path: str) -> list[tuple[float, ...]]:
    found = re.findall(r"M([\d.-]+) ([\d.-]+)h([\d.-]+)v([\d.-]+)h-[\d.]+z", path)
    return [tuple(map(float, box)) for box in found]


@given(POINTS, st.sampled_from([WIDE, NARROW]))
def test_intervals_are_drawn_where_they_are(
    found: list[tuple[float, float, int, bool, bool]], width: int
) -> None:
    points = points_of(found)
    svg = intervals(
        points, width=width, sentence="ease", shown=str, texts=["text"] * len(points), suppressed="suppressed"
    )
    x = axis_of(svg, "x1")
    assert x.most - x.least >= 30
    for line in drawn(svg).iter("line"):
        if "data-low" in line.attrib:
            assert float(line.attrib["x1"]) == pytest.approx(
                x.at(float(line.attrib["data-low"])), abs=HALF_A_PIXEL
            )
            assert float(line.attrib["x2"]) == pytest.approx(
                x.at(float(line.attrib["data-high"])), abs=HALF_A_PIXEL
            )
    for circle in drawn(svg).iter("circle"):
        if "data-v" in circle.attrib:
            assert float(circle.attrib["cx"]) == pytest.approx(
                x.at(float(circle.attrib["data-v"])), abs=HALF_A_PIXEL
            )
    assert svg.count('class="none"') == sum(point.value is None for point in points)


def test_only_an_interval_above_the_limit_has_the_colour_of_hard() -> None:
    points = [Point("a", 40, 5.0, -1.0, 11.0), Point("b", 40, 5.0, 1.0, 9.0)]
    svg = intervals(
        points, width=WIDE, sentence="e", shown=str, texts=["", ""], suppressed="", limits=(-100, 100), zero=True,
        harder_above=0,
    )  # fmt: skip
    assert re.findall(r'class="(dot[^"]*)"', svg) == ["dot", "dot hard"]


def test_a_histogram_draws_counts_from_the_base() -> None:
    svg = histogram([("1", 0, "difficult"), ("2", 40, "easy")], width=WIDE, sentence="answers", shown=str)
    heights = [boxes(path.attrib["d"])[0][3] for path in drawn(svg).iter("path")]
    assert heights[0] == 0 < heights[1]


@given(st.lists(st.floats(0, 100), max_size=5))
def test_an_axis_holds_its_values_and_stays_within_the_scale(found: list[float]) -> None:
    low, high = span(found, 40, (0, 100))
    assert 0 <= low < high <= 100
    assert high - low >= 40
    assert all(low <= value <= high for value in found)
