"""Protects the benchmark's export: the requested rows and days, the same bytes every time, mostly clean."""

from pathlib import Path

import pandas as pd

from ces_pipeline.demo.big_csv import write_big_csv


def test_rows_days_and_dirt(tmp_path: Path) -> None:
    write_big_csv(tmp_path / "a.csv", 20_000, 60, seed=1)
    write_big_csv(tmp_path / "b.csv", 20_000, 60, seed=1)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    frame = pd.read_csv(tmp_path / "a.csv", parse_dates=["started_at", "submitted_at", "recorded_at"])
    assert len(frame) == frame["response_id"].nunique() == 20_000
    assert frame["recorded_at"].dt.date.nunique() == 60
    assert str(frame["recorded_at"].max().date()) == "2026-10-31"
    assert (frame["started_at"] < frame["submitted_at"]).all()
    dirty = (
        frame["score"].isna()
        | (frame["score"] > 7)
        | (frame["status"] == "test")
        | ~frame["finished"]
        | (frame["duration_seconds"] < 2)
        | frame.duplicated(["email", "ticket_id"])
    )
    assert 0.03 < dirty.mean() < 0.08
    assert 0.3 < frame["comment"].notna().mean() < 0.37
    assert frame["score"].nunique() == 8
