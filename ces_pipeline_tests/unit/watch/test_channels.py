"""Protects channels against real servers on loopback: signature, retries, Retry-After, pace, and what is never said."""

import base64
import hashlib
import hmac
import socket
import sys
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from ces_pipeline.http.client import RetryPolicy
from ces_pipeline.http.fakes.clock import VirtualClock
from ces_pipeline.http.fakes.faults import FaultPlan
from ces_pipeline.http.fakes.server import RETRY_AFTER_SECONDS, FakeRequest, FakeResponse, FakeVendor
from ces_pipeline.http.signatures import standard_signature
from ces_pipeline.registry.alerts import Channel
from ces_pipeline.watch.channels import ChannelError, Outgoing, open_sender

# Apprise loads a module of the standard library that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

KEY = b"a key of a few bytes, made up"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
HOOK = Channel.model_validate({"id": "hook", "kind": "webhook", "url": "HOOK_URL", "secret": "HOOK_SECRET"})
MAIL = Channel.model_validate({"id": "mail", "kind": "apprise", "url": "MAIL_URL"})
OUTGOING = Outgoing("msg_1", "[critical] effort is high", "n 40, 52 to 68", {"type": "incident.opened"})


class Hook(FakeVendor):
    """A receiver of webhooks that verifies each signature as Standard Webhooks says, with code of its own."""

    status = 204

    def answer(self, asked: FakeRequest) -> FakeResponse:
        sent = asked.headers
        signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + asked.body
        wanted = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        is_genuine = sent["webhook-signature"] == f"v1,{wanted}"
        is_fresh = abs(int(sent["webhook-timestamp"]) - self.now_s) < 300
        return FakeResponse(self.status if is_genuine and is_fresh else 401)

    @property
    def environment(self) -> dict[str, str]:
        return {"HOOK_URL": f"{self.url}/in/s3cret?token=t0ken", "HOOK_SECRET": SECRET}

    @property
    def ids(self) -> list[str]:
        return [asked.headers["webhook-id"] for asked in self.asked]


def test_the_signature_is_that_of_the_specifications_example() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = standard_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_is_signed_and_keeps_its_address() -> None:
    clock = VirtualClock()
    with Hook(clock) as hook:
        open_sender(HOOK, hook.environment, clock).send(OUTGOING)
    (asked,) = hook.asked
    assert (asked.method, asked.path, asked.query, asked.json) == (
        "POST",
        "/in/s3cret",
        {"token": "t0ken"},
        {"type": "incident.opened"},
    )


def test_a_busy_receiver_is_asked_again_when_it_says_with_the_same_id() -> None:
    clock = VirtualClock()
    with Hook(clock, FaultPlan({0: "busy", 1: "error"})) as hook:
        open_sender(HOOK, hook.environment, clock).send(OUTGOING)
    assert hook.ids == ["msg_1"] * 3
    assert clock.slept[0] >= RETRY_AFTER_SECONDS


@pytest.mark.parametrize(("status", "attempts"), [(401, 1), (500, 3)])
def test_a_failure_names_the_channel_and_the_status_and_no_address(status: int, attempts: int) -> None:
    clock = VirtualClock()
    with Hook(clock) as hook:
        hook.status = status
        sender = open_sender(HOOK, hook.environment, clock, RetryPolicy(attempts=3))
        with pytest.raises(ChannelError, match=rf"channel hook: .*{status}") as failure:
            sender.send(OUTGOING)
    assert len(hook.asked) == attempts
    for secret in ("s3cret", "t0ken", SECRET, "effort"):
        assert secret not in str(failure.value) + repr(sender)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "HOOK_URL is not set"),
        ({"HOOK_URL": "https://example.org"}, "HOOK_SECRET is not set"),
        ({"HOOK_URL": "https://example.org", "HOOK_SECRET": "no base64!"}, "HOOK_SECRET must hold"),
        (
            {"HOOK_URL": "http://example.org", "HOOK_SECRET": SECRET},
            "HOOK_URL must hold an address with https",
        ),
    ],
)
def test_a_channel_without_its_variables_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ChannelError, match=named):
        open_sender(HOOK, environment, VirtualClock())


def test_without_apprise_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ChannelError, match=r"channel mail: .*pip install 'ces-pipeline\[alerts\]'"):
        open_sender(MAIL, {"MAIL_URL": "mailto://example.org"}, VirtualClock())


def test_an_address_that_apprise_does_not_know_is_named_by_its_variable() -> None:
    pytest.importorskip("apprise")
    with pytest.raises(ChannelError, match="MAIL_URL does not hold an address") as failure:
        open_sender(MAIL, {"MAIL_URL": "nowhere://s3cret"}, VirtualClock())
    assert "s3cret" not in str(failure.value)


class Letters:
    """Keeps the mails that a server takes; refuses the first ones."""

    def __init__(self, refusals: int = 0):
        self.taken: list[Any] = []
        self.refusals = refusals

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@pytest.mark.parametrize("refusals", [0, 2])
def test_apprise_sends_mail_to_a_real_server_and_tries_again(
    refusals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = pytest.importorskip("apprise.plugins.email")
    # Apprise waits some seconds between two mails.
    monkeypatch.setattr(plugins.NotifyEmail, "request_rate_per_sec", 0)
    controllers = pytest.importorskip("aiosmtpd.controller")
    letters, clock = Letters(refusals), VirtualClock()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = controllers.Controller(letters, hostname="127.0.0.1", port=port)
    server.start()
    try:
        url = f"mailto://127.0.0.1:{port}?from=ces@example.org&to=team@example.org&mode=insecure&format=text"
        open_sender(MAIL, {"MAIL_URL": url}, clock, RetryPolicy(attempts=3)).send(OUTGOING)
    finally:
        server.stop()
    (mail,) = letters.taken
    assert mail["subject"] == OUTGOING.title
    text = mail.get_body(("plain",)).get_content()
    assert OUTGOING.text in text
    assert OUTGOING.message_id in text
    assert len(clock.slept) == refusals


def test_a_service_that_takes_nothing_is_a_failure_after_its_attempts() -> None:
    apprise = pytest.importorskip("apprise")
    assert apprise.__version__
    clock = VirtualClock()
    # Nothing listens on the port of a server that is closed again.
    with Hook(clock) as hook:
        url = f"json://{hook.url.removeprefix('http://')}/"
    with pytest.raises(ChannelError, match="channel mail: the service did not take the message"):
        open_sender(MAIL, {"MAIL_URL": url}, clock, RetryPolicy(attempts=2)).send(OUTGOING)
