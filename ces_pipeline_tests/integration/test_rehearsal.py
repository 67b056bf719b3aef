"""Protects the rehearsal of `ces inspect`: its counts are those of the run, and it changes nothing in the home."""

import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline import Home, clean, land, load_registry, publish, stale_days
from ces_pipeline.demo.generate import write_sample
from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.land.ledger import Ledger
from ces_pipeline.profiling import (
    Inspection,
    Rehearsal,
    inspect_file,
    rehearse,
    with_rehearsal,
    write_proposal,
)
from ces_pipeline.registry.starter import make_home
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.lake import Lake
from ces_pipeline_tests.real_data import real_data


def run(home: Home, source_id: str, path: Path, *, publishes: bool = False) -> None:
    """What `ces run` does after the file is copied into the inbox; it publishes only if asked, which takes long."""
    inbox = home.inbox / source_id
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, inbox / path.name)
    registry = load_registry(home.registry)
    assert [failure for outcome in land(home, registry) for failure in outcome.failures] == []
    for kind in registry.kinds:
        for _ in clean(home, registry, kind, stale_days(home, registry, kind), run_id="test"):
            pass
    if publishes:
        publish(home, registry, run_id="test")


def counted(home: Home, source_id: str, path: Path) -> tuple[Any, ...]:
    """(Rows, redelivered, accepted, rejected, reasons, days) of the file after the run, from the lake's own tables."""
    lake = Lake(home.lake)
    delivery_id = DeliveredFile(path).sha256
    (delivery,) = [
        known for known in Ledger.read(lake).of_source(source_id) if known.delivery_id == delivery_id
    ]
    reasons: Counter[str] = Counter()
    days: set[date] = set()
    numbers = []
    for table in KINDS[delivery.kind].tables:
        n = 0
        for day in lake.days(table):
            for row in lake.read_table(lake.day_file(table, day)).to_pylist():
                if row["delivery_id"] == delivery_id and row["source_id"] == source_id:
                    n += 1
                    days.add(day)
                    reasons.update(row.get("reasons") or [])
        numbers.append(n)
    return (delivery.rows_read, delivery.rows_redelivered, *numbers, dict(reasons), tuple(sorted(days)))


def foretold(found: Rehearsal) -> tuple[Any, ...]:
    assert found.failure is None
    return (found.rows, found.redelivered, found.accepted, found.rejected, found.reasons, found.days)


@pytest.mark.slow
def test_each_file_of_the_sample_is_foretold_whatever_has_landed_before(tmp_path: Path) -> None:
    """Six systems, one file after the other: redeliveries, revisions and duplicates depend on what has landed."""
    home = make_home(Home(tmp_path / "home"))
    exports = tmp_path / "exports"
    write_sample(exports, responses=600, days=8, seed=5)
    registry = load_registry(home.registry)
    files = [
        (source, path) for source in registry.sources for path in sorted((exports / source).rglob("*.*"))
    ]
    assert len(files) >= len(registry.sources)
    seen: Counter[str] = Counter()
    for source_id, path in files:
        found = rehearse(home, registry, source_id, path)
        run(home, source_id, path)
        assert foretold(found) == counted(home, source_id, path), path.name
        seen.update(rejected=found.rejected, redelivered=found.redelivered, superseded=found.superseded)
    assert seen["rejected"]
    assert all(rehearse(home, registry, source_id, path).has_landed_before for source_id, path in files)


def test_links_are_foretold_with_the_tickets_that_are_published(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    tickets, answers = tmp_path / "tickets.csv", tmp_path / "answers.csv"
    tickets.write_text(
        "Ticket ID,Status,Created,Updated\n"
        + "".join(f"{n},Open,2026-11-0{n} 08:00:00,2026-11-0{n} 09:00:00\n" for n in (1, 2, 3))
    )
    answers.write_text(
        "Response ID,Submitted at,Effort score,Ticket ID\n"
        "a,2026-11-04 09:00:00,6,1\nb,2026-11-04 10:00:00,5,3\nc,2026-11-04 11:00:00,5,9\nd,2026-11-04 12:00:00,5,\n"
    )
    assert entered(home, tickets, kind="tickets", source="desk").links is None
    run(home, "desk", tickets, publishes=True)
    found = entered(home, answers, source="form", scale="ease_1_7", survey="after_help")
    run(home, "form", answers)
    assert found.links == (3, 2)


@pytest.mark.parametrize(
    ("text", "given", "reasons"),
    [
        (
            "Response ID,Submitted at,Effort score\n1,,6\n2,,2\n3,2026-11-02 09:00:00,7\n",
            {"scale": "ease_1_7"},
            {"missing_time": 2},
        ),
        (
            "Ticket ID,Status,Created\n1,Closed,2026-03-02 09:00:00\n2,Open,\n",
            {"kind": "tickets"},
            {"missing_time": 1},
        ),
        (
            "Response ID,Submitted at,Effort score\n1,2026-11-02 09:00:00,7/7\n2,2026-11-02 09:01:00,4-5\n",
            {"scale": "ease_1_7", "score": "Effort score"},
            {"unknown_answer": 1},
        ),
    ],
    ids=["answers without a time", "a ticket without a time", "an answer that is none"],
)
def test_rejections_are_foretold(
    tmp_path: Path, text: str, given: dict[str, Any], reasons: dict[str, int]
) -> None:
    home = Home(tmp_path / "home").make()
    path = tmp_path / "export.csv"
    path.write_text(text)
    found = entered(home, path, source="new", **given)
    run(home, "new", path)
    assert found.reasons == reasons
    assert foretold(found) == counted(home, "new", path)


def test_unknown_words_are_foretold(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    path = tmp_path / "export.csv"
    path.write_text("Response ID,Submitted at,Effort score,Finished\n1,2026-11-02 09:00:00,6,perhaps\n")
    found = entered(home, path, source="new", scale="ease_1_7")
    assert found.marked == {"unknown_value": 1}
    assert found.unknown_words == {"finished": {"perhaps": 1}}


def test_a_file_of_which_nearly_all_would_be_rejected_is_not_written_unless_accepted(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    path = tmp_path / "export.csv"
    path.write_text("Response ID,Submitted at,Effort score\n" + "".join(f"{n},,6\n" for n in range(9)))
    registry = load_registry(home.registry)
    found = inspect_file(
        path, registry, scale="ease_1_7", time_zone="UTC", columns={"submitted_at": "Submitted at"}
    )
    for accepts in (False, True):
        asked = with_rehearsal(home, registry, found, path, source=None, accepts_rejected=accepts)
        assert [question.blocks for question in asked.questions if question.about == "rejected"] == [
            not accepts
        ]


def entered(home: Home, path: Path, **given: Any) -> Rehearsal:
    """The rehearsal of a new source, whose entries are then added to the registry."""
    found = inspected(home, path, **given)
    write_proposal(home, found)
    assert found.rehearsal is not None
    return found.rehearsal


def inspected(home: Home, path: Path, **given: Any) -> Inspection:
    registry = load_registry(home.registry)
    found = inspect_file(path, registry, **{"time_zone": "UTC", **given})
    return with_rehearsal(home, registry, found, path, source=None, accepts_rejected=True)


def test_a_rehearsal_writes_nothing_into_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    path = tmp_path / "answers.csv"
    path.write_text("Response ID,Submitted at,Effort score\na,2026-11-04 09:00:00,6\n")
    entered(home, path, source="form", scale="ease_1_7")
    run(home, "form", path)
    more = tmp_path / "more.csv"
    more.write_text(path.read_text() + "b,2026-11-05 09:00:00,2\n")

    def shown() -> dict[str, bytes]:
        files = [file for file in sorted(home.root.rglob("*")) if file.is_file()]
        return {str(file.relative_to(home.root)): file.read_bytes() for file in files}

    before = shown()
    found = rehearse(home, load_registry(home.registry), "form", more)
    assert (found.accepted, found.redelivered) == (1, 1)
    assert shown() == before


REAL = [
    ("surveys/google_forms/dask_2019_user_survey.csv.gz", {"scale": "ease_1_4"}),
    ("surveys/google_forms/dask_2020_user_survey.csv.gz", {"scale": "ease_1_4"}),
    ("surveys/qualtrics/excluder_qualtrics_raw.csv", {}),
    ("surveys/qualtrics/excluder_qualtrics_numeric.csv", {}),
    ("surveys/qualtrics/excluder_qualtrics_text.csv", {}),
    ("surveys/qualtrics/projoint_mummolo_nall_replication.csv.gz", {}),
    ("surveys/qualtrics/qualtricstools/survey_logic_legacy.csv", {}),
    ("surveys/qualtrics/qualtricstools/many_types_insights.csv", {}),
    ("surveys/surveymonkey/fte_masculinity_raw_responses.csv.gz", {}),
    ("surveys/surveymonkey/fte_star_wars.csv.gz", {}),
    ("surveys/surveygizmo/jupyter_2015_ux_SurveyExport.csv.gz", {}),
    (
        "surveys/touchpoints/sample_cx_responses_upload.csv.gz",
        {"score": "positive_ease", "scale": "ease_1_7"},
    ),
    ("tickets/zendesk/zenpy_recorded/TicketsIncrementalTest.test_pagination.jsonl.gz", {}),
    ("tickets/zendesk/zenpy_recorded/TestTicketsPagination.test_pagination.jsonl.gz", {}),
    ("tickets/zendesk/fivetran_dbt_seeds/ticket_data.csv", {"kind": "tickets"}),
    ("tickets/freshdesk/v2_all_tickets.json", {}),
    ("tickets/freshdesk/v2_ticket_1.json", {}),
    ("tickets/servicenow/uci_incident_event_log_opened_before_2016-04-01.csv.gz", {"kind": "tickets"}),
    ("tickets/cfpb/consumer_complaints.csv.gz", {"kind": "tickets"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "given"), REAL, ids=[name.rpartition("/")[2] for name, _ in REAL])
def test_real_files_are_foretold(tmp_path: Path, name: str, given: dict[str, Any]) -> None:
    """A file about which a question is open is rehearsed with the proposed entries as they are."""
    home = Home(tmp_path / "home").make()
    path = real_data(name)
    registry = load_registry(home.registry)
    try:
        found = inspect_file(path, registry, source="real", **given)
    except UnreadableFileError:
        pytest.skip("no reader takes this file")
    for file, entries in (("sources", found.proposal.sources_yaml), ("surveys", found.proposal.surveys_yaml)):
        (home.registry / f"{file}.yaml").write_text(entries)
    rehearsal = rehearse(home, load_registry(home.registry), "real", path)
    run(home, "real", path)
    assert foretold(rehearsal) == counted(home, "real", path)
    assert (
        rehearsal.accepted + rehearsal.rejected + rehearsal.redelivered + rehearsal.superseded
        == rehearsal.rows
    )
