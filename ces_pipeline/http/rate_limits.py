"""How fast one host may be asked: the vendor's published limits, and what its answers say is left.

Every client of a host on this machine keeps the same account, in a file: feeds of one vendor share its limits,
whichever process pulls them.
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
"""A reset beyond this is no number of seconds to wait but a unix time (ServiceNow)."""
_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_RESERVED = "not_before"


@dataclass(frozen=True)
class RateLimit:
    """At most `requests` requests in any `seconds` to paths that hold `path` (every path unless set)."""

    requests: int
    seconds: float
    path: str = ""

    @property
    def name(self) -> str:
        return f"{self.requests} in {self.seconds} {self.path}"


@dataclass
class Limits:
    """When the next request may be sent.

    file: where the account of the host is kept for all processes; None: for this client alone.
    """

    clock: Clock
    rate_limits: Sequence[RateLimit] = ()
    file: Path | None = None
    _own: dict[str, list[float]] = field(default_factory=dict)

    def wait(self, path: str) -> None:
        """Take the next turn for a request to `path`, and wait until it has come."""
        now = self.clock.now().timestamp()
        with self._account() as sent:
            turn = max([now, *sent.get(_RESERVED, [])])
            kept = [pace for pace in self.rate_limits if pace.path in path]
            for pace in kept:
                times = sent.setdefault(pace.name, [])
                if len(times) >= pace.requests:
                    turn = max(turn, times[-pace.requests] + pace.seconds)
            # A clock that was set back must not stop the pulls for ever.
            turn = min(turn, now + _LONGEST_PAUSE_SECONDS)
            for pace in kept:
                # Turns are taken in order: who comes later goes later.
                sent[pace.name] = [*sent[pace.name], turn][-pace.requests :]
        if turn > now:
            self.clock.sleep(turn - now)

    def learn(self, headers: Mapping[str, str], *, is_used_up: bool = False) -> None:
        """Heed an answer's headers: nothing more is sent before the reset of a limit that is used up.

        is_used_up: the answer itself said so (429), whatever its headers say is left.
        """
        remaining, reset = _number(headers, _REMAINING), _number(headers, _RESET)
        if reset is None or not (is_used_up or (remaining is not None and remaining <= 0)):
            return
        pause = reset - _vendor_time(headers, self.clock) if reset > _UNIX_TIMES else reset
        pause = min(max(pause, 0.0), _LONGEST_PAUSE_SECONDS)
        with self._account() as sent:
            sent[_RESERVED] = [max([self.clock.now().timestamp() + pause, *sent.get(_RESERVED, [])])]

    @contextmanager
    def _account(self) -> Iterator[dict[str, list[float]]]:
        """RateLimit's name -> unix times of the last requests; changes are kept."""
        if self.file is None:
            yield self._own
            return
        with exclusive(self.file.with_suffix(".lock")):
            sent = _read(self.file)
            yield sent
            # Not synced: what a power cut loses is a minute's account.
            self.file.write_text(json.dumps(sent), encoding="utf-8")


def _read(file: Path) -> dict[str, list[float]]:
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


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
