"""Credentials: secrets from the environment, put on requests, made anew where the vendor's tokens expire.

A secret is never part of an error, a log or a repr. The one thing written is a rotated refresh token, to a 0600 file
of the home that lies outside the lake.
"""

import base64
import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ces_pipeline.errors import HomeError
from ces_pipeline.http.client import Credentials, Http
from ces_pipeline.http.clock import Clock
from ces_pipeline.http.errors import BadAnswerError, MissingVariableError
from ces_pipeline.registry.api import Auth, BasicToken, Bearer, HeaderKey, OAuthClient, OAuthRefresh
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.lake import sync_folder
from ces_pipeline.storage.locks import exclusive
from ces_pipeline.vendors.contract import Connector

_NO_PASSWORD = "X"  # noqa: S105 - what vendors that take a key for the user name want in the password's place
_EARLY_SECONDS = 60.0
_USUAL_SECONDS = 3600.0
_TOKENS = "tokens"
_REMEDY = "put the feed's credentials into the environment (api.auth in sources.yaml names the variables)"

OpenHttp = Callable[[str], Http]
"""Makes a client without credentials for the origin of a URL: the vendor's token endpoint."""


@dataclass(frozen=True)
class FixedHeaders:
    """Credentials that never change during a pull."""

    variables: tuple[str, ...]
    _headers: dict[str, str] = field(repr=False)

    def headers(self) -> dict[str, str]:
        return dict(self._headers)

    def renew(self) -> bool:
        return False


@dataclass
class OAuthTokens:
    """Access tokens by client credentials or by a refresh token, minted when needed and once more after a 401."""

    variables: tuple[str, ...]
    auth: OAuthClient | OAuthRefresh
    open_http: OpenHttp = field(repr=False)
    clock: Clock
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    store: "RefreshTokenFile | None" = None
    _access: str | None = field(default=None, repr=False)
    _good_until: float = 0.0

    def headers(self) -> dict[str, str]:
        if self._access is None or self.clock.monotonic() >= self._good_until:
            self._mint()
        return {"Authorization": f"Bearer {self._access}"}

    def renew(self) -> bool:
        self._mint()
        return True

    def _mint(self) -> None:
        if self.store is None:
            told = {"grant_type": "client_credentials"}
            if isinstance(self.auth, OAuthClient) and self.auth.scope:
                told["scope"] = self.auth.scope
            self._take(self._asked(told))
            return
        # Two processes that used the same refresh token would lock each other out.
        with exclusive(self.store.path.with_suffix(".lock")):
            answer = self._asked({"grant_type": "refresh_token", "refresh_token": self.store.read()})
            rotated = answer.get("refresh_token")
            if isinstance(rotated, str) and rotated:
                self.store.save(rotated)
        self._take(answer)

    def _asked(self, told: dict[str, str]) -> dict[str, Any]:
        """The token endpoint's answer."""
        headers = {}
        if self.auth.client_in == "basic":
            headers["Authorization"] = basic(self.client_id, self.client_secret)
        else:
            told = {**told, "client_id": self.client_id, "client_secret": self.client_secret}
        is_json = self.auth.client_in == "json"
        http = self.open_http(self.auth.token_url)
        try:
            answer = http.request(
                "POST",
                self.auth.token_url,
                headers=headers,
                json_body=told if is_json else None,
                form=None if is_json else told,
                repeatable=True,
            ).data
        finally:
            http.close()
        if not isinstance(answer, dict):
            raise BadAnswerError(f"{self.auth.token_url} answers no JSON object: check api.auth.token_url")
        return answer

    def _take(self, answer: dict[str, Any]) -> None:
        access = answer.get("access_token")
        if not isinstance(access, str) or not access.isascii() or not access.isprintable():
            raise BadAnswerError(f"{self.auth.token_url} answers no access_token: check api.auth.token_url")
        lasts = answer.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else _USUAL_SECONDS
        self._access = access
        self._good_until = self.clock.monotonic() + max(seconds - _EARLY_SECONDS, seconds / 2)


@dataclass(frozen=True)
class RefreshTokenFile:
    """The newest refresh token of a feed: the one in the environment until the vendor has replaced it.

    first: the token in the environment. A saved token counts only as long as it descends from that one.
    """

    path: Path
    first: str = field(repr=False)

    @property
    def _origin(self) -> str:
        return hashlib.sha256(self.first.encode()).hexdigest()

    def read(self) -> str:
        """The token to use now. Raises HomeError where the file cannot be used, or others can read it."""
        try:
            if not self.path.exists():
                return self.first
            if stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                raise HomeError(f"{self.path} can be read by others: run `chmod 600` on it")
            held = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise HomeError(
                f"{self.path} cannot be used ({type(problem).__name__}): mend or remove it and authorise anew"
            ) from None
        return str(held["refresh_token"]) if held.get("origin") == self._origin else self.first

    def save(self, token: str) -> None:
        """Keep the token: synced and renamed, so that a killed call leaves the old or the new one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = self.path.with_name(f".{self.path.name}.tmp")
            beside.unlink(missing_ok=True)
            opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as stream:
                json.dump({"origin": self._origin, "refresh_token": token}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as problem:
            raise HomeError(
                f"{self.path} cannot be written ({problem.strerror}): mend its permissions or free space"
            ) from None


def credentials_of(
    source: Source,
    connector: Connector,
    *,
    home: Path,
    environment: Mapping[str, str],
    open_http: OpenHttp,
    clock: Clock,
) -> Credentials | None:
    """The feed's credentials; None where it needs none. Makes no request.

    Raises MissingVariableError with the names of all variables that are not set.
    """
    assert source.api is not None
    auth = source.api.auth
    if auth is None:
        return None
    names = variables_of(auth)
    secrets = secrets_of(source.id, names, environment)
    if isinstance(auth, BasicToken):
        password = secrets[auth.password] if auth.password else _NO_PASSWORD
        user = secrets[auth.user] + connector.basic_user_suffix
        return FixedHeaders(names, {"Authorization": basic(user, password)})
    if isinstance(auth, Bearer):
        return FixedHeaders(names, {"Authorization": f"Bearer {secrets[auth.token]}"})
    if isinstance(auth, HeaderKey):
        return FixedHeaders(names, {auth.header: secrets[auth.key]})
    store = None
    if isinstance(auth, OAuthRefresh):
        store = RefreshTokenFile(home / _TOKENS / f"{source.id}.json", secrets[auth.refresh_token])
    return OAuthTokens(
        variables=names,
        auth=auth,
        open_http=open_http,
        clock=clock,
        client_id=secrets[auth.client_id],
        client_secret=secrets[auth.client_secret],
        store=store,
    )


def variables_of(auth: Auth) -> tuple[str, ...]:
    """The environment variables that it names."""
    told: dict[str, Any] = auth.model_dump()
    fields = ("user", "password", "token", "key", "client_id", "client_secret", "refresh_token")
    return tuple(told[name] for name in fields if told.get(name))


def secrets_of(
    entry_id: str,
    names: tuple[str, ...],
    environment: Mapping[str, str],
    remedy: str = _REMEDY,
) -> dict[str, str]:
    """Variable -> its value. Raises MissingVariableError with the names of all that are not set or cannot be right."""
    found = {name: environment.get(name, "").strip() for name in names}
    absent = [name for name, value in found.items() if not value]
    if absent:
        raise MissingVariableError(f"{entry_id}: {' and '.join(absent)} not set: {remedy}")
    odd = [name for name, value in found.items() if not value.isascii() or not value.isprintable()]
    if odd:
        raise MissingVariableError(
            f"{entry_id}: {' and '.join(odd)} holds characters that no credential has, such as a line break: "
            "set it anew"
        )
    return found


def basic(user: str, password: str) -> str:
    """The value of the Authorization header of HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
