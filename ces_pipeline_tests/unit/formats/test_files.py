"""A delivery's packing and encoding never decide what is read from it, and damage is named plainly."""

import gzip
import zipfile
from pathlib import Path

import pytest

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline_tests.unit.vendors.reading import delivered, read, source_for

TABLE = 'id,comment\r\n1,"schön – „gut“"\r\n2,ok\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_gives_the_same_rows(tmp_path: Path, encoding: str) -> None:
    file = delivered(tmp_path, TABLE.encode(encoding))
    export, rows = read("csv", file)
    assert export.columns == ("id", "comment")
    assert [row["comment"] for row in rows] == ["schön – „gut“", "ok"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_in_marked_encodings(tmp_path: Path, encoding: str) -> None:
    file = delivered(tmp_path, '[{"a": "ü"}]'.encode(encoding), "export.json")
    assert read("json", file)[1] == [{"a": "ü", "row_number": 1}]


def test_bytes_that_the_stated_encoding_does_not_define_become_replacement_characters(tmp_path: Path) -> None:
    file = delivered(tmp_path, b"id,comment\n1,\x81\xe6\n")
    assert read("csv", file, source_for("csv", encoding="windows-1252"))[1][0]["comment"] == "�æ"
    with pytest.raises(UnreadableFileError, match=r"options\.encoding"):
        read("csv", file)


def test_packing_does_not_change_the_delivery(tmp_path: Path) -> None:
    plain = delivered(tmp_path, TABLE)
    packed = tmp_path / "export.csv.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    zipped = tmp_path / "export.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("__MACOSX/._export.csv", "noise")
        archive.writestr("export.csv", TABLE)
    files = [plain, DeliveredFile(packed), DeliveredFile(zipped)]
    assert len({file.sha256 for file in files}) == 1
    assert len({str(read("csv", file)[1]) for file in files}) == 1


def test_truncated_gzip_says_deliver_again(tmp_path: Path) -> None:
    content = gzip.compress("".join(f"{n},{n * 7919 % 1000}\n" for n in range(50_000)).encode())
    file = delivered(tmp_path, content[: len(content) // 2], "export.csv.gz")
    with pytest.raises(
        UnreadableFileError, match=r"export.csv.gz: the file is damaged or was cut off .*deliver it again"
    ):
        read("csv", file)


def test_zip_with_two_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("b.csv", TABLE)
    with pytest.raises(UnreadableFileError, match="holds 2 files, expected one: unpack it"):
        read("csv", DeliveredFile(path))


def test_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TABLE)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UnreadableFileError, match="damaged"):
        read("csv", DeliveredFile(path))


@pytest.mark.parametrize("reader", sorted(READERS))
@pytest.mark.parametrize(
    "content", [b"", bytes(range(256)) * 8, b"\n\n"], ids=["empty", "binary", "blank lines"]
)
def test_every_reader_refuses_what_is_no_export(tmp_path: Path, reader: str, content: bytes) -> None:
    file = delivered(tmp_path, content, "export.xlsx" if reader == "xlsx" else "export.bin")
    with pytest.raises(UnreadableFileError, match=r"^export\."):
        read(reader, file)


def test_an_old_workbook_says_what_to_do(tmp_path: Path) -> None:
    file = delivered(tmp_path, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "export.xls")
    with pytest.raises(UnreadableFileError, match=r"save it as \.xlsx or CSV"):
        read("surveymonkey_csv", file)
