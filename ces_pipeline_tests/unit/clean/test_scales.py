"""Protects direction: every shipped scale maps its easy end to no effort and its hard end to all of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ces_pipeline.clean.answers import FITS, OFF_SCALE, read_answer
from ces_pipeline.registry.scales import Scale
from ces_pipeline_tests.unit.clean.frames import accepted, at, clean, registry, shipped_scales

SCALES = sorted(shipped_scales())
EFFORT_AND_EASE = [
    "ces1_effort_1_5", "effort_1_7", "ces2_agreement_1_7", "ces2_agreement_1_5", "ease_1_5", "ease_1_7", "ease_1_4", "net_easy_1_7",
    "ease_0_10", "faces_1_3",
]  # fmt: skip
HARD_END = {
    "ces1_effort_1_5": 5, "effort_1_7": 7, "ces2_agreement_1_7": 1, "ces2_agreement_1_5": 1, "ease_1_5": 1, "ease_1_7": 1, "ease_1_4": 1,
    "net_easy_1_7": 7, "ease_0_10": 0, "faces_1_3": 1, "csat_1_5": 1, "csat_1_7": 1, "csat_0_10": 0,
    "csat_0_100": 0, "csat_good_bad": 0,
}  # fmt: skip


def mirrored(scale: Scale) -> Scale:
    """The same question asked the other way round."""

    def other(box: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(scale.min + scale.max - value for value in box)

    turned = "harder" if scale.higher_means == "easier" else "easier"
    changes = {
        "higher_means": turned,
        "easy": other(scale.easy),
        "difficult": other(scale.difficult),
        "labels": {},
    }
    return Scale.model_validate({**scale.model_dump(), **changes})


@pytest.mark.parametrize("name", SCALES)
def test_the_ends_are_0_and_100(name: str) -> None:
    scale = shipped_scales()[name]
    hard = HARD_END[name]
    easy = scale.min + scale.max - hard
    assert (scale.effort_0_100(easy), scale.effort_0_100(hard)) == (0, 100)
    assert (scale.band(easy), scale.band(hard)) == ("easy", "difficult")


@settings(deadline=None, max_examples=50)
@given(name=st.sampled_from(SCALES), data=st.data())
def test_effort_is_monotone_invertible_and_mirrors_with_the_scale(name: str, data: st.DataObject) -> None:
    scale = shipped_scales()[name]
    value = data.draw(st.integers(scale.min, scale.max))
    effort = scale.effort_0_100(value)
    assert scale.ease_0_100(value) == round(100 - effort, 6)
    share = effort / 100 if scale.higher_means == "harder" else 1 - effort / 100
    assert round(scale.min + share * (scale.max - scale.min)) == value
    turned = mirrored(scale)
    assert turned.effort_0_100(scale.min + scale.max - value) == pytest.approx(effort, abs=1e-6)
    assert turned.band(scale.min + scale.max - value) == scale.band(value)
    if value < scale.max:
        step = scale.effort_0_100(value + 1) - effort
        assert (step > 0) == (scale.higher_means == "harder")
        assert abs(step) == pytest.approx(100 / (scale.max - scale.min), abs=1e-5)


@pytest.mark.parametrize("name", SCALES)
def test_no_harder_answer_has_an_easier_band(name: str) -> None:
    scale = shipped_scales()[name]
    order = {"easy": 0, "neutral": 1, "difficult": 2}
    bands = [
        order[scale.band(value)] for value in sorted(range(scale.min, scale.max + 1), key=scale.effort_0_100)
    ]
    assert bands == sorted(bands)


def test_bands_are_the_scales_own_boxes_and_not_cuts_of_the_0_100_value() -> None:
    ease, net_easy, decimal = (shipped_scales()[name] for name in ("ease_1_7", "net_easy_1_7", "ease_0_10"))
    assert ease.effort_0_100(5) == net_easy.effort_0_100(3)
    assert (ease.band(5), net_easy.band(3)) == ("easy", "neutral")
    assert (decimal.band(5), decimal.band(6), decimal.band(7)) == ("neutral", "neutral", "easy")


@pytest.mark.parametrize(
    ("felt", "answers"),
    [
        (0, {"ces1_effort_1_5": 1, "ease_1_5": 5, "ces2_agreement_1_7": 7, "net_easy_1_7": 1}),
        (50, {"ces1_effort_1_5": 3, "ease_1_5": 3, "ces2_agreement_1_7": 4, "net_easy_1_7": 4}),
        (100, {"ces1_effort_1_5": 5, "ease_1_5": 1, "ces2_agreement_1_7": 1, "net_easy_1_7": 7}),
    ],
)
def test_the_same_effort_felt_gives_the_same_figure_however_it_was_asked(
    felt: float, answers: dict[str, int]
) -> None:
    bands = set()
    for name, value in answers.items():
        row = accepted(clean(registry({"scale": name}), {"score": str(value)}))
        assert (row["effort_0_100"], row["ease_0_100"]) == (felt, 100 - felt)
        bands.add(row["effort_band"])
    assert len(bands) == 1


@pytest.mark.parametrize("name", EFFORT_AND_EASE)
def test_a_cleaned_column_agrees_with_the_scale_value_by_value(name: str) -> None:
    scale = shipped_scales()[name]
    values = range(scale.min, scale.max + 1)
    cleaned = clean(registry({"scale": name}), *({"score": str(value)} for value in values))
    for number, value in enumerate(values):
        row = accepted(cleaned, f"r{number}")
        expected = (name, value, scale.effort_0_100(value), scale.band(value))
        assert (row["scale_id"], row["score"], row["effort_0_100"], row["effort_band"]) == expected
        assert row["ease_0_100"] == pytest.approx(100 - row["effort_0_100"], abs=1e-6)


def slider(**changes: object) -> Scale:
    given = {
        "id": "slider", "title": "Ease", "min": 0, "max": 100, "higher_means": "easier",
        "easy": [*range(70, 101)], "difficult": [*range(41)],
    }  # fmt: skip
    return Scale.model_validate({**given, **changes})


@pytest.mark.parametrize(
    ("text", "effort", "band"),
    [("72.5", 27.5, "easy"), ("33,25", 66.75, "difficult"), ("100.0", 0, "easy"), ("69.5", 30.5, "neutral")],
)
def test_a_decimal_of_a_slider_is_an_answer(text: str, effort: float, band: str) -> None:
    value, outcome = read_answer(text, slider())
    assert outcome == FITS
    assert value is not None
    assert (slider().effort_0_100(value), slider().band(value)) == (effort, band)


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("4.5", shipped_scales()["ease_1_7"]),
        ("7.5", shipped_scales()["ease_0_10"]),
        ("100.5", slider()),
        ("72.5", slider(is_continuous=False)),
    ],
)
def test_a_decimal_of_another_scale_or_beyond_its_ends_is_off_the_scale(text: str, scale: Scale) -> None:
    assert read_answer(text, scale) == (None, OFF_SCALE)


def test_a_survey_is_read_on_the_scale_of_its_day() -> None:
    """2 March is before the change, 3 March its first day: the same 1 is easy, then hard."""
    changed = registry({"scale": "effort_1_7", "scale_changes": {"2026-03-03": "ease_1_7"}})
    found = clean(
        changed,
        {"response_id": "before", "score": "1", "event_at": at("12:00")},
        {"response_id": "first day", "score": "1", "event_at": at("03T00:00")},
        {"response_id": "label", "score": "Very easy", "event_at": at("04T00:00")},
    )
    rows = {name: accepted(found, name) for name in ("before", "first day", "label")}
    shown = {name: (row["scale_id"], row["ease_0_100"], row["effort_band"]) for name, row in rows.items()}
    assert shown == {
        "before": ("effort_1_7", 100, "easy"),
        "first day": ("ease_1_7", 0, "difficult"),
        "label": ("ease_1_7", 100, "easy"),
    }
