"""Raw files of an earlier release lack the keyed hash of the reference: they are cleaned, and their text is not published."""

from dataclasses import replace
from pathlib import Path

import pytest

from ces_pipeline import pipeline
from ces_pipeline.land.ledger import commit
from ces_pipeline_tests.builders import WEB, answer, inbox_home

FEED = {**WEB, "columns": {**WEB["columns"], "external_id": "ref"}}


@pytest.mark.parametrize("changed", [1, 2], ids=["one of two files", "all files"])
def test_answers_that_were_landed_with_a_readable_reference_are_cleaned_without_it(
    tmp_path: Path, changed: int
) -> None:
    home = inbox_home(tmp_path, FEED)
    for number in (1, 2):
        home.drop(f"{number}.csv", [answer(number, score=5, ref="contact-ann")])
    home.land()
    for path in sorted((home.home.lake / "raw").rglob("*.parquet"))[:changed]:
        name = str(path.relative_to(home.home.lake))
        rows = home.lake.read_table(name)
        place = rows.schema.get_field_index("external_id_key")
        home.lake.write_table(name, rows.set_column(place, "external_id", [["contact-ann"]]))
    for delivery in home.deliveries():
        commit(home.lake, replace(delivery, checksums={}))
    days = pipeline.stale_days(home.home, home.registry, "survey")
    [day] = pipeline.clean(home.home, home.registry, "survey", days, run_id="r")
    assert (day.accepted, day.problems) == (2, ())
    [path] = (home.home.lake / "core" / "responses").rglob("*.parquet")
    references = home.lake.read_table(str(path.relative_to(home.home.lake)))["external_id"].to_pylist()
    assert "contact-ann" not in references
    assert references.count(None) == changed
