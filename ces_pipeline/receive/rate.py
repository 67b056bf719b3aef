"""A limit on accepted payloads: at most so many in any minute."""

from collections import deque
from dataclasses import dataclass, field

_SECONDS = 60.0


@dataclass
class PerMinute:
    """At most `limit` payloads in any 60 seconds. Times are those of a monotonic clock, in seconds."""

    limit: int
    _taken: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> float:
        """Take a place. Returns 0, or the seconds until the next place is free."""
        while self._taken and self._taken[0] <= now - _SECONDS:
            self._taken.popleft()
        if len(self._taken) >= self.limit:
            return self._taken[0] + _SECONDS - now
        self._taken.append(now)
        return 0.0
