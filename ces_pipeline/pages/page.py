"""A report page: one self-contained HTML text from the facts, without JavaScript and without any request."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ces_pipeline.errors import CesError
from ces_pipeline.pages import figures
from ces_pipeline.pages.cells import Cells, Grid, grid
from ces_pipeline.pages.facts import Own, Report, Row, Rows, Touchpoint
from ces_pipeline.pages.figures import NARROW, WIDE, Key, Point, Shares
from ces_pipeline.pages.periods import last_day
from ces_pipeline.pages.words import Words

MOST_BYTES = 2_000_000
"""A larger page is refused: no mail takes it, and no one reads it."""
_KEYS = {"release": "R", "fix": "F", "wording": "W", "scale": "S", "incident": "I"}
_VERDICTS = {"harder": "verdict_harder", "easier": "verdict_easier", "no change shown": "verdict_none"}


class PageTooLargeError(CesError):
    """The page would be larger than MOST_BYTES."""


@dataclass(frozen=True)
class Figure:
    """A figure with its words and, behind a click, its table."""

    title: str
    note: str = ""
    drawn: str = ""
    table: Grid | None = None
    is_table_open: bool = False
    lines: tuple[Markup, ...] = ()


@dataclass(frozen=True)
class Tile:
    """A figure of the period with its qualifiers, one a line."""

    title: str
    value: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One survey."""

    anchor: str
    title: str
    facts: tuple[tuple[str, str], ...]
    verdict: str
    verdict_class: str
    tiles: tuple[Tile, ...]
    figures: tuple[Figure, ...] = field(default_factory=tuple)


def render(report: Report, words: Words) -> str:
    """The page. The same facts give the same text. Raises PageTooLargeError."""
    page = _Page(report, words).render()
    if len(page.encode()) > MOST_BYTES:
        raise PageTooLargeError(
            f"the page would have {len(page.encode()):,} bytes, and {MOST_BYTES:,} is the most. Show fewer periods "
            "(--weeks), fewer comments (--comments), or one survey or owner (--survey, --owner)"
        )
    return page


def render_index(links: Sequence[tuple[str, str]], latest: str | None, words: Words) -> str:
    """The list of pages. links: file name and title, newest first."""
    return str(_template("index.html.j2").render(words=words, links=links, latest=latest, css=_css()))


def _template(name: str) -> Any:
    environment = Environment(
        loader=PackageLoader("ces_pipeline.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _css() -> Markup:
    source = PackageLoader("ces_pipeline.pages").get_source(Environment(autoescape=True), "report.css")[0]
    # Written by the package, without any value of the data.
    return Markup("\n".join(line.strip() for line in source.splitlines() if line.strip()))  # noqa: S704


@dataclass(frozen=True)
class _Page:
    """Puts the facts into words and figures."""

    report: Report
    words: Words

    @property
    def cells(self) -> Cells:
        return Cells(self.words)

    @property
    def period_name(self) -> str:
        return self.words(self.report.ask.period)

    @property
    def suppressed(self) -> str:
        return self.words("suppressed")

    def render(self) -> str:
        report, words = self.report, self.words
        start = report.start
        heading = words.period(report.ask.period, start) if start else words("nothing_yet_title")
        of = " · ".join((*report.ask.owners, *report.ask.surveys))
        sections = [self._section(found, number) for number, found in enumerate(report.touchpoints, start=1)]
        return str(
            _template("report.html.j2").render(
                words=words,
                css=_css(),
                heading=heading,
                of=of,
                report=report,
                published_at=report.publication.published_at,
                selection=json.dumps({"owners": report.ask.owners, "surveys": report.ask.surveys}),
                opening=self._opening(),
                health=self._health(),
                sections=sections,
                hard=self._hard() if start else (),
                rest=self._rest(),
                own=[self._own(found) for found in report.own],
            )
        )

    def _opening(self) -> list[str]:
        found, words = self.report.publication, self.words
        lines = [words("header_minimum", n=words.number(found.minimum_n), suppressed=self.suppressed)]
        if found.first_day and found.last_day:
            lines.append(
                words(
                    "header_days",
                    zone=found.business_time_zone,
                    first=words.day(found.first_day),
                    last=words.day(found.last_day),
                )
            )
        if found.published_at:
            at = words.instant(found.published_at, found.business_time_zone)
            lines.append(words("header_published", at=f"{at} ({found.business_time_zone})"))
        if self.report.start and not self.report.is_whole:
            lines.append(words("not_complete_note", period=self.period_name))
        return lines

    def _health(self) -> list[str]:
        found, words, number = self.report.publication, self.words, self.words.number
        failed = [row["check_name"] for row in self.report.rows.get("checks", ())]
        lines = [words("health_failed", names=", ".join(failed)) if failed else words("health_good")]
        if found.days_waiting:
            lines.append(words("health_waiting", n=number(found.days_waiting)))
        if found.rows_rejected:
            lines.append(
                words("health_rejected", n=number(found.rows_rejected), landed=number(found.rows_landed))
            )
        if restated := self.report.rows.get("restated_days", ()):
            days = ", ".join(words.day(row["day"]) for row in restated)
            lines.append(words("health_restated", period=self.period_name, days=days))
        return lines

    # One survey.

    def _section(self, found: Touchpoint, number: int) -> Section:
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

    # What all surveys share.

    def _hard(self) -> list[Figure]:
        found = [self._incidents(), self._follow_ups()]
        if self.report.is_of_all:
            found += [self._stages(), self._categories(), self._personas(), self._fixes()]
        return [figure for figure in found if figure]

    def _rows(self, name: str) -> Rows:
        return self.report.rows.get(name, ())

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

    def _rest(self) -> list[Figure]:
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

    # Figures of the installation.

    def _own(self, own: Own) -> Figure:
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

    # Drawing.

    def _intervals(self, points: Sequence[Point], texts: Sequence[str], sentence: str) -> str:
        return self._twice(
            lambda width: figures.intervals(
                points,
                width=width,
                sentence=sentence,
                shown=lambda value: self.words.number(value),
                texts=texts,
                suppressed=self.suppressed,
            )
        )

    def _short(self, row: Mapping[str, Any], name: str, low: str, high: str, *, signed: bool = False) -> str:
        """The text at the right of an interval: figure, interval and n."""
        words = self.words
        n = f"{words('n_short')} {words.number(row['n'])}"
        if row[name] is None:
            return f"{self.suppressed}, {n}"
        shown = words.signed if signed else words.points
        if row[low] is None or row[high] is None:
            return f"{shown(row[name])}, {n}"
        return f"{shown(row[name])} ({words.between(shown(row[low]), shown(row[high]))}), {n}"

    def _twice(self, drawn: Callable[[int], str]) -> Markup:
        """A figure for wide and for narrow pages. Its texts were escaped when it was drawn."""
        return Markup(  # noqa: S704
            f'<div class="wide">{drawn(WIDE)}</div><div class="narrow">{drawn(NARROW)}</div>'
        )
