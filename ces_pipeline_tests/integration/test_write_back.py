"""Protects the round trip of a score: written to its ticket and pulled again, it changes no figure."""

from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.activation.scores import write_scores
from ces_pipeline.cli import runs
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.zendesk.fake_server import EMAIL, TOKEN, iso, ticket
from ces_pipeline_tests.builders import WEB, InboxHome, answer, inbox_home
from ces_pipeline_tests.pulled import entry
from ces_pipeline_tests.unit.activation.writable import WritableZendesk

pytestmark = pytest.mark.slow


class Stirring(WritableZendesk):
    """Like the vendor: an update moves the ticket to the end of the export."""

    def answer(self, asked: Any) -> Any:
        before = len(self.changes)
        reply = super().answer(asked)
        for number, *_ in self.changes[before:]:
            (found,) = [item for item in self.tickets if str(item["id"]) == number]
            found |= {"generated_timestamp": int(self.now_s) - 3600, "updated_at": iso(self.now_s - 3600)}
        return reply


def asked(home: InboxHome, query: str) -> list[tuple[Any, ...]]:
    with open_published(home.home.published) as connection:
        return connection.execute(query).fetchall()


def figures(home: InboxHome) -> list[list[tuple[Any, ...]]]:
    """The data of tickets and answers, without the time of a ticket's last update."""
    return [
        asked(home, query)
        for query in (
            "SELECT ticket_id, status, created_at, solved_at, reopens FROM core.tickets ORDER BY ticket_id",
            "SELECT response_id, score, revision FROM core.responses ORDER BY response_id",
            "SELECT response_key, method FROM core.response_tickets ORDER BY response_key",
            "SELECT ticket_key, resolution_minutes, reopens, handoffs FROM mart.ticket_effort ORDER BY ticket_key",
        )
    ]


def test_a_written_score_comes_back_only_as_a_version_of_its_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZD_EMAIL", EMAIL)
    monkeypatch.setenv("ZD_TOKEN", TOKEN)
    with Stirring([ticket(number) for number in (1, 2, 3)]) as vendor:
        auth = {"kind": "basic_token", "user": "ZD_EMAIL", "password": "ZD_TOKEN"}
        desk = entry(
            "desk",
            vendor,
            {"connector": "zendesk", "auth": auth},
            kind="tickets",
            reader="zendesk_json",
            write_back={"field": "4711"},
        )
        web = {**WEB, "columns": {**WEB["columns"], "ticket_id": "case"}}
        home = inbox_home(tmp_path, web, desk, settings={"first_day": "2026-03-01", "minimum_n": 2})
        home.drop("answers.csv", [answer(number, case=number, score=number) for number in (1, 2)])
        assert runs.run(home.home)
        before = figures(home)
        for expected in ([("1", None, 1), ("2", None, 2)], []):
            changes = len(vendor.changes)
            write_scores(home.home, home.registry.sources["desk"], is_dry=False, clock=vendor.clock)
            assert vendor.changes[changes:] == expected
            assert runs.run(home.home)
            assert figures(home) == before
        assert asked(home, "SELECT count(*) FROM core.ticket_versions") == [(5,)]
