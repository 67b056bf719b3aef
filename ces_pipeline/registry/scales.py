"""`scales.yaml`: answer scales, with their ends, direction, boxes and labels."""

from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.folding import fold
from ces_pipeline.registry.base import Entry, Slug


class Scale(Entry):
    """An answer scale: its ends, which end is hard, the boxes that count as easy and difficult, its labels."""

    id: Slug
    title: str
    min: int
    max: int
    higher_means: Literal["easier", "harder"]
    easy: tuple[int, ...] = Field(min_length=1)
    difficult: tuple[int, ...] = Field(min_length=1)
    labels: dict[str, dict[int, str | tuple[str, ...]]] = Field(default={})

    @model_validator(mode="after")
    def _boxes_fit(self) -> "Scale":
        if self.min >= self.max:
            raise ValueError("min must be below max")
        values = set(range(self.min, self.max + 1))
        for box in ("easy", "difficult"):
            if stray := set(getattr(self, box)) - values:
                raise ValueError(f"{box} names {sorted(stray)}, outside {self.min} to {self.max}")
        if set(self.easy) & set(self.difficult):
            raise ValueError("a value cannot be easy and difficult at once")
        easier_end = self.max if self.higher_means == "easier" else self.min
        if easier_end not in self.easy:
            raise ValueError(f"the easiest value {easier_end} is not among easy: check higher_means")
        for language, labels in self.labels.items():
            if stray := set(labels) - values:
                raise ValueError(f"labels.{language} names {sorted(stray)}, outside the scale")
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

    def effort_0_100(self, value: int) -> float:
        """Percent of maximum possible effort: 0 at the easy end, 100 at the hard end."""
        share = (value - self.min) / (self.max - self.min)
        return round(100 * (1 - share if self.higher_means == "easier" else share), 6)

    def ease_0_100(self, value: int) -> float:
        """100 less the effort: 100 at the easy end."""
        return round(100 - self.effort_0_100(value), 6)

    def band(self, value: int) -> str:
        """`easy`, `neutral` or `difficult` by this scale's own boxes."""
        return "easy" if value in self.easy else "difficult" if value in self.difficult else "neutral"
