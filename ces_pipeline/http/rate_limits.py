"""How many requests a host may get: the vendor's published rate limits, and what its responses say is left.

All clients of a host on this machine share one file of request times, since all sources of a vendor share its limits,
in every process.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

from ces_pipeline.http.clock import Clock
from ces_pipeline.storage.locks import exclusive

_LONGEST_PAUSE_SECONDS = 600.0
_UNIX_TIMES = 1e9
"""A reset above this is a unix time, not a number of seconds to wait (ServiceNow)."""
_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_RESERVED = "not_before"


@dataclass(frozen=True)
class RateLimit:
    """At most `requests` requests in any `seconds`, to paths that contain `path` (default: every path)."""

    requests: int
    seconds: float
    path: str = ""

    @property
    def name(self) -> str:
        return f"{self.requests} in {self.seconds} {self.path}"


@dataclass
class Limits:
    """Decides when the next request to a host may be sent.

    file: where all processes keep the request times of the host; None: only this client counts.
    """

    clock: Clock
    rate_limits: Sequence[RateLimit] = ()
    file: Path | None = None
    _own_times: dict[str, list[float]] = field(default_factory=dict)

    def wait(self, path: str) -> None:
        """Reserve the next free time for a request to `path`, and wait until then."""
        now = self.clock.now().timestamp()
        with self._times() as sent:
            turn = max([now, *sent.get(_RESERVED, [])])
            limits = [limit for limit in self.rate_limits if limit.path in path]
            for limit in limits:
                times = sent.setdefault(limit.name, [])
                if len(times) >= limit.requests:
                    turn = max(turn, times[-limit.requests] + limit.seconds)
            # A clock that was set back must not stop the pulls for ever.
            turn = min(turn, now + _LONGEST_PAUSE_SECONDS)
            for limit in limits:
                # First come, first served: the next caller gets a later time.
                sent[limit.name] = [*sent[limit.name], turn][-limit.requests :]
        if turn > now:
            self.clock.sleep(turn - now)

    def learn(self, headers: Mapping[str, str], *, is_used_up: bool = False) -> None:
        """Read the limits in a response's headers: if a limit is used up, nothing is sent before its reset.

        is_used_up: the response itself is a 429, so the limit counts as used up even if the headers show some left.
        """
        remaining, reset = _number(headers, _REMAINING), _number(headers, _RESET)
        if reset is None or not (is_used_up or (remaining is not None and remaining <= 0)):
            return
        pause = reset - _vendor_time(headers, self.clock) if reset > _UNIX_TIMES else reset
        pause = min(max(pause, 0.0), _LONGEST_PAUSE_SECONDS)
        with self._times() as sent:
            sent[_RESERVED] = [max([self.clock.now().timestamp() + pause, *sent.get(_RESERVED, [])])]

    @contextmanager
    def _times(self) -> Iterator[dict[str, list[float]]]:
        """Name of a RateLimit -> unix times of the last requests; changes to the dict are saved."""
        if self.file is None:
            yield self._own_times
            return
        with exclusive(self.file.with_suffix(".lock")):
            sent = _read(self.file)
            yield sent
            # Not synced: a power cut loses one minute of request times at most.
            self.file.write_text(json.dumps(sent), encoding="utf-8")


def _read(file: Path) -> dict[str, list[float]]:
    try:
        saved = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return saved if isinstance(saved, dict) else {}


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
    except (KeyError, ValueError, TypeError, OverflowError):
        return clock.now().timestamp()
