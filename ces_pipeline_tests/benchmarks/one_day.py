"""Measures one day of a million responses: landed, cleaned and published on a small machine and on a larger one.

`python -m ces_pipeline_tests.benchmarks.one_day [--rows 1000000]`. Each machine is a process of its own, with the
settings of such a machine. Prints the seconds and the peak of memory of each step. Exits 1 if the small machine needs
more memory than the limit, or if the larger one is not faster.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ces_pipeline import pipeline
from ces_pipeline.home import Home
from ces_pipeline.registry import load_registry
from ces_pipeline.storage.memory import keep_freed_memory
from ces_pipeline.storage.own_process import share_one_allocator
from ces_pipeline_tests.benchmarks.throughput import in_another_process, make_home, peak_memory_mb

PEAK_LIMIT_MB = 1500
MACHINES = {"small": (1, 600), "larger": (2, 4_000)}
"""Name of a machine -> threads, and MB of memory for DuckDB."""
STEPS = ("land", "clean", "publish")

Measured = dict[str, tuple[float, float]]
"""Step -> seconds, and the peak of memory of its processes in MB."""


def run_one_day(root: Path, threads: int, memory_mb: int) -> Measured:
    """Land, clean and publish a home in this process, as the `ces` command does it."""
    share_one_allocator()
    keep_freed_memory()
    home = Home(root)
    settings = f"machine: {{threads: {threads}, memory_mb: {memory_mb}}}\n"
    (home.registry / "settings.yaml").write_text(settings, encoding="utf-8")
    registry = load_registry(home.registry)

    def clean() -> None:
        for day in pipeline.clean(
            home, registry, "survey", pipeline.stale_days(home, registry, "survey"), run_id="benchmark"
        ):
            if day.problems:
                raise SystemExit("\n".join(day.problems))

    steps: dict[str, Callable[[], Any]] = {
        "land": lambda: pipeline.land(home, registry),
        "clean": clean,
        "publish": lambda: pipeline.publish(home, registry, run_id="benchmark"),
    }
    return {name: _measured(steps[name]) for name in STEPS}


def _measured(work: Callable[[], Any]) -> tuple[float, float]:
    started = time.perf_counter()
    with peak_memory_mb() as peak:
        work()
    return time.perf_counter() - started, peak[0]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description="One day of many responses, on a small and a larger machine."
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="ces-one-day-") as folder:
        for name, (threads, memory_mb) in MACHINES.items():
            home, _ = make_home(Path(folder) / name, given.rows, 1)
            found[name] = in_another_process(run_one_day, home.root, threads, memory_mb)
    print(f"one day of {given.rows:,} responses")
    print(f"{'machine':<10}{'threads':>8}{'MB':>7}" + "".join(f"{step:>20}" for step in (*STEPS, "total")))
    for name, measured in found.items():
        total, peak = _total(measured)
        shown = [f"{seconds:.1f} s {mb:,.0f} MB" for seconds, mb in (*measured.values(), (total, peak))]
        threads, memory_mb = MACHINES[name]
        print(f"{name:<10}{threads:>8}{memory_mb:>7}" + "".join(f"{text:>20}" for text in shown))
    (small, peak), (larger, _) = (_total(found[name]) for name in MACHINES)
    print(
        f"larger / small {larger / small:.2f} (limit 1) peak on the small one {peak:,.0f} MB (limit {PEAK_LIMIT_MB})"
    )
    return 0 if peak <= PEAK_LIMIT_MB and larger < small else 1


def _total(measured: Measured) -> tuple[float, float]:
    return sum(seconds for seconds, _ in measured.values()), max(mb for _, mb in measured.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
