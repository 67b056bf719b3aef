"""The part of a page about one survey: its figures of the period, its trend, its answers and its segments."""

from markupsafe import Markup

from ces_pipeline.pages import figures
from ces_pipeline.pages.cells import grid
from ces_pipeline.pages.facts import Row, Touchpoint
from ces_pipeline.pages.figures import Key, Point, Shares
from ces_pipeline.pages.parts import Figure, Part, Section, Tile
from ces_pipeline.pages.periods import last_day

_KEYS = {"release": "R", "fix": "F", "wording": "W", "scale": "S", "incident": "I"}
_VERDICTS = {"harder": "verdict_harder", "easier": "verdict_easier", "no change shown": "verdict_none"}


class SurveySection(Part):
    """A survey in words and figures."""

    def section(self, found: Touchpoint, number: int) -> Section:
        survey, words = found.survey, self.words
        facts = []
        if survey["wording"]:
            facts.append((words("question"), survey["wording"]))
        if survey["scale_title"]:
            direction = f"scale_{survey['higher_means']}"
            text = words(direction, min=survey["min_score"], max=survey["max_score"])
            facts.append((words("scale"), f"{survey['scale_title']} ({text})"))
        if survey["owner"]:
            facts.append((words("owner"), survey["owner"]))
        verdict, verdict_class = self._verdict(found)
        return Section(
            anchor=f"survey-{number}",
            title=survey["title"],
            facts=tuple(facts),
            verdict=verdict,
            verdict_class=verdict_class,
            tiles=self._tiles(found),
            figures=tuple(figure for figure in self._figures_of(found) if figure),
        )

    def _verdict(self, found: Touchpoint) -> tuple[str, str]:
        words, now, period = self.words, found.now, self.report.ask.period
        if now is None or now["n"] == 0:
            return words("no_answers_period", period=self.period_name), "plain"
        if now["verdict"] is None:
            why = words.why(now["why_null"], period)
            return words("verdict_why", period=self.period_name, why=why), "plain"
        change = self.cells.change(now["change_ease_0_100"])
        ends = self.cells.interval(now, "change_low_0_100", "change_high_0_100", "change")
        text = Markup(words(_VERDICTS[now["verdict"]], period=self.period_name, change="{0}", interval="{1}"))  # noqa: S704
        return text.format(change, ends), now["verdict"].split()[0]

    def _tiles(self, found: Touchpoint) -> tuple[Tile, ...]:
        words, cells, now = self.words, self.cells, found.now
        tiles = []
        if now is not None and now["n"] > 0:
            few = (words("fewer_than", n=words.number(self.report.publication.minimum_n)),)
            hidden = now["is_suppressed"]
            ease_lines = (
                few
                if hidden
                else (
                    Markup("{}: {}").format(
                        words("interval"), cells.interval(now, "ease_low_0_100", "ease_high_0_100")
                    ),
                )
            )
            of_n = Markup("{} {}").format(cells.count(now["n"]), words("n"))
            tiles.append(Tile(words("ease"), cells.points(now["mean_ease_0_100"]), (*ease_lines, of_n)))
            share_lines = (
                few
                if hidden
                else (
                    Markup("{}: {}").format(
                        words("interval"),
                        cells.interval(now, "difficult_share_low", "difficult_share_high", "share"),
                    ),
                )
            )
            tiles.append(Tile(words("difficult_share"), cells.share(now["difficult_share"]), share_lines))
        tiles += [self._rate(row) for row in found.response_rates if row["basis"] != "none"]
        if (followed := found.follow_ups) and followed["why_null"] is None:
            tiles.append(
                Tile(
                    words("followed_up"),
                    cells.share(followed["followed_up_share"]),
                    (
                        cells.interval(followed, "followed_up_share_low", "followed_up_share_high", "share"),
                        words("followed_up_of", n=words.number(followed["final_answers"])),
                    ),
                )
            )
        if kpis := found.satisfaction:
            tiles += self._other_kpis(kpis)
        return tuple(tiles)

    def _rate(self, row: Row) -> Tile:
        words = self.words
        title = f"{words('response_rate')} ({words('all_days')})"
        if row["rate"] is None:
            return Tile(title, words("no_figure"), (row["why_null"] or self.suppressed,))
        of = words("of_views" if row["basis"] == "views" else "of_invited", n=words.number(row["n"]))
        return Tile(
            title,
            self.cells.share(row["rate"]),
            (self.cells.interval(row, "rate_low", "rate_high", "share"), of),
        )

    def _other_kpis(self, row: Row) -> list[Tile]:
        words, tiles = self.words, []
        for name, n, value, low, high in (
            ("csat", "csat_n", "mean_csat_0_100", "csat_low_0_100", "csat_high_0_100"),
            ("nps", "nps_n", "net_promoter_score", "net_promoter_score_low", "net_promoter_score_high"),
        ):
            if row[n]:
                of_n = Markup("{} {}").format(self.cells.count(row[n]), words("n"))
                lines = (self.cells.interval(row, low, high), of_n, words(f"{name}_note"))
                tiles.append(
                    Tile(words(name), self.cells.points(row[value]), tuple(line for line in lines if line))
                )
        return tiles

    def _figures_of(self, found: Touchpoint) -> list[Figure | None]:
        return [
            self._trend(found),
            self._bands(found),
            self._events(found),
            self._answers(found),
            self._segments(found),
            self._current(found),
            self._comments(found),
        ]

    def _trend(self, found: Touchpoint) -> Figure | None:
        words, rows = self.words, found.periods
        if len(rows) < 2:
            return None
        period, minimum = self.report.ask.period, self.report.publication.minimum_n
        points = [
            Point(
                label=words.axis(period, row["period_start"]),
                n=row["n"],
                value=row["mean_ease_0_100"],
                low=row["ease_low_0_100"],
                high=row["ease_high_0_100"],
                is_partial=not row["is_whole"],
                breaks=self._breaks(found, row),
            )
            for row in rows
        ]
        title = words("trend_title", period=self.period_name)
        sentence = f"{title}: {found.survey['title']}. {self._sentence(found)}"
        drawn = self._twice(
            lambda width: figures.trend(
                points,
                minimum_n=minimum,
                keys=self._keys(found),
                width=width,
                sentence=sentence,
                shown=lambda value: words.number(value),
            )
        )
        table = grid(
            [
                (self.period_name.capitalize(), False),
                (words("n_heading"), True),
                (words("ease"), True),
                (words("interval"), True),
                (words("change"), True),
                (words("verdict"), False),
                (words("difficult_share"), True),
                (words("interval"), True),
            ],
            [self._period_row(row) for row in reversed(rows)],
        )
        note = words("trend_note", n=words.number(minimum), period=self.period_name)
        return Figure(title, note, drawn, table)

    def _period_row(self, row: Row) -> tuple[str, ...]:
        words, cells, period = self.words, self.cells, self.report.ask.period
        if row["n"] == 0:
            return (words.period(period, row["period_start"]), cells.count(0), words("no_answers"), *[""] * 5)
        if row["verdict"] is None:
            change, verdict = Markup(""), words.why(row["why_null"], period)
        else:
            change, verdict = cells.change(row["change_ease_0_100"]), words(row["verdict"])
        return (
            words.period(period, row["period_start"]),
            cells.count(row["n"]),
            cells.points(row["mean_ease_0_100"]),
            cells.interval(row, "ease_low_0_100", "ease_high_0_100"),
            change,
            verdict,
            cells.share(row["difficult_share"]),
            cells.interval(row, "difficult_share_low", "difficult_share_high", "share"),
        )

    def _sentence(self, found: Touchpoint) -> str:
        """The newest figure in one sentence, for readers who do not see the figure."""
        words, now = self.words, found.now
        if now is None or now["mean_ease_0_100"] is None:
            return self.suppressed
        between = words.between(words.points(now["ease_low_0_100"]), words.points(now["ease_high_0_100"]))
        return f"{words('ease')} {words.points(now['mean_ease_0_100'])} ({between}). {words('direction')}"

    def _breaks(self, found: Touchpoint, row: Row) -> bool:
        """Whether the question changed within the period, or between it and the one before."""
        start, end = row["period_start"], last_day(self.report.ask.period, row["period_start"])
        before = next(
            (
                other["period_start"]
                for other in reversed(found.periods)
                if other["period_start"] < row["period_start"]
            ),
            start,
        )
        return any(
            event["kind"] in ("wording", "scale") and before < event["day"] <= end for event in found.events
        )

    def _named_events(self, found: Touchpoint) -> list[tuple[str, Row]]:
        counts: dict[str, int] = {}
        named = []
        for event in found.events:
            letter = _KEYS[event["kind"]]
            counts[letter] = counts.get(letter, 0) + 1
            named.append((f"{letter}{counts[letter]}", event))
        return named

    def _keys(self, found: Touchpoint) -> list[Key]:
        period, keys = self.report.ask.period, []
        for name, event in self._named_events(found):
            for number, row in enumerate(found.periods):
                start, end = row["period_start"], last_day(period, row["period_start"])
                if start <= event["day"] <= end:
                    keys.append(Key(name, number + (event["day"] - start).days / ((end - start).days + 1)))
        return keys

    def _events(self, found: Touchpoint) -> Figure | None:
        named = self._named_events(found)
        if not named:
            return None
        lines = tuple(
            Markup("<b>{}</b> {} {}: {}").format(name, self.words.day(event["day"]), *self._event_text(event))
            for name, event in named
        )
        return Figure(self.words("events_title"), lines=lines)

    def _event_text(self, event: Row) -> tuple[str, str]:
        words, kind = self.words, event["kind"]
        title = event["title"] or words("version", id=event["event_id"])
        if kind == "scale":
            return words("scale_change"), event["event_id"]
        if kind != "release":
            return words(kind), title
        if event["change_ease_0_100"] is None:
            if event["why"] is None:
                return words(kind), title
            return words(kind), f"{title}: {words('release_unknown', why=event['why'])}"
        key = {"harder": "release_harder", "easier": "release_easier"}.get(event["verdict"], "release_none")
        text = Markup(  # noqa: S704
            words(key, change="{0}", interval="{1}", before="{2}", after="{3}")
        ).format(
            self.cells.change(event["change_ease_0_100"]),
            self.cells.interval(event, "change_low_0_100", "change_high_0_100", "change"),
            self.cells.count(event["n_before"]),
            self.cells.count(event["n_after"]),
        )
        return words(kind), Markup("{}: {}").format(title, text)

    def _bands(self, found: Touchpoint) -> Figure | None:
        words, rows = self.words, found.periods
        if len(rows) < 2:
            return None
        points = [
            Shares(
                words.axis(self.report.ask.period, row["period_start"]),
                row["n"],
                row["difficult_share"],
                row["difficult_share_low"],
                row["difficult_share_high"],
                row["easy_share"],
            )
            for row in rows
        ]
        title = words("bands_title", period=self.period_name)
        drawn = self._twice(
            lambda width: figures.bands(
                points,
                width=width,
                sentence=f"{title}: {found.survey['title']}. {words('difficult_axis')}.",
                shown=lambda value: f"{words.number(100 * value)} %",
            )
        )
        return Figure(title, words("bands_note"), drawn)

    def _answers(self, found: Touchpoint) -> Figure | None:
        words, now = self.words, found.now
        if now is None or now["n"] == 0:
            return None
        title = words("answers_title")
        if now["is_suppressed"]:
            n = words.number(self.report.publication.minimum_n)
            return Figure(title, words("answers_suppressed", n=n))
        several = len({row["scale_id"] for row in found.answers}) > 1
        bars = [
            (
                f"{row['score']}" + (f" ({row['scale_id']})" if several else ""),
                row["n"],
                row["effort_band"] or "neutral",
            )
            for row in found.answers
        ]
        drawn = self._twice(
            lambda width: figures.histogram(
                bars,
                width=width,
                sentence=f"{title}: {found.survey['title']}.",
                shown=lambda value: words.number(value),
            )
        )
        return Figure(title, words("answers_note"), drawn)

    def _segments(self, found: Touchpoint) -> Figure | None:
        words, rows = self.words, found.segments
        if not rows:
            return None
        points, texts = [], []
        for row in rows:
            mixed = [words(name) for name in ("mixed_wordings", "mixed_scales") if row[f"is_{name}"]]
            label = f"{row['dimension']}: {row['segment']}" + (f" ({', '.join(mixed)})" if mixed else "")
            points.append(
                Point(label, row["n"], row["mean_ease_0_100"], row["ease_low_0_100"], row["ease_high_0_100"])
            )
            texts.append(self._short(row, "mean_ease_0_100", "ease_low_0_100", "ease_high_0_100"))
        title = words("segments_title")
        note = words(
            "segments_note", first=words.day(rows[0]["span_start"]), last=words.day(rows[0]["span_end"])
        )
        drawn = self._intervals(points, texts, f"{title}: {found.survey['title']}. {words('direction')}")
        table = grid(
            [
                (words("segments_title"), False),
                (words("n_heading"), True),
                (words("ease"), True),
                (words("difficult_share"), True),
            ],
            [
                (
                    point.label,
                    self.cells.count(row["n"]),
                    self.cells.with_interval(row, "mean_ease_0_100", "ease_low_0_100", "ease_high_0_100"),
                    self.cells.with_interval(
                        row, "difficult_share", "difficult_share_low", "difficult_share_high", "share"
                    ),
                )
                for point, row in zip(points, rows, strict=True)
            ],
        )
        return Figure(title, note, drawn, table)

    def _current(self, found: Touchpoint) -> Figure | None:
        words, cells, rows = self.words, self.cells, found.current_days
        if not rows:
            return None
        table = grid(
            [
                (words("day"), False),
                (words("n_heading"), True),
                (words("ease"), True),
                (words("difficult_share"), True),
            ],
            [
                (
                    f"{words.period('week', row['first_day'])} ({words('partial')})"
                    if row["is_week"]
                    else words.day(row["first_day"]),
                    cells.count(row["n"]),
                    cells.with_interval(row, "mean_ease_0_100", "ease_low_0_100", "ease_high_0_100"),
                    cells.with_interval(
                        row, "difficult_share", "difficult_share_low", "difficult_share_high", "share"
                    ),
                )
                for row in rows
            ],
        )
        note = words("current_note", n=words.number(self.report.publication.minimum_n))
        return Figure(words("current_title"), note, table=table, is_table_open=True)

    def _comments(self, found: Touchpoint) -> Figure | None:
        words = self.words
        if not found.comments:
            return None
        table = grid(
            [(words("day"), False), (words("answer"), True), (words("comment"), False)],
            [(words.day(row["day"]), words.number(row["score"]), row["comment"]) for row in found.comments],
        )
        return Figure(words("comments_title"), words("comments_note"), table=table, is_table_open=True)
