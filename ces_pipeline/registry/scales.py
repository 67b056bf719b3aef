"""`scales.yaml`: answer scales, with their range, direction, boxes and labels."""

import math
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.folding import fold
from ces_pipeline.registry.base import Entry, Slug

_LARGEST = 10_000
_MOST_STEPS = 20
"""A scale of more steps is a slider: people set its handle, and tools report decimals."""


class Scale(Entry):
    """An answer scale: its range, its direction, the answers that count as easy and as difficult, its labels."""

    id: Slug = Field(description="name of the scale: lower-case letters, digits, _")
    title: str = Field(description="the scale in a few words")
    min: int = Field(ge=-_LARGEST, description="lowest answer")
    max: int = Field(le=_LARGEST, description="highest answer")
    higher_means: Literal["easier", "harder"] = Field(description="what a higher answer means")
    easy: tuple[int, ...] = Field(min_length=1, description="answers that count as easy")
    difficult: tuple[int, ...] = Field(min_length=1, description="answers that count as difficult")
    measures: Literal["effort", "satisfaction"] = Field(
        default="effort", description="what its answers are about"
    )
    is_continuous: bool | None = Field(
        default=None,
        description="whether decimals are answers (a slider); unless set: if it has more than 20 steps",
    )
    labels: dict[str, dict[int, str | tuple[str, ...]]] = Field(
        default={}, description="language: answer: its label, or a list of labels"
    )

    @model_validator(mode="after")
    def _boxes_fit(self) -> "Scale":
        if self.min >= self.max:
            raise ValueError("min must be below max")
        values = set(range(self.min, self.max + 1))
        for box in ("easy", "difficult"):
            if stray := set(getattr(self, box)) - values:
                raise ValueError(f"{box} lists {sorted(stray)}, outside {self.min} to {self.max}")
        if set(self.easy) & set(self.difficult):
            raise ValueError(
                f"{sorted(set(self.easy) & set(self.difficult))} is in easy and in difficult: remove it from one"
            )
        easier_end = self.max if self.higher_means == "easier" else self.min
        if easier_end not in self.easy:
            raise ValueError(f"easy does not list {easier_end}, the easiest value: check higher_means")
        for language, labels in self.labels.items():
            if stray := set(labels) - values:
                raise ValueError(f"labels.{language} lists {sorted(stray)}, outside the scale")
        return self

    @cached_property
    def by_label(self) -> dict[str, int]:
        """Folded answer label -> value, over all languages."""
        found: dict[str, int] = {}
        for labels in self.labels.values():
            for value, texts in labels.items():
                for text in (texts,) if isinstance(texts, str) else texts:
                    found[fold(text)] = value
        return found

    @property
    def has_decimals(self) -> bool:
        """Whether a number between two integers is an answer."""
        return self.max - self.min > _MOST_STEPS if self.is_continuous is None else self.is_continuous

    def effort_0_100(self, value: float) -> float:
        """Percent of maximum possible effort: 0 at the easy end, 100 at the hard end."""
        share = (value - self.min) / (self.max - self.min)
        return round(100 * (1 - share if self.higher_means == "easier" else share), 6)

    def ease_0_100(self, value: float) -> float:
        """100 less the effort: 100 at the easy end."""
        return round(100 - self.effort_0_100(value), 6)

    @property
    def top_two(self) -> tuple[int, int]:
        """The two best answers, the best first: the top-two box of vendors' dashboards."""
        return (self.max, self.max - 1) if self.higher_means == "easier" else (self.min, self.min + 1)

    def band(self, value: float) -> str:
        """`easy`, `neutral` or `difficult`, by the boxes of this scale.

        A decimal is in a box if the integers below and above it both are; else it is neutral.
        """
        around = {math.floor(value), math.ceil(value)}
        return "easy" if around <= {*self.easy} else "difficult" if around <= {*self.difficult} else "neutral"
