"""What responses are judged by besides their own rows."""

from dataclasses import dataclass
from datetime import date

from ces_pipeline.registry.registry import Registry


@dataclass(frozen=True)
class SpeedLimit:
    """Seconds below which a response is fast for its survey, and the number n of responses that it is computed from."""

    n: int
    seconds: float


@dataclass(frozen=True)
class DayContext:
    """registry; speed_limits: day -> survey id -> limit, for surveys with enough history; rule_version."""

    registry: Registry
    speed_limits: dict[date, dict[str, SpeedLimit]]
    rule_version: str
    asked: tuple[str, ...] = ()
    """Export columns that the registry's rules use; column i is in the frame as `asked_<i>`."""

    def asked_column(self, name: str) -> str:
        return f"asked_{self.asked.index(name)}"


def columns_asked_for(registry: Registry, known: set[str]) -> tuple[str, ...]:
    """The columns that attention checks, matrix questions and segment rules need and that are not in `known`."""
    wanted = {name for survey in registry.surveys.values() for name in survey.expect}
    wanted |= {
        name
        for survey in registry.surveys.values()
        if survey.rules.straight_lining
        for name in survey.rules.straight_lining.columns
    }
    wanted |= {name for segment in registry.segments for name in segment.when}
    return tuple(sorted(wanted - known))
