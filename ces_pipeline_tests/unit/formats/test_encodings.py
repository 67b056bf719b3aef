"""Text that is not UTF-8 is read in its own encoding, asked about, or noted: never taken for Western in silence."""

import time
from pathlib import Path

import pytest

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.encodings import lines_with_letters
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for

SURE = {
    "cp1252": ["Das war äußerst mühsam", "schön"],
    "cp1250": ["Było łatwo", "Proszę wyjaśnić"],
    "cp1251": ["Очень легко", "долго ждал"],
    "cp932": ["とても簡単でした", "難しい"],
    "euc_jp": ["とても簡単でした", "難しい"],
    "cp949": ["매우 쉬웠습니다", "어려웠어요"],
    "gb18030": ["非常容易", "太难了，等待时间太长"],
    "big5": ["非常容易", "太難了，等待時間太長"],
    "cp1254": ["Çok kolay oldu", "işe yaramadı"],
}
MORE = {
    "cp1252": ["Très facile", "déjà réglé"],
    "cp1250": ["Příliš složité", "Žádný problém"],
    "cp1251": ["Дуже легко", "Все зрозуміло"],
}


def table(comments: list[str]) -> str:
    return "id,at,comment\n" + "".join(f"{n},2026-03-0{n + 1},{text}\n" for n, text in enumerate(comments))


@pytest.mark.parametrize(
    ("encoding", "comments"), [*SURE.items(), *MORE.items()], ids=[*SURE, *(f"{name} again" for name in MORE)]
)
def test_a_few_words_show_their_encoding(tmp_path: Path, encoding: str, comments: list[str]) -> None:
    export, rows = read("csv", delivered(tmp_path, table(comments).encode(encoding)))
    assert [row["comment"] for row in rows] == comments
    assert export.options_found == {"encoding": encoding}
    assert export.doubts == []


@pytest.mark.parametrize("encoding", SURE)
def test_a_stated_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    file = delivered(tmp_path, table(["é" if encoding == "cp1252" else SURE[encoding][1]]).encode(encoding))
    export, rows = read("csv", file, source_for("csv", encoding=encoding))
    assert rows[0]["comment"] in ("é", SURE[encoding][1])
    assert export.options_found == {}


@pytest.mark.parametrize("encoding", ["koi8_r", "cp1253", "cp1255", "cp850"])
def test_what_is_not_sure_is_asked(tmp_path: Path, encoding: str) -> None:
    comments = {
        "koi8_r": "Очень легко",
        "cp1253": "Πολύ εύκολο",
        "cp1255": "קל מאוד",
        "cp850": "schön für alle",
    }
    file = delivered(tmp_path, table([comments[encoding]]).encode(encoding))
    with pytest.raises(UnreadableFileError, match=r"options\.encoding"):
        read("csv", file)
    _, rows = read("csv", file, source_for("csv", encoding=encoding))
    assert rows[0]["comment"] == comments[encoding]


def test_names_of_many_languages_are_read_as_western_with_a_doubt(tmp_path: Path) -> None:
    export, rows = read(
        "csv", delivered(tmp_path, table(["José", "Zoë", "Søren", "Bjørn Müller"]).encode("cp1252"))
    )
    assert [row["comment"] for row in rows] == ["José", "Zoë", "Søren", "Bjørn Müller"]
    assert len(export.doubts) == 1


def test_one_wrong_byte_does_not_change_the_letters_of_utf8(tmp_path: Path) -> None:
    content = table(["schön", "für", "été", "bad?byte"]).encode().replace(b"?", b"\xff")
    export, rows = read("csv", delivered(tmp_path, content))
    assert [row["comment"] for row in rows] == ["schön", "für", "été", "bad\ufffdbyte"]
    assert len(export.doubts) == 1


def test_a_wrong_byte_far_down_counts_as_much_as_one_at_the_start(tmp_path: Path) -> None:
    lines = table(["schön"] * 9)[:-1] + "\n1,2026-03-01,plain" * 120_000 + "\n2,2026-03-01,łatwo\n"
    _, rows = read("csv", delivered(tmp_path, lines.encode()[:-3] + b"\xff\n"))
    assert rows[0]["comment"] == "schön"
    assert len(rows) == 120_010


def test_a_zero_byte_in_a_cell_is_left_out(tmp_path: Path) -> None:
    export, rows = read("csv", delivered(tmp_path, b"id,comment\n1,bad\0byte\n2,ok\n"))
    assert [row["comment"] for row in rows] == ["badbyte", "ok"]
    assert len(export.doubts) == 1


def test_an_unknown_encoding_is_a_registry_error(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"entry export: options\.encoding"):
        read("csv", delivered(tmp_path, "a,b\n1,2\n"), source_for("csv", encoding="latin-99"))


def test_json_in_a_stated_encoding(tmp_path: Path) -> None:
    file = delivered(tmp_path, '[{"a": "łatwo"}]'.encode("cp1250"), "export.json")
    assert read("json", file, source_for("json", encoding="windows-1250"))[1] == [
        {"a": "łatwo", "row_number": 1}
    ]


def test_a_long_line_of_ascii_is_looked_through_once() -> None:
    begun = time.process_time()
    assert lines_with_letters([b"a" * (1 << 20), b"\ncaf\xe9\nb\n"]) == b"caf\xe9"
    assert time.process_time() - begun < 1
