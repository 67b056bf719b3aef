"""Measures what a night costs with years of history: `ces run` with nothing new, and with a night of new rows.

`python -m ces_pipeline_tests.benchmarks.history --homes FOLDER [--years 1 3 5] [--responses 1000] [--tickets 2000]`
makes the homes in FOLDER once and keeps them; every measurement works on a copy. Each measurement is a `ces run` in a
process of its own; the table shows medians of wall and CPU seconds, the peak memory, and the ratios to the shortest
home. Further measurements:

--against COMMIT    the same on the same homes with the code of an earlier commit, in turns, and the ratio of both;
                    homes that are not there yet are made with that code
--nights 30         the size of the file after so many nights of one day, against one that is made anew
--large 10000000    so many answers in 365 days, in one run, against DuckDB alone that rewrites the same tables, and
                    the peak memory against 2,000,000
--backfill 365      so many days of 1,000 answers, cleaned again in one run: the day files keep their bytes
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import psutil

from ces_pipeline.home import Home
from ces_pipeline_tests.benchmarks import throughput
from ces_pipeline_tests.benchmarks.long_homes import (
    LAST_DAY,
    Size,
    copy_home,
    is_made,
    note_made,
    write_days,
    write_home,
)

NOTHING, NIGHT = "nothing new", "night"
_HERE = Path(__file__).resolve().parents[2]
_COMPARED_ROWS = 2_000_000
_LARGE_DAYS = 365


class RunFailedError(Exception):
    """A `ces run` of the benchmark failed: the message holds its output."""


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of a process with its children, and their highest resident memory together, in MB."""

    wall: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True)
class Code:
    """A checkout whose `ces` is measured."""

    name: str
    root: Path

    def run(self, home: Home, *arguments: str) -> Cost:
        """`ces run` on a home. Raises RunFailedError."""
        environment = {**os.environ, "PYTHONPATH": str(self.root)}
        environment.pop("CES_HOME", None)
        command = [sys.executable, "-m", "ces_pipeline", "run", "--home", str(home.root), *arguments]
        return cost_of(command, environment, self.root)


@dataclass
class Results:
    """Measurements: (home, what, code) -> costs; (home, code) -> sizes of the file after a night and made anew."""

    costs: dict[tuple[str, str, str], list[Cost]] = field(default_factory=dict)
    sizes: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def add(self, key: tuple[str, str, str], cost: Cost) -> None:
        self.costs.setdefault(key, []).append(cost)
        print(f"  {', '.join(key)}: {cost.wall:.1f} s, CPU {cost.cpu:.1f} s", file=sys.stderr, flush=True)

    def middle(self, key: tuple[str, str, str]) -> Cost:
        """The medians of wall and CPU seconds, and the greatest memory."""
        costs = self.costs[key]
        wall, cpu = (median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu"))
        return Cost(wall, cpu, max(cost.peak_mb for cost in costs))

    def lines(self, homes: Sequence[str], codes: Sequence[str]) -> list[str]:
        """The table: a line per code, home and measurement, with the ratios to the first home and to the last code."""
        shown = [
            f"{'home':<8}{'measured':<14}{'code':<10}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}"
            f"{f'CPU/{homes[0]}':>10}{f'wall/{homes[0]}':>10}{f'CPU/{codes[-1]}':>12}"
        ]
        for what in (NOTHING, NIGHT):
            for code in codes:
                for home in homes:
                    own = self.middle((home, what, code))
                    first = self.middle((homes[0], what, code))
                    other = self.middle((home, what, codes[-1]))
                    shown.append(
                        f"{home:<8}{what:<14}{code:<10}{own.wall:>9.2f}{own.cpu:>9.2f}{own.peak_mb:>9.0f}"
                        f"{own.cpu / first.cpu:>10.2f}{own.wall / first.wall:>10.2f}{own.cpu / other.cpu:>12.2f}"
                    )
        for (home, code), (after, anew) in self.sizes.items():
            shown.append(
                f"{home:<8}file after the night, {code}: {after / 1e6:.1f} MB, made anew {anew / 1e6:.1f} MB, "
                f"ratio {after / anew:.2f}"
            )
        return shown


def cost_of(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Cost:
    """Run a command and measure it. Raises RunFailedError if it fails."""
    with tempfile.TemporaryFile() as printed:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=printed, stderr=subprocess.STDOUT
        )
        peak, ended = [0.0], threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, peak, ended), daemon=True)
        sampler.start()
        # Of all its children, as it waits for each.
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        sampler.join()
        if process.returncode:
            printed.seek(0)
            raise RunFailedError(f"{' '.join(command)}:\n{printed.read().decode(errors='replace')}")
    # `ru_maxrss` is in KB on Linux and in bytes on macOS; samples alone miss short peaks.
    largest = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Cost(wall, used.ru_utime + used.ru_stime, max(peak[0], largest))


def _sample(pid: int, peak: list[float], ended: threading.Event) -> None:
    while not ended.wait(0.05):
        total = 0
        try:
            own = psutil.Process(pid)
            for process in (own, *own.children(recursive=True)):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        peak[0] = max(peak[0], total / 2**20)


def code_of_commit(commit: str, to: Path) -> Code:
    """The files of a commit of this repository, below `to`. Raises CalledProcessError if there is no such commit."""
    packed = subprocess.run(["git", "archive", commit], cwd=_HERE, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(to, filter="data")
    return Code(commit[:9], to)


def made_home(folder: Path, size: Size, code: Code) -> Home:
    """The home of this size, made unless it is there. Raises ValueError if one of another size is there."""
    root = folder / size.name
    if not is_made(root, size):
        shutil.rmtree(root, ignore_errors=True)
        home = write_home(root, size)
        cost = code.run(home)
        note_made(root, size)
        print(f"{root} made: {cost.wall:.0f} s, CPU {cost.cpu:.0f} s, peak {cost.peak_mb:.0f} MB", flush=True)
    return Home(root)


def measure(
    homes: Mapping[str, Home], codes: Sequence[Code], work: Path, given: argparse.Namespace
) -> Results:
    """Nothing new and a night, in turns of homes and codes, `given.repeat` times."""
    results = Results()
    ready: dict[tuple[str, str], Home] = {}
    for name, home in homes.items():
        for code in codes:
            # Other code than that which made the home cleans and publishes it anew: not what is measured.
            ready[name, code.name] = copy_home(home, work / f"{name}-{code.name}")
            code.run(ready[name, code.name])
    for turn in range(given.repeat):
        for name in homes:
            for code in codes if turn % 2 == 0 else reversed(codes):
                home = copy_home(ready[name, code.name], work / "measured")
                results.add((name, NOTHING, code.name), code.run(home))
                write_days(
                    home,
                    LAST_DAY + timedelta(days=1),
                    given.night_days,
                    given.night_responses // given.night_days,
                    given.night_tickets // given.night_days,
                )
                results.add((name, NIGHT, code.name), code.run(home))
                if turn == 0:
                    results.sizes[name, code.name] = (home.published.stat().st_size, made_anew(home, code))
    return results


def made_anew(home: Home, code: Code) -> int:
    """Bytes of the published file of a home when it is made anew from the lake."""
    home.published.unlink()
    code.run(home)
    return home.published.stat().st_size


def many_nights(home: Home, code: Code, count: int, size: Size) -> tuple[int, int, list[float]]:
    """Run so many nights of one day.

    Returns the bytes of the file after them, the bytes of one made anew, and the CPU seconds of each night.
    """
    seconds = []
    for number in range(1, count + 1):
        write_days(home, LAST_DAY + timedelta(days=number), 1, size.responses, size.tickets)
        seconds.append(code.run(home).cpu)
    return home.published.stat().st_size, made_anew(home, code), seconds


def large(rows: int) -> list[str]:
    """So many answers in a year against DuckDB alone, and the peak memory against _COMPARED_ROWS; lines to print."""
    measured = {}
    for count, days in ((_COMPARED_ROWS, 60), (rows, _LARGE_DAYS)):
        # Each in a process of its own, so that neither holds the memory of the other.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            measured[count] = pool.submit(throughput.measure, count, days).result()
    lines = []
    for count, found in measured.items():
        total, again = sum(found.seconds.values()), sum(found.rewriting.values())
        lines.append(
            f"{count:,} answers: {total:.1f} s, DuckDB rewriting the same tables {again:.1f} s, ratio "
            f"{total / again:.2f}; peak {found.peak_mb:.0f} MB"
        )
    ratio = measured[rows].peak_mb / measured[_COMPARED_ROWS].peak_mb
    return [*lines, f"peak of {rows:,} against {_COMPARED_ROWS:,}: {ratio:.2f}"]


def backfill(folder: Path, code: Code, days: int, rows: int = 1_000) -> list[str]:
    """Build a home of so many days, and clean all of its days again in one run; lines to print.

    Raises RunFailedError if a day file has other bytes than after the build, or was not written again.
    """
    home = write_home(folder / "backfill", Size(days / 365, rows, tickets=10))
    built = code.run(home)
    before = _day_files(home)
    first = LAST_DAY - timedelta(days=days - 1)
    again = code.run(home, "--from", first.isoformat(), "--to", LAST_DAY.isoformat())
    after = _day_files(home)
    chosen = {path for path in before if first <= date.fromisoformat(path.parent.name[4:]) <= LAST_DAY}
    kept = sorted(str(path) for path in chosen if before[path][1] == after[path][1])
    if kept:
        raise RunFailedError(f"{len(kept)} day files were not written again, such as {kept[0]}")
    other = sorted(
        str(path) for path in before.keys() | after.keys() if _bytes(before, path) != _bytes(after, path)
    )
    if other:
        raise RunFailedError(
            f"{len(other)} day files have other bytes than a fresh build, such as {other[0]}"
        )
    return [
        f"{days} days of {rows:,} answers: built in {built.wall:.1f} s (CPU {built.cpu:.1f}), backfilled in one run in "
        f"{again.wall:.1f} s (CPU {again.cpu:.1f}), peak {again.peak_mb:.0f} MB; {len(chosen)} day files equal"
    ]


def _day_files(home: Home) -> dict[Path, tuple[str, int]]:
    """Path below the lake -> (SHA-256, time of writing in ns) of the files of accepted and rejected answers."""
    found = {}
    for table in ("responses", "rejected_responses"):
        for path in sorted((home.lake / "core" / table).rglob("day=*/*.parquet")):
            digest = sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(home.lake)] = digest, path.stat().st_mtime_ns
    return found


def _bytes(files: Mapping[Path, tuple[str, int]], path: Path) -> str | None:
    return files[path][0] if path in files else None


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="What a night costs with years of history.")
    parser.add_argument("--homes", type=Path, required=True, help="folder in which the homes are kept")
    parser.add_argument("--years", type=float, nargs="*", default=[1, 3, 5])
    parser.add_argument("--responses", type=int, default=1_000, help="answers of a day of history")
    parser.add_argument("--tickets", type=int, default=2_000, help="tickets of a day of history")
    parser.add_argument("--night-responses", type=int, default=10_000)
    parser.add_argument("--night-tickets", type=int, default=20_000)
    parser.add_argument(
        "--night-days", type=int, default=1, help="new days over which a night's rows are spread"
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--against", metavar="COMMIT", help="measure the code of this commit as well")
    parser.add_argument(
        "--nights", type=int, default=0, help="nights after which the file's size is compared"
    )
    parser.add_argument("--large", type=int, default=0, metavar="ROWS")
    parser.add_argument("--backfill", type=int, default=0, metavar="DAYS")
    return parser


def main(arguments: Sequence[str]) -> int:
    given = _options().parse_args(arguments)
    codes = [Code("this", _HERE)]
    sizes = [Size(years, given.responses, given.tickets) for years in given.years]
    given.homes.mkdir(parents=True, exist_ok=True)
    # Beside the homes, because only one file system gives a file a second name.
    with tempfile.TemporaryDirectory(prefix=".measured-", dir=given.homes) as folder:
        work = Path(folder)
        if given.against:
            (work / "code").mkdir()
            codes.append(code_of_commit(given.against, work / "code"))
        # Later code reads the home of an earlier one, not the other way round.
        homes = {size.name: made_home(given.homes, size, codes[-1]) for size in sizes}
        if homes and given.repeat:
            results = measure(homes, codes, work, given)
            night = f"{given.night_responses:,} answers and {given.night_tickets:,} tickets"
            print(
                f"a day of history: {given.responses:,} answers and {given.tickets:,} tickets; a night: {night}"
            )
            print("\n".join(results.lines([*homes], [code.name for code in codes])), flush=True)
        if given.nights:
            for size in sizes:
                home = copy_home(homes[size.name], work / "nights")
                codes[0].run(home)
                after, anew, seconds = many_nights(home, codes[0], given.nights, size)
                print(
                    f"{size.name}: file after {given.nights} nights {after / 1e6:.1f} MB, made anew "
                    f"{anew / 1e6:.1f} MB, ratio {after / anew:.2f}; CPU s of the first night {seconds[0]:.1f}, of "
                    f"the last {seconds[-1]:.1f}",
                    flush=True,
                )
        if given.large:
            print("\n".join(large(given.large)), flush=True)
        if given.backfill:
            print("\n".join(backfill(work, codes[0], given.backfill)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
