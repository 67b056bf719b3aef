"""Credentials: secrets from the environment, added to requests and renewed when the vendor's tokens expire.

A secret is never part of an error, a log or a repr. Only a rotated refresh token is written: to a file with mode 0600
in the home, outside the lake.
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
from ces_pipeline.http.errors import BadResponseError, MissingVariableError
from ces_pipeline.registry.api import Auth, BasicToken, Bearer, HeaderKey, OAuthClient, OAuthRefresh
from ces_pipeline.registry.sources import Source
from ces_pipeline.storage.local_files import sync_folder
from ces_pipeline.storage.locks import exclusive

_NO_PASSWORD = "X"  # noqa: S105 - what vendors that take a key as the user name expect as the password
_EARLY_SECONDS = 60.0
_USUAL_SECONDS = 3600.0
_TOKENS = "tokens"
_REMEDY = "put the source's credentials into the environment (api.auth in sources.yaml names the variables)"

OpenHttp = Callable[[str], Http]
"""Opens a client without credentials for the origin of a URL: the vendor's token endpoint."""


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
    """Access tokens from client credentials or a refresh token; requested when needed and once more after a 401."""

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
            self._request_token()
        return {"Authorization": f"Bearer {self._access}"}

    def renew(self) -> bool:
        self._request_token()
        return True

    def _request_token(self) -> None:
        if self.store is None:
            grant = {"grant_type": "client_credentials"}
            if isinstance(self.auth, OAuthClient) and self.auth.scope:
                grant["scope"] = self.auth.scope
            self._use(self._token_response(grant))
            return
        # Two processes that used the same refresh token would lock each other out.
        with exclusive(self.store.path.with_suffix(".lock")):
            tokens = self._token_response({"grant_type": "refresh_token", "refresh_token": self.store.read()})
            rotated = tokens.get("refresh_token")
            if isinstance(rotated, str) and rotated:
                self.store.save(rotated)
        self._use(tokens)

    def _token_response(self, grant: dict[str, str]) -> dict[str, Any]:
        """The JSON object that the token endpoint responds with."""
        headers = {}
        if self.auth.client_in == "basic":
            headers["Authorization"] = basic(self.client_id, self.client_secret)
        else:
            grant = {**grant, "client_id": self.client_id, "client_secret": self.client_secret}
        is_json = self.auth.client_in == "json"
        http = self.open_http(self.auth.token_url)
        try:
            tokens = http.request(
                "POST",
                self.auth.token_url,
                headers=headers,
                json_body=grant if is_json else None,
                form=None if is_json else grant,
                repeatable=True,
            ).data
        finally:
            http.close()
        if not isinstance(tokens, dict):
            raise BadResponseError(
                f"{self.auth.token_url} did not respond with a JSON object: check api.auth.token_url"
            )
        return tokens

    def _use(self, tokens: dict[str, Any]) -> None:
        access = tokens.get("access_token")
        if not isinstance(access, str) or not access.isascii() or not access.isprintable():
            raise BadResponseError(
                f"{self.auth.token_url} responded without an access_token: check api.auth.token_url"
            )
        expires_in = tokens.get("expires_in")
        seconds = float(expires_in) if isinstance(expires_in, int | float) else _USUAL_SECONDS
        self._access = access
        self._good_until = self.clock.monotonic() + max(seconds - _EARLY_SECONDS, seconds / 2)


@dataclass(frozen=True)
class RefreshTokenFile:
    """The newest refresh token of a source: the token in the environment until the vendor replaces it.

    first: the token in the environment. A saved token is used only if it replaced that token.
    """

    path: Path
    first: str = field(repr=False)

    @property
    def _origin(self) -> str:
        return hashlib.sha256(self.first.encode()).hexdigest()

    def read(self) -> str:
        """The token to use now. Raises HomeError if the file cannot be read, or if others can read it."""
        try:
            if not self.path.exists():
                return self.first
            if stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                raise HomeError(f"{self.path} can be read by others: run `chmod 600` on it")
            held = json.loads(self.path.read_text(encoding="utf-8"))
            return str(held["refresh_token"]) if held.get("origin") == self._origin else self.first
        except (OSError, ValueError, KeyError, AttributeError) as problem:
            raise HomeError(
                f"{self.path} cannot be used ({type(problem).__name__}): correct or remove it, "
                "then authorise the source again"
            ) from None

    def save(self, token: str) -> None:
        """Save the token. The file is synced and renamed: a killed process leaves the old token or the new one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self.path.with_name(f".{self.path.name}.tmp")
            temporary.unlink(missing_ok=True)
            opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as stream:
                json.dump({"origin": self._origin, "refresh_token": token}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as problem:
            raise HomeError(
                f"{self.path} cannot be written ({problem.strerror}): correct its permissions or free disk space"
            ) from None


def credentials_of(
    source: Source,
    *,
    basic_user_suffix: str,
    home: Path,
    environment: Mapping[str, str],
    open_http: OpenHttp,
    clock: Clock,
) -> Credentials | None:
    """The source's credentials; None if it needs none. Makes no request.

    basic_user_suffix: what the vendor expects after the user name of HTTP Basic (Zendesk: `/token`).
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
        user = secrets[auth.user] + basic_user_suffix
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
    """The environment variables that the `auth` block names."""
    settings: dict[str, Any] = auth.model_dump()
    keys = ("user", "password", "token", "key", "client_id", "client_secret", "refresh_token")
    return tuple(settings[key] for key in keys if settings.get(key))


def secrets_of(
    entry_id: str,
    names: tuple[str, ...],
    environment: Mapping[str, str],
    remedy: str = _REMEDY,
) -> dict[str, str]:
    """Variable -> value. Raises MissingVariableError, naming all variables that are not set or not printable ASCII."""
    found = {name: environment.get(name, "").strip() for name in names}
    absent = [name for name, value in found.items() if not value]
    if absent:
        raise MissingVariableError(f"{entry_id}: {' and '.join(absent)} not set: {remedy}")
    odd = [name for name, value in found.items() if not value.isascii() or not value.isprintable()]
    if odd:
        raise MissingVariableError(
            f"{entry_id}: {' and '.join(odd)} holds characters that no credential has, such as a line break: "
            "set it again"
        )
    return found


def basic(user: str, password: str) -> str:
    """The value of the Authorization header for HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
