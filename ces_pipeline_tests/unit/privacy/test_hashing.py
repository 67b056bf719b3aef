"""Every cell that names a person gets the key of that person, and no other cell does."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ces_pipeline.formats.contract import ROW_NUMBER
from ces_pipeline.land.landing_sql import ColumnMapping, keys_of
from ces_pipeline.privacy.hashing import with_keys, without_listed_people
from ces_pipeline.privacy.pseudonyms import Pseudonyms

OURS = Pseudonyms(b"key")
NESTED = '{"n":' * 900 + "1" + "}" * 900
NAMES = ("who", "agent", "note")
CELLS = st.none() | st.sampled_from(["ann@example.org", "Ann@Example.org", "bob"])


def reading(**parts: Any) -> ColumnMapping:
    base: dict[str, Any] = {
        "kind": "survey", "source_id": "web", "columns": NAMES, "column_of": {"respondent": "who"}, "values": {},
        "time_formats": (), "people": frozenset({"agent"}), "ignored": frozenset(), "missing": (),
    }  # fmt: skip
    return ColumnMapping(**{**base, **parts})


def keys(rows: list[tuple[str | None, ...]], how: ColumnMapping) -> dict[str, list[str | None]]:
    columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(NAMES)}
    batch = pa.record_batch({**columns, ROW_NUMBER: pa.array(range(len(rows)), pa.int64())})
    added = with_keys(batch, how.people_cells, OURS)
    assert added.select([*NAMES, ROW_NUMBER]).equals(batch)
    assert added.schema.names == [*NAMES, *how.people_cells, ROW_NUMBER]
    return added.select([*how.people_cells]).to_pydict()


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30))
def test_each_cell_gets_the_key_of_the_person_it_names(rows: list[tuple[str | None, ...]]) -> None:
    expected = [[None if cell is None else OURS.of(cell) for cell in row] for row in rows]
    assert keys(rows, reading()) == {
        keys_of(field="respondent"): [row[0] for row in expected],
        keys_of(column="agent"): [row[1] for row in expected],
    }


@pytest.mark.parametrize(
    ("parts", "cells", "expected"),
    [
        ({"values": {"respondent": {"ann": "a-1"}}}, ["Ann", "bob"], [OURS.of("a-1"), OURS.of("bob")]),
        ({"hashed": frozenset({"respondent"})}, ["AB" * 32, "bob"], ["ab" * 32, OURS.of("bob")]),
        ({}, ["ab" * 32], [OURS.of("ab" * 32)]),
    ],
    ids=["a translated value", "a hash of our own", "a hash with another key"],
)
def test_the_registry_entry_for_a_field_of_people_is_used(
    parts: dict[str, Any], cells: list[str], expected: list[str]
) -> None:
    assert (
        keys([(cell, "ann", "ann") for cell in cells], reading(**parts))[keys_of(field="respondent")]
        == expected
    )


def test_an_ignored_column_is_not_hashed() -> None:
    assert keys_of(column="agent") not in reading(ignored=frozenset({"agent"})).people_cells


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('[{"actor": "Cara", "note": "x"}]', '[{"actor": "[person]", "note": "x"}]'),
        ('[{ "by":{"email":"c@example.org"} }]', '[{"by": {"email": "[person]"}}]'),
        ('{"agents":[{"name":"Cara","level":2}]}', '{"agents": "[person]"}'),
        ('{"desk_staff":[{"name":"Cara","level":2}]}', '{"desk_staff": [{"name": "[person]", "level": 2}]}'),
        ('{"products":[{"name":"Tea"}]}', '{"products":[{"name":"Tea"}]}'),
        ('[{"agent":null,"owner":""}]', '[{"agent":null,"owner":""}]'),
        ('[{"agent":"Cara","n":1},{"ag', '[{"agent": "[person]","n":1},{"ag'),
        (f'{{"agent":"Cara","n":{NESTED}}}', f'{{"agent": "[person]","n":{NESTED}}}'),
        ("{curly} words", "{curly} words"),
        (None, None),
    ],
)
def test_people_in_lists_do_not_land(cell: str | None, shown: str | None) -> None:
    """A list stays JSON in one cell: the column's name does not show that people are in it."""
    rows = pa.array(["-", cell, cell], pa.string())
    batch = pa.record_batch(
        {"who": rows, "agent": rows, "note": rows, ROW_NUMBER: pa.array([1, 2, 3])}
    ).slice(1)
    left = without_listed_people(batch, ["note"])
    assert left["note"].to_pylist() == [shown, shown]
    # These cells become hashes, which must still differ between two people.
    assert left.select(["who", "agent", ROW_NUMBER]).equals(batch.select(["who", "agent", ROW_NUMBER]))
