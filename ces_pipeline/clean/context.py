"""What days of responses are judged with besides their rows."""

from dataclasses import dataclass
from datetime import date

from ces_pipeline.registry.registry import Registry


@dataclass(frozen=True)
class SpeedLimit:
    """Seconds below which an answer is fast for its survey, from the answers of the look-back window."""

    n: int
    seconds: float


@dataclass(frozen=True)
class DayContext:
    """The registry, by day the speed limit of each survey with enough history, and the version of the rules."""

    registry: Registry
    speed_limits: dict[date, dict[str, SpeedLimit]]
    rule_version: str
    asked: tuple[str, ...] = ()
    """Export columns that rules of the registry look at; column i is in the frame as `asked_<i>`."""

    def asked_column(self, name: str) -> str:
        return f"asked_{self.asked.index(name)}"


def columns_asked_for(registry: Registry, known: set[str]) -> tuple[str, ...]:
    """Export columns beyond the fields that attention checks and persona rules need."""
    wanted = {name for survey in registry.surveys.values() for name in survey.expect}
    wanted |= {name for segment in registry.segments for name in segment.when}
    return tuple(sorted(wanted - known))
