"""Measures the throughput of the pipeline, and compares it with DuckDB alone, which does the same three writes.

`python -m ces_pipeline_tests.benchmarks.throughput [--rows 2000000] [--days 60]`. Prints each step's seconds,
DuckDB's seconds ("floor") and the ratio. Exits 1 if a limit is exceeded. It also prints DuckDB's seconds to rewrite the
pipeline's output, which shows how much of the ratio the width of the tables causes. Start-up (imports, first use of
libraries) is not measured.
"""

import argparse
import importlib
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import psutil

from ces_pipeline import pipeline
from ces_pipeline.demo.big_csv import write_big_csv
from ces_pipeline.home import Home
from ces_pipeline.registry import Registry, load_registry
from ces_pipeline.storage.quote import quote_text

RATIO_LIMIT = 2.5
PEAK_LIMIT_MB = 1500
SEED = 7
STEPS = ("land", "clean", "publish")
_Result = TypeVar("_Result")
_WARM_UP_ROWS, _WARM_UP_DAYS = 5_000, 10
_SOURCES = """
- id: big
  kind: survey
  reader: csv
  survey: support
  columns: {response_id: response_id, respondent: email, ticket_id: ticket_id, channel: channel,
    product: product, language: language, score: score, comment: comment, started_at: started_at,
    submitted_at: submitted_at, recorded_at: recorded_at, duration_seconds: duration_seconds,
    finished: finished, status: status}
"""
_SURVEYS = """
- {id: support, scale: ces2_agreement_1_7}
"""


def floor_seconds(export: Path, folder: Path) -> dict[str, float]:
    """Seconds of DuckDB alone for the necessary write of each step, with the columns of the export."""
    return _write_seconds(
        folder,
        {
            "land": f"SELECT *, CAST(recorded_at AS DATE) AS day FROM read_csv({quote_text(str(export))}, header = true)",
            "clean": _parquet(folder / "raw"),
            "publish": _parquet(folder / "core"),
        },
    )


def rewriting_seconds(lake: Path, folder: Path) -> dict[str, float]:
    """Seconds of DuckDB alone to rewrite the output of each step, with all columns of the tables.

    It does not parse, hash, judge or derive anything.
    """
    responses = f"SELECT * FROM read_parquet({quote_text(f'{lake}/core/responses/*/*.parquet')})"
    return _write_seconds(
        folder, {"land": _parquet(lake / "raw" / "big"), "clean": responses, "publish": responses}
    )


def _parquet(folder: Path) -> str:
    return f"SELECT * FROM read_parquet({quote_text(f'{folder}/*/*.parquet')}, hive_partitioning = true)"


def _write_seconds(folder: Path, rows: Mapping[str, str]) -> dict[str, float]:
    """Seconds of DuckDB to write the rows of each step's query, as one file per day or as a table."""
    folder.mkdir()
    layout = "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))"
    writes = {
        "land": f"COPY ({rows['land']}) TO {quote_text(str(folder / 'raw'))} {layout}",
        "clean": f"COPY ({rows['clean']}) TO {quote_text(str(folder / 'core'))} {layout}",
        "publish": f"CREATE TABLE published.responses AS {rows['publish']}",
    }
    seconds = {}
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"ATTACH {quote_text(str(folder / 'floor.duckdb'))} AS published")
        for step in STEPS:
            started = time.perf_counter()
            connection.execute(writes[step])
            if step == "publish":
                connection.execute("DETACH published")
            seconds[step] = time.perf_counter() - started
    return seconds


def pipeline_seconds(home: Home, registry: Registry) -> dict[str, float]:
    """Seconds of each step of the pipeline on the files of the inbox, without the start of the workers."""
    seconds = {"land": _seconds(lambda: pipeline.land(home, registry))}
    with warmed_workers() as workers:

        def clean() -> None:
            days = pipeline.stale_days(home, registry, "survey")
            for _ in pipeline.clean(home, registry, "survey", days, run_id="benchmark", executor=workers):
                pass

        seconds["clean"] = _seconds(clean)
    seconds["publish"] = _seconds(lambda: pipeline.publish(home, registry, run_id="benchmark"))
    return seconds


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def warmed_workers() -> Iterator[Executor]:
    """One worker process per core, as cleaning starts them, with all modules imported."""
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for ready in [pool.submit(_import_all) for _ in range(workers)]:
            ready.result()
        yield pool


def _import_all() -> str:
    module = importlib.import_module("ces_pipeline.clean.day")
    time.sleep(0.5)
    return module.__name__


def make_home(root: Path, rows: int, days: int) -> tuple[Home, Registry]:
    """A home whose inbox contains one export of this size."""
    home = Home(root).make()
    (home.registry / "sources.yaml").write_text(_SOURCES, encoding="utf-8")
    (home.registry / "surveys.yaml").write_text(_SURVEYS, encoding="utf-8")
    (home.inbox / "big").mkdir()
    in_another_process(write_big_csv, home.inbox / "big" / "responses.csv", rows, days, SEED)
    return home, load_registry(home.registry)


def in_another_process(work: Callable[..., _Result], *given: object) -> _Result:
    """The result of `work(*given)`. Its memory does not count as memory of this process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


@contextmanager
def peak_memory_mb() -> Iterator[list[float]]:
    """Yields a list with one number: the highest resident memory of this process and its children, in MB."""
    peak, done, own = [0.0], threading.Event(), psutil.Process()

    def sample() -> None:
        while not done.wait(0.05):
            total = 0
            for process in (own, *own.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], total / 2**20)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


@dataclass(frozen=True)
class Throughput:
    """Seconds of each step: of the pipeline, of DuckDB alone, and of DuckDB rewriting the pipeline's output.

    peak_mb: highest memory of the pipeline. size_mb: size of the export.
    """

    seconds: dict[str, float]
    floor: dict[str, float]
    rewriting: dict[str, float]
    peak_mb: float
    size_mb: float


def measure(rows: int, days: int) -> Throughput:
    """Measure so many responses over so many days, in a folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="ces-throughput-") as folder:
        root = Path(folder)
        home, registry = make_home(root / "home", rows, days)
        export = home.inbox / "big" / "responses.csv"
        floor = in_another_process(floor_seconds, export, root / "floor")
        pipeline_seconds(*make_home(root / "warm-up", _WARM_UP_ROWS, _WARM_UP_DAYS))
        with peak_memory_mb() as peak:
            seconds = pipeline_seconds(home, registry)
        rewriting = in_another_process(rewriting_seconds, home.lake, root / "rewriting")
        return Throughput(seconds, floor, rewriting, peak[0], export.stat().st_size / 1e6)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Throughput of the pipeline, compared with DuckDB alone.")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=60)
    given = parser.parse_args(arguments)
    found = measure(given.rows, given.days)
    seconds, floor, rewriting = found.seconds, found.floor, found.rewriting
    print(f"{given.rows:,} responses in {given.days} days, {found.size_mb:,.0f} MB of CSV")
    print(f"{'step':<10}{'seconds':>10}{'floor':>10}{'ratio':>8}{'rewriting':>12}{'ratio':>8}")
    for step, own, bare, again in (
        *((step, seconds[step], floor[step], rewriting[step]) for step in STEPS),
        ("total", sum(seconds.values()), sum(floor.values()), sum(rewriting.values())),
    ):
        print(f"{step:<10}{own:>10.2f}{bare:>10.2f}{own / bare:>8.2f}{again:>12.2f}{own / again:>8.2f}")
    ratio = sum(seconds.values()) / sum(floor.values())
    print(f"ratio {ratio:.2f} (limit {RATIO_LIMIT}) peak {found.peak_mb:.0f} MB (limit {PEAK_LIMIT_MB})")
    return 0 if ratio <= RATIO_LIMIT and found.peak_mb <= PEAK_LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
