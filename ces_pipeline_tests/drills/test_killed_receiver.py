"""Drill: `ces receive` killed while senders post. Every payload that was answered with 200 lands, exactly once."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from ces_pipeline_tests.builders import InboxHome, inbox_home
from ces_pipeline_tests.integration.test_receive import FORM, form_payload
from ces_pipeline_tests.unit.receive.served import SECRET, Served

SENDERS = 4


@contextmanager
def command(home: InboxHome, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`ces receive` of a home, when it answers; killed at the end."""
    program = "from ces_pipeline.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "receive", "--home", str(home.home.root), "--port", str(port)],
        env={**os.environ, "FORM_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while True:
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < until, "it does not answer"
            with suppress(OSError, HTTPException):
                if as_served(home, port).post(b"", {}, "/health", "GET")[0] == 200:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def as_served(home: InboxHome, port: int) -> Served:
    # Its receiver is in the other process.
    return Served(None, home.home.inbox, port)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def posted_until_killed(home: InboxHome, first: int, seconds: float) -> tuple[set[int], set[int]]:
    """(Numbers whose payload was answered with 200, numbers posted) by senders until the receiver was killed."""
    port = free_port()
    answered: set[int] = set()
    posted: set[int] = set()
    with command(home, port) as process:
        receiver = as_served(home, port)

        def send(sender: int) -> None:
            number = first + sender
            while True:
                posted.add(number)
                try:
                    status, _ = receiver.post(form_payload(number))
                except (OSError, HTTPException, json.JSONDecodeError):
                    return
                if status == 200:
                    answered.add(number)
                number += SENDERS

        threads = [threading.Thread(target=send, args=(sender,)) for sender in range(SENDERS)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        while len(answered) < 20 or time.monotonic() < until:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    return answered, posted


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_what_was_answered_lands_exactly_once(tmp_path: Path, kills: int) -> None:
    home = inbox_home(tmp_path, FORM, settings={"first_day": "2026-03-01"})
    answered: set[int] = set()
    posted: set[int] = set()
    for kill in range(kills):
        now_answered, now_posted = posted_until_killed(home, kill * 1_000_000, 0.3)
        answered |= now_answered
        posted |= now_posted
        if kill % 2:
            # Payloads of an earlier receiver wait for the next landing, or for the next receiver.
            assert home.land("form").failures == ()
    landing = home.land("form")
    assert landing.failures == ()
    assert landing.rows_unreadable == 0
    kept = Counter(row["response_id"] for row in home.rows("form"))
    assert set(kept.values()) == {1}
    numbers = {int(name.removeprefix("token")) for name in kept}
    assert answered <= numbers <= posted
    files = list((home.home.inbox / "form").glob("received-*.jsonl"))
    lines = Counter(
        json.loads(line)["form_response"]["token"]
        for path in files
        for line in path.read_text().splitlines()
        if line.strip()
    )
    assert set(lines.values()) == {1}
    assert lines.keys() == kept.keys()
