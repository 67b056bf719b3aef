"""Protects the vocabulary of mappings: names are columns of raw files, people are never plain ones."""

import pytest

from ces_pipeline.land.landing_sql import raw_columns
from ces_pipeline.schemas.fields import field_table, fields_of
from ces_pipeline.schemas.kinds import KINDS, Kind
from ces_pipeline.schemas.tables import TABLES


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_field_has_one_column_in_the_raw_file_under_the_name_that_its_treatment_gives(
    kind: str,
) -> None:
    columns = raw_columns(kind)
    for field in field_table(kind):
        assert columns[field.stored_as] == {"person": "BLOB", "time": "TIMESTAMPTZ"}.get(
            field.treatment, "VARCHAR"
        )
    assert len(fields_of(kind)) == len(field_table(kind))


@pytest.mark.parametrize(
    ("kind", "people"),
    [
        ("survey", {"respondent", "device", "ip_address", "external_id"}),
        ("tickets", {"requester"}),
        ("accounts", {"person", "account"}),
        ("invitations", {"person"}),
        ("events", {"person"}),
        ("follow_ups", {"agent"}),
    ],
)
def test_a_person_is_stored_as_a_key_alone(kind: str, people: set[str]) -> None:
    fields = fields_of(kind)
    assert {name for name, field in fields.items() if field.treatment == "person"} == people
    for name in people:
        assert fields[name].stored_as == f"{name}_key"
        assert name not in raw_columns(kind)


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_what_a_kind_declares_are_fields_and_tables_that_exist(kind: Kind) -> None:
    assert {kind.own_id, *kind.times, *kind.essential} <= set(fields_of(kind.name))
    assert all(fields_of(kind.name)[name].treatment == "time" for name in kind.times)
    assert kind.has_survey == ("survey" in fields_of(kind.name))
    assert set(kind.tables) <= set(TABLES)


def test_the_double_submit_rule_compares_what_the_respondent_said_and_nothing_else() -> None:
    said = {name for name, field in fields_of("survey").items() if field.answer}
    assert said == {"score", "csat", "nps", "comment"}
