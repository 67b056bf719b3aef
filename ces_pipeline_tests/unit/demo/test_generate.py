"""Protects the sample's files: deterministic, in the vendors' formats, and equal to the known answers when counted."""

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ces_pipeline.demo import KnownAnswers, write_sample
from ces_pipeline.demo.surveys import COMMENT_SLIDE, EASE_SLIDE, POLL_ID
from ces_pipeline.errors import CesError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import shipped
from ces_pipeline.registry import load_registry
from ces_pipeline.vendors.catalog import READERS

RESPONSES = 3_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, KnownAnswers]:
    folder = tmp_path_factory.mktemp("sample")
    return folder, write_sample(folder, responses=RESPONSES)


def qualtrics_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        records = list(csv.reader(stream))
    assert json.loads(records[2][0]) == {"ImportId": "startDate", "timeZone": "America/New_York"}
    assert "\n" in records[1][records[0].index("Q2")]
    return [dict(zip(records[0], record, strict=True)) for record in records[3:]]


def first_cells(folder: Path, column: int) -> list[str]:
    """A cell, near the start, of every row below the header."""
    lines = [line for path in folder.iterdir() for line in path.read_text(encoding="cp1252").splitlines()[1:]]
    return [line.split(",")[column] for line in lines]


def jsons(folder: Path) -> list[dict]:
    lines = [line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.endswith("}")]


def test_the_same_arguments_write_the_same_bytes(sample: tuple[Path, KnownAnswers], tmp_path: Path) -> None:
    folder, _ = sample
    write_sample(tmp_path, responses=RESPONSES)
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes()


def test_another_seed_writes_other_answers(sample: tuple[Path, KnownAnswers], tmp_path: Path) -> None:
    assert write_sample(tmp_path, responses=RESPONSES, seed=8).surveys != sample[1].surveys


def test_the_known_answers_survive_their_file(sample: tuple[Path, KnownAnswers]) -> None:
    folder, known = sample
    assert KnownAnswers.read(folder / "known_answers.json") == known


def test_the_known_counts_reconcile(sample: tuple[Path, KnownAnswers]) -> None:
    _, known = sample
    for day in known.survey_days + known.ticket_days:
        assert day["landed"] == sum(day[k] for k in ("redelivered", "superseded", "accepted", "rejected"))
    assert known.total("landed") - known.total("redelivered") - known.total("superseded") == RESPONSES


def test_the_second_qualtrics_export_repeats_the_first_but_for_revisions(
    sample: tuple[Path, KnownAnswers],
) -> None:
    folder, known = sample
    early, late = (qualtrics_rows(path) for path in sorted((folder / "qualtrics_support").iterdir()))
    later = {row["ResponseId"]: row for row in late}
    assert len(later) == len(late)
    same = sum(later[row["ResponseId"]] == row for row in early)
    assert known.total("redelivered", "qualtrics_support") == same
    assert known.total("superseded", "qualtrics_support") == len(early) - same > 0
    assert known.total("landed", "qualtrics_support") == len(early) + len(late)


def test_qualtrics_flaws_counted_in_the_file_are_those_known(sample: tuple[Path, KnownAnswers]) -> None:
    folder, known = sample
    rows = qualtrics_rows(max((folder / "qualtrics_support").iterdir()))
    expected: Counter[str] = Counter()
    for day in known.survey_days:
        if day["source_id"] == "qualtrics_support":
            expected.update(day["reasons"])
    found = Counter(
        test_response=sum(row["Status"] != "0" for row in rows),
        incomplete=sum(not row["Q2"] for row in rows),
        partial=sum(bool(row["Q2"]) and row["Finished"] == "0" for row in rows),
        score_off_scale=sum(row["Q2"] in ("0", "8") for row in rows),
        unknown_answer=sum(row["Q2"] == "no idea" for row in rows),
        failed_attention_check=sum(row["Q1"] != "5" for row in rows),
        too_fast=sum(row["Duration (in seconds)"] == "1" for row in rows),
        missing_time=sum(not row["RecordedDate"] for row in rows),
        time_order=sum(row["StartDate"] > row["EndDate"] for row in rows),
        in_the_future=sum(row["RecordedDate"] > "2099" for row in rows),
    )
    assert found == {reason: expected[reason] for reason in found}
    assert min(found.values()) > 0


def test_times_are_local_and_no_clock_change_makes_them_ambiguous(sample: tuple[Path, KnownAnswers]) -> None:
    folder, known = sample
    by_day: Counter[str] = Counter()
    for path in (folder / "phone_ivr").iterdir():
        for line in path.read_text(encoding="cp1252").splitlines()[1:]:
            written = line.split(",")[5]
            local = datetime.strptime(written, "%d/%m/%Y %H:%M:%S")
            early, late = (local.replace(tzinfo=ZoneInfo("Europe/London"), fold=fold) for fold in (0, 1))
            assert early.utcoffset() == late.utcoffset()
            if not line.endswith("transferred") and local.year < 2099:
                by_day[early.astimezone(UTC).date().isoformat()] += 1
    expected = {
        day["day"]: day["landed"]
        for day in known.survey_days
        if day["source_id"] == "phone_ivr" and day["day"] != "received"
    }
    assert by_day == expected


def test_named_tickets_exist_unless_planted_missing(sample: tuple[Path, KnownAnswers]) -> None:
    folder, known = sample
    pages = jsons(folder / "zendesk_support")
    tickets = {ticket["id"]: ticket for page in pages for ticket in page["tickets"]}
    assert len(tickets) == known.tickets["zendesk_support"]["unique"]
    incidents = set(first_cells(folder / "servicenow_it", column=0))
    assert len(incidents) == known.tickets["servicenow_it"]["unique"]
    qualtrics = qualtrics_rows(max((folder / "qualtrics_support").iterdir()))
    named = [row["ticket_id"] for row in qualtrics] + [row["ticket"] for row in jsons(folder / "chat_widget")]
    named += first_cells(folder / "phone_ivr", column=3)
    exists = [name in incidents or (name.isdigit() and int(name) in tickets) for name in named if name]
    # Rejected answers also name tickets, and at most a tenth of the answers is rejected.
    assert 0.9 * exists.count(True) < known.links["ticket_id"] <= exists.count(True)
    assert 0 < known.links["named_not_found"] <= exists.count(False) < 0.1 * len(exists)
    orders = {
        answer["metadata"]["order_id"]
        for path in (folder / "zigpoll_checkout").iterdir()
        for answer in json.loads(path.read_text())["data"]
    } - {None}
    assert orders == {ticket["external_id"] for ticket in tickets.values()} - {None}


def test_the_pages_of_one_export_overlap_as_known(sample: tuple[Path, KnownAnswers]) -> None:
    folder, known = sample
    seen: Counter[tuple[int, str, int]] = Counter()
    for page in jsons(folder / "zendesk_support"):
        ids = [ticket["id"] for ticket in page["tickets"]]
        assert [ticket["requester_id"] for ticket in page["tickets"]] == [
            user["id"] for user in page["users"]
        ]
        assert ids == [metric["ticket_id"] for metric in page["metric_sets"]]
        assert len(set(ids)) == len(ids)
        seen.update((t["id"], t["updated_at"], t["generated_timestamp"]) for t in page["tickets"])
    days = [day for day in known.ticket_days if day["source_id"] == "zendesk_support"]
    updates = {(number, updated) for number, updated, _ in seen}
    assert sum(day["landed"] for day in days) == seen.total()
    assert sum(day["accepted"] for day in days) == len(updates)
    assert sum(day["superseded"] for day in days) == len(seen) - len(updates) > 0
    assert sum(day["redelivered"] for day in days) == seen.total() - len(seen) > 0


def test_incident_updates_dated_before_their_opening_count_as_updates(
    sample: tuple[Path, KnownAnswers],
) -> None:
    folder, known = sample
    opened, updated = (
        [datetime.strptime(text, "%d/%m/%Y %H:%M") for text in first_cells(folder / "servicenow_it", column)]
        for column in (7, 8)
    )
    assert any(late < first for first, late in zip(opened, updated, strict=True))
    days = [day for day in known.ticket_days if day["source_id"] == "servicenow_it"]
    assert sum(day["accepted"] for day in days) == len(updated)
    assert sum(day["rejected"] for day in days) == 0


def test_the_starter_registry_reads_what_the_sample_writes(sample: tuple[Path, KnownAnswers]) -> None:
    folder, _ = sample
    registry = load_registry(shipped("registry"))
    assert {path.name for path in folder.iterdir() if path.is_dir()} == set(registry.sources)
    assert registry.survey_names[POLL_ID] == "checkout_ease"
    zigpoll = registry.sources["zigpoll_checkout"].columns
    assert (zigpoll["score"], zigpoll["comment"]) == (f"slide:{EASE_SLIDE}", f"slide:{COMMENT_SLIDE}")
    assert registry.settings.business_time_zone == "UTC"


def test_every_source_reads_the_known_number_of_rows(sample: tuple[Path, KnownAnswers]) -> None:
    folder, known = sample
    registry = load_registry(shipped("registry"))
    landed: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    for day in known.survey_days + known.ticket_days:
        landed[day["source_id"]] += day["landed"]
        unreadable[day["source_id"]] += day.get("reasons", {}).get("unreadable_row", 0)
    for source in registry.sources.values():
        rows = unreadable_rows = 0
        for path in (folder / source.id).iterdir():
            export = READERS[source.reader].read(DeliveredFile(path), source)
            assert set(source.columns.values()) <= set(export.columns)
            rows += sum(batch.num_rows for batch in export.batches)
            unreadable_rows += len(export.unreadable)
        assert (rows + unreadable_rows, unreadable_rows) == (landed[source.id], unreadable[source.id])


def test_a_folder_with_exports_is_not_changed(tmp_path: Path) -> None:
    mine = tmp_path / "phone_ivr" / "mine.csv"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(CesError, match="already contains files"):
        write_sample(tmp_path)
    assert mine.read_text() == "mine"


def test_a_sample_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CesError, match="at least 2 days"):
        write_sample(tmp_path, days=1)


@pytest.mark.parametrize("responses", [10, 57, 400])
def test_the_counts_of_small_samples_reconcile(tmp_path: Path, responses: int) -> None:
    known = write_sample(tmp_path, responses=responses, days=2, last_day=date(2026, 3, 2))
    assert known.total("landed") - known.total("redelivered") - known.total("superseded") == responses
