"""The client retries within bounds, keeps the vendor's rate limits, and sends its credentials to one host only."""

import json
import random
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.http.client import Http, RetryPolicy
from ces_pipeline.http.errors import BadResponseError, RefusedError, UnavailableError
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor
from ces_pipeline.http.rate_limits import RateLimit
from ces_pipeline.http.request_log import RequestLog


class Scripted(FakeVendor):
    """Responds as the test's script says."""

    def __init__(self, script: Callable[[FakeRequest], FakeResponse], plan: FaultPlan | None = None):
        super().__init__(VirtualClock(), plan)
        self._script = script

    def answer(self, asked: FakeRequest) -> FakeResponse:
        return self._script(asked)


class Key:
    """Credentials that can be renewed `renewals` times."""

    variables = ("KEY",)

    def __init__(self, renewals: int = 0):
        self.renewals = renewals
        self.used = 0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer key{self.used}"}

    def renew(self) -> bool:
        self.used += 1
        return self.used <= self.renewals


@contextmanager
def client(vendor: FakeVendor, **how: Any) -> Iterator[tuple[Http, RequestLog]]:
    log = RequestLog("desk", "pull")
    http = Http("desk", vendor.url, clock=vendor.clock, log=log, chance=random.Random(1), **how)
    try:
        yield http, log
    finally:
        http.close()


def tls_context(folder: Path) -> ssl.SSLContext:
    """A server's context whose own certificate for 127.0.0.1 is in `folder`."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine to make a certificate with")
    made = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def ok(_asked: FakeRequest) -> FakeResponse:
    return FakeResponse(data={"fine": True})


@pytest.mark.parametrize("fault", ["busy", "busy_until", "error", "cut", "truncated", "html", "drip"])
def test_a_passing_fault_is_outlasted_and_noted(fault: str) -> None:
    with Scripted(ok, FaultPlan({0: fault, 1: fault})) as vendor, client(vendor) as (http, log):
        assert http.get("/x").data == {"fine": True}
        assert [row["outcome"] for row in log.rows] == ["retried", "retried", "ok"]
        assert [row["attempt"] for row in log.rows] == [1, 2, 3]
        assert len(vendor.asked) == 3


@pytest.mark.parametrize("fault", ["busy", "busy_until"])
@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0])
def test_retry_after_is_heeded_as_seconds_and_as_a_date_of_the_vendors_own_clock(
    fault: str, skew: float
) -> None:
    with Scripted(ok, FaultPlan({0: fault}, skew)) as vendor, client(vendor) as (http, _):
        http.get("/x")
        # The date has whole seconds.
        assert 2.0 <= sum(vendor.clock.slept) <= 4.2


def test_attempts_are_bounded() -> None:
    with Scripted(ok, FaultPlan(dict.fromkeys(range(50), "error"))) as vendor, client(vendor) as (http, log):
        with pytest.raises(UnavailableError, match="status 500"):
            http.get("/x")
        assert len(vendor.asked) == RetryPolicy().attempts
        assert log.rows[-1]["outcome"] == "gave_up"


def test_waiting_is_bounded_over_the_full_pull() -> None:
    def often_busy(asked: FakeRequest) -> FakeResponse:
        return (
            ok(asked) if len(vendor.asked) % 2 == 0 else FakeResponse(429, {}, headers={"Retry-After": "50"})
        )

    retry_policy = RetryPolicy(waiting_seconds=120.0)
    with Scripted(often_busy) as vendor, client(vendor, retry_policy=retry_policy) as (http, _):
        http.get("/x")
        http.get("/x")
        with pytest.raises(UnavailableError, match="status 429"):
            http.get("/x")
        assert sum(vendor.clock.slept) <= 120


def test_a_request_that_changes_something_is_not_sent_twice() -> None:
    with Scripted(ok, FaultPlan({0: "cut"})) as vendor, client(vendor) as (http, _):
        with pytest.raises(UnavailableError):
            http.request("POST", "/x", json_body={})
        assert len(vendor.asked) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_write_is_retried_only_if_it_may_be_repeated(method: Any) -> None:
    with Scripted(ok, FaultPlan({0: "cut"})) as vendor, client(vendor) as (http, _):
        with pytest.raises(UnavailableError) as caught:
            http.request(method, "/x", json_body={"a": 1})
        assert caught.value.may_have_arrived
        assert http.request(method, "/x", json_body={"a": 1}, repeatable=True).data == {"fine": True}
        assert [(request.method, request.json) for request in vendor.asked] == [(method, {"a": 1})] * 2


def test_bytes_go_as_they_are() -> None:
    with Scripted(ok) as vendor, client(vendor) as (http, _):
        http.request("POST", "/x", body=b"\x1f\x8b", headers={"Content-Type": "application/json"})
        (asked,) = vendor.asked
        assert (asked.body, asked.headers["content-type"]) == (b"\x1f\x8b", "application/json")


def test_whether_a_request_may_have_arrived_is_known() -> None:
    with Scripted(ok, FaultPlan(dict.fromkeys(range(8), "busy"))) as vendor, client(vendor) as (http, _):
        with pytest.raises(UnavailableError) as caught:
            http.request("POST", "/x", json_body={}, repeatable=True)
        assert not caught.value.may_have_arrived
    faults = {0: "error", **dict.fromkeys(range(1, 8), "busy")}
    with Scripted(ok, FaultPlan(faults)) as vendor, client(vendor) as (http, _):
        with pytest.raises(UnavailableError) as caught:
            http.request("POST", "/x", json_body={}, repeatable=True)
        assert caught.value.may_have_arrived
    with Scripted(ok) as gone:
        pass
    with client(gone) as (http, _):
        with pytest.raises(UnavailableError) as caught:
            http.request("POST", "/x", json_body={}, repeatable=True)
        assert not caught.value.may_have_arrived


def test_a_post_that_only_reads_is_retried() -> None:
    with Scripted(ok, FaultPlan({0: "cut"})) as vendor, client(vendor) as (http, _):
        assert http.request("POST", "/x", json_body={"q": 1}, repeatable=True).data == {"fine": True}
        assert [request.json for request in vendor.asked] == [{"q": 1}, {"q": 1}]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_repeated(status: int) -> None:
    with Scripted(lambda _: FakeResponse(status, {"error": "Nope"})) as vendor, client(vendor) as (http, log):
        with pytest.raises(RefusedError, match=f"{status} .Nope") as refused:
            http.get("/x")
        assert refused.value.status == status
        assert len(vendor.asked) == 1
        assert log.rows[0]["outcome"] == "refused"


def test_credentials_are_renewed_once_after_a_401() -> None:
    def expired(asked: FakeRequest) -> FakeResponse:
        return ok(asked) if asked.bearer == "key1" else FakeResponse(401, {})

    with Scripted(expired) as vendor, client(vendor, credentials=Key(renewals=9)) as (http, _):
        assert http.get("/x").data == {"fine": True}
    with (
        Scripted(lambda _: FakeResponse(401, {})) as vendor,
        client(vendor, credentials=Key(renewals=9)) as (http, _),
    ):
        with pytest.raises(RefusedError, match="check KEY"):
            http.get("/x")
        assert len(vendor.asked) == 2


def test_a_redirect_within_the_host_is_followed_with_credentials() -> None:
    def moved(asked: FakeRequest) -> FakeResponse:
        return ok(asked) if asked.path == "/new" else FakeResponse(302, {}, headers={"Location": "/new"})

    with Scripted(moved) as vendor, client(vendor, credentials=Key()) as (http, _):
        assert http.get("/x").data == {"fine": True}
        assert vendor.asked[-1].bearer == "key0"


def test_a_redirect_to_another_host_is_refused_and_sees_no_credentials() -> None:
    with Scripted(ok) as stranger:
        with (
            Scripted(lambda _: FakeResponse(302, {}, headers={"Location": f"{stranger.url}/x"})) as vendor,
            client(vendor, credentials=Key()) as (http, _),
            pytest.raises(RefusedError, match="not followed"),
        ):
            http.get("/x")
        assert stranger.asked == []


def test_a_full_url_of_another_host_is_not_requested() -> None:
    with Scripted(ok) as vendor, Scripted(ok) as stranger, client(vendor) as (http, _):
        with pytest.raises(BadResponseError, match="another host"):
            http.get(f"{stranger.url}/x")
        assert stranger.asked == []


def test_credentials_of_a_netrc_are_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Scripted(ok) as vendor, client(vendor, credentials=Key()) as (http, _):
        http.get("/x")
        assert vendor.asked[0].headers["authorization"] == "Bearer key0"


def test_a_body_that_is_too_large_is_refused_before_all_of_it_is_read() -> None:
    with Scripted(lambda _: FakeResponse(body=b"x" * 5_000_000)) as vendor, client(vendor) as (http, log):
        with pytest.raises(BadResponseError, match="larger than 1 MB"):
            http.get("/x", max_bytes=1 << 20, expects="bytes")
        assert log.rows == [] or log.rows[-1]["size_bytes"] < 5_000_000


def test_a_vendor_that_is_down_is_reported_as_unavailable() -> None:
    with Scripted(ok) as vendor:
        pass
    with client(vendor) as (http, log):
        with pytest.raises(UnavailableError, match="no connection"):
            http.request("POST", "/x")
        # The request cannot have arrived, so even a POST is retried.
        assert len(log.rows) == RetryPolicy().attempts


def test_a_certificate_that_does_not_verify_ends_it_before_anything_is_sent(tmp_path: Path) -> None:
    context = tls_context(tmp_path)
    with Scripted(ok) as vendor:
        vendor.speak_tls(context)
        with client(vendor, credentials=Key()) as (http, log):
            with pytest.raises(BadResponseError, match="certificate does not verify"):
                http.get("/x")
            assert vendor.asked == []
            assert [row["outcome"] for row in log.rows] == ["refused"]


def test_a_rate_limit_is_kept() -> None:
    with Scripted(ok) as vendor, client(vendor, rate_limits=(RateLimit(3, 60.0, "/slow"),)) as (http, _):
        for _ in range(4):
            http.get("/fast")
        assert vendor.clock.slept == []
        for _ in range(7):
            http.get("/slow")
        assert vendor.clock.monotonic() == 120.0


@pytest.mark.parametrize("reset", ["30", "unix"])
def test_a_used_up_limit_is_waited_out_before_it_is_hit(reset: str) -> None:
    def limited(_: FakeRequest) -> FakeResponse:
        value = str(int(vendor.clock.now().timestamp()) + 30) if reset == "unix" else reset
        return FakeResponse(data={}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": value})

    with Scripted(limited) as vendor, client(vendor) as (http, _):
        http.get("/x")
        http.get("/x")
        assert 29 <= vendor.clock.monotonic() <= 30


def test_a_429_with_only_a_reset_header_is_waited_out() -> None:
    def strict(_: FakeRequest) -> FakeResponse:
        if len(vendor.asked) > 1:
            return FakeResponse(data={})
        return FakeResponse(429, {}, headers={"X-RateLimit-Reset": str(int(vendor.now_s) + 120)})

    with Scripted(strict) as vendor, client(vendor) as (http, _):
        http.get("/x")
        assert 120 <= vendor.clock.monotonic() < 125


class TestSharedRateLimits:
    def test_all_clients_of_a_host_share_its_rate_limit(self, tmp_path: Path) -> None:
        limit = RateLimit(2, 60.0, "/exports")
        with Scripted(ok) as vendor:
            for _ in range(3):
                for path in ("/exports/a", "/exports/b", "/other"):
                    with client(vendor, rate_limits=(limit,), limits_folder=tmp_path) as (http, _log):
                        http.get(path)
            # Two of six exports at once, then two a minute.
            assert vendor.clock.monotonic() == 120.0

    def test_a_used_up_limit_holds_for_the_next_client_too(self, tmp_path: Path) -> None:
        def empty(_: FakeRequest) -> FakeResponse:
            return FakeResponse(data={}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"})

        with Scripted(empty) as vendor:
            for _ in range(2):
                with client(vendor, limits_folder=tmp_path) as (http, _log):
                    http.get("/x")
            assert 29 <= vendor.clock.monotonic() <= 31

    def test_processes_side_by_side_take_turns(self, tmp_path: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path; from ces_pipeline.http.clock import SystemClock\n"
            "from ces_pipeline.http.rate_limits import Limits, RateLimit\n"
            "limits = Limits(SystemClock(), (RateLimit(1, 0.05),), Path(sys.argv[1]))\n"
            "for _ in range(5): limits.wait('/x'); print(time.time())"
        )
        both = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(tmp_path / "host.json")], stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        times = sorted(float(line) for process in both for line in process.communicate()[0].split())
        assert len(times) == 10
        assert times[-1] - times[0] >= 9 * 0.05 - 0.02

    def test_a_clock_that_was_set_back_and_a_damaged_file_of_times_stop_nothing(self, tmp_path: Path) -> None:
        limit = RateLimit(1, 60.0)
        with Scripted(ok) as vendor:
            file = tmp_path / f"{vendor.url.removeprefix('http://').replace(':', '_')}.json"
            for saved in (json.dumps({limit.name: [vendor.now_s + 9e6]}), "{"):
                file.write_text(saved)
                with client(vendor, rate_limits=(limit,), limits_folder=tmp_path) as (http, _log):
                    http.get("/x")
            assert vendor.clock.monotonic() <= 600


def test_what_is_noted_has_no_query_and_no_address() -> None:
    with Scripted(ok) as vendor, client(vendor) as (http, log):
        http.get("/people/jane@example.org/answers", {"q": "jane"})
        (row,) = log.rows
        assert row["path"] == "/people/[email]/answers"
        assert "jane" not in str(row)
