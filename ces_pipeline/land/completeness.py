"""Completeness of pulls: the vendor's own record counts next to the landed counts, as rows of `audit.pull_windows`.

Runs at the end of every pull, per UTC day, because vendors count by UTC. A failure here never stops a pull: the count
is then stored as unknown. `sql/mart/capture_daily.sql` computes the published figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import PullError
from ces_pipeline.land.landing_sql import own_id
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.land.paths import raw_file
from ces_pipeline.registry.sources import Source
from ces_pipeline.schemas.audit import PULL_WINDOWS
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.duck import readable
from ces_pipeline.storage.journal import add_rows, rows_of
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.vendors.contract import Connector, Window

LAG = timedelta(minutes=15)
"""Vendors count from indexes that are minutes behind their lists. The next pull counts newer records."""
SINGLE_DAYS = 31
"""Days before the pull that are counted one by one. All earlier days are counted once, as one span."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Completeness:
    """The completeness of one pull of one source."""

    lake: Lake
    source: Source
    connector: Connector
    pull_id: str
    now: datetime

    def ask(self, http: Http, covered: Sequence[tuple[Window, int]]) -> int | None:
        """Store expected and landed counts; returns the number of expected records, None if it is unknown.

        covered: spans that the pull received as one full export each, with their number of records.
        """
        windows, counts, detail = self._asked(http, covered)
        landed = self._landed(windows)
        rows = [
            {
                "pull_id": self.pull_id,
                "source_id": self.source.id,
                "stream": self.connector.counts,
                "window_start": window.since,
                "window_end": window.until,
                "landed": landed_count,
                "expected": count,
                "basis": "unknown" if count is None else self.connector.counted_how,
                "detail": None if count is not None else detail,
                "asked_at": self.now,
            }
            for window, landed_count, count in zip(windows, landed, counts, strict=True)
        ]
        add_rows(self.lake, PULL_WINDOWS, self.source.id, self.now, rows)
        known = [count for count in counts if count is not None]
        return sum(known) if known and len(known) == len(counts) else None

    def _asked(
        self, http: Http, covered: Sequence[tuple[Window, int]]
    ) -> tuple[list[Window], Sequence[int | None], str]:
        """(Windows, their expected counts, the reason for missing counts)."""
        detail = "the vendor gives no record count for a span of time"
        if covered:
            # A pull may read the same span twice (halved or retried): the last count is used.
            by_window = {(window.since, window.until): count for window, count in covered}
            return [Window(*span) for span in by_window], list(by_window.values()), detail
        windows = windows_to_ask(self._before(), self._since(), self.now - LAG)
        unknown: list[int | None] = [None] * len(windows)
        assert self.source.api is not None
        column = self.connector.counted_by(self.source.api)
        if column is None or not windows:
            return windows, unknown, detail
        if self._column_of_time() != column:
            field = KINDS[self.source.kind].times[0]
            reason = (
                f"the vendor counts by {column}, but the source reads {field} from another column. "
                f"Set columns.{field}: {column} for {self.source.id} in sources.yaml"
            )
            return windows, unknown, reason
        try:
            return windows, self.connector.expected(http, self.source.api, windows, self.now), detail
        except PullError as problem:
            return windows, unknown, f"the request for the count failed: {problem}"

    def _since(self) -> datetime:
        assert self.source.api is not None
        return datetime.combine(self.source.api.since, time.min, UTC)

    def _before(self) -> list[dict[str, Any]]:
        """Rows stored by earlier pulls of the source, oldest first."""
        found = rows_of(self.lake, PULL_WINDOWS, self.source.id)
        return sorted(found, key=lambda row: (row["asked_at"], row["window_start"]))

    def _column_of_time(self) -> str | None:
        """The export's column that gives a row its time, by the newest delivery's mapping."""
        deliveries = sorted(
            Ledger.read(self.lake, self.source.id).deliveries, key=lambda delivery: delivery.rank
        )
        if not deliveries:
            # Nothing has landed: every expected record is missing, in any window.
            assert self.source.api is not None
            return self.connector.counted_by(self.source.api)
        mapping = deliveries[-1].mapping
        return next((mapping[name] for name in KINDS[self.source.kind].times if name in mapping), None)

    def _landed(self, windows: Sequence[Window]) -> list[int]:
        """For each window, the number of records whose latest landed change lies in it."""
        if not windows:
            return []
        # The business day of an instant is that of UTC or one next to it.
        first = min(window.since for window in windows).date() - _DAY
        paths = [
            raw_file(self.source.id, delivery.delivery_id, day)
            for delivery in Ledger.read(self.lake, self.source.id).deliveries
            for day, (landed, _) in delivery.days.items()
            if landed and day >= first
        ]
        if not paths:
            return [0] * len(windows)
        counts_all = self.source.kind != "tickets" or self.connector.counts_deleted
        gone = "lower(coalesce(is_deleted, '')) = 'true' or status = 'deleted'"
        query = f"""
            with records as (
                select {own_id(self.source.kind).stored_as} as record_id, max(event_at) as changed_at
                from {{}}
                group by record_id
                {"" if counts_all else f"having not bool_or(coalesce({gone}, false))"}
            )
            select count(changed_at) filter (changed_at >= window_start and changed_at < window_end)
            from (
                select unnest($starts::timestamptz[]) as window_start, unnest($ends::timestamptz[]) as window_end
            )
            left join records on true
            group by window_start, window_end
            order by window_start, window_end
        """
        spans = {
            "starts": [window.since for window in windows],
            "ends": [window.until for window in windows],
        }
        with scratch() as connection, readable(connection, self.lake, paths) as rows:
            counted = connection.execute(query.format(rows), spans).fetchall()
        order = sorted(range(len(windows)), key=lambda at: (windows[at].since, windows[at].until))
        found = dict(zip(order, (count for (count,) in counted), strict=True))
        return [found[at] for at in range(len(windows))]


def windows_to_ask(before: Sequence[dict[str, Any]], since: datetime, until: datetime) -> list[Window]:
    """The spans to count, in order: spans that no pull counted, spans with missing records, and unfinished days.

    before: rows of `audit.pull_windows` of the source, oldest first. A span is one UTC day; all days more than
    SINGLE_DAYS before `until` are one span.
    """
    if until <= since:
        return []
    counted = {row["window_start"]: row for row in before if row["window_start"] >= since}
    starts = {
        start
        for start, row in counted.items()
        if row["expected"] is not None and row["landed"] < row["expected"] and row["window_end"] <= until
    }
    again = [Window(start, counted[start]["window_end"]) for start in starts]
    begin = max(counted, default=since)
    singles = max(begin, _midnight(until) - SINGLE_DAYS * _DAY, since)
    fresh = [Window(begin, singles)] if begin < singles else []
    while singles < until:
        end = min(_midnight(singles) + _DAY, until)
        fresh.append(Window(singles, end))
        singles = end
    asked = {window.since for window in fresh}
    return sorted(
        [*(window for window in again if window.since not in asked), *fresh], key=lambda window: window.since
    )


def _midnight(instant: datetime) -> datetime:
    return datetime.combine(instant.astimezone(UTC).date(), time.min, UTC)
