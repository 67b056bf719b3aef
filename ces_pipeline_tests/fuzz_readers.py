"""Damages small exports of all readers, and checks that no record is missing from the books.

`python -m ces_pipeline_tests.fuzz_readers --files 20000 --seed 1 [--jobs 2]`. Each file is opened and staged as landing
does it. It must either be refused with words (UnreadableFileError, RegistryError), or each of its records must be
staged, as a row or as an unreadable row. Records are counted without the readers: each has a mark in its id, and each
line of text (or record of JSON, or row of a sheet) that still holds a mark is a record. Exits 1 if any is missing.
A file is made from the seed and its number alone: `--first 4711 --files 1` makes it again.
"""

import argparse
import gzip
import io
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.key_index import KeyIndex
from ces_pipeline.land.staging import Staging
from ces_pipeline.land.step import open_file
from ces_pipeline.privacy.key import load_pseudonyms
from ces_pipeline.registry import load_registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.scratch import scratch

MARK = re.compile(r"k\d{4}q")
_BREAK = re.compile(r"\r\n|\r|\n")
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_ROWS = 6
_SURVEYS = "- {id: asked, scale: ces2_agreement_1_7}\n"
_COLUMNS = {"csv": "response_id: id, score: score, submitted_at: at, comment: comment"}
_COLUMNS |= dict.fromkeys(("json", "parquet", "xlsx"), _COLUMNS["csv"])
_TICKETS = ("freshdesk_json", "servicenow", "zendesk_json")


def mark(number: int) -> str:
    return f"k{number:04}q"


def _cell(draw: random.Random, number: int, row: int, name: str) -> Any:
    """A cell for a column of this name."""
    lower = name.lower()
    at = f"2026-10-{1 + row:02} 1{row % 10}:00:0{number % 10}"
    if name in ("id", "number", "Response ID", "ResponseId", "Respondent ID", "#", "a_surveyid", "_recordId"):
        return mark(number * 10 + row)
    if any(word in lower for word in ("date", "time", "at", "updated", "opened")) and "status" not in lower:
        return at
    if name in ("comment", "Why?", "Q2"):
        return draw.choice(
            ["ok", "", "gut, schnell", 'He said "hello"', "two\nlines, here", 'a 5" screen', "é"]
        )
    if name in ("score", "How easy was it?", "Q1", "q_ces"):
        return draw.randint(1, 7)
    return {"state": "Closed", "Finished": "True", "Status": "Complete", "Network ID": "d356"}.get(name, "")


_TABLES = {
    "csv": ["id", "at", "score", "comment", "tag"],
    "google_forms_csv": ["Timestamp", "How easy was it?", "Why?", "number"],
    "medallia_csv": ["a_surveyid", "e_responsedate", "q_ces", "comment", "e_status"],
    "qualtrics_csv": ["StartDate", "EndDate", "Finished", "RecordedDate", "ResponseId", "Q1", "Q2"],
    "servicenow": ["number", "state", "opened_at", "sys_updated_on", "sys_id", "comment"],
    "surveygizmo_csv": [
        "Response ID",
        "Time Started",
        "Date Submitted",
        "Status",
        "How easy was it?",
        "Why?",
    ],
    "surveymonkey_csv": [
        "Respondent ID",
        "Collector ID",
        "Start Date",
        "End Date",
        "How easy was it?",
        "Why?",
    ],
    "typeform_csv": ["#", "How easy was it?", "Why?", "Start Date (UTC)", "Submit Date (UTC)", "Network ID"],
    "xlsx": ["id", "at", "score", "comment", "tag"],
}


def table(reader: str, draw: random.Random, number: int) -> list[list[Any]]:
    """Header rows and rows of a small export."""
    names = _TABLES[reader]
    rows: list[list[Any]] = [names]
    if reader == "qualtrics_csv" and draw.random() < 0.7:
        rows += [[name.upper() for name in names], [json.dumps({"ImportId": name}) for name in names]]
    if reader == "surveymonkey_csv" and draw.random() < 0.5:
        rows.append(["", "", "", "", "Response", "Open-Ended Response"])
    return rows + [[_cell(draw, number, row, name) for name in names] for row in range(_ROWS)]


def records(reader: str, draw: random.Random, number: int) -> list[dict[str, Any]]:
    """Records of a small JSON export."""

    def record(row: int) -> dict[str, Any]:
        id_ = mark(number * 10 + row)
        at = f"2026-10-{1 + row:02}T10:00:00Z"
        if reader == "zendesk_json":
            people = {"requester_id": 5, "via": {"channel": "web"}, "brand_id": 7}
            return {
                "id": id_,
                "status": "solved",
                "created_at": at,
                "updated_at": at,
                "subject": "x",
                **people,
            }
        if reader == "freshdesk_json":
            people = {"requester_id": 5, "responder_id": 6, "priority": 1, "source": 2}
            return {"id": id_, "status": 4, "created_at": at, "updated_at": at, **people}
        if reader == "servicenow":
            return {"number": id_, "state": "Closed", "opened_at": at, "sys_updated_on": at, "sys_id": id_}
        if reader == "medallia_json":
            return {"id": id_, "e_responsedate": {"values": [at]}, "q_ces": {"values": [str(row % 7 + 1)]}}
        if reader == "zigpoll_json":
            slide = {"slideId": "s1", "pollId": "p1", "response": "5", "createdAt": at}
            return {"_id": f"a{row}", "participantId": id_, **slide}
        comment = draw.choice(["ok", "", "two\nlines", 'say "hi"', "é", None])
        return {
            "id": id_,
            "at": at,
            "score": row % 7 + 1,
            "comment": comment,
            "more": {"tag": "a", "list": [1]},
        }

    return [record(row) for row in range(_ROWS)]


_ENVELOPES: dict[str, list[Callable[[list[Any]], Any]]] = {
    "zendesk_json": [lambda listed: {"tickets": listed, "count": len(listed)}],
    "freshdesk_json": [lambda listed: {"results": listed, "total": len(listed)}],
    "servicenow": [lambda listed: {"result": listed}],
    "medallia_json": [lambda listed: {"data": {"feedback": {"nodes": listed}}}],
    "zigpoll_json": [lambda listed: {"data": listed}],
    "json": [
        lambda listed: {"items": listed},
        lambda listed: {"_embedded": {"rows": listed}, "page": {"n": 1}},
    ],
}


@dataclass
class Made:
    """A damaged export. expected: how many records its content still holds."""

    name: str
    content: bytes
    expected: int
    damage: list[str] = field(default_factory=list)


# Damage to a text; each takes the draw and the text, and returns the damaged text.


def _place(draw: random.Random, text: str) -> int:
    """A place in the text, mostly below its header."""
    start = text.find("k0") if draw.random() < 0.85 else 0
    return draw.randint(max(0, start - 1), len(text)) if text else 0


def drop_letters(draw: random.Random, text: str) -> str:
    at = _place(draw, text)
    return text[:at] + text[at + draw.randint(1, 6) :]


_INSERTED = [
    '"',
    '"',
    '"',
    '""',
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    "\0",
    '\\"',
    "\\",
    "é",
    "\u2028",
    " ",
    "'",
    "{",
    "]",
]


def insert(draw: random.Random, text: str) -> str:
    at = _place(draw, text)
    return text[:at] + draw.choice(_INSERTED) + text[at:]


def quote_a_cell(draw: random.Random, text: str) -> str:
    """A quote at the start or the end of a cell."""
    places = [found.start() for found in re.finditer(r"[,;\t\n]", text)]
    if not places:
        return text
    at = draw.choice(places) + draw.randint(0, 1)
    return text[:at] + '"' + text[at:]


def drop_a_quote(draw: random.Random, text: str) -> str:
    places = [found.start() for found in re.finditer('"', text)]
    if not places:
        return text
    at = draw.choice(places)
    return text[:at] + text[at + 1 :]


def drop_a_break(draw: random.Random, text: str) -> str:
    places = [found.start() for found in re.finditer("\n", text)][1:]
    if not places:
        return text
    at = draw.choice(places)
    return text[:at] + text[at + 1 :]


def repeat_a_line(draw: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = draw.randrange(len(lines))
    return "\n".join(lines[: at + 1] + lines[at:])


def swap_lines(draw: random.Random, text: str) -> str:
    lines = text.split("\n")
    if len(lines) < 5:
        return text
    one, other = draw.randrange(3, len(lines)), draw.randrange(3, len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def truncate(draw: random.Random, text: str) -> str:
    return text[: _place(draw, text)]


def other_breaks(draw: random.Random, text: str) -> str:
    return text.replace("\n", draw.choice(["\r\n", "\r"]))


def trailing_delimiters(_draw: random.Random, text: str) -> str:
    first, _, rest = text.partition("\n")
    return first + "\n" + re.sub(r"(?m)(?<=.)$", ",", rest)


def without_last_empties(_draw: random.Random, text: str) -> str:
    return re.sub(r"(?m),+$", "", text)


def blank_lines(draw: random.Random, text: str) -> str:
    lines = text.split("\n")
    lines.insert(draw.randint(0, len(lines)), "")
    return "\n".join(lines)


def title_lines(draw: random.Random, text: str) -> str:
    return (
        draw.choice(["Report\n\n", "sep=,\n", "Report: effort, by team\nMade 2026-11-01\n\n", '"Effort"\n'])
        + text
    )


def other_delimiter(draw: random.Random, text: str) -> str:
    return text.replace(",", draw.choice([";", "\t", "|"]))


def end_of_file(_draw: random.Random, text: str) -> str:
    return text + "\x1a"


_TEXT_DAMAGE = [
    drop_letters, drop_letters, insert, insert, insert, quote_a_cell, quote_a_cell, drop_a_quote, drop_a_break,
    repeat_a_line, swap_lines, truncate, other_breaks, trailing_delimiters, without_last_empties, blank_lines,
    title_lines, other_delimiter, end_of_file,
]  # fmt: skip
_JSON_DAMAGE = [drop_letters, insert, insert, drop_a_quote, drop_a_break, repeat_a_line, swap_lines, truncate,
                other_breaks, blank_lines]  # fmt: skip


def _damaged(
    draw: random.Random, text: str, ways: list[Callable[[random.Random, str], str]]
) -> tuple[str, list[str]]:
    names = []
    for _ in range(draw.choice([0, 1, 1, 1, 2, 2, 3, 4])):
        way = draw.choice(ways)
        text = way(draw, text)
        names.append(way.__name__)
    return text, names


def _encoded(draw: random.Random, text: str) -> tuple[bytes, str]:
    encoding = draw.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp1250"])
    return text.encode(encoding, "replace"), encoding


def _packed(draw: random.Random, made: Made) -> Made:
    """Sometimes packed, and the packed file sometimes cut or with a wrong byte."""
    if draw.random() < 0.06:
        content = gzip.compress(made.content)
        made.name += ".gz"
        if draw.random() < 0.5:
            content = content[: draw.randint(3, len(content))]
            made.damage.append("cut gzip")
        made.content = content
    elif draw.random() < 0.04:
        content = bytearray(made.content)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(len(content))] = 0xFF
        made.damage.append("wrong bytes")
        made.content = bytes(content)
        made.expected = 0
    return made


def _lines_with_marks(text: str) -> int:
    return sum(bool(MARK.search(line)) for line in _BREAK.split(text.replace("\0", "")))


def _delimited(reader: str, draw: random.Random, number: int) -> Made:
    rows = table(reader, draw, number)
    if draw.random() < 0.1:
        order = draw.sample(range(len(rows[0])), len(rows[0]))
        rows = [[row[place] for place in order] for row in rows]
    always = draw.random() < 0.3
    text = "\n".join(",".join(_written(str(cell), always) for cell in row) for row in rows) + "\n"
    text, names = _damaged(draw, text, _TEXT_DAMAGE)
    content, encoding = _encoded(draw, text)
    return _packed(draw, Made("export.csv", content, _lines_with_marks(text), [*names, encoding]))


def _written(cell: str, always: bool) -> str:
    return '"' + cell.replace('"', '""') + '"' if always or re.search('[,"\n]', cell) else cell


def _json(reader: str, draw: random.Random, number: int) -> Made:
    listed = records(reader, draw, number)
    shape = draw.choice(["lines", "list", "envelope"])
    ascii_only = draw.random() < 0.5
    if shape == "lines":
        text = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in listed) + "\n"
    else:
        document = listed if shape == "list" else draw.choice(_ENVELOPES[reader])(listed)
        text = json.dumps(document, ensure_ascii=ascii_only, indent=draw.choice([None, None, 1]))
    text, names = _damaged(draw, text, _JSON_DAMAGE)
    return _packed(
        draw, Made("export.json", text.encode("utf-8", "replace"), _json_records(text), [shape, *names])
    )


def _json_records(text: str) -> int:
    """The records of valid JSON by the marks in their ids; of JSON Lines, the lines with marks."""
    plain = text.replace("\0", "")
    try:
        return len({*_ids(json.loads(plain))})
    except ValueError:
        lines = [line for line in plain.split("\n") if line.strip()]
        if not lines or not all(line.lstrip().startswith("{") for line in lines):
            return 0
        return len({found for line in lines for found in MARK.findall(line)[:1]})


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key in ("id", "number", "participantId"):
            found = MARK.fullmatch(str(value.get(key)))
            if found:
                yield found.group()
        for inner in value.values():
            yield from _ids(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item)


def _workbook(reader: str, draw: random.Random, number: int) -> Made:
    rows = table(reader, draw, number)
    names = []
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        way = draw.choice(
            ["empty cell", "quote", "break", "blank row", "title", "longer", "repeat", "cover sheet"]
        )
        row = draw.randrange(1, len(rows))
        place = draw.randrange(len(rows[0]))
        names.append(way)
        if way == "empty cell" and rows[row]:
            rows[row] = [None if at == place else cell for at, cell in enumerate(rows[row])]
        elif way in ("quote", "break") and rows[row]:
            letter = '"' if way == "quote" else "\n"
            rows[row] = [f"{letter}{cell}" if at == place else cell for at, cell in enumerate(rows[row])]
        elif way == "blank row":
            rows.insert(row, [])
        elif way == "title":
            rows.insert(0, ["Report"])
        elif way == "longer":
            rows[row] = [*rows[row], "beyond"]
        elif way == "repeat":
            rows.insert(row, rows[row])
    book = openpyxl.Workbook()
    if "cover sheet" in names:
        book.active.append(["Made for the review"])
        sheet = book.create_sheet("Answers")
    else:
        sheet = book.active
    for row_cells in rows:
        sheet.append(row_cells)
    stream = io.BytesIO()
    book.save(stream)
    content = stream.getvalue()
    expected = sum(any(MARK.search(str(cell)) for cell in cells) for cells in rows)
    if draw.random() < 0.2:
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        content, expected = bytes(damaged), 0
        names.append("wrong bits")
    return Made("export.xlsx", content, expected, names)


def _parquet(draw: random.Random, number: int) -> Made:
    listed = [{name: str(value) for name, value in row.items()} for row in records("json", draw, number)]
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(listed), stream)
    content, names = stream.getvalue(), []
    expected = len(listed)
    if draw.random() < 0.6:
        damaged = bytearray(content)
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        content = bytes(damaged[: draw.choice([len(damaged), len(damaged), draw.randrange(4, len(damaged))])])
        expected, names = 0, ["wrong bits"]
    return Made("export.parquet", content, expected, names)


_MAKERS: list[tuple[str, Callable[[random.Random, int], Made]]] = [
    *((reader, partial(_delimited, reader)) for reader in _TABLES if reader != "xlsx"),
    ("csv", partial(_delimited, "csv")),
    *((reader, partial(_json, reader)) for reader in _ENVELOPES),
    ("xlsx", partial(_workbook, "xlsx")),
    ("surveymonkey_csv", partial(_workbook, "surveymonkey_csv")),
    ("parquet", _parquet),
]


def make(seed: int, number: int) -> tuple[str, Made]:
    """(The reader, the damaged export) of this number."""
    draw = random.Random(f"{seed}:{number}")
    reader, maker = _MAKERS[number % len(_MAKERS)]
    return reader, maker(draw, number % 900)


@dataclass
class Fuzzing:
    """Stages files in a home of its own."""

    folder: Path
    resources: ExitStack

    def __post_init__(self) -> None:
        self.home = Home(self.folder).make()
        entries = "".join(_entry(reader) for reader in sorted({reader for reader, _ in _MAKERS}))
        (self.home.registry / "sources.yaml").write_text(entries, encoding="utf-8")
        (self.home.registry / "surveys.yaml").write_text(_SURVEYS, encoding="utf-8")
        self.registry = load_registry(self.home.registry)
        self.lake = Lake(self.home.lake)
        self.pseudonyms = load_pseudonyms(self.home.root, self.lake)
        connection = self.resources.enter_context(scratch(700))
        self.key_index = KeyIndex(connection, self.lake, [])

    def staged(self, source: Source, file: DeliveredFile) -> tuple[int, int]:
        """(Rows in the books, other records that a word names). Raises what landing reports as a failure.

        The latter are records that are not of the format, and those that share an unreadable row.
        """
        opened = open_file(source, file)
        with self.lake.staging() as folder:
            staging = Staging(self.key_index, self.lake, source, self.registry, self.pseudonyms, _NOW, folder)
            staging.fill(opened.export, opened.mapping, file, lambda: open_file(source, file).export)
            [(rows,)] = staging.connection.execute("SELECT count(*) FROM keys").fetchall()
        shared = (max(1, _lines_with_marks(bad.text)) - 1 for bad in opened.export.unreadable)
        return rows, opened.export.skipped + sum(shared)

    def outcome(self, seed: int, number: int) -> str:
        """`read`, `refused`, or what is wrong with how this file was read."""
        reader, made = make(seed, number)
        # A workbook and Parquet are opened by path or by name; a file shows both.
        path = self.folder / made.name
        path.write_bytes(made.content)
        try:
            rows, skipped = self.staged(self.registry.sources[f"of_{reader}"], DeliveredFile(path))
        except (UnreadableFileError, RegistryError):
            return "refused"
        except Exception as problem:
            return f"{number} {reader} {made.damage}: {type(problem).__name__}: {problem}"
        if rows + skipped < made.expected:
            return f"{number} {reader} {made.damage}: {made.expected} records, {rows} in the books"
        return "read"


def _entry(reader: str) -> str:
    kind = "tickets" if reader in _TICKETS else "survey"
    survey = ", survey: asked" if kind == "survey" else ""
    columns = f", columns: {{{_COLUMNS[reader]}}}" if reader in _COLUMNS else ""
    return f"- {{id: of_{reader}, kind: {kind}, reader: {reader}{survey}{columns}}}\n"


def fuzz(seed: int, first: int, files: int) -> Counter[str]:
    """Outcome -> number of files."""
    with tempfile.TemporaryDirectory(prefix="ces-fuzz-") as folder, ExitStack() as resources:
        fuzzing = Fuzzing(Path(folder), resources)
        return Counter(fuzzing.outcome(seed, number) for number in range(first, first + files))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="No record of a damaged export is missing from the books.")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args(arguments)
    part = -(-asked.files // asked.jobs)
    starts = range(asked.first, asked.first + asked.files, part)
    sizes = [min(part, asked.first + asked.files - start) for start in starts]
    outcomes: Counter[str] = Counter()
    if asked.jobs == 1:
        outcomes = fuzz(asked.seed, asked.first, asked.files)
    else:
        with ProcessPoolExecutor(asked.jobs) as pool:
            for found in pool.map(partial(fuzz, asked.seed), starts, sizes):
                outcomes += found
    wrong = sorted(outcome for outcome in outcomes if outcome not in ("read", "refused"))
    print(
        f"{outcomes.total():,} files: {outcomes['read']:,} read, {outcomes['refused']:,} refused, {len(wrong):,} wrong"
    )
    print("\n".join(wrong[:40]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
