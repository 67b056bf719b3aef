"""Protects the start of `ces receive` and the status of `ces probe`: what is missing is one line, and nothing is served."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ces_pipeline.cli.main import main
from ces_pipeline_tests.builders import WEB, inbox_home
from ces_pipeline_tests.unit.receive.test_senders import FORM


def test_a_home_without_a_source_that_receives_is_told_how(tmp_path: Path) -> None:
    inbox_home(tmp_path, WEB)
    result = CliRunner().invoke(main, ["receive", "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert "`receive` block" in result.output


def test_a_missing_secret_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORM_SECRET", raising=False)
    inbox_home(tmp_path, FORM)
    result = CliRunner().invoke(main, ["receive", "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert "FORM_SECRET is not set" in result.output


def test_a_probe_without_a_published_file_fails_and_is_logged(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, WEB)
    result = CliRunner().invoke(main, ["probe", "--home", str(tmp_path), "--json"])
    assert result.exit_code == 1
    found = json.loads(result.stdout)["questions"]
    assert {one["failure"] for one in found} == {"there is no published file"}
    assert [path.suffix for path in (home.home.lake / "audit" / "probes" / "_all").glob("*.parquet")] == [
        ".parquet"
    ]
