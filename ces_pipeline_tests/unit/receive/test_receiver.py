"""Protects the receiver: what is signed is kept before it is answered, and everything else gets its status and no trace."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.receive import app
from ces_pipeline.receive import server as serving
from ces_pipeline.storage import spool
from ces_pipeline_tests.unit.receive.served import SECRET, Served, sender, served, signed

PAYLOAD = {"id": "r1", "person": "ann@example.org", "score": 5}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("inbox"), sender(max_body_kb=10), body_seconds=0.5) as found:
        yield found


@pytest.fixture
def form(running: Served) -> Served:
    """The running receiver with an empty inbox."""
    spool.hand_over(running.inbox / "form")
    return running


def test_a_signed_payload_is_kept_with_its_bytes_on_one_line(form: Served) -> None:
    body = '{"id": 12345678901234567890,\r\n "price": 1.10, "text": "Zoë\\n\u2028 said \\ud83d"}'.encode()
    assert form.post(body) == (200, {"status": "stored"})
    assert form.kept() == [body.replace(b"\r\n", b"  ")]


def test_a_payload_that_is_sent_again_is_kept_again(form: Served) -> None:
    for _ in range(2):
        assert form.post(PAYLOAD)[0] == 200
    assert form.kept() == [json.dumps(PAYLOAD).encode()] * 2


@pytest.mark.parametrize(
    ("status", "body", "headers", "path", "method"),
    [
        (404, b"{}", None, "/receive/another", "POST"),
        (404, b"{}", None, "/", "POST"),
        (405, b"", {}, "/receive/form", "GET"),
        (401, b"{}", {"content-type": "application/json"}, "/receive/form", "POST"),
        (401, b"{}", signed(b"{}", "wrong"), "/receive/form", "POST"),
        (401, b'{"a": 1}', signed(b'{"a": 2}'), "/receive/form", "POST"),
        (415, b"{}", {**signed(b"{}"), "content-type": "text/csv"}, "/receive/form", "POST"),
        (415, b"{}", {**signed(b"{}"), "content-encoding": "gzip"}, "/receive/form", "POST"),
        (413, b"x" * 10_001, None, "/receive/form", "POST"),
        (400, b'{"a": ', None, "/receive/form", "POST"),
        (400, b"[1]", None, "/receive/form", "POST"),
        (400, b'{"a": NaN}', None, "/receive/form", "POST"),
        (400, b'{"a": "\xff"}', None, "/receive/form", "POST"),
        (400, b'{"a":' * 2_000, None, "/receive/form", "POST"),
        (400, b"", None, "/receive/form", "POST"),
    ],
)
def test_every_other_request_gets_its_status_and_is_not_kept(
    form: Served, status: int, body: bytes, headers: dict[str, str] | None, path: str, method: str
) -> None:
    found, answer = form.post(body, headers, path, method)
    assert found == status
    assert list(answer) == ["problem"]
    assert form.kept() == []


def test_other_names_of_json_are_json(form: Served) -> None:
    body = b"{}"
    for kind in ("application/json; charset=utf-8", "application/vnd.survey.response.v1+json"):
        assert form.post(body, {**signed(body), "content-type": kind})[0] == 200


def test_a_body_without_a_length_is_cut_at_the_limit(form: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_REST_SECONDS", 0.2)
    head = "POST /receive/form HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", form.port), timeout=10) as sock:
        sock.sendall(head.encode())
        chunk = b"1000\r\n" + b" " * 0x1000 + b"\r\n"
        sock.sendall(chunk * 3)
        assert sock.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(("path", "status"), [("/receive/form", 413), ("/receive/another", 404)])
def test_a_sender_of_a_huge_body_gets_its_answer(form: Served, path: str, status: int) -> None:
    body = b"x" * 8_000_000
    for _ in range(3):
        assert form.post(body, path=path)[0] == status


def test_a_body_that_drips_is_given_up(form: Served) -> None:
    body = json.dumps(PAYLOAD).encode()
    head = f"POST /receive/form HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", form.port), timeout=10) as sock:
        sock.sendall(head.encode())
        began = time.monotonic()
        for letter in body[:3]:
            sock.sendall(bytes([letter]))
            time.sleep(0.05)
        assert sock.recv(100).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - began < 5
    assert form.kept() == []


@pytest.mark.parametrize("before", [b"", b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"])
def test_a_connection_whose_next_request_does_not_arrive_is_closed(
    form: Served, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", form.port), timeout=10) as sock:
        if before:
            sock.sendall(before)
            answer = b""
            # Head and body may come apart.
            while not answer.endswith(b"}"):
                answer += sock.recv(1_000)
            assert answer.startswith(b"HTTP/1.1 200")
        sock.sendall(b"POST /receive/form HT")
        assert sock.recv(100) == b""
    assert form.post(PAYLOAD)[0] == 200


def test_more_than_the_limit_of_a_minute_is_429_and_wrong_signatures_take_no_place(tmp_path: Path) -> None:
    with served(tmp_path, sender(requests_per_minute=2), sender("other")) as limited:
        for _ in range(3):
            assert limited.post(b"{}", signed(b"{}", "wrong"))[0] == 401
        assert [limited.post(PAYLOAD)[0] for _ in range(2)] == [200, 200]
        status, _, headers = limited.exchange(PAYLOAD)
        assert status == 429
        assert 0 < int(headers["retry-after"]) <= 60
        assert limited.post(PAYLOAD, path="/receive/other")[0] == 200
        assert len(limited.kept()) == 2


def test_a_disk_that_is_full_is_503_and_the_payload_is_not_kept(
    form: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device", "/inbox/ann")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        status, _, headers = form.exchange(PAYLOAD)
        assert status == 503
        assert "retry-after" in headers
    assert "No space left" in caplog.text
    assert form.post(PAYLOAD)[0] == 200
    assert len(form.kept()) == 1


def test_too_many_requests_at_once_are_503_and_those_before_are_kept(tmp_path: Path) -> None:
    with served(tmp_path, most_requests=4) as small:
        free = threading.Event()
        original: Any = spool.append

        def slow(folder: Path, lines: list[bytes]) -> None:
            free.wait(10)
            original(folder, lines)

        with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(4) as pool:
            patched.setattr(spool, "append", slow)
            waiting = [pool.submit(small.post, PAYLOAD) for _ in range(4)]
            while small.receiver._in_progress < 4:
                time.sleep(0.01)
            assert small.post(PAYLOAD)[0] == 503
            free.set()
            assert [one.result()[0] for one in waiting] == [200] * 4
        assert len(small.kept()) == 4


def test_no_body_no_signature_and_no_secret_is_logged(
    form: Served, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)

    def broken(_body: bytes) -> bytes:
        raise KeyError("ann@example.org")

    form.post(PAYLOAD)
    form.post(b'{"person": "ann@example.org"')
    form.post(PAYLOAD, signed(b"", "wrong"), "/receive/ann@example.org")
    monkeypatch.setattr("ces_pipeline.receive.app.json_line", broken)
    assert form.post(PAYLOAD)[0] == 503
    serving._log_counts(form.receiver)
    assert "KeyError" in caplog.text
    assert "requests: form 200: " in caplog.text
    signature = signed(json.dumps(PAYLOAD).encode())["typeform-signature"]
    for text in ("ann", "example.org", SECRET, signature):
        assert text not in caplog.text


def test_health_answers_without_a_signature(form: Served) -> None:
    assert form.post(b"", {}, "/health", "GET") == (200, {"status": "ok"})
