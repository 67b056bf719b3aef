"""A plan of which request fails and how. A seed generates it, so that a failing run can be repeated."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

TRANSPORT = ("busy", "busy_until", "error", "cut", "drip", "truncated", "html")
"""Faults that the server itself does to any response.

busy: 429 with Retry-After in seconds. busy_until: 503 with Retry-After as an HTTP date. error: 500. cut: the
connection ends in the middle of the body. drip: the body comes in small parts, slower than a client should accept.
truncated: complete HTTP with half of the JSON. html: a maintenance page with status 200.
"""
PAGING = ("repeated_page", "empty_page", "changed")
"""Faults that the fake vendor's own handler does; it finds the name in `FakeRequest.fault`."""


@dataclass
class FaultPlan:
    """Faults by number of the request, from 0. skew_seconds: how far the vendor's clock is ahead."""

    faults: dict[int, str] = field(default_factory=dict)
    skew_seconds: float = 0.0

    @classmethod
    def seeded(cls, seed: int, *, paging: Sequence[str] = PAGING, requests: int = 40) -> "FaultPlan":
        """A plan with at most three transport faults in a row."""
        chance = random.Random(seed)
        faults: dict[int, str] = {}
        for number in range(requests):
            if chance.random() < 0.35:
                faults[number] = chance.choice(TRANSPORT + tuple(paging))
            burst = [faults.get(number - back) in TRANSPORT for back in range(4)]
            if all(burst):
                del faults[number]
        return cls(faults, chance.choice((0.0, 0.0, 300.0, -300.0)))
