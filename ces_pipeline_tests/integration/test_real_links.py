"""Real foreign keys between a help desk's tables, through the links and their coverage, against the known counts."""

import shutil
from pathlib import Path

import duckdb
import pytest

from ces_pipeline.home import Home
from ces_pipeline.pipeline import KINDS, clean, land, publish, stale_days
from ces_pipeline.registry import load_registry
from ces_pipeline_tests.real_data import real_data

_SEEDS = "tickets/zendesk/fivetran_dbt_seeds"
# Each table that names tickets stands for a survey that asks nothing: its rows, and how many name a known ticket. Of
# the 38 rows of the field history three repeat another word for word, so they are redelivered.
_KNOWN = {
    "ticket_sla_policy": (10, 10),
    "ticket_field_history": (38, 19),  # 35 different rows: of rows without an id, equal ones are several
    "ticket_chat": (10, 1),
    "ticket_comment": (20, 0),
}
_COLUMNS = {
    "ticket_sla_policy": "{submitted_at: policy_applied_at, ticket_id: ticket_id}",
    "ticket_field_history": "{submitted_at: updated, ticket_id: ticket_id}",
    "ticket_chat": "{submitted_at: _fivetran_synced, ticket_id: ticket_id}",
    "ticket_comment": "{response_id: id, submitted_at: created, ticket_id: ticket_id}",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("links")).make()
    feeds = [
        "- {id: desk, kind: tickets, reader: csv, columns: {ticket_id: id, created_at: created_at, "
        "updated_at: updated_at, status: status, category: type, channel: via_channel}}",
        *(
            f"- {{id: {name}, kind: survey, reader: csv, survey: {name}, columns: {columns}}}"
            for name, columns in _COLUMNS.items()
        ),
    ]
    (home.registry / "sources.yaml").write_text("\n".join(feeds))
    (home.registry / "surveys.yaml").write_text(
        "\n".join(f"- {{id: {name}, required: []}}" for name in _KNOWN)
    )
    for feed, table in (("desk", "ticket"), *((name, name) for name in _KNOWN)):
        (home.inbox / feed).mkdir(parents=True)
        shutil.copy(real_data(f"{_SEEDS}/{table}_data.csv"), home.inbox / feed)
    registry = load_registry(home.registry)
    assert [line for feed in land(home, registry) for line in feed.failures] == []
    for kind in KINDS:
        for day in clean(home, registry, kind, stale_days(home, registry, kind), run_id="real"):
            assert day.problems == ()
    assert publish(home, registry, run_id="real").published
    return home


def _rows(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_every_named_ticket_is_found_or_said_to_be_missing(home: Home) -> None:
    found = _rows(
        home.published,
        """
        SELECT source_id, count(*), count(*) FILTER (method = 'ticket_id'),
            count(*) FILTER (method = 'named_not_found')
        FROM core.responses LEFT JOIN core.response_tickets USING (response_key) GROUP BY 1
        """,
    )
    assert {name: (rows, linked) for name, rows, linked, _ in found} == _KNOWN
    assert all(rows == linked + missing for _, rows, linked, missing in found)


def test_coverage_counts_the_same_links(home: Home) -> None:
    (found,) = _rows(
        home.published,
        "SELECT sum(responses), sum(linked_by_ticket_id), sum(named_not_found), sum(without_ticket) "
        "FROM mart.link_coverage_daily",
    )
    rows, linked = (sum(known[place] for known in _KNOWN.values()) for place in (0, 1))
    assert found == (rows, linked, rows - linked, 0)
