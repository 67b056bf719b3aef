"""Holds the figures of redaction: what is left readable, what is marked wrongly, and which names are found."""

import pytest

from ces_pipeline_tests.benchmarks.redaction import Figure, figures, phone_numbers, spelled

FIGURES = list(figures(seed=11, each=3))


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
def test_the_figure_is_within_its_limit(figure: Figure) -> None:
    assert figure.holds, figure


def test_the_numbers_cover_all_regions_and_spellings_differ() -> None:
    regions = {region for region, _ in phone_numbers(11, 1)}
    assert len(regions) == 31
    [(_, number), *_] = phone_numbers(11, 1)
    assert len({spelled(number, spelling) for spelling in ("plain", "pairs", "threes", "slashes")}) == 4
