"""Finds the formats of the times of an export, and their earliest and latest values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ces_pipeline.formats.contract import ROW_NUMBER, folded
from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.result import Question, TimeRange, ZoneIs
from ces_pipeline.profiling.rows import SAMPLE_ROWS
from ces_pipeline.profiling.spellings import MAY_BE_DURATIONS
from ces_pipeline.schemas.fields import fields_of
from ces_pipeline.schemas.kinds import KINDS

_HAS_ZONE = r"(Z|[+-]\d\d:?\d\d| [A-Z]{3,4}|^\d{10,13})$"
_DATES = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d/%b/%Y",
    "%d/%b/%y",
)
_TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
_CLOCKS = ("", *(before + clock for clock in _TIMES for before in (" ", ", ")))
_TWO_NUMBERS = re.compile(r"\d\D+\d")
_MAY_BE_DURATIONS = frozenset(map(folded, MAY_BE_DURATIONS))
_FORMATS = [date + clock for date in _DATES for clock in _CLOCKS]


@dataclass
class Times:
    """The strptime formats of the times of an export: from the source or the reader, and guessed ones."""

    naming: Naming
    formats: tuple[str, ...] = ()
    guessed_formats: tuple[str, ...] = ()

    def sql(self, field: str) -> str:
        """SQL for the time in the column of a field."""
        return self.naming.rows.time(self.naming.mapping[field], self.formats)

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
        if not self._fields() and not has_day:
            self._name_by_values()
        for column in self._fields().values():
            filled = self.naming.rows.count(f"{self.naming.rows.sql(column)} IS NOT NULL")
            if (
                filled
                and self.naming.rows.scalar(f"count({self.naming.rows.time(column, self.formats)})")
                < 0.9 * filled
            ):
                self._guess_format(column, filled)

    def _name_by_values(self) -> None:
        """Map the time field to the only column whose cells are times, or ask for the column."""
        kind = KINDS[self.naming.kind]
        field = "submitted_at" if kind.name == "survey" else kind.times[0]
        found = [column for column in self.naming.free_columns() if self.holds_times(column)]
        if len(found) == 1:
            self.naming.guessed[field] = self.naming.mapping[field] = found[0]
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
        read = rows.scalar(f"count({rows.time(column, self.formats)})", here)
        return bool(read >= enough) or max(self._fits(column, _FORMATS, here).values()) >= enough

    def _fits(self, column: str, candidates: Sequence[str], where: str = "true") -> dict[str, int]:
        """Format -> number of cells of the column that it can read."""
        sql = self.naming.rows.sql(column)
        counts = self.naming.rows.row(
            [
                f"count(*) FILTER (year(try_strptime({sql}, '{candidate}')) BETWEEN 1990 AND 2100)"
                for candidate in candidates
            ],
            where,
        )
        return dict(zip(candidates, counts, strict=True))

    def _guess_format(self, column: str, filled: int) -> None:
        # Most formats read nothing; the first rows are enough to exclude them.
        in_first_rows = self._fits(column, _FORMATS, f"{ROW_NUMBER} <= {SAMPLE_ROWS}")
        counts = self._fits(column, [form for form, count in in_first_rows.items() if count] or _FORMATS)
        best = [form for form, count in counts.items() if count >= 0.99 * filled]
        # For May, `%B` and `%b` read the same text: keep `%b`.
        best = [form for form in best if form.replace("%B", "%b") not in {*best} - {form}]
        if len(best) == 1:
            self.guessed_formats = tuple(dict.fromkeys((*self.guessed_formats, best[0])))
            self.formats = (*self.formats, best[0])
        elif best:
            self.naming.questions.append(
                Question(
                    f"{column}: day or month first? ({' or '.join(best)} fit)",
                    "time_formats of the source",
                    blocks=False,
                )
            )
        else:
            self.naming.notes.append(
                f"{column}: most cells are in no known time format: add the format to time_formats of the source"
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
            sql, time = self.naming.rows.sql(column), self.naming.rows.time(column, self.formats)
            earliest, latest, unreadable, without_zone, low, high, hours = self.naming.rows.row(
                [
                    f"min({time})::TIMESTAMP::VARCHAR",
                    f"max({time})::TIMESTAMP::VARCHAR",
                    f"count({sql}) - count({time})",
                    f"count(*) FILTER (NOT regexp_matches({sql}, '{_HAS_ZONE}'))",
                    f"min(hour({time}))",
                    f"max(hour({time}))",
                    f"count(DISTINCT hour({time}))",
                ]
            )
            found.append(TimeRange(name, column, earliest, latest, unreadable))
            naive = naive or bool(without_zone)
            if without_zone and hours >= 6 and low >= 1 and high <= 12:
                self.naming.notes.append(
                    f"{column}: all hours are 1 to 12: a 12-hour clock without AM/PM, so the hour is uncertain"
                )
            if hours == 1 and low == 0 and high == 0 and self.naming.rows.count("true") > 1:
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
