"""The figures that an installation adds to its pages."""

from ces_pipeline.pages import figures
from ces_pipeline.pages.cells import grid
from ces_pipeline.pages.facts import Own
from ces_pipeline.pages.figures import Point, Shares
from ces_pipeline.pages.parts import Figure, Part


class OwnFigures(Part):
    """A figure from a query of the installation."""

    def figure(self, own: Own) -> Figure:
        words, entry = self.words, own.figure
        if not own.rows:
            return Figure(entry.title, entry.note or words("no_rows"))
        table = grid(
            [(name, isinstance(own.rows[0][name], int | float)) for name in own.columns],
            [[self._own_cell(row[name]) for name in own.columns] for row in own.rows],
        )
        if entry.kind == "table":
            return Figure(entry.title, entry.note, table=table, is_table_open=True)
        return Figure(entry.title, entry.note, self._own_drawn(own), table)

    def _own_cell(self, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.words("yes" if value else "no")
        if isinstance(value, int):
            return self.cells.count(value)
        if isinstance(value, float):
            return self.cells.figure(value, self.words.number(value, 2))
        return str(value)

    def _own_drawn(self, own: Own) -> str:
        words, entry, rows = self.words, own.figure, own.rows

        def plain(value: float) -> str:
            return words.number(value, 0 if float(value).is_integer() else 2)

        if entry.kind == "histogram":
            bars = [(str(row["label"]), int(row["n"]), "count") for row in rows]
            return self._twice(
                lambda width: figures.histogram(bars, width=width, sentence=entry.title, shown=plain)
            )
        if entry.kind == "bands":
            names = ("difficult_share", "difficult_share_low", "difficult_share_high", "easy_share")
            shares = [
                Shares(str(row["label"]), int(row["n"]), *(row[name] for name in names)) for row in rows
            ]
            return self._twice(
                lambda width: figures.bands(
                    shares,
                    width=width,
                    sentence=entry.title,
                    shown=lambda value: f"{words.number(100 * value)} %",
                )
            )
        points = [
            Point(str(row["label"]), int(row["n"] or 0), row["value"], row["low"], row["high"])
            for row in rows
        ]
        if entry.kind == "trend":
            return self._twice(
                lambda width: figures.trend(
                    points,
                    minimum_n=self.report.publication.minimum_n,
                    keys=(),
                    width=width,
                    sentence=entry.title,
                    shown=plain,
                    limits=None,
                )
            )
        texts = [
            self.suppressed
            if row["value"] is None
            else f"{plain(row['value'])}, {words('n_short')} {row['n']}"
            for row in rows
        ]
        return self._twice(
            lambda width: figures.intervals(
                points,
                width=width,
                sentence=entry.title,
                shown=plain,
                texts=texts,
                suppressed=self.suppressed,
                limits=None,
            )
        )
