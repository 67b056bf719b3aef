"""Protects the page: figures bit for bit, suppression, directions, rewording, hostile text, privacy, identical bytes."""

import re
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.pages import facts, page
from ces_pipeline.pages.facts import Ask, NoSuchPartError, Report
from ces_pipeline.pages.page import PageTooLargeError, render
from ces_pipeline.pages.words import Words
from ces_pipeline.registry.reports import OwnFigure, ReportSettings
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.lake_days import DAY, SmallHome, response, ticket
from ces_pipeline_tests.unit.pages.homes import (
    CHAT,
    NEWEST,
    facts_of,
    page_of,
    published_figures,
    report_home,
    values,
)

SHARE_AND_POINTS = re.compile(r"(mean|low|high|share|change|value|excess|rate|score)")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    return report_home(tmp_path_factory.mktemp("report") / "home")


@pytest.fixture(scope="module")
def report(home: SmallHome) -> Report:
    return facts_of(home)


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    return render(report, Words("en"))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]


def tags_of(text: str) -> _Tags:
    found = _Tags()
    found.feed(text)
    return found


def test_every_query_of_the_report_has_a_caption() -> None:
    assert len(facts.captions()) == len(sql_files("report")) > 15
    assert all(caption.endswith((".", ":")) for caption in facts.captions().values())


def test_the_newest_complete_week_is_shown_with_its_change(report: Report) -> None:
    assert (report.start, report.is_whole) == (NEWEST, True)
    by_id = {found.survey_id: found.now for found in report.touchpoints}
    assert {name: row["verdict"] for name, row in by_id.items() if row} == {
        "after_chat": "harder",
        "after_call": "no change shown",
    }


def test_every_figure_of_the_page_is_one_of_the_published_file(
    home: SmallHome, report: Report, text: str
) -> None:
    shown = values(text)
    assert len(shown) > 200
    assert set(shown) <= published_figures(home.home, report)


def test_the_figures_of_each_week_are_on_the_page(report: Report, text: str) -> None:
    shown = Counter(values(text))
    for touchpoint in report.touchpoints:
        for row in touchpoint.periods:
            for name in ("mean_ease_0_100", "ease_low_0_100", "ease_high_0_100", "difficult_share"):
                assert shown[row[name]] >= 1


def test_almost_every_printed_figure_carries_its_value(text: str) -> None:
    cells = re.findall(r"<td class=r>(.*?)</td>|<p class=\"figure\">(.*?)</p>", text)
    figures = [cell or tile for cell, tile in cells if re.search(r"\d", re.sub(r"<[^>]*>", "", cell or tile))]
    carrying = [cell for cell in figures if "data-v" in cell]
    assert len(figures) > 100
    assert len(carrying) / len(figures) >= 0.95


def test_the_same_facts_give_the_same_bytes(home: SmallHome, text: str) -> None:
    assert page_of(home) == text


def test_a_page_has_no_script_no_request_and_a_strict_policy(text: str) -> None:
    found = tags_of(text)
    assert not {"script", "iframe", "img", "object", "embed", "form"} & set(found.tags)
    assert all(link.startswith(("#", "data:,")) for link in found.links)
    assert "@import" not in text
    assert "url(" not in text
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text


def test_the_order_of_surveys_is_the_same_on_scales_of_opposite_direction(report: Report) -> None:
    # Before the newest week chats (a higher answer is easier) are easier than calls (a higher answer is harder).
    means = {
        found.survey_id: [row["mean_ease_0_100"] for row in found.periods[1:-1]]
        for found in report.touchpoints
    }
    assert min(means["after_chat"]) > max(means["after_call"])


def test_answers_keep_their_own_direction_and_colours(text: str) -> None:
    call = text[text.index("After a call</h2>") :]
    sentence = call.index('aria-label="The answers as they were given')
    colours = re.findall(r'<path class="(difficult|neutral|easy)" d="M([\d.]+)', call[sentence:])[:7]
    # 1 of effort 1 to 7 is on the left and easy.
    assert [colour for colour, _ in colours] == [
        "easy",
        "easy",
        "easy",
        "neutral",
        "difficult",
        "difficult",
        "difficult",
    ]
    assert [float(x) for _, x in colours] == sorted(float(x) for _, x in colours)


def test_words_of_direction_stand_with_the_figures(text: str) -> None:
    words = Words("en")
    assert words("direction") in text
    assert "a higher answer is harder" in text
    assert "a higher answer is easier" in text


def test_satisfaction_and_recommendation_stand_beside_effort_and_there_is_no_headline_of_all(
    home: SmallHome, report: Report, text: str
) -> None:
    (chat,) = (found for found in report.touchpoints if found.survey_id == "after_chat")
    assert chat.satisfaction is not None
    assert chat.satisfaction["mean_csat_0_100"] in values(text)
    assert chat.satisfaction["net_promoter_score"] in values(text)
    with open_published(home.home.published) as connection:
        of_all = connection.execute(
            "SELECT mean_ease_0_100 FROM mart.ces_segments WHERE dimension = 'all' AND mean_ease_0_100 IS NOT NULL"
        ).fetchall()
    assert of_all
    tiles = "".join(re.findall(r'<p class="figure">.*?</p>', text))
    assert len(values(tiles)) == 6
    assert not {mean for (mean,) in of_all} & set(values(tiles))


def test_below_the_minimum_n_no_ease_and_no_share_is_shown(tmp_path: Path) -> None:
    home = report_home(tmp_path / "home", minimum_n=10_000)
    found, text = facts_of(home), page_of(home)
    for touchpoint in found.touchpoints:
        assert all(
            row["mean_ease_0_100"] is None and row["difficult_share"] is None for row in touchpoint.periods
        )
        assert touchpoint.now is not None
        assert touchpoint.now["n"] > 0
    # What is left are counts, and figures of the programme about everything there is.
    sections = text[text.index('class="survey"') : text.index('id="hard"')]
    assert all(value == int(value) for value in values(sections))
    assert "0.0" not in re.sub(r"<svg.*?</svg>", "", sections)
    assert sections.count("suppressed") > 20


def test_the_current_week_is_shown_as_far_as_it_is_known(report: Report, text: str) -> None:
    for touchpoint in report.touchpoints:
        weeks = [row for row in touchpoint.current_days if row["is_week"]]
        assert [(row["first_day"], row["n"], row["is_suppressed"]) for row in weeks] == [
            (NEWEST + timedelta(days=7), 6, True)
        ]
    assert "not complete" in text


def test_a_rewording_breaks_the_line_and_no_change_is_told_across_it(tmp_path: Path) -> None:
    reworded = {**CHAT, "wording_version": "2", "wording_changes": {"2": NEWEST + timedelta(days=2)}}
    home = report_home(tmp_path / "home", chat=reworded)
    (chat,) = (found for found in facts_of(home).touchpoints if found.survey_id == "after_chat")
    assert chat.now is not None
    assert (chat.now["verdict"], chat.now["why_null"], chat.now["change_ease_0_100"]) == (
        None,
        "reworded",
        None,
    )
    text = page_of(home, surveys=("after_chat",))
    assert "reworded" in text
    # The line ends before the week that asks two questions.
    (wide, _) = re.findall(r'<polyline class="mean" points="([^"]+)"', text)
    assert len(wide.split()) == 7
    assert ">W1<" in text


def test_changes_of_one_day_and_two_rewordings_have_a_mark_each(tmp_path: Path) -> None:
    day = NEWEST - timedelta(days=5)
    reworded = {
        **CHAT,
        "wording_version": "3",
        "wording_changes": {"2": day - timedelta(days=14), "3": day},
    }
    files = {
        "releases": [{"id": "spring", "title": "Spring", "day": day}],
        "fixes": [
            {"id": "form", "title": "Form", "live_on": day, "categories": ["Billing"], "owner": "chat team"}
        ],
    }
    home = report_home(tmp_path / "home", chat=reworded, files=files)
    # The fix concerns the survey, because an answer is about a ticket of its category.
    home.clean("tickets", [ticket("T", category="Billing")])
    after = NEWEST + timedelta(weeks=1)
    home.clean("survey", [response("about", after, ticket_id="T")], day=after)
    home.publish("linked")
    (chat,) = (found for found in facts_of(home).touchpoints if found.survey_id == "after_chat")
    assert chat.now is not None
    # The week before has answers to two questions.
    assert (chat.now["verdict"], chat.now["why_null"]) == (None, "reworded")
    text = page_of(home, surveys=("after_chat",))
    for mark in ("W1", "W2", "R1", "F1"):
        assert f">{mark}<" in text


def test_a_home_with_a_single_answer_and_no_ticket_has_a_page(tmp_path: Path) -> None:
    home = report_home(tmp_path / "home", weeks=0)
    home.clean("survey", [response("only", DAY)])
    home.publish("one")
    found, text = facts_of(home), page_of(home)
    shown = {touchpoint.survey_id: touchpoint.now for touchpoint in found.touchpoints}
    assert shown["after_chat"] is not None
    assert (shown["after_chat"]["n"], shown["after_chat"]["mean_ease_0_100"]) == (1, None)
    assert shown["after_call"] is None
    assert "suppressed" in text
    assert "not complete" in text


def test_an_owner_and_a_survey_have_pages_of_their_own(home: SmallHome) -> None:
    assert [found.survey_id for found in facts_of(home, owners=("call team",)).touchpoints] == ["after_call"]
    assert [found.survey_id for found in facts_of(home, surveys=("after_chat",)).touchpoints] == [
        "after_chat"
    ]
    assert "After a chat" not in page_of(home, owners=("call team",))
    with pytest.raises(NoSuchPartError, match="known: after_call, after_chat"):
        facts_of(home, surveys=("after_chatt",))
    with pytest.raises(NoSuchPartError, match="call team, chat team"):
        facts_of(home, owners=("unknown team",))


def test_months_and_quarters_have_pages(home: SmallHome) -> None:
    month = facts_of(home, period="month", on=DAY + timedelta(days=35))
    assert (month.start and month.start.isoformat(), month.end.isoformat(), month.is_whole) == (
        "2026-04-01", "2026-04-30", False,
    )  # fmt: skip
    assert "April 2026" in page_of(home, period="month", on=DAY + timedelta(days=35))
    assert "Quarter 1 of 2026" in page_of(home, period="quarter", on=DAY)
    with pytest.raises(NoSuchPartError, match="no week that contains 2020-01-01"):
        facts_of(home, on=DAY.replace(year=2020, month=1, day=1))


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("weeks", [0, 1])
def test_a_home_with_no_or_hardly_any_answers_has_a_page_that_says_so(
    tmp_path: Path, weeks: int, language: Any
) -> None:
    home = report_home(tmp_path / "home", weeks=weeks)
    text = page_of(home, language)
    assert tags_of(text).tags["svg"] == (0 if weeks == 0 else tags_of(text).tags["svg"])
    assert (Words(language)("nothing_yet_title") in text) == (weeks == 0)


HOSTILE = "<script>alert(1)</script>\"'{{ 7 * 7 }}{% raw %} " + "W" * 500 + " \u202e\u05d0\u05d1 \U0001f600"


def test_hostile_text_is_text(tmp_path: Path) -> None:
    chat = {**CHAT, "title": HOSTILE, "wording": HOSTILE, "owner": HOSTILE}
    files = {
        "releases": [{"id": "r1", "day": str(NEWEST - timedelta(days=10)), "title": HOSTILE}],
        "fixes": [{"id": "f1", "title": HOSTILE, "live_on": str(NEWEST), "categories": [HOSTILE]}],
    }
    home = report_home(tmp_path / "home", chat=chat, files=files, comment=HOSTILE)
    text = page_of(home, comments=5)
    assert tags_of(text).tags["script"] == 0
    assert "&lt;script&gt;" in text
    assert "{{ 7 * 7 }}" in text


def test_comments_are_shown_only_if_asked_for(tmp_path: Path) -> None:
    home = report_home(tmp_path / "home", weeks=1, comment="the form was long")
    on = {"on": DAY}
    assert "the form was long" not in page_of(home, **on)
    assert page_of(home, comments=3, **on).count("the form was long") == 3


def test_no_key_of_a_person_or_an_answer_is_on_a_page(home: SmallHome, text: str) -> None:
    with open_published(home.home.published) as connection:
        keys = connection.execute(
            "SELECT response_key, respondent_key, response_id FROM core.responses"
        ).fetchall()
    hidden = {key for row in keys for key in row if key}
    assert len(hidden) > 500
    assert not any(key in text for key in hidden)


def test_a_page_that_no_mail_takes_is_refused(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_BYTES", 10_000)
    with pytest.raises(PageTooLargeError, match="--weeks"):
        render(report, Words("en"))


def test_a_page_of_one_survey_is_small(home: SmallHome) -> None:
    assert len(page_of(home, surveys=("after_chat",)).encode()) <= 100_000


def own(kind: str, query: str, home: SmallHome) -> str:
    (home.root / "registry" / "own.sql").write_text(query + ";\n")
    figure = OwnFigure.model_validate({"id": "own", "title": "Our own", "kind": kind, "sql": "own.sql"})
    ask = Ask(own=(figure,), registry=home.root / "registry")
    return render(facts.read(home.home, ask), Words("en"))


OWN = {
    "trend": "select week as label, n, mean_ease_0_100 as value, ease_low_0_100 as low, ease_high_0_100 as high from mart.week_changes where survey_id = 'after_chat'",
    "bands": "select week as label, * from mart.week_changes where survey_id = 'after_chat'",
    "intervals": "select segment as label, n, mean_ease_0_100 as value, ease_low_0_100 as low, ease_high_0_100 as high from mart.ces_segments where period = 'all' and dimension = 'channel'",
    "histogram": "select segment as label, n from mart.ces_segments where period = 'all' and dimension = 'channel'",
    "table": "select segment, n from mart.ces_segments where period = 'all' and dimension = 'channel'",
}


@pytest.mark.parametrize("kind", OWN)
def test_an_installation_adds_figures_of_its_own(home: SmallHome, text: str, kind: str) -> None:
    found = own(kind, OWN[kind], home)
    assert "Our own" in found
    drawn = tags_of(found).tags["svg"] - tags_of(text).tags["svg"]
    assert drawn == (0 if kind == "table" else 2)


def test_a_figure_without_the_columns_of_its_kind_is_refused(home: SmallHome) -> None:
    with pytest.raises(facts.CesError, match="lacks the column value"):
        own("trend", "select 1 as label, 2 as n", home)
    with pytest.raises(facts.CesError, match="nowhere"):
        own("table", "select * from nowhere", home)


def test_a_figure_is_read_from_the_registry_folder_only() -> None:
    for path in ("/etc/passwd.sql", "../other.sql", "figure.txt"):
        with pytest.raises(ValueError, match=r"no \.sql file below"):
            OwnFigure.model_validate({"id": "own", "title": "t", "kind": "table", "sql": path})
    one = {"id": "own", "title": "t", "kind": "table", "sql": "own.sql"}
    with pytest.raises(ValueError, match="two figures"):
        ReportSettings.model_validate({"figures": [one, one]})
