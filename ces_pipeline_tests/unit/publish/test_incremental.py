"""Protects updates from changed rows: each case changes rows that a rule must follow, and must equal a rebuild."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ces_pipeline.publish import compaction, incremental
from ces_pipeline.publish import rules as rules_module
from ces_pipeline.publish.checksum import file_sha256, write_checksums
from ces_pipeline.publish.rules import rules
from ces_pipeline.storage.sql_files import SqlFile, derived_files
from ces_pipeline_tests.lake_days import DAY, NOON, SmallHome, days_from, response, small_home, ticket

DAYS = days_from(DAY, 12)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    """Twelve days, published: each with two answers and two tickets of persons who come back every fourth day."""
    small = small_home(tmp_path_factory.mktemp("incremental") / "home")
    for number, day in enumerate(DAYS):
        small.clean(
            "survey",
            [
                response(f"named{number}", day, ticket_id=f"a{number}", ease=25.0 * (number % 5)),
                response(f"person{number}", day, respondent_key=f"p{number % 4}", ease=75.0),
            ],
            day=day,
        )
        at = NOON + timedelta(days=number)
        small.clean(
            "tickets",
            [
                ticket(
                    f"a{number}", day, category="Billing", created_at=at, solved_at=at, resolution_minutes=9.0
                ),
                ticket(
                    f"b{number}",
                    day,
                    category="login",
                    created_at=at - timedelta(hours=3),
                    solved_at=at - timedelta(hours=1),
                    requester_key=f"p{number % 4}",
                    replies=number,
                ),
            ],
            day=day,
        )
    small.publish()
    return small


@pytest.fixture
def small(published: SmallHome, tmp_path: Path) -> SmallHome:
    return published.copied(tmp_path / "home")


def another_spelling(small: SmallHome) -> None:
    """Two of three newer tickets write the category otherwise: the most frequent spelling stays, then changes."""
    rows = [ticket(f"c{number}", DAYS[-1], category="BILLING", created_at=NOON) for number in range(20)]
    small.clean("tickets", rows, day=DAYS[-1])


def an_opening_at_last(small: SmallHome) -> None:
    """A source that had never reported when a ticket was opened reports it for one ticket: its other ones were no log."""
    for number, day in enumerate(DAYS):
        at = NOON + timedelta(days=number)
        steps = [
            ticket(f"a{number}", day, updated_at=at),
            ticket(f"a{number}", day, updated_at=at + timedelta(hours=1), state="solved"),
        ]
        small.clean("tickets", steps, day=day)
    result = small.publish("log")
    assert (result.published, result.rebuilt_because) == (True, "")
    assert small.rows("SELECT count(created_at) FROM core.tickets") == [(12,)]
    small.clean("tickets", [ticket("a5", DAYS[5], created_at=NOON)], day=DAYS[5])


def a_chain_of_merges(small: SmallHome) -> None:
    """The ticket of an answer was merged four times over, and only the last one of the chain changes."""
    chain = [ticket(f"m{number}", DAYS[2], merged_into=f"m{number + 1}") for number in range(4)]
    small.clean("tickets", chain, day=DAYS[2])
    small.clean("survey", [response("asked", DAYS[8], ticket_id="m0")], day=DAYS[8])
    assert not small.publish("chain").rebuilt
    small.clean("tickets", [ticket("m4", DAYS[6], category="late")], day=DAYS[6])


def an_earlier_contact(small: SmallHome) -> None:
    """A late ticket of a person makes the next one of the same category a repeated contact."""
    late = ticket("late", DAYS[2], category="login", created_at=NOON + timedelta(days=2), requester_key="p3")
    small.clean("tickets", [late], day=DAYS[2])


def an_answer_without_its_ticket(small: SmallHome) -> None:
    """The ticket of an answer is gone, and so is the only ticket that an answer of a person matched."""
    small.clean("tickets", [], day=DAYS[4])


def the_newest_day_moves_back(small: SmallHome) -> None:
    small.clean("survey", [], day=DAYS[-1])
    small.clean("tickets", [], day=DAYS[-1])


def the_first_day_moves_on(small: SmallHome) -> None:
    small.clean("survey", [], day=DAYS[0])
    small.clean("tickets", [], day=DAYS[0])


def a_changed_answer(small: SmallHome) -> None:
    """Only the score of an answer changes: its ticket's figures, and the week of the ticket, change with it."""
    rows = [
        response("named7", DAYS[7], ticket_id="a7", ease=0.0),
        response("person7", DAYS[7], respondent_key="p3", ease=75.0),
    ]
    small.clean("survey", rows, day=DAYS[7])


def the_same_rows_again(small: SmallHome) -> None:
    """The day was cleaned again, in another file, with the same rows."""
    rows = [
        response("person7", DAYS[7], respondent_key="p3", ease=75.0),
        response("named7", DAYS[7], ticket_id="a7", ease=50.0),
    ]
    small.clean("survey", rows, day=DAYS[7])


@pytest.mark.parametrize(
    "change",
    [
        another_spelling,
        an_opening_at_last,
        a_chain_of_merges,
        an_earlier_contact,
        an_answer_without_its_ticket,
        the_newest_day_moves_back,
        the_first_day_moves_on,
        a_changed_answer,
        the_same_rows_again,
    ],
)
def test_an_update_from_changed_rows_has_the_rows_of_a_rebuild(
    small: SmallHome, change: Callable[[SmallHome], None]
) -> None:
    change(small)
    result = small.publish("updated")
    assert result.published
    assert result.rebuilt_because == ""
    compared = small.rebuild()
    assert compared.rebuilt_because
    assert compared.differences == ()


@pytest.mark.slow
def test_a_large_table_of_which_only_differing_rows_are_written_may_have_a_null_in_its_key(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incremental, "SMALL_TABLE_ROWS", 0)
    unknown = "SELECT contacts FROM mart.contact_frequency WHERE place IS NULL"
    assert small.rows(unknown) == [(len(DAYS),)]
    # Without the answer of the unknown person.
    small.clean("survey", [response("person7", DAYS[7], respondent_key="p3", ease=75.0)], day=DAYS[7])
    assert small.publish("updated").rebuilt_because == ""
    assert small.rows(unknown) == [(len(DAYS) - 1,)]
    assert small.rebuild().differences == ()


@pytest.mark.slow
def test_many_small_updates_in_a_row_are_made_in_place(small: SmallHome) -> None:
    """DuckDB may leave a file shorter than its count of blocks: such a file is complete."""
    for number in range(8):
        rows = [response(f"new{number}-{answer}", DAYS[number]) for answer in range(50 * number)]
        small.clean("survey", rows, day=DAYS[number])
        assert small.publish(f"night-{number}").rebuilt_because == ""


@pytest.mark.slow
def test_a_table_whose_updated_rows_are_wrong_is_named_and_replaced(small: SmallHome) -> None:
    with duckdb.connect(str(small.home.published)) as connection:
        connection.execute("UPDATE mart.ces_daily SET n = n + 1 WHERE day = $day", {"day": DAYS[0]})
    write_checksums(small.home.published, [file_sha256(small.home.published)])
    result = small.rebuild()
    assert result.published
    assert [line.partition(":")[0] for line in result.differences] == ["mart.ces_daily"]
    assert small.rows("SELECT sum(n) FROM mart.ces_daily") == [(2 * len(DAYS),)]
    assert small.rebuild("again").differences == ()


def test_only_tables_with_a_changed_row_count_as_filled(small: SmallHome) -> None:
    the_same_rows_again(small)
    assert "mart.ces_daily" not in small.publish("same").filled
    a_changed_answer(small)
    filled = small.publish("changed").filled
    assert {"mart.ces_daily", "mart.ticket_effort", "mart.category_effort"} <= set(filled)
    assert "core.tickets" not in filled


@pytest.mark.slow
def test_a_changed_setting_fills_the_tables_that_read_it_in_full(small: SmallHome) -> None:
    changed = small_home(small.root, repeat_contact_days=1, minimum_n=3)
    changed.delivery_days = small.delivery_days
    result = changed.publish("setting")
    assert result.rebuilt_because == ""
    assert changed.rebuild().differences == ()


@pytest.mark.slow
def test_a_file_that_updates_have_blown_up_is_compacted(
    small: SmallHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "UNUSED_BYTES", 1_000)
    sizes = [small.home.published.stat().st_size]
    compacted = 0
    for number in range(4):
        small.clean("survey", [response(f"x{number}", DAYS[5])], day=DAYS[5])
        result = small.publish(f"night-{number}")
        assert result.rebuilt_because == ""
        compacted += result.compacted
        sizes.append(small.home.published.stat().st_size)
    assert compacted
    assert max(sizes) <= 1.1 * sizes[0] + 1_000
    assert small.rebuild().differences == ()


def test_every_rule_names_inputs_that_its_query_reads() -> None:
    reads = {file.table: file.reads for file in derived_files()}
    for table, rule in rules().items():
        for part in rule.parts:
            assert part.inputs.keys() <= reads[table]
            assert bool(part.inputs) == (part.scope is not None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("-- scope\nselect 1;\n", "needs a part"),
        ("select 1;\n", "replaces CONDITION"),
        ("-- replaces a = 1\n-- scope\n", "needs a part"),
    ],
)
def test_a_rule_of_another_form_is_refused_with_its_file(
    monkeypatch: pytest.MonkeyPatch, text: str, named: str
) -> None:
    monkeypatch.setattr(rules_module, "sql_files", lambda _: (SqlFile("changes", "tickets", text),))
    with pytest.raises(ValueError, match=named) as raised:
        rules.__wrapped__()
    assert "sql/changes/tickets.sql" in str(raised.value)
