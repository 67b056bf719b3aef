"""JSON becomes text rows without loss: numbers, nesting, broken lines, cut-off documents, bounds."""

import json
from pathlib import Path

import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats import json_records
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for

RECORD = {
    "id": 1,
    "ok": True,
    "x": 1.5,
    "no": None,
    "tags": ["a", 1],
    "in": {"deep": {"er": "v"}, "empty": {}},
}
FLAT = {
    "id": "1",
    "ok": "true",
    "x": "1.5",
    "no": None,
    "tags": '["a", 1]',
    "in.deep.er": "v",
    "in.empty": None,
}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([RECORD]),
        json.dumps([RECORD], indent=2),
        json.dumps({"records": [RECORD]}),
        json.dumps({"total": 1, "items": [RECORD]}, indent=1),
        json.dumps(RECORD),
        json.dumps(RECORD, indent=4),
    ],
    ids=["list", "pretty list", "envelope", "pretty envelope", "one object", "pretty object"],
)
def test_layouts_give_the_same_flat_record(tmp_path: Path, text: str) -> None:
    assert read("json", delivered(tmp_path, text, "e.json"))[1] == [{**FLAT, "row_number": 1}]


def test_json_lines_learn_columns_from_all_lines(tmp_path: Path) -> None:
    export, rows = read(
        "json", delivered(tmp_path, '{"a":1}\n\n{"b":{"c":2}}\n{"b":null,"row_number":9}\n', "e.jsonl")
    )
    assert export.columns == ("a", "b.c", "row_number_2")
    assert [(row["row_number"], row["b.c"], row["row_number_2"]) for row in rows] == [
        (1, None, None),
        (2, "2", None),
        (3, None, "9"),
    ]


def test_a_value_next_to_nested_names_is_kept(tmp_path: Path) -> None:
    export, rows = read(
        "json", delivered(tmp_path, '[{"a": 1}, {"a": {"b": 2}}, {"c": null, "c.d": 3}]', "e.json")
    )
    assert export.columns == ("a", "a.b", "c.d")
    assert [row["a"] for row in rows] == ["1", None, None]


def test_a_broken_line_is_set_aside_and_the_rest_lands(tmp_path: Path) -> None:
    export, rows = read("json", delivered(tmp_path, '{"a":1}\n{"a":\n7\n[3]\n{"a":2}\n', "e.jsonl"))
    assert [(row["row_number"], row["a"]) for row in rows] == [(1, "1"), (5, "2")]
    assert [(bad.row_number, bad.text) for bad in export.unreadable] == [(2, '{"a":'), (3, "7"), (4, "3")]


def test_a_broken_first_line_does_not_hide_the_others(tmp_path: Path) -> None:
    export, rows = read("json", delivered(tmp_path, '{"a": "x\n{"a":2}\n{"a":3}\n', "e.jsonl"))
    assert [row["a"] for row in rows] == ["2", "3"]
    assert [bad.row_number for bad in export.unreadable] == [1]


@pytest.mark.parametrize("cut", [5, 60, -1])
def test_a_cut_off_document_is_refused(tmp_path: Path, cut: int) -> None:
    text = json.dumps({"data": [{"id": n, "text": "words"} for n in range(9)]}, indent=1)[:cut]
    with pytest.raises(
        UnreadableFileError, match=r"e.json: the JSON was cut off at line \d+.*deliver it again"
    ):
        read("json", delivered(tmp_path, text, "e.json"))


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="not JSON: it starts with neither"):
        read("json", delivered(tmp_path, "a,b\n1,2\n"))


def test_an_empty_list_has_no_rows_and_a_note(tmp_path: Path) -> None:
    for text in ("[]", '{"data": []}'):
        export, rows = read("json", delivered(tmp_path, text, "e.json"))
        assert (export.columns, rows, export.notes) == ((), [], ["no records: no rows"])


def test_record_path_picks_one_of_several_lists(tmp_path: Path) -> None:
    file = delivered(
        tmp_path, '{"data": {"x": [{"a": 1}]}, "people": [{"b": 1}], "rows": [{"c": 1}]}', "e.json"
    )
    assert read("json", file, source_for("json", record_path="data.x"))[1] == [{"a": "1", "row_number": 1}]
    with pytest.raises(UnreadableFileError, match=r"several lists of records \(people, rows\)"):
        read("json", file)
    with pytest.raises(UnreadableFileError, match=r"no 'data.y' in the document"):
        read("json", file, source_for("json", record_path="data.y"))


def test_half_an_emoji_and_not_a_number_do_not_stop_a_file(tmp_path: Path) -> None:
    _, rows = read("json", delivered(tmp_path, '[{"t": "a\\ud83d", "n": NaN, "m": 1}]', "e.json"))
    assert rows == [{"t": "a?", "n": None, "m": "1", "row_number": 1}]


def test_large_ids_keep_every_digit(tmp_path: Path) -> None:
    assert read("json", delivered(tmp_path, '[{"id": 900719925474099312345}]', "e.json"))[1][0]["id"] == (
        "900719925474099312345"
    )


def test_too_large_a_document_is_sent_to_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_DOCUMENT_BYTES", 1000)
    text = json.dumps([{"id": n} for n in range(500)], indent=1)
    with pytest.raises(UnreadableFileError, match="export it as JSON Lines"):
        read("json", delivered(tmp_path, text, "e.json"))
    lines = "\n".join(json.dumps({"id": n}) for n in range(500))
    assert len(read("json", delivered(tmp_path, lines, "e.jsonl"))[1]) == 500


def test_a_huge_line_is_refused_before_all_of_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_records, "MAX_LINE_BYTES", 1000)
    file = delivered(tmp_path, '{"a":1}\n{"a":"' + "x" * 5000 + '"}\n', "e.jsonl")
    with pytest.raises(UnreadableFileError, match="line 2 is longer than"):
        read("json", file)


def test_ids_used_as_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_COLUMNS", 20)
    text = json.dumps({"by_id": {str(n): {"v": n} for n in range(30)}})
    with pytest.raises(UnreadableFileError, match="more than 20 different names"):
        read("json", delivered(tmp_path, text, "e.json"))


def test_rows_survive_the_seam_between_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "BATCH_ROWS", 3)
    text = "\n".join(json.dumps({"n": n}) for n in range(1, 8))
    rows = read("json", delivered(tmp_path, text, "e.jsonl"))[1]
    assert [(row["n"], row["row_number"]) for row in rows] == [(str(n), n) for n in range(1, 8)]


@pytest.mark.parametrize(
    "text", ['{"id": "1", "z\\ud83d": "v"}', '{"id": "1", "z\\u0000": "v"}', '["\\ud83d"]']
)
def test_half_a_character_or_a_zero_byte_in_a_name_refuses_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError, match="damaged"):
        read("json", delivered(tmp_path, text + "\n" + text, "export.jsonl"))
