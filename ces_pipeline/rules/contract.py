"""What a rule consists of. Evidence is computed from facts (`clean/facts.py`), and judged in `clean/judge.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ces_pipeline.schemas.kinds import KindName

Severity = Literal["reject", "suspect", "info", "off"]
"""reject keeps a row out, suspect keeps it in and marks it, info only counts it, off does nothing."""

Flags: TypeAlias = "npt.NDArray[np.bool_]"
Counts: TypeAlias = "npt.NDArray[np.int64]"
Numbers: TypeAlias = "npt.NDArray[np.floating[Any]]"
"""What evidence can be: one value per row. A missing number (NaN) breaks no rule."""

DTYPES: dict[str, str] = {str(Flags): "bool", str(Counts): "int64", str(Numbers): "float64"}
"""Type of evidence, as the function's return annotation says it -> type of the column."""


class RuleError(Exception):
    """Rules lack a part, or contradict each other. The message names each file and what is wrong with it."""


@dataclass(frozen=True)
class Check:
    """What holds of the evidence of a good row: a comparison with a bound."""

    comparison: Literal["equals", "at_least", "above", "at_most"]
    bound: bool | int | float


def equals(bound: bool | int) -> Check:
    return Check("equals", bound)


def at_least(bound: float) -> Check:
    return Check("at_least", bound)


def above(bound: float) -> Check:
    return Check("above", bound)


def at_most(bound: float) -> Check:
    return Check("at_most", bound)


@dataclass(frozen=True)
class Poison:
    """Rows that break a rule. Every night they are judged on the side, to prove that the rule still finds them.

    rows: each is its difference from a good row (column of the raw row -> value, None: blank); the last breaks the
    rule, those before it are its company. survey: what the entry of their survey sets. speed_limit_seconds: the speed
    limit of their survey on their day, None if it has none.
    """

    rows: tuple[Mapping[str, Any], ...]
    survey: Mapping[str, Any] = field(default_factory=dict)
    speed_limit_seconds: float | None = None


def poison(*rows: Mapping[str, Any], speed_limit_seconds: float | None = None, **survey: Any) -> Poison:
    """The poison of a rule; `survey` are the keys of the survey's entry. Times of the rows are instants in UTC."""
    return Poison(rows, survey, speed_limit_seconds)


@dataclass(frozen=True)
class Condition:
    """The evidence of one kind of source, the check that it must pass, and rows that do not pass it."""

    evidence: Callable[..., Any]
    check: Check
    poison: Poison

    @property
    def dtype(self) -> str | None:
        """Type of the evidence, from the function's return annotation; None where it is not one of `DTYPES`."""
        says = getattr(self.evidence, "__annotations__", {}).get("return")
        return DTYPES.get(says) if isinstance(says, str) else None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    position: its place among the reasons of a row; gaps leave room for rules to come. severity: the default, which a
    survey may change. evidence, check: what is computed from the facts, and what holds of it on a good row.
    poison: rows that break it.
    kinds: the kinds of source whose rows it judges so; by_kind: those with evidence, check and poison of their own.
    compares_rows: whether it comes after the other rules, its evidence also given which rows are eligible.
    makes_ineligible: whether a row that it rejects is left out when rows are compared.
    settings: the keys of a survey's `rules` in surveys.yaml that it depends on.
    means: the first line of the file's docstring, added when rules are loaded.
    """

    name: str
    position: int
    severity: Severity
    evidence: Callable[..., Any]
    check: Check
    poison: Poison
    kinds: "tuple[KindName, ...]" = ("survey",)
    by_kind: "Mapping[KindName, Condition]" = field(default_factory=dict)
    compares_rows: bool = False
    makes_ineligible: bool = True
    settings: tuple[str, ...] = ()
    means: str = ""

    @property
    def all_kinds(self) -> tuple[str, ...]:
        return (*self.kinds, *self.by_kind)

    def condition(self, kind: str) -> Condition:
        """How rows of this kind are judged; the kind is one of `all_kinds`."""
        own = (condition for of_kind, condition in self.by_kind.items() if of_kind == kind)
        return next(own, Condition(self.evidence, self.check, self.poison))
