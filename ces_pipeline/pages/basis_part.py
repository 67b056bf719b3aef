"""The part of a page on what its figures rest on."""

from markupsafe import Markup

from ces_pipeline.pages.cells import grid
from ces_pipeline.pages.facts import Row
from ces_pipeline.pages.parts import Figure, Part


class BasisPart(Part):
    """Checks, objectives, books and the metrics of the programme."""

    def figures(self) -> list[Figure]:
        found = [self._checks()]
        if self.report.is_of_all:
            found += [self._objectives(), self._books(), self._programme()]
        return [figure for figure in found if figure]

    def _checks(self) -> Figure | None:
        words, rows = self.words, self._rows("checks")
        if not rows:
            return None
        table = grid(
            [
                (words("check"), False),
                (words("severity"), False),
                (words("failures"), True),
                (words("what"), False),
            ],
            [
                (
                    row["check_name"],
                    words("severity_blocking" if row["is_blocking"] else "severity_warning"),
                    self.cells.count(row["failures"]),
                    row["detail"] or "",
                )
                for row in rows
            ],
        )
        return Figure(words("checks_title"), table=table, is_table_open=True)

    def _objectives(self) -> Figure | None:
        words, cells, rows = self.words, self.cells, self._rows("objectives")
        if not rows:
            return None
        table = grid(
            [
                (words("objectives_title"), False),
                (words("n_heading"), True),
                (words("baseline"), True),
                (words("value"), True),
                (words("target"), True),
                (words("state"), False),
            ],
            [
                (
                    row["title"],
                    cells.count(row["n"]),
                    cells.in_unit(row["baseline"], row["unit"]),
                    self._measured(row),
                    Markup("{} {}").format(
                        cells.in_unit(row["target"], row["unit"]),
                        words("by", day=words.day(row["target_day"])),
                    ),
                    row["state"],
                )
                for row in rows
            ],
        )
        return Figure(words("objectives_title"), table=table, is_table_open=True)

    def _measured(self, row: Row) -> str:
        """A value with its interval, or the reason for none."""
        cells = self.cells
        if row["value"] is None:
            return row["why_null"] or self.suppressed
        value = cells.in_unit(row["value"], row["unit"])
        if row["value_low"] is None or row["value_high"] is None:
            return value
        return Markup("{} ({} {} {})").format(
            value,
            cells.in_unit(row["value_low"], row["unit"]),
            self.words("to"),
            cells.in_unit(row["value_high"], row["unit"]),
        )

    def _books(self) -> Figure | None:
        words, cells, rows = self.words, self.cells, self._rows("books")
        if not rows:
            return None
        counted = (
            *("landed", "accepted", "suspect", "rejected", "redelivered"),
            *("superseded", "unlanded", "erased"),
        )
        table = grid(
            [
                (words("source"), False),
                *((words(name), True) for name in counted),
                (words("newest_day"), False),
            ],
            [
                (
                    row["source_id"],
                    *(cells.count(row[name]) for name in counted),
                    words.day(row["last_accepted_day"]) if row["last_accepted_day"] else "",
                )
                for row in rows
            ],
        )
        return Figure(words("books_title"), table=table, is_table_open=True)

    def _programme(self) -> Figure | None:
        words, rows = self.words, self._rows("programme")
        if not rows:
            return None
        table = grid(
            [
                (words("metric"), False),
                (words("value"), True),
                (words("n_heading"), True),
                (words("newest_day"), False),
            ],
            [
                (
                    row["metric"] + ("" if row["segment"] == "all" else f": {row['segment']}"),
                    self._measured(row),
                    self.cells.count(row["n"]),
                    words.day(row["day"]),
                )
                for row in rows
            ],
        )
        return Figure(words("programme_title"), table=table, is_table_open=True)
