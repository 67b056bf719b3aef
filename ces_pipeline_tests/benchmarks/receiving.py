"""Measures `ces receive`: payloads a second, each on the disk before its answer, and how long an answer takes.

    python -m ces_pipeline_tests.benchmarks.receiving [--seconds 5] [--senders 1 8 32]

The receiver is a process of its own, as in use; the senders share one other process, which also needs processor time.
For comparison it prints how often a second the disk takes one line with a sync.
"""

import argparse
import http.client
import json
import os
import tempfile
import threading
import time
from pathlib import Path

from ces_pipeline_tests.builders import inbox_home
from ces_pipeline_tests.drills.test_killed_receiver import command, free_port
from ces_pipeline_tests.integration.test_receive import FORM, form_payload
from ces_pipeline_tests.unit.receive.served import signed


def syncs_per_second(folder: Path, seconds: float) -> float:
    """Appends of a line of the size of a payload, each with a sync."""
    line = json.dumps(form_payload(1)).encode() + b"\n"
    handle = os.open(folder / "syncs", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        os.write(handle, line)
        os.fsync(handle)
        count += 1
    os.close(handle)
    return count / (time.perf_counter() - began)


def measured(port: int, senders: int, seconds: float) -> tuple[int, list[float]]:
    """(Payloads kept, seconds from sending to the answer of each), by senders that keep their connections."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    def send(sender: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        number = sender
        while (began := time.perf_counter()) < until:
            body = json.dumps(form_payload(number)).encode()
            connection.request("POST", "/receive/form", body, signed(body))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times.append(time.perf_counter() - began)
            number += senders
        connection.close()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times), sorted(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--senders", type=int, nargs="+", default=[1, 8, 32])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(f"one line and a sync, by one writer: {syncs_per_second(Path(folder), 2):,.0f} a second")
        entry = {**FORM, "receive": {**FORM["receive"], "requests_per_minute": 60_000}}
        home = inbox_home(Path(folder) / "home", entry)
        port = free_port()
        with command(home, port):
            for senders in given.senders:
                count, times = measured(port, senders, given.seconds)
                p50, p95, p99 = (1000 * times[int(share * (count - 1))] for share in (0.5, 0.95, 0.99))
                print(
                    f"{senders} senders: {count / given.seconds:,.0f} payloads a second; milliseconds to the answer: "
                    f"median {p50:.1f}, 95 % {p95:.1f}, 99 % {p99:.1f}"
                )
        began = time.perf_counter()
        landing = home.land("form")
        print(
            f"landing: {landing.rows_read:,} payloads in {landing.files_new} file, "
            f"{time.perf_counter() - began:.1f} s"
        )


if __name__ == "__main__":
    main()
