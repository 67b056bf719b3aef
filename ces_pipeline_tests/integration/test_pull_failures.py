"""A night on which a vendor fails: it is reported clearly everywhere and without secrets, the other sources continue,
and the next night catches up."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.cli import runs
from ces_pipeline.doctor import examine
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.land.pull import pull
from ces_pipeline.storage.duck import open_published
from ces_pipeline.vendors.zendesk.fake_server import FakeZendesk
from ces_pipeline_tests.api_sources import API_SOURCES, COUNT
from ces_pipeline_tests.builders import inbox_home


@pytest.mark.parametrize("name", sorted(API_SOURCES))
@pytest.mark.parametrize("status", [200, 401])
def test_a_vendor_that_quotes_what_it_was_sent_leaves_no_secret_anywhere(
    tmp_path: Path,
    name: str,
    status: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    source = API_SOURCES[name]
    secrets = [*source.environment.values(), "canary-person@example.org"]
    with source.make() as vendor:

        def quoting(asked: FakeRequest) -> FakeResponse:
            return FakeResponse(
                status,
                {"error": secrets, "message": f"{asked.headers} {secrets}"},
                headers={"X-Echo": secrets[0]},
            )

        vendor.answer = quoting  # type: ignore[method-assign]
        home = source.home(tmp_path, vendor)
        registry = home.registry
        outcome = pull(
            home.home, registry, registry.sources[name], clock=vendor.clock, environment=source.environment
        )
    (failure,) = outcome.failures
    assert failure.startswith(f"{name}: ")
    assert home.find(*secrets) == []
    written = f"{failure} {caplog.text} {capfd.readouterr()}"
    assert not [secret for secret in secrets if secret in written]


@pytest.mark.slow
def test_a_vendor_that_is_down_all_night_stops_nothing_else_and_the_next_night_catches_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ces_pipeline.http.clock.SystemClock.sleep", lambda _self, _seconds: None)
    monkeypatch.setattr("ces_pipeline.defs.raw._RETRY", None)
    desk, tool = API_SOURCES["zendesk"], API_SOURCES["rest"]
    for variable, value in {**desk.environment, **tool.environment}.items():
        monkeypatch.setenv(variable, value)
    with desk.make() as down, tool.make() as up:
        answer = down.answer
        down.answer = lambda _asked: FakeResponse(503, body=b"<html>maintenance</html>")  # type: ignore[method-assign]
        home = inbox_home(tmp_path, desk.entry(down.url), tool.entry(up.url))
        assert runs.run(home.home) is False
        shown = capsys.readouterr().err
        assert "raw/zendesk: zendesk: 127.0.0.1" in shown
        assert "GET /api/v2/incremental/tickets/cursor, last: status 503" in shown
        assert "warning: pull_failed: source_id zendesk, " in shown
        problems = [finding.text for finding in examine(home.home) if not finding.is_well]
        assert any(text.startswith("api of zendesk: 127.0.0.1") and "status 503" in text for text in problems)
        with open_published(home.home.published) as published:
            assert published.execute("SELECT count(*) FROM core.responses").fetchall() == [(COUNT,)]
        down.answer = answer  # type: ignore[method-assign]
        assert runs.run(home.home) is True
        assert "pull_failed" not in capsys.readouterr().err
        with open_published(home.home.published) as published:
            assert published.execute("SELECT count(*) FROM core.tickets").fetchall() == [(COUNT,)]


def test_what_is_written_back_to_tickets_comes_again_and_changes_no_answer(tmp_path: Path) -> None:
    """Any write changes the export's time and `updated_at`: the ticket returns with the same answer."""
    source = API_SOURCES["zendesk_field"]
    with source.make() as vendor:
        assert isinstance(vendor, FakeZendesk)
        for ticket in vendor.tickets:
            vendor.metrics[ticket["id"]] = {"ticket_id": ticket["id"], "solved_at": ticket["updated_at"]}
        home = inbox_home(tmp_path, source.entry(vendor.url, ignore=["updated_at"]))
        registry, landed = home.registry, []
        for _ in range(2):
            outcome = pull(
                home.home,
                registry,
                registry.sources["zendesk_field"],
                clock=vendor.clock,
                environment=source.environment,
            )
            assert outcome.failures == ()
            landed.append((outcome.records_pulled, outcome.rows_landed))
            vendor.clock.sleep(timedelta(hours=2).total_seconds())
            vendor.tickets = [_written_to(ticket, int(vendor.now_s) - 120) for ticket in vendor.tickets]
    assert landed == [(COUNT, COUNT), (COUNT, 0)]


def _written_to(ticket: dict[str, Any], at: int) -> dict[str, Any]:
    moved = {"generated_timestamp": at, "updated_at": f"2026-03-20T{at % 86_400 // 3600:02}:00:00Z"}
    return {**ticket, **moved, "tags": ["effort_known"]}
