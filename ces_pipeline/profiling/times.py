"""Reads the times of an export as landing does: the order of day and month, and their earliest and latest values."""

import re
from dataclasses import dataclass

from ces_pipeline.formats.contract import ROW_NUMBER, folded
from ces_pipeline.formats.slash_dates import Shown, both, contradicts
from ces_pipeline.formats.times import DateOrder
from ces_pipeline.land.date_order import decided_order
from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.result import Question, TimeRange, ZoneIs
from ces_pipeline.profiling.rows import SAMPLE_ROWS
from ces_pipeline.profiling.spellings import MAY_BE_DURATIONS
from ces_pipeline.schemas.fields import fields_of
from ces_pipeline.schemas.kinds import KINDS

_HAS_ZONE = r"(?i:Z|[+-]\d\d:?\d\d(?: ?\(.*\))?|\s(?:UTC|GMT|[A-Z]{3,4})|^\d{10,13}(\.\d+)?)$"
_TWO_NUMBERS = re.compile(r"\d\D+\d")
_MAY_BE_DURATIONS = frozenset(map(folded, MAY_BE_DURATIONS))
_ORDERS: tuple[DateOrder | None, ...] = (None, "day", "month")


@dataclass
class Times:
    """How the times of an export are read.

    formats: the strptime formats of the source and the reader. date_order: of dates such as 02/11/2026: given, decided
    by the source or the reader, or shown by the file; None if it is unknown. new_order: the one for a new entry.
    """

    naming: Naming
    given_order: DateOrder | None = None
    formats: tuple[str, ...] = ()
    date_order: DateOrder | None = None
    new_order: DateOrder | None = None

    def sql(self, field: str) -> str:
        """SQL for the time in the column of a field."""
        return self._time(self.naming.mapping[field])

    def _time(self, column: str) -> str:
        return self.naming.rows.time(column, self.formats, self.date_order)

    def _fields(self) -> dict[str, str]:
        return {
            name: column
            for name, column in self.naming.mapping.items()
            if column in self.naming.rows.columns and fields_of(self.naming.kind)[name].treatment == "time"
        }

    def find_formats(self, *, has_day: bool = False) -> None:
        """Find the formats of the mapped times; ask if no column holds a time, unless the source has a fixed `day`."""
        self.formats = (
            *(self.naming.known_source.time_formats if self.naming.known_source else ()),
            *self.naming.export.time_formats,
        )
        if not self.naming.rows.columns:
            return
        for name, column in self._fields().items():
            if folded(column) in _MAY_BE_DURATIONS and not self.holds_times(column):
                self.naming.mapping.pop(name)
                self.naming.guessed.pop(name, None)
        has_time = self._fields().keys() & {*KINDS[self.naming.kind].times}
        if not has_time and not has_day:
            self._name_by_values()
        self._find_order()
        deciding = KINDS[self.naming.kind].times
        for name, column in self._fields().items():
            filled, read = self.naming.rows.times(
                column, self._time(column), ["count(cell)", "count(moment)"]
            )
            if filled and not read and name in deciding and not self._asks_for_order():
                self.naming.questions.append(
                    Question(
                        f"no cell of {column!r} can be read as a time: which column holds the times, or in which "
                        "format are they?",
                        "--column FIELD=COLUMN, or time_formats in the entry of sources.yaml",
                    )
                )
            elif read < 0.9 * filled and not self._asks_for_order():
                self.naming.notes.append(
                    f"{column}: {filled - read:,} of {filled:,} cells are in no known notation of a time: add its "
                    "format to time_formats of the source"
                )

    def _asks_for_order(self) -> bool:
        return any("--date-order" in question.answer_with for question in self.naming.questions)

    def _find_order(self) -> None:
        """Find what comes first in dates such as 02/11/2026, or ask."""
        self.date_order = self.given_order or decided_order(self.naming.known_source, self.naming.export)
        shown = both([self._shown(column) for column in self._fields().values()])
        if self.given_order:
            self.new_order = self.given_order
        if shown is None or self.date_order:
            return
        if shown in ("day", "month"):
            self.date_order = self.new_order = "day" if shown == "day" else "month"
            return
        text = (
            "no date shows it"
            if shown == "either"
            else "some dates begin with the day, others with the month: only other dates such as 2026-11-20 help"
        )
        self.naming.questions.append(
            Question(
                f"does the day or the month come first in dates such as 02/11/2026? ({text})",
                "--date-order day or --date-order month",
            )
        )

    def _shown(self, column: str) -> Shown | None:
        """What the dates of a column that no registered format reads show."""
        sql = self.naming.rows.sql(column)
        unread = f"{self.naming.rows.time(column, self.formats, None)} IS NULL"
        dates, day_first, month_first = self.naming.rows.row(
            [
                f"count(*) FILTER (regexp_matches({sql}, '^{pattern}') AND {unread})"
                for pattern in (contradicts(None), contradicts("month"), contradicts("day"))
            ]
        )
        if day_first and month_first:
            return "both"
        if not dates:
            return None
        return "day" if day_first else "month" if month_first else "either"

    def _name_by_values(self) -> None:
        """Map the time field to the only column whose cells are times, or ask for the column."""
        kind = KINDS[self.naming.kind]
        field = "submitted_at" if kind.name == "survey" else kind.times[0]
        found = [column for column in self.naming.free_columns() if self.holds_times(column)]
        if len(found) == 1:
            self.naming.guessed[field] = self.naming.mapping[field] = found[0]
            return
        if not found and "modified_at" in self.naming.guessed:
            changed = self.naming.guessed.pop("modified_at")
            del self.naming.mapping["modified_at"]
            self.naming.guessed[field] = self.naming.mapping[field] = changed
            self.naming.notes.append(
                f"{changed}: the only time of an answer is that of its last change, so an edited answer counts on the "
                "day of the edit"
            )
            return
        if found:
            listed = "; ".join(map(repr, found[:8]))
            self.naming.questions.append(
                Question(f"which column holds the times? ({listed})", f"--column {field}=COLUMN")
            )
        elif kind.name == "survey":
            self.naming.questions.append(
                Question(
                    "no column holds a time that can be read: on which day were these answered?",
                    f"--day YYYY-MM-DD, --day received for the day on which a file lands, or --column {field}=COLUMN",
                )
            )
        else:
            self.naming.questions.append(
                Question(
                    f"no column holds a time that can be read, and {kind.name} cannot be counted without a time",
                    f"--column {field}=COLUMN",
                )
            )

    def holds_times(self, column: str) -> bool:
        """Whether nearly all filled cells of the first rows are times. Plain numbers do not count: they may be ids."""
        cells = self.naming.sample[column]
        enough = 0.9 * len(cells)
        # Checked first, because trying all formats takes long and a survey has hundreds of columns.
        if not cells or sum(bool(_TWO_NUMBERS.search(cell)) for cell in cells) < enough:
            return False
        rows, here = self.naming.rows, f"{ROW_NUMBER} <= {SAMPLE_ROWS}"
        return any(
            rows.scalar(f"count({rows.time(column, self.formats, order)})", here) >= enough
            for order in _ORDERS
        )

    def _note_early_rows(self) -> None:
        first = self.naming.registry.settings.first_day
        deciding = [name for name in KINDS[self.naming.kind].times if name in self._fields()]
        if deciding:
            moment = f"coalesce({', '.join(map(self.sql, deciding))})"
            if early := self.naming.rows.count(f"{moment} < TIMESTAMPTZ '{first} 00:00:00Z'"):
                self.naming.notes.append(
                    f"{early:,} rows have a time before {first} and would be rejected: if the times are right, set "
                    "first_day in registry/settings.yaml to an earlier day"
                )

    def ranges(self, zone_is: ZoneIs) -> tuple[TimeRange, ...]:
        found = []
        naive = False
        for name, column in self._fields().items():
            earliest, latest, unreadable, without_zone, low, high, hours, rows, midnights = (
                self.naming.rows.times(
                    column,
                    self._time(column),
                    [
                        "min(moment)::TIMESTAMP::VARCHAR",
                        "max(moment)::TIMESTAMP::VARCHAR",
                        "count(cell) - count(moment)",
                        f"count(*) FILTER (NOT regexp_matches(cell, '{_HAS_ZONE}'))",
                        "min(hour(moment))",
                        "max(hour(moment))",
                        "count(DISTINCT hour(moment))",
                        "count(moment)",
                        "count(*) FILTER (date_trunc('day', moment) = moment)",
                    ],
                )
            )
            found.append(TimeRange(name, column, earliest, latest, unreadable))
            naive = naive or bool(without_zone)
            if without_zone and hours >= 6 and low >= 1 and high <= 12:
                self.naming.notes.append(
                    f"{column}: all hours are 1 to 12: a 12-hour clock without AM/PM, so the hour is uncertain"
                )
            if 1 < rows == midnights:
                self.naming.notes.append(f"{column}: dates without a time of day")
            if unreadable:
                self.naming.notes.append(f"{column}: {unreadable:,} cells are not a readable time")
        self._note_early_rows()
        if naive and zone_is == "assumed":
            self.naming.notes.append("times and file have no time zone: read as UTC")
            self.naming.questions.append(
                Question("in which time zone are the times?", "--time-zone ZONE", blocks=False)
            )
        return tuple(found)
