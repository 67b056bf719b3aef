"""Protects the benchmark of the marts: it runs, times every mart and asks every question of the cookbook."""

import pytest

from ces_pipeline.storage.sql_files import sql_files
from ces_pipeline_tests.benchmarks.marts import main


def test_a_few_days_are_timed_for_every_mart_and_question(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--years", "0.02", "--responses", "40", "--tickets", "60"])
    printed = capsys.readouterr().out
    assert "280 responses and 420 tickets" in printed
    assert [file.table for file in sql_files("mart") if f"\n{file.table} " not in printed] == []
    assert [file.name for file in sql_files("queries") if f"\n{file.name} " not in printed] == []
