"""The deadline of an attempt holds however slowly a vendor drips, and a broken next link is an error of the pull."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ces_pipeline.http.client import Http, HttpResponse, RetryPolicy
from ces_pipeline.http.clock import SystemClock
from ces_pipeline.http.errors import PullError, UnavailableError
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.http.request_log import RequestLog, shown_path
from ces_pipeline_tests.unit.http.test_client import Scripted, client, ok, tls_context

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SECONDS = 0.3


@contextmanager
def raw_vendor(*parts: bytes, drip: bytes) -> Iterator[str]:
    """A vendor that sends `parts` at once, then `drip` every 20 milliseconds until the client hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"".join(parts))
                while True:
                    connection.sendall(drip)
                    time.sleep(0.02)
        except OSError:
            return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()
        thread.join(2)


@pytest.mark.parametrize(
    ("parts", "drip"),
    [
        ((HEAD, b"Content-Length: 100000\r\n\r\n"), b" "),
        ((HEAD, b"Transfer-Encoding: chunked\r\n\r\n"), b"1\r\n \r\n"),
        ((HEAD, b"Transfer-Encoding: chunked\r\n\r\n"), b"0"),
        ((HEAD, b"\r\n{}"), b" "),
        ((HEAD,), b"x"),
        ((HEAD,), b"X-Word: a\r\n"),
        ((), b"H"),
        ((), b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["length", "chunks", "size of a chunk", "to the end", "a header", "headers", "status", "interim"],
)
def test_a_vendor_that_drips_is_given_up_at_the_deadline(parts: tuple[bytes, ...], drip: bytes) -> None:
    policy = RetryPolicy(attempts=1, connect_seconds=2, read_seconds=2, body_seconds=SECONDS)
    with raw_vendor(*parts, drip=drip) as url:
        http = Http("desk", url, clock=SystemClock(), log=RequestLog("desk", "pull"), retry_policy=policy)
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match="slowly"):
            http.get("/x")
        assert SECONDS - 0.05 <= time.monotonic() - begun < SECONDS + 1
        http.close()


def test_connections_are_used_again_under_a_new_deadline() -> None:
    policy = RetryPolicy(attempts=1, body_seconds=SECONDS)
    with Scripted(ok) as vendor, client(vendor, retry_policy=policy) as (http, log):
        for _ in range(3):
            assert http.get("/x").data == {"fine": True}
            time.sleep(SECONDS / 2)
        assert [row["outcome"] for row in log.rows] == ["ok"] * 3


def test_connections_over_tls_are_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = tls_context(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    with Scripted(ok) as vendor:
        vendor.speak_tls(context)
        with client(vendor) as (http, _):
            assert [http.get("/x").data for _ in range(3)] == [{"fine": True}] * 3


@pytest.mark.parametrize(
    "link",
    [
        "http://[::1",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:x/x",
        "http://]/",
        "/\ud800",
        "http://\ud800/x",
        "http://a b/x",
        "://",
    ],
)
def test_a_next_link_that_is_no_address_is_an_error_of_the_pull(link: str) -> None:
    with Scripted(ok) as vendor, client(vendor) as (http, _):
        with pytest.raises(PullError):
            http.get(link)
        assert vendor.asked == []


def test_a_parameter_that_cannot_be_sent_is_an_error_of_the_pull() -> None:
    with Scripted(ok) as vendor, client(vendor) as (http, _), pytest.raises(PullError):
        http.get("/x", {"cursor": "\udfff"})


@pytest.mark.parametrize("target", ["http://[::1", "http://127.0.0.1:99999/", "//[", "http://%zz:x/"])
def test_a_redirect_to_no_address_is_an_error_of_the_pull(target: str) -> None:
    def script(_asked: FakeRequest) -> FakeResponse:
        return FakeResponse(302, {}, headers={"Location": target})

    with Scripted(script) as vendor, client(vendor) as (http, _), pytest.raises(PullError):
        http.get("/x")


def test_a_long_path_costs_its_length_and_shows_no_address() -> None:
    assert shown_path("/users/ann@example.org/x/bob%40example.org") == "/users/[email]/x/[email]"
    assert shown_path("/a%4b") == "/a%4b"
    begun = time.process_time()
    assert len(shown_path("/" + "a" * 5_000_000)) < 1_000
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "body", [b'{"id": ' + b"9" * 5_000 + b"}", b'{"a": ' * 200_000 + b"1" + b"}" * 200_000]
)
def test_json_that_cannot_be_read_is_an_error_of_the_pull(body: bytes) -> None:
    response = HttpResponse(200, {}, body, is_json=True)
    with pytest.raises(PullError):
        _ = response.data


def test_a_date_out_of_reach_in_a_header_is_no_date() -> None:
    dates = iter(["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "0"])

    def script(_asked: FakeRequest) -> FakeResponse:
        late = next(dates)
        return FakeResponse(429 if late != "0" else 200, {}, headers={"Retry-After": late})

    with Scripted(script) as vendor, client(vendor) as (http, _):
        assert http.get("/x").status == 200
