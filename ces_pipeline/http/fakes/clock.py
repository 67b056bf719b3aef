"""A clock that never waits: `sleep` moves its time forward. A client under test and its fake vendor share it."""

import threading
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Satisfies `ces_pipeline.http.clock.Clock`. `slept` lists every wait."""

    def __init__(self, start: datetime = datetime(2026, 3, 20, 2, tzinfo=UTC)):
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._elapsed += max(seconds, 0.0)
            self.slept.append(seconds)
