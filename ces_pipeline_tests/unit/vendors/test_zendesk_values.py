"""Zendesk pages become columns without loss, with any values and any number of tickets per page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.json_records import MAX_COLUMNS, cell_text
from ces_pipeline_tests.unit.vendors.reading import delivered, read

LONG = "x" * 300
"""With this text in 150 tickets, a page is long enough for the reader's fast path."""


def ticket(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "status": "open", "requester_id": 7, **more}


def rows_of(folder: Path, *pages: Any) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    text = "\n".join(page if isinstance(page, str) else json.dumps(page) for page in pages)
    export, rows = read("zendesk_json", delivered(folder, text, "z.jsonl"))
    return export.columns, rows


def notes_of(folder: Path, *tickets: dict[str, Any]) -> list[Any]:
    """What the column `note` holds of each ticket."""
    return [row["note"] for row in rows_of(folder, {"tickets": [*tickets]})[1]]


class TestValues:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("12345678901234567890123", "12345678901234567890123"),
            ("-9223372036854775809", "-9223372036854775809"),
            ("1.50", "1.5"),
            ("0.1e-7", "1e-08"),
            ("1e5", "100000.0"),
            ("1E400", "1E400"),
            ('"007"', "007"),
            ('"1e-8"', "1e-8"),
            ("true", "true"),
            ("null", None),
            ('""', None),
            ('"[]"', None),
            ("{}", None),
            ("[]", None),
            ('[1, "a", {"b": null}]', '[1,"a",{"b":null}]'),
            ('"\\u0000\\n\\ud83d\\ude00"', "\u0000\n😀"),
        ],
    )
    @pytest.mark.parametrize("other", ['"text"', "1", "1.5", "null", "{}", "[1]"])
    def test_a_value_keeps_its_text_next_to_any_other_value(
        self, tmp_path: Path, written: str, shown: str | None, other: str
    ) -> None:
        page = json.dumps({"tickets": [ticket(1, note="here"), ticket(2, note="there")]})
        _, rows = rows_of(tmp_path, page.replace('"here"', written).replace('"there"', other))
        assert rows[0]["note"] == shown

    def test_an_object_here_and_none_there_stay_one_column(self, tmp_path: Path) -> None:
        assert notes_of(tmp_path, ticket(1, note={"a": 1.0}), ticket(2, note="x")) == ['{"a":1.0}', "x"]
        assert notes_of(tmp_path, ticket(1, note={"a": 1}), ticket(2, note=[1])) == ['{"a":1}', "[1]"]

    def test_an_object_that_is_sometimes_empty_or_null_is_flattened(self, tmp_path: Path) -> None:
        _, rows = rows_of(
            tmp_path,
            {"tickets": [ticket(1, note={}), ticket(2, note={"a": {"b": 5}}), ticket(3, note=None)]},
        )
        assert [row["note.a.b"] for row in rows] == [None, "5", None]

    def test_of_a_repeated_key_the_first_counts(self, tmp_path: Path) -> None:
        page = '{"tickets": [{"id": 1, "status": "open", "requester_id": 7, "note": "first", "note": "second", "id": 2}]}'
        _, [row] = rows_of(tmp_path, page)
        assert (row["id"], row["note"]) == ("1", "first")

    def test_names_that_differ_in_case_alone_are_columns_of_their_own(self, tmp_path: Path) -> None:
        columns, [row] = rows_of(tmp_path, [ticket(1, Status="x", note={"A": 1, "a": {"c": 2}})])
        assert {"status", "note.A", "note.a.c"} <= set(columns)
        assert (row["status"], row["note.A"], row["note.a.c"]) == ("open", "1", "2")

    def test_deep_nesting_is_flattened_to_the_last_name(self, tmp_path: Path) -> None:
        deep: Any = "end"
        for level in range(80):
            deep = {f"k{level}": deep}
        columns, [row] = rows_of(tmp_path, [ticket(1, note=deep)])
        [name] = [column for column in columns if column.startswith("note.")]
        assert (name.count("."), row[name]) == (80, "end")

    def test_a_column_comes_where_its_name_first_appears(self, tmp_path: Path) -> None:
        columns, _ = rows_of(tmp_path, [ticket(1, b=1), ticket(2, a=1, b=2)])
        assert columns.index("b") < columns.index("a")


NAMES = st.sampled_from(["a", "A", "b", "x.y", "a/b", "a~b", "é", "k 1"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


def opened(records: list[dict[str, Any] | None], prefix: str) -> dict[str, list[str | None]]:
    """Column -> its texts, for objects: computed in Python, what the reader should give.

    A key that holds only objects (or nothing) is opened; everything else is text.
    """
    columns: dict[str, list[str | None]] = {}
    for key in dict.fromkeys(key for record in records for key in record or ()):
        values = [record.get(key) if record else None for record in records]
        texts = [None if (text := minified(value)) in ("", "[]", "{}") else text for value in values]
        filled = [value for value, text in zip(values, texts, strict=True) if text is not None]
        if filled and all(isinstance(value, dict) for value in filled):
            objects = [value if isinstance(value, dict) else None for value in values]
            columns |= opened(objects, f"{prefix}{key}.")
        else:
            columns[prefix + key] = texts
    return columns


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    notes=st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=5),
    in_pages_of=st.integers(1, 5),
)
def test_any_tickets_become_the_columns_that_their_values_say(
    tmp_path: Path, notes: list[dict[str, Any]], in_pages_of: int
) -> None:
    """With any number of tickets per page. Except names that become the same (`x.y`, and `y` in `x`)."""
    tickets = [ticket(at, note=note or None) for at, note in enumerate(notes)]
    pages = [{"tickets": tickets[at : at + in_pages_of]} for at in range(0, len(tickets), in_pages_of)]
    columns, rows = rows_of(tmp_path, *pages)
    expected = opened([{"note": note or None} for note in notes], "")
    clear = [name for name in expected if "x.y" not in name]
    assert {name: [row[name] for row in rows] for name in clear} == {name: expected[name] for name in clear}
    assert {name for name in columns if name.startswith("note")} == {*expected}


def minified(value: Any) -> str | None:
    if isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        # DuckDB writes control characters with capital hex digits. After an even number of backslashes it is plain text.
        return re.sub(
            r"(?<!\\)((?:\\\\)*\\u00)([01][0-9a-f])", lambda found: found[1] + found[2].upper(), text
        )
    return cell_text(value)


class TestHowPagesAreCut:
    TICKETS = tuple(
        ticket(
            number,
            text=LONG,
            group_id=3,
            note=number % 3 or None,
            custom_fields=[{"id": 11, "value": f"v{number}"}],
            satisfaction_rating={"score": "good" if number % 2 else "offered"},
        )
        for number in range(150)
    )

    def page(self, *tickets: Any, **more: Any) -> dict[str, Any]:
        side_loads = {
            "users": [{"id": 7, "email": "ann@example.com"}],
            "groups": [{"id": 3, "name": "Billing"}],
            "metric_sets": [
                {
                    "ticket_id": ticket["id"],
                    "assignee_stations": 1 + ticket["id"] % 2,
                    "reopens": ticket["id"],
                }
                for ticket in tickets
                if "id" in ticket
            ],
        }
        return {"tickets": [*tickets], **side_loads, **more}

    def test_a_long_page_short_ones_and_one_with_an_odd_item_give_the_same(self, tmp_path: Path) -> None:
        columns, at_once = rows_of(tmp_path, self.page(*self.TICKETS))
        _, in_parts = rows_of(tmp_path, *(self.page(*self.TICKETS[at : at + 7]) for at in range(0, 150, 7)))
        _, with_odd = rows_of(tmp_path, self.page(*self.TICKETS, {"no": "ticket"}))
        assert at_once == in_parts == with_odd
        assert [row["row_number"] for row in at_once] == list(range(1, 151))
        assert {
            name: at_once[5][name] for name in ("id", "note", "custom_fields.11", "csat", "requester")
        } == {
            "id": "5",
            "note": "2",
            "custom_fields.11": "v5",
            "csat": "good",
            "requester": "ann@example.com",
        }
        assert [at_once[5][name] for name in ("group", "handoffs", "metric_set.reopens")] == [
            "Billing",
            "1",
            "5",
        ]
        assert "metric_set." not in columns

    def test_a_broken_line_among_long_pages_takes_its_number_and_no_more(self, tmp_path: Path) -> None:
        text = "\n".join(
            [json.dumps(self.page(*self.TICKETS)), '{"tickets": [', json.dumps(self.page(ticket(900)))]
        )
        export, rows = read("zendesk_json", delivered(tmp_path, text, "z.jsonl"))
        assert [(row.row_number, row.text) for row in export.unreadable] == [(151, '{"tickets": [')]
        assert [row["row_number"] for row in rows] == [*range(1, 151), 152]
        assert rows[-1]["id"] == "900"

    def test_a_page_that_only_python_reads_is_read(self, tmp_path: Path) -> None:
        page = json.dumps(self.page(*self.TICKETS)).replace('"note": 1', '"note": NaN', 1)
        _, rows = rows_of(tmp_path, page.replace('"v5"', '"\\ud83d"'))
        assert (rows[1]["note"], rows[2]["note"], rows[5]["custom_fields.11"]) == (None, "2", "?")


class TestNames:
    """Which columns there are does not depend on how tickets are spread over pages."""

    def columns_of(self, folder: Path, *values: dict[str, Any]) -> dict[str, list[str | None]]:
        """Column -> its texts, of the columns that these values of tickets become."""
        tickets = [ticket(at, **value) for at, value in enumerate(values)]
        columns, apart = rows_of(folder, *([ticket] for ticket in tickets))
        assert (columns, apart) == rows_of(folder, tickets)
        return {name: [row[name] for row in apart] for name in columns if name.startswith(("a", "b", "c"))}

    def test_names_come_in_the_order_of_their_first_appearance(self, tmp_path: Path) -> None:
        found = self.columns_of(tmp_path, {"b": 1}, {"a": "x", "b": None}, {"c": {"d": True}})
        assert [name for name in found if name != "csat"] == ["b", "a", "c.d"]

    def test_objects_of_different_keys_are_opened_by_all_of_them(self, tmp_path: Path) -> None:
        found = self.columns_of(
            tmp_path, {"a": {"b": 1}}, {"a": {"c": {"d": "x"}}}, {"a": {"c": {}}}, {"a": []}
        )
        assert (found["a.b"], found["a.c.d"]) == (["1", None, None, None], [None, "x", None, None])
        assert "a" not in found

    @pytest.mark.parametrize("other", ["x", "{", 1, 0.5, False, [1]])
    def test_an_object_next_to_any_other_value_stays_text(self, tmp_path: Path, other: Any) -> None:
        found = self.columns_of(tmp_path, {"a": {}}, {"a": other}, {"a": {"b": 1}}, {})
        assert found["a"] == [None, minified(other), '{"b":1}', None]
        assert "a.b" not in found

    def test_a_text_that_looks_like_an_object_is_none(self, tmp_path: Path) -> None:
        assert self.columns_of(tmp_path, {"a": '{"b": 1}'}, {"a": "{}"})["a"] == ['{"b": 1}', None]

    def test_empty_objects_alone_are_an_empty_column(self, tmp_path: Path) -> None:
        assert self.columns_of(tmp_path, {"a": {}}, {"a": None})["a"] == [None, None]

    def test_names_that_cannot_stand_side_by_side(self, tmp_path: Path) -> None:
        found = self.columns_of(tmp_path, {"a": 1, "A": {"x": 1}}, {"a": None, "A": {"X": 2, "x": 3, "": 4}})
        assert found["a"] == ["1", None]
        columns, rows = rows_of(tmp_path, [ticket(1, A={"x": 1}, a=1), ticket(2, A={"X": 2, "x": 3, "": 4})])
        shown = {name: [row[name] for row in rows] for name in columns if name.startswith("A")}
        assert list(shown.values()) == [["1", "3"], [None, "2"], [None, "4"]]

    def test_of_two_values_of_one_name_the_first_that_is_none_counts(self, tmp_path: Path) -> None:
        assert self.columns_of(tmp_path, {"a": {"b": 1}}, {"a.b": 2}, {"a": {"b": 3}, "a.b": 4})["a.b"] == [
            "1",
            "2",
            "3",
        ]

    def test_ids_as_names_are_refused_by_the_name_of_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFileError, match=r"z\.jsonl: more than 5,000 different names"):
            self.columns_of(tmp_path, {"a": {f"n{at}": 1 for at in range(MAX_COLUMNS)}}, {"b": 1})
