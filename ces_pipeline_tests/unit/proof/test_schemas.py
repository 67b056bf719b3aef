"""Protects the proof of the schemas: every fault is refused, and a validation that lets one pass is named."""

import pandas as pd
import pandera.pandas as pa
import pytest

from ces_pipeline.proof import schemas as proof
from ces_pipeline.proof.schemas import faults_of_day_file, faults_of_post_processor, uncaught_by_schemas
from ces_pipeline.publish import derived
from ces_pipeline.publish.tables import PUBLISHED_TABLES
from ces_pipeline.schemas.table import Table

RESPONSES, INVITATIONS = PUBLISHED_TABLES["core.responses"], PUBLISHED_TABLES["core.invitations"]
DRIVERS = PUBLISHED_TABLES["mart.effort_drivers"]


def test_every_fault_is_refused() -> None:
    assert uncaught_by_schemas() == []


def test_a_validation_of_day_files_that_checks_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Table, "broken", lambda *_: [])
    missed = {*faults_of_day_file(RESPONSES), *faults_of_day_file(INVITATIONS)}
    assert {
        "repeated key",
        "value of ease_0_100 that is not in_range",
        "value of status that is not isin",
    } <= missed
    monkeypatch.setattr(Table, "in_arrow", lambda *_: None)
    missed = set(faults_of_day_file(RESPONSES))
    assert {"unknown column", "missing column", "wrong type of score", "null in day"} <= missed


@pytest.mark.parametrize(
    ("setting", "missed"),
    [({"unique": None}, {"repeated key"}), ({"columns": {}}, {"null in is_suppressed", "null in n"})],
)
def test_a_validation_of_post_processors_that_misses_a_fault_is_named(
    setting: dict[str, object], missed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = Table.schema.fget  # type: ignore[attr-defined]

    def looser(table: Table) -> pa.DataFrameSchema:
        full = schema(table)
        kept = {name: column for name, column in full.columns.items() if "columns" not in setting}
        return pa.DataFrameSchema(kept, unique=None if "unique" in setting else full.unique)

    monkeypatch.setattr(Table, "schema", property(looser))
    assert missed <= set(faults_of_post_processor(DRIVERS))


def test_flags_that_pandas_makes_of_nothing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "_flags", lambda values: values.astype("bool"))
    assert {"null in is_suppressed", "wrong type of is_suppressed"} <= set(faults_of_post_processor(DRIVERS))


def test_a_new_kind_of_check_needs_a_value_that_breaks_it() -> None:
    with pytest.raises(KeyError):
        proof._breaking(pa.Check.str_startswith("a"))


def test_good_rows_are_good() -> None:
    for table in (RESPONSES, INVITATIONS):
        good = proof._good(table)
        assert isinstance(good, pd.DataFrame)
        assert proof._broken(good, table) == []
    assert proof._refused(proof._good(DRIVERS), DRIVERS) == set()
