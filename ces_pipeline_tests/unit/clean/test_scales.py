"""Protects direction: every shipped scale maps its easy end to no effort and its hard end to all of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ces_pipeline.registry.scales import Scale
from ces_pipeline_tests.unit.clean.frames import accepted, clean, registry, shipped_scales

SCALES = sorted(shipped_scales())
EFFORT_AND_EASE = [
    "ces1_effort_1_5", "effort_1_7", "ces2_agreement_1_7", "ease_1_5", "ease_1_7", "ease_1_4", "net_easy_1_7",
    "ease_0_10", "faces_1_3",
]  # fmt: skip
HARD_END = {
    "ces1_effort_1_5": 5, "effort_1_7": 7, "ces2_agreement_1_7": 1, "ease_1_5": 1, "ease_1_7": 1, "ease_1_4": 1,
    "net_easy_1_7": 7, "ease_0_10": 0, "faces_1_3": 1, "csat_1_5": 1, "csat_good_bad": 0,
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
