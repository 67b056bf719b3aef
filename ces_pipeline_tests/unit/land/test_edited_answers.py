"""Protects the newer of two contents that an API shows under the same time: the later pull's counts, whatever its hash."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.step import land_opened, open_file
from ces_pipeline.pipeline import clean, stale_days
from ces_pipeline.registry import load_registry
from ces_pipeline.storage.lake import Lake

_NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5, 7])
def test_an_answer_edited_without_a_new_time_takes_the_content_of_the_later_pull(
    tmp_path: Path, score: int
) -> None:
    home = Home(tmp_path).make()
    (home.registry / "surveys.yaml").write_text("- {id: after_chat, scale: ease_1_7}\n")
    (home.registry / "sources.yaml").write_text(
        "- {id: web, kind: survey, reader: csv, survey: after_chat, "
        "columns: {response_id: id, recorded_at: at, score: score}}\n"
    )
    registry = load_registry(home.registry)
    for night, said in enumerate((6, score)):
        content = f"id,at,score\nr1,2026-11-01T10:00:00Z,{said}\n".encode()
        moment = _NOW + timedelta(days=night)
        opened = open_file(registry.sources["web"], DeliveredFile.in_memory("page", content))
        assert land_opened(home, registry, registry.sources["web"], opened, moment) is not None
    days = stale_days(home, registry, "survey")
    assert [result.accepted for result in clean(home, registry, "survey", days, run_id="test")] == [1]
    rows = Lake(home.lake).read_table(Lake(home.lake).day_file("core.responses", days[0])).to_pylist()
    assert [(row["score"], row["revision"]) for row in rows] == [(score, 2)]
