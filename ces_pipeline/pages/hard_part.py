"""The part of a page on where it is hard and what helped, over all surveys."""

from markupsafe import Markup

from ces_pipeline.pages import figures
from ces_pipeline.pages.cells import grid
from ces_pipeline.pages.figures import Point
from ces_pipeline.pages.parts import Figure, Part


class HardPart(Part):
    """Incidents, follow-ups, stages, categories, customers and fixes."""

    def figures(self) -> list[Figure]:
        found = [self._incidents(), self._follow_ups()]
        if self.report.is_of_all:
            found += [self._stages(), self._categories(), self._personas(), self._fixes()]
        return [figure for figure in found if figure]

    def _stages(self) -> Figure | None:
        words, rows = self.words, self._rows("stages")
        if not rows:
            return None
        points, texts = [], []
        for row in rows:
            mixed = f" ({words('mixed_scales')})" if row["is_mixed_scales"] else ""
            points.append(
                Point(
                    f"{row['process']}: {row['journey_stage']}{mixed}",
                    row["n"],
                    row["mean_ease_0_100"],
                    row["ease_low_0_100"],
                    row["ease_high_0_100"],
                )
            )
            texts.append(
                self._short(row, "mean_ease_0_100", "ease_low_0_100", "ease_high_0_100")
                if row["is_measured"]
                else words("nobody_asks")
            )
        title = words("stages_title")
        drawn = self._intervals(points, texts, f"{title}. {words('direction')}")
        table = grid(
            [
                (words("process"), False),
                (words("stage"), False),
                (words("n_heading"), True),
                (words("ease"), True),
            ],
            [
                (
                    row["process"],
                    row["journey_stage"],
                    self.cells.count(row["n"]),
                    self.cells.with_interval(row, "mean_ease_0_100", "ease_low_0_100", "ease_high_0_100")
                    if row["is_measured"]
                    else words("nobody_asks"),
                )
                for row in rows
            ],
        )
        return Figure(title, words("stages_note", day=words.day(rows[0]["week"])), drawn, table)

    def _categories(self) -> Figure | None:
        words, rows = self.words, self._rows("categories")
        if not rows:
            return None
        shown = [row for row in rows if row["excess_effort_0_100"] is not None]
        points = [
            Point(
                row["category"],
                row["n"],
                row["excess_effort_0_100"],
                row["excess_low_0_100"],
                row["excess_high_0_100"],
            )
            for row in shown
        ]
        texts = [
            self._short(row, "excess_effort_0_100", "excess_low_0_100", "excess_high_0_100", signed=True)
            for row in shown
        ]
        title = words("categories_title")
        note = words(
            "categories_note",
            first=words.day(rows[0]["first_day"]),
            last=words.day(rows[0]["last_day"]),
        )
        drawn = (
            self._twice(
                lambda width: figures.intervals(
                    points,
                    width=width,
                    sentence=f"{title}. {words('extra_effort')}.",
                    shown=lambda value: words.number(value),
                    texts=texts,
                    suppressed=self.suppressed,
                    limits=(-100, 100),
                    zero=True,
                    harder_above=0,
                )
            )
            if points
            else ""
        )
        table = grid(
            [
                (words("category"), False),
                (words("tickets"), True),
                (words("n_heading"), True),
                (words("extra_effort"), True),
            ],
            [
                (
                    row["category"],
                    self.cells.count(row["tickets"]),
                    self.cells.count(row["n"]),
                    self.cells.with_interval(
                        row, "excess_effort_0_100", "excess_low_0_100", "excess_high_0_100", "change"
                    ),
                )
                for row in rows
            ],
        )
        return Figure(title, note, drawn, table)

    def _personas(self) -> Figure | None:
        words, rows = self.words, self._rows("personas")
        if not rows:
            return None
        table = grid(
            [
                (words("category"), False),
                (words("persona"), False),
                (words("tickets"), True),
                (words("n_heading"), True),
                (words("extra_effort"), True),
            ],
            [
                (
                    row["category"],
                    row["persona"],
                    self.cells.count(row["tickets"]),
                    self.cells.count(row["n"]),
                    self.cells.with_interval(
                        row, "excess_effort_0_100", "excess_low_0_100", "excess_high_0_100", "change"
                    ),
                )
                for row in rows
            ],
        )
        return Figure(words("personas_title"), table=table, is_table_open=True)

    def _fixes(self) -> Figure | None:
        words, rows = self.words, self._rows("fixes")
        if not rows:
            return None
        table = grid(
            [
                (words("fix"), False),
                (words("since"), False),
                (words("method"), False),
                (words("n_heading"), True),
                (words("change_effort"), True),
                (words("verdict"), False),
            ],
            [
                (
                    row["title"],
                    words.day(row["live_on"]),
                    row["method"],
                    Markup("{} {} {}").format(
                        self.cells.count(row["n_before"]), words("and"), self.cells.count(row["n_after"])
                    ),
                    self.cells.with_interval(
                        row, "change_effort_0_100", "change_low_0_100", "change_high_0_100", "change"
                    )
                    if row["change_effort_0_100"] is not None
                    else words("no_figure"),
                    row["verdict"] if row["why"] is None else f"{row['verdict']}: {row['why']}",
                )
                for row in rows
            ],
        )
        return Figure(words("fixes_title"), words("fixes_note"), table=table, is_table_open=True)

    def _incidents(self) -> Figure | None:
        words = self.words
        ids = {found.survey_id for found in self.report.touchpoints}
        rows = [
            row
            for row in self._rows("incidents")
            if self.report.is_of_all or (row["dimension"] == "survey" and row["segment"] in ids)
        ]
        if not rows:
            return None
        table = grid(
            [
                (words("severity"), False),
                (words("what"), False),
                (words("since"), False),
                (words("who"), False),
            ],
            [
                (
                    row["severity"],
                    " · ".join(filter(None, (row["rule_id"], row["segment"], row["detail"]))),
                    words.day(row["first_affected_day"]),
                    row["who"] or "",
                )
                for row in rows
            ],
        )
        return Figure(words("incidents_title"), table=table, is_table_open=True)

    def _follow_ups(self) -> Figure | None:
        words, cells = self.words, self.cells
        rows = [
            (found.survey["title"], found.follow_ups)
            for found in self.report.touchpoints
            if found.follow_ups and found.follow_ups["not_followed_up"]
        ]
        if not rows:
            return None
        table = grid(
            [
                (words("survey"), False),
                (words("missing"), True),
                (words("in_all"), True),
                (words("followed_up"), True),
            ],
            [
                (
                    title,
                    cells.count(row["not_followed_up"]),
                    cells.count(row["final_answers"]),
                    cells.with_interval(
                        row, "followed_up_share", "followed_up_share_low", "followed_up_share_high", "share"
                    ),
                )
                for title, row in rows
            ],
        )
        return Figure(words("follow_ups_title"), words("follow_ups_note"), table=table, is_table_open=True)
