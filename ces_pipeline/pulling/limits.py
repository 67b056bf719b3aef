"""How fast one host may be asked: the vendor's published limits, and what its answers say is left."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from ces_pipeline.pulling.clock import Clock

_LONGEST_PAUSE_SECONDS = 600.0
_UNIX_TIMES = 1e9
"""A reset beyond this is no number of seconds to wait but a unix time (ServiceNow)."""
_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")


@dataclass(frozen=True)
class Pace:
    """At most `requests` requests in any `seconds` to paths that hold `path` (every path unless set)."""

    requests: int
    seconds: float
    path: str = ""


@dataclass
class Limits:
    """When the next request may be sent. Knows only the requests of its own client."""

    clock: Clock
    paces: Sequence[Pace] = ()
    _sent: dict[Pace, deque[float]] = field(default_factory=dict)
    _not_before: float = 0.0

    def wait(self, path: str) -> None:
        """Wait until a request to `path` may go out, and count it."""
        for pace in self.paces:
            if pace.path in path:
                times = self._sent.setdefault(pace, deque(maxlen=pace.requests))
                if len(times) == pace.requests:
                    self._not_before = max(self._not_before, times[0] + pace.seconds)
        pause = self._not_before - self.clock.monotonic()
        if pause > 0:
            self.clock.sleep(pause)
        for pace in self.paces:
            if pace.path in path:
                self._sent[pace].append(self.clock.monotonic())

    def learn(self, headers: Mapping[str, str]) -> None:
        """Heed an answer's headers: nothing more is sent before the reset of a limit that is used up."""
        remaining, reset = _number(headers, _REMAINING), _number(headers, _RESET)
        if remaining is None or remaining > 0 or reset is None:
            return
        pause = reset - _vendor_time(headers, self.clock) if reset > _UNIX_TIMES else reset
        pause = min(max(pause, 0.0), _LONGEST_PAUSE_SECONDS)
        self._not_before = max(self._not_before, self.clock.monotonic() + pause)


def _number(headers: Mapping[str, str], names: Sequence[str]) -> float | None:
    for name in names:
        try:
            return float(headers[name])
        except (KeyError, ValueError):
            continue
    return None


def _vendor_time(headers: Mapping[str, str], clock: Clock) -> float:
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return clock.now().timestamp()
