"""Writes payloads into the inbox: one thread, in which all payloads that wait share one sync of the disk."""

import asyncio
import threading
from collections import defaultdict
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue

from ces_pipeline.storage import spool

_Waiting = tuple[Path, bytes, "Future[None]"]


class Writer:
    """The thread. Use it as a context: at its end it has written everything that it was given."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="receive-writer", daemon=True)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    async def store(self, folder: Path, line: bytes) -> None:
        """Append a line to the open file of a folder; returns when the disk has it. Raises as `spool.append`."""
        done: Future[None] = Future()
        self._queue.put((folder, line, done))
        await asyncio.wrap_future(done)

    def _write(self) -> None:
        is_open = True
        while is_open:
            waiting: list[_Waiting | None] = [self._queue.get()]
            try:
                while True:
                    waiting.append(self._queue.get_nowait())
            except Empty:
                pass
            is_open = None not in waiting
            by_folder: dict[Path, list[tuple[bytes, Future[None]]]] = defaultdict(list)
            for folder, line, done in filter(None, waiting):
                by_folder[folder].append((line, done))
            for folder, lines in by_folder.items():
                _append(folder, lines)


def _append(folder: Path, lines: "list[tuple[bytes, Future[None]]]") -> None:
    # A request whose client has gone may be cancelled: its payload is written all the same.
    started = [(line, done.set_running_or_notify_cancel() and done) for line, done in lines]
    try:
        spool.append(folder, [line for line, _ in started])
    except Exception as problem:
        for _, done in started:
            if done:
                done.set_exception(problem)
        return
    for _, done in started:
        if done:
            done.set_result(None)
