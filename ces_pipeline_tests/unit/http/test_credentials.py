"""Secrets come only from the environment, and a rotated refresh token is never lost."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ces_pipeline.errors import HomeError
from ces_pipeline.http.credentials import RefreshTokenFile
from ces_pipeline.http.errors import MissingVariableError, RefusedError
from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse, FakeVendor
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.sources import Source
from ces_pipeline.vendors.zendesk.fake_server import FakeZendesk, ticket
from ces_pipeline_tests.pulled import entry, fetch

REFRESH = {"ZD_ID": "client", "ZD_SECRET": "client-canary", "ZD_REFRESH": "first-refresh-canary"}


def refreshing(vendor: FakeVendor, **settings: Any) -> Source:
    auth = {
        "kind": "oauth_refresh",
        "token_url": f"{vendor.url}/oauth/tokens",
        "client_id": "ZD_ID",
        "client_secret": "ZD_SECRET",
        "refresh_token": "ZD_REFRESH",
        "client_in": "json",
    }
    api = {"connector": "zendesk", "auth": auth, **settings}
    return Source.model_validate(entry("desk", vendor, api, kind="tickets", reader="zendesk_json"))


class TestVariables:
    def test_a_missing_variable_is_named_before_any_request(self) -> None:
        with FakeZendesk([ticket(1)]) as vendor:
            with pytest.raises(MissingVariableError, match="ZD_SECRET and ZD_REFRESH"):
                fetch(refreshing(vendor), vendor, {"ZD_ID": "client", "ZD_SECRET": " "})
            assert vendor.asked == []

    def test_a_value_that_no_header_can_carry_is_refused_unseen(self) -> None:
        with FakeZendesk([ticket(1)]) as vendor, pytest.raises(MissingVariableError) as refused:
            fetch(refreshing(vendor), vendor, {**REFRESH, "ZD_SECRET": "two\nlines-canary"})
        assert "canary" not in str(refused.value)

    def test_a_secret_in_the_place_of_its_name_is_refused_unseen(self) -> None:
        api = {
            "connector": "rest",
            "base_url": "https://x.example",
            "since": "2026-01-01",
            "auth": {"kind": "bearer", "token": "sk-canary-123"},
        }
        with pytest.raises(ValidationError) as refused:
            Api.model_validate(api)
        assert "canary" not in refused.value.errors()[0]["msg"]

    @pytest.mark.parametrize(
        "url", ["http://vendor.example", "ftp://vendor.example", "https://user@vendor.example"]
    )
    def test_credentials_go_over_https_alone(self, url: str) -> None:
        with pytest.raises(ValidationError):
            Api.model_validate({"connector": "rest", "base_url": url, "since": "2026-01-01"})


class TestRefresh:
    def test_the_new_token_is_kept_for_the_next_pull_and_only_its_owner_can_read_it(
        self, tmp_path: Path
    ) -> None:
        with FakeZendesk([ticket(1)]) as vendor:
            for _ in range(3):
                assert fetch(refreshing(vendor), vendor, REFRESH, home=tmp_path)
            kept = tmp_path / "tokens" / "desk.json"
            assert json.loads(kept.read_text())["refresh_token"] == vendor.refresh_token
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    def test_it_is_saved_before_the_new_access_token_is_used(self, tmp_path: Path) -> None:
        kept = tmp_path / "tokens" / "desk.json"
        seen: list[str | None] = []

        class Watching(FakeZendesk):
            def answer(self, asked: FakeRequest) -> FakeResponse:
                if asked.bearer:
                    seen.append(json.loads(kept.read_text())["refresh_token"] if kept.exists() else None)
                return super().answer(asked)

        with Watching([ticket(1)]) as vendor:
            fetch(refreshing(vendor), vendor, REFRESH, home=tmp_path)
            assert seen == [vendor.refresh_token]

    def test_an_access_token_that_dies_early_is_renewed_once(self, tmp_path: Path) -> None:
        class Forgetful(FakeZendesk):
            def answer(self, asked: FakeRequest) -> FakeResponse:
                if asked.bearer == "access-canary-1":
                    return FakeResponse(401, {})
                return super().answer(asked)

        with Forgetful([ticket(1)]) as vendor:
            assert fetch(refreshing(vendor), vendor, REFRESH, home=tmp_path)
            assert len(vendor.access_tokens) == 2

    def test_an_expired_token_is_renewed_before_it_is_refused(self, tmp_path: Path) -> None:
        class Brief(FakeZendesk):
            """Tokens last ten minutes, and every page takes more than eight."""

            def answer(self, asked: FakeRequest) -> FakeResponse:
                reply = super().answer(asked)
                if asked.path == "/oauth/tokens":
                    reply.data["expires_in"] = 600
                else:
                    self.clock.sleep(500)
                return reply

        with Brief([ticket(number) for number in range(1, 5)]) as vendor:
            fetch(refreshing(vendor, page_size=1), vendor, REFRESH, home=tmp_path)
            token, page = "/oauth/tokens", "/api/v2/incremental/tickets/cursor"
            assert [request.path for request in vendor.asked] == [token, page, page, token, page, page]

    def test_a_dead_token_is_reported_without_its_text(self, tmp_path: Path) -> None:
        with FakeZendesk([ticket(1)]) as vendor:
            vendor.refresh_token = "used up elsewhere"
            with pytest.raises(RefusedError, match="invalid_grant") as refused:
                fetch(refreshing(vendor), vendor, REFRESH, home=tmp_path)
            assert "canary" not in str(refused.value)

    def test_a_new_token_in_the_environment_takes_the_place_of_the_kept_one(self, tmp_path: Path) -> None:
        path = tmp_path / "tokens" / "desk.json"
        RefreshTokenFile(path, "first").save("second")
        assert RefreshTokenFile(path, "first").read() == "second"
        assert RefreshTokenFile(path, "authorised anew").read() == "authorised anew"

    def test_a_file_that_others_can_read_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "desk.json"
        RefreshTokenFile(path, "first").save("second")
        path.chmod(0o644)
        with pytest.raises(HomeError, match="chmod 600"):
            RefreshTokenFile(path, "first").read()


class TestClient:
    @pytest.mark.parametrize("place", ["basic", "form", "json"])
    def test_client_credentials_are_sent_where_the_vendor_expects_them(self, place: str) -> None:
        received: list[dict[str, Any]] = []

        class Vendor(FakeVendor):
            def answer(self, asked: FakeRequest) -> FakeResponse:
                if asked.path == "/token":
                    fields = asked.json if place == "json" else asked.form
                    client = asked.basic or (fields.get("client_id"), fields.get("client_secret"))
                    received.append(
                        {"client": client, "grant": fields["grant_type"], "scope": fields["scope"]}
                    )
                    return FakeResponse(data={"access_token": "access"})
                return FakeResponse(data=[]) if asked.bearer == "access" else FakeResponse(401, {})

        with Vendor() as vendor:
            auth = {
                "kind": "oauth_client",
                "token_url": f"{vendor.url}/token",
                "client_id": "ID",
                "client_secret": "SECRET",
                "scope": "read",
                "client_in": place,
            }
            api = {"connector": "rest", "auth": auth, "options": {"path": "/list"}}
            source = Source.model_validate(
                entry("tool", vendor, api, kind="survey", reader="json", survey="after_chat")
            )
            fetch(source, vendor, {"ID": "me", "SECRET": "hush"})
            assert received == [{"client": ("me", "hush"), "grant": "client_credentials", "scope": "read"}]
