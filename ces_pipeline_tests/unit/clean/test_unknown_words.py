"""Protects closed vocabularies: a word that no list knows marks its row and is counted, and never reads as harmless."""

from typing import Any

import pandas as pd
import pytest

from ces_pipeline.clean.tickets import clean_tickets
from ces_pipeline.proof.raw_rows import DAY
from ces_pipeline_tests.unit.clean.frames import RULE_VERSION, clean, raw_rows, reasons, registry

FORM = (DAY, "web")


def test_an_unknown_word_is_marked_and_counted_a_known_one_is_not() -> None:
    found = clean(
        registry(),
        {"finished": "Perhaps", "status": "ok"},
        {"finished": "perhaps"},
        {"finished": "nein", "status": " Perhaps "},
        {"finished": " ", "status": None},
    )
    assert reasons(found) == {
        "r0": ("unknown_value",),
        "r1": ("unknown_value",),
        "r2": ("unknown_value", "partial"),
        "r3": (),
    }
    assert found.unknown == {FORM: {"finished": {"Perhaps": 1, "perhaps": 1}, "status": {"Perhaps": 1}}}


def test_texts_of_people_are_not_kept() -> None:
    """A column of people that was mapped by mistake: addresses are redacted, long and many texts only counted."""
    rows = [{"status": f"person {number} wrote"} for number in range(30)]
    rows += [{"status": "write to ann@example.org"}, {"status": "x" * 41}]
    counted = clean(registry(), *rows).unknown[FORM]["status"]
    assert sum(counted.values()) == 32
    assert len(counted) == 21
    assert counted["(other texts)"] == 12
    assert "ann@example.org" not in repr(counted)


def cleaned_tickets(*rows: dict[str, Any], **source: Any) -> tuple[pd.DataFrame, Any]:
    judged_by = registry()
    entry = judged_by.sources["web"].model_copy(update={"kind": "tickets", "survey_column": None, **source})
    judged_by = judged_by.model_copy(update={"sources": {"web": entry}})
    found = clean_tickets(raw_rows(*rows, kind="tickets"), judged_by, RULE_VERSION)
    return found.accepted.set_index("ticket_id"), found.unknown


def test_an_unknown_word_for_deleted_is_neither_deleted_nor_kept() -> None:
    words = ("gelöscht", "0", None, "archived")
    tickets, unknown = cleaned_tickets(*({"is_deleted": word} for word in words))
    assert tickets["is_deleted"].astype(object).where(tickets["is_deleted"].notna(), None).to_list() == [
        True, False, False, None,
    ]  # fmt: skip
    assert [list(flags) for flags in tickets["flags"]] == [[], [], [], ["unknown_value"]]
    assert unknown == {FORM: {"is_deleted": {"archived": 1}}}


@pytest.mark.parametrize(
    ("source", "ratings"),
    [
        ({"csat_scale": "csat_1_5"}, {"1": 0.0, "3.0": 50.0, "5": 100.0, "Very satisfied": 100.0, "6": None}),
        ({"csat_scale": "csat_0_100"}, {"5": 5.0, "72.5": 72.5}),
        (
            {},
            {
                "Good": 100.0,
                "bad": 0.0,
                "80": 80.0,
                "3 %": 3.0,
                "3": None,
                "10": None,
                "0": 0.0,
                "so so": None,
            },
        ),
        ({"values": {"csat": {"103": "100"}}}, {"3": 3.0, "100": 100.0}),
    ],
)
def test_a_rating_is_read_on_the_registered_scale_and_small_numbers_are_no_percentages(
    source: dict[str, Any], ratings: dict[str, float | None]
) -> None:
    tickets, unknown = cleaned_tickets(*({"csat": text} for text in ratings), **source)
    read = tickets["csat_0_100"].astype(object).where(tickets["csat_0_100"].notna(), None).to_list()
    assert read == list(ratings.values())
    unread = {text: 1 for text, value in ratings.items() if value is None}
    assert unknown == ({FORM: {"csat": unread}} if unread else {})
