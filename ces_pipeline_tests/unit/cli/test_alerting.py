"""Protects `ces alert` and `ces ack`, and that a run alerts at its end and publishes what it reported."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from ces_pipeline.home import Home
from ces_pipeline.storage import last_results
from ces_pipeline.storage.duck import open_published
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.unit.cli.test_cli import ces, with_export
from ces_pipeline_tests.unit.watch.test_channels import KEY, Hook

ALERTS = {
    "channels": [{"id": "hook", "kind": "webhook", "url": "HOOK_URL", "secret": "HOOK_SECRET"}],
    "rules": [
        {
            "id": "late",
            "owner": "CX data team",
            "severity": "critical",
            "channels": ["hook"],
            "checks": ["feed_without_rows_yesterday"],
        }
    ],
}


class NowHook(Hook):
    """A receiver by the machine's clock."""

    @property
    def now_s(self) -> float:
        return datetime.now(UTC).timestamp()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[NowHook]:
    with NowHook() as opened:
        monkeypatch.setenv("HOOK_URL", f"{opened.url}/in")
        monkeypatch.setenv("HOOK_SECRET", base64.b64encode(KEY).decode())
        yield opened


def rows(home: Home, query: str) -> list[tuple[object, ...]]:
    with open_published(home.published) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_a_run_alerts_publishes_what_it_sent_and_says_it_once(tmp_path: Path, hook: NowHook) -> None:
    home = with_export(tmp_path)
    (home.registry / "alerts.yaml").write_text(yaml.safe_dump(ALERTS), encoding="utf-8")
    first = ces("run", "--home", home.root, "--json")
    assert first.exit_code == 0, first.output
    report = json.loads(first.stdout)
    assert (report["messages_sent"], report["failed_channels"]) == ({"hook": 1}, [])
    (incident,) = report["open_incidents"]
    assert (incident["rule_id"], incident["state"]) == ("late", "open")
    assert rows(home, "SELECT channel_id, status, incident_count FROM audit.alert_deliveries") == [
        ("hook", "sent", 1)
    ]
    assert rows(home, "SELECT value FROM mart.program_metrics WHERE metric = 'alerts' AND n = 1") == [(1.0,)]

    again = json.loads(ces("run", "--home", home.root, "--json").stdout)
    assert (again["published"], again["messages_sent"], len(hook.asked)) == ("unchanged", {}, 1)

    taken = ces(
        "ack", incident["incident_id"][:8], "--by", "ada@example.org", "--note", "on it", "--home", home.root
    )
    assert taken.exit_code == 0, taken.output
    assert "ada@example.org" not in taken.output
    shown = ces("alert", "--dry-run", "--home", home.root)
    assert "acknowledged by" in shown.output
    assert len(hook.asked) == 1
    (known,) = json.loads(ces("alert", "--dry-run", "--json", "--home", home.root).stdout)["open_incidents"]
    assert known["state"] == "acknowledged"


def test_alert_prints_what_it_would_send_and_fails_with_the_channel(tmp_path: Path, hook: NowHook) -> None:
    home = with_export(tmp_path)
    rule = {**ALERTS["rules"][0], "checks": None, "sources": "all"}  # type: ignore[dict-item]
    text = yaml.safe_dump(
        {**ALERTS, "rules": [{key: value for key, value in rule.items() if value is not None}]}
    )
    (home.registry / "alerts.yaml").write_text(text, encoding="utf-8")
    assert "nothing would be sent" in ces("alert", "--dry-run", "--home", home.root).output
    last_results.record(Lake(home.lake), "land-web", [""], {"": ["export.csv: no header [row 1]"]})
    planned = ces("alert", "--dry-run", "--home", home.root)
    assert planned.exit_code == 0
    assert "would be sent to hook: [critical] source web: export.csv: no header [row 1]" in planned.output
    assert hook.asked == []
    hook.status = 403
    refused = ces("alert", "--home", home.root)
    assert (refused.exit_code, "channel hook" in refused.stderr) == (1, True)
    assert "403" in ces("doctor", "--home", home.root).output
    hook.status = 204
    assert "messages sent to hook: 1" in ces("alert", "--home", home.root).output


def test_an_unknown_incident_is_named_with_those_that_are_open(tmp_path: Path) -> None:
    home = with_export(tmp_path)
    failed = ces("ack", "abc", "--home", home.root)
    assert failed.exit_code == 1
    assert "'abc' (open: none)" in failed.stderr
