"""Protects the answer to bad input: it fails alone, says what to do, loses no row and shows no person."""

import errno
import gzip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ces_pipeline.errors import HomeError
from ces_pipeline.home import Home
from ces_pipeline.land.step import SourceLanding, land_source
from ces_pipeline_tests.builders import DESK, NOW, WEB, InboxHome, answer, csv_text, inbox_home, without

# Planted in the bad files: none may be found anywhere but in the inbox.
MAIL, PHONE, NAME, CARD = (
    "zoe.canary@example.org",
    "+49 151 55566677",
    "Zoe Canarybird",
    "4111 1111 1111 1111",
)
CANARIES = (MAIL, "canary@", PHONE, "55566677", NAME, "canarybird", CARD, "41111111")
PERSONAL = answer(1, email=MAIL, comment=f"call {PHONE} or {MAIL}, card {CARD}")
TEXT = csv_text([PERSONAL])
TICKET = [{"number": "T1", "state": "open", "updated": "2026-03-02T10:00:00Z", "email": "ann@example.org"}]


def zipped(**members: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.csv", text)
    return packed.getvalue()


@dataclass
class Landed:
    """A home after its two sources were landed: `web` got one bad and one good file, `desk` a good one."""

    home: InboxHome
    web: SourceLanding
    desk: SourceLanding

    def assert_alone_and_silent(self) -> None:
        """The bad file stopped neither its neighbour nor the other feed, and nobody planted shows."""
        assert [row["response_id"] for row in self.home.rows() if row["response_id"] == "rgood"] == ["rgood"]
        assert (self.desk.rows_landed, self.desk.failures) == (1, ())
        assert self.home.find(*CANARIES) == []
        reported = " ".join((*self.web.failures, *self.web.notes)).lower()
        assert not [canary for canary in CANARIES if canary.lower() in reported]


@pytest.fixture
def land(tmp_path: Path) -> Callable[..., Landed]:
    def landed(name: str, content: str | bytes, feed: dict[str, object] = WEB) -> Landed:
        home = inbox_home(tmp_path / "home", feed, DESK)
        home.drop(name, content)
        home.drop("good.csv", [answer("good", email="good@example.org")])
        home.drop("desk.csv", TICKET, "desk")
        web, desk = home.land_all()
        return Landed(home, web, desk)

    return landed


GOOD_ROW = "r1,4,fine,ann@example.org,2026-03-02T12:00:00Z,Ann\n"

UNREADABLE: dict[str, tuple[str, str | bytes, tuple[str, ...]]] = {
    "empty": ("bad.csv", b"", ("is empty", "again")),
    "blank": ("bad.csv", b" \n\n \n", ("is empty",)),
    "truncated gzip": (
        "bad.csv.gz",
        gzip.compress(TEXT.encode() * 50)[:-20],
        ("cut off", "again"),
    ),
    "gzip in name only": ("bad.csv.gz", b"\x1f\x8b\x08\x00garbage", ("damaged", "again")),
    "zip with two files": ("bad.zip", zipped(a=TEXT, b=TEXT), ("holds 2 files", "one by one")),
    "empty zip": ("bad.zip", zipped(), ("bad.zip",)),
    "truncated zip": ("bad.zip", zipped(a=TEXT * 50)[:-40], ("again",)),
    "binary": ("bad.csv", bytes(range(256)) * 40 + MAIL.encode(), ("binary", "inbox")),
    "one column": ("bad.csv", TEXT.replace(",", "~"), ("options.delimiter",)),
    "renamed score": (
        "bad.csv",
        TEXT.replace("score", "rating", 1),
        ("column 'score'", "entry web", "rating", "columns.score"),
    ),
    "renamed id": (
        "bad.csv",
        TEXT.replace("id,", "ref,", 1),
        ("column 'id'", "entry web", "columns.response_id"),
    ),
    "no header": ("bad.csv", TEXT.split("\n", 1)[1] * 3, ("column", "not like a header")),
    "no header, names": ("bad.csv", f"{NAME},5,2026-03-02,x,y\n" * 3, ("column", "not like a header")),
    "JSON for CSV": ("bad.csv", f'{{"id": "r1", "who": "{NAME}", "mail": "{MAIL}"}}\n', ("bad.csv",)),
    "a picture named csv": ("bad.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", ("binary",)),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_fails_alone_and_says_what_to_do(
    land: Callable[..., Landed], kind: str
) -> None:
    name, content, parts = UNREADABLE[kind]
    landed = land(name, content)
    (failure,) = landed.web.failures
    assert failure.startswith(f"web: {name}: ")
    for part in parts:
        assert part in failure.lower()
    assert len(landed.home.deliveries()) == 1
    landed.assert_alone_and_silent()


def test_a_failed_file_is_reported_again_every_night_until_it_is_corrected(
    land: Callable[..., Landed],
) -> None:
    landed = land("bad.csv", b"")
    assert landed.home.land().failures == landed.web.failures
    landed.home.drop("bad.csv", TEXT)
    outcome = landed.home.land()
    assert (outcome.failures, outcome.rows_landed) == ((), 1)
    landed.assert_alone_and_silent()


def test_a_header_alone_is_a_delivery_without_rows(land: Callable[..., Landed]) -> None:
    landed = land("bad.csv", TEXT.split("\n")[0] + "\n")
    assert (landed.web.files_new, landed.web.rows_read, landed.web.failures) == (2, 1, ())
    landed.assert_alone_and_silent()


def test_a_wrong_delimiter_in_the_registry_names_the_one_that_fits(land: Callable[..., Landed]) -> None:
    feed = {**WEB, "options": {"delimiter": ";"}}
    landed = land("bad.csv", TEXT, feed)
    assert landed.home.deliveries() == []
    for failure, name in zip(landed.web.failures, ("bad.csv", "good.csv"), strict=True):
        assert failure.startswith(f"web: {name}: ")
        assert "at comma it has 5" in failure
        assert "options.delimiter" in failure
    assert (landed.desk.rows_landed, landed.home.find(*CANARIES)) == (1, [])


def test_an_option_that_makes_no_sense_fails_its_source_alone(land: Callable[..., Landed]) -> None:
    landed = land("bad.csv", TEXT, {**WEB, "options": {"delimiter": "tabs"}})
    assert ["options.delimiter" in failure for failure in landed.web.failures] == [True, True]
    assert landed.desk.rows_landed == 1


OPEN_QUOTES = {
    "in the middle": f'r7,4,"never closed {NAME},{MAIL},2026-03-02,b',
    "in the last cell": f'r7,4,fine,{MAIL},2026-03-02,"never closed {NAME}',
}


@pytest.mark.parametrize("after", [1, 50_000, 300_000])
@pytest.mark.parametrize("row", OPEN_QUOTES)
def test_a_quote_that_is_never_closed_swallows_no_row(
    land: Callable[..., Landed], row: str, after: int
) -> None:
    """The rows behind it are recovered and all counted, or the file is refused; nothing in between."""
    behind = f"r8,4,fine,{MAIL},2026-03-02T12:00:00Z,{NAME}\n" * after
    landed = land("bad.csv", f"id,score,comment,email,recorded,name\n{GOOD_ROW}{OPEN_QUOTES[row]}\n{behind}")
    if not landed.web.failures:
        assert landed.web.rows_read == len(GOOD_ROW.splitlines()) + 1 + after + 1
        return
    (failure,) = landed.web.failures
    assert failure.startswith("web: bad.csv: ")
    assert "quote" in failure
    assert "deliver it again" in failure
    assert len(landed.home.deliveries()) == 1
    landed.assert_alone_and_silent()


def test_a_comment_of_several_lines_at_the_end_of_a_file_is_no_open_quote(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(1, comment='so "easy",\nreally\n'), answer(2, comment="one\ntwo")])
    assert home.land().failures == ()
    assert [row["comment"] for row in home.rows()] == ['so "easy",\nreally', "one\ntwo"]


def test_a_very_long_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    home = inbox_home(tmp_path / "home")
    head = b"id,score,comment,email,recorded\nr1,4,fine,ann@example.org,2026-03-02\n"
    with home.drop("bad.csv", b"").open("wb") as file:
        file.write(head * 40_000)
        file.write(b"r2,4,")
        for _ in range(64):
            file.write(b"x" * (1 << 20))
        file.write(b",ann@example.org,2026-03-02\n")
    program = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from ces_pipeline.land.step import land_source
from ces_pipeline.registry import load_registry
from ces_pipeline.home import Home
root = Path(sys.argv[1])
registry = load_registry(root / "registry")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
outcome = land_source(Home(root), registry, registry.sources["web"])
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
sys.stdout.write(f"{grown}\\n{outcome.failures[0]}")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(home.home.root)], capture_output=True, text=True, check=True
    )
    grown, failure = done.stdout.split("\n", 1)
    assert failure.startswith("web: bad.csv: ")
    assert "line longer than" in failure
    assert int(grown) < 300
    assert home.deliveries() == []


def test_a_survey_that_nobody_registered_lands_and_is_left_to_cleaning(tmp_path: Path) -> None:
    home = inbox_home(tmp_path, {**without(WEB), "survey": None, "survey_column": "poll"})
    home.drop("a.csv", [answer(1, poll="Brand new poll"), answer(2, poll=None)])
    assert home.land().failures == ()
    assert [row["survey"] for row in home.rows()] == ["Brand new poll", None]


@pytest.mark.parametrize("score", ["7 - Very easy", "٧", " 7 ", "7.0", "8", "easy", "", "-", "1e3", "7,0"])
def test_a_score_lands_as_it_was_given(tmp_path: Path, score: str) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(1, score=score)])
    home.land()
    assert home.row()["score"] == (score.strip() or None)


@pytest.mark.parametrize(
    ("recorded", "moment", "day"),
    [
        ("2026-02-30T10:00:00Z", None, NOW.date()),
        ("2026-02-29", None, NOW.date()),
        ("31/12/2025 25:61", None, NOW.date()),
        ("2025-10-26 02:30:00", datetime(2025, 10, 26, 1, 30, tzinfo=UTC), date(2025, 10, 26)),
        ("2025-10-26T02:30:00+02:00", datetime(2025, 10, 26, 0, 30, tzinfo=UTC), date(2025, 10, 26)),
        ("2026-03-02 00:30:00", datetime(2026, 3, 1, 23, 30, tzinfo=UTC), date(2026, 3, 2)),
        ("1999-03-02T12:00:00Z", datetime(1999, 3, 2, 12, tzinfo=UTC), NOW.date()),
        ("2027-03-02T12:00:00Z", datetime(2027, 3, 2, 12, tzinfo=UTC), NOW.date()),
    ],
)
def test_a_doubtful_time_loses_no_row(
    tmp_path: Path, recorded: str, moment: datetime | None, day: date
) -> None:
    berlin = {"business_time_zone": "Europe/Berlin", "first_day": date(2025, 1, 1)}
    home = inbox_home(tmp_path, {**WEB, "time_zone": "Europe/Berlin"}, settings=berlin)
    home.drop("a.csv", [answer(1, recorded=recorded)])
    assert home.land().failures == ()
    row = home.row()
    assert (row["recorded_at"], row["day"]) == (moment, day)
    assert (row["times_as_written"] is None) == (moment is not None)


def test_blank_ids_lose_no_row(tmp_path: Path) -> None:
    home = inbox_home(tmp_path)
    home.drop("a.csv", [answer(1, id=""), answer(2, id=" "), answer(3, id="")])
    outcome = home.land()
    assert (outcome.rows_landed, len({row["response_id"] for row in home.rows()})) == (3, 3)


def test_people_are_found_nowhere_but_in_the_inbox(land: Callable[..., Landed]) -> None:
    columns = "id,score,comment,email,recorded,First Name,phone,note,agent\n"
    rows = [
        f"r1,5,ask {MAIL} or {PHONE},{MAIL},2026-03-02,{NAME},{PHONE},card {CARD},{NAME}",
        f"r2,write to {MAIL},fine,{MAIL},{MAIL},{NAME},{PHONE},{MAIL},{NAME}",
        f"r3,5,fine,{MAIL},2026-03-02,{NAME},{PHONE}",
        f"r4,5,a, b, c,{MAIL},2026-03-02,{NAME},{PHONE},{CARD},{NAME}",
        f"r5,5,fine,{MAIL},2026-03-02,{NAME},{PHONE},x,{NAME},{NAME}",
        f"r6,{NAME}",
    ]
    landed = land(f"export for {MAIL}.csv", columns + "\n".join(rows) + "\n")
    assert landed.web.failures == ()
    assert (landed.web.rows_read, landed.web.rows_unreadable) == (7, 3)
    assert landed.home.find(*CANARIES) == []
    keys = {row["respondent_key"] for row in landed.home.rows() if row["response_id"] in ("r1", "r2")}
    assert len(keys) == 1


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_home_that_cannot_be_written_is_reported_with_what_to_do(tmp_path: Path, below: str) -> None:
    good = inbox_home(tmp_path / "good")
    blocked = tmp_path / "file"
    blocked.write_text("")
    home = Home(blocked / below)
    with pytest.raises(HomeError, match="permissions"):
        home.make()
    source = good.registry.sources["web"]
    with pytest.raises(HomeError, match="permissions"):
        land_source(home, good.registry, source)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A disk that is full from the first call of one kind on."""

    def no_space(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    places = {
        "rows": lambda: monkeypatch.setattr(pq.ParquetWriter, "write_table", no_space),
        "rename": lambda: monkeypatch.setattr(Path, "replace", no_space),
        "sync": lambda: monkeypatch.setattr(os, "fsync", no_space),
    }
    return lambda place: places[place]()


@pytest.mark.parametrize("place", ["rows", "rename", "sync"])
def test_a_full_disk_stops_the_run_and_the_next_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_disk: Callable[[str], None], place: str
) -> None:
    home = inbox_home(tmp_path / "home")
    home.drop("a.csv", [answer(1)])
    home.land()
    before = home.state()
    home.drop("b.csv", [PERSONAL, answer(2, recorded="2026-03-03T12:00:00Z")])
    full_disk(place)
    with pytest.raises(HomeError, match=r"No space left on device.*[Ff]ree ") as caught:
        home.land()
    monkeypatch.undo()
    assert not [canary for canary in CANARIES if canary in str(caught.value)]
    assert home.state() == before
    assert list((home.home.lake / ".staging").glob("*")) == []
    outcome = home.land()
    assert (outcome.files_known, outcome.rows_landed, outcome.failures) == (1, 2, ())
    assert home.find(*CANARIES) == []


def test_a_disk_that_fills_up_in_earnest_stops_the_run_and_the_next_completes_it(tmp_path: Path) -> None:
    home = inbox_home(tmp_path / "home")
    home.home.lake.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(home.home.lake)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        rows = [answer(number, comment=os.urandom(60).hex()) for number in range(6_000)]
        home.drop("a.csv", rows[:20])
        home.drop("b.csv", rows)
        with pytest.raises(HomeError, match=r"[Ff]ree disk space"):
            home.land()
        assert [delivery.rows_landed for delivery in home.deliveries()] in ([], [20])
        subprocess.run(["mount", "-o", "remount,size=64m", str(home.home.lake)], check=True)
        home.land()
        assert len({row["response_id"] for row in home.rows()}) == 6_000
    finally:
        subprocess.run(["umount", str(home.home.lake)], check=True)
