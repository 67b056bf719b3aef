"""The `api` block of a source: where it is pulled from, and which environment variables hold its secrets."""

import re
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from ces_pipeline.registry.base import Entry


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        # The text itself is not shown: it may be the secret, pasted where its variable's name belongs.
        raise ValueError("must be the NAME of an environment variable (capitals, digits, _), never its value")
    return name


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError("must be a plain URL such as https://example.zendesk.com")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must be https: credentials are not sent unencrypted")
    return url.rstrip("/")


Variable = Annotated[str, AfterValidator(_variable)]


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class BasicToken(Entry):
    """HTTP Basic. Where the vendor wants a token as the user name, no password is named."""

    kind: Literal["basic_token"]
    user: Variable
    password: Variable | None = None


class Bearer(Entry):
    """A token that is sent as it is, `Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: Variable


class HeaderKey(Entry):
    """A key in a header of the vendor's own."""

    kind: Literal["header_key"]
    header: str
    key: Variable


class OAuthClient(Entry):
    """OAuth client credentials. client_in: where the token request carries id and secret."""

    kind: Literal["oauth_client"]
    token_url: BaseUrl
    client_id: Variable
    client_secret: Variable
    scope: str | None = None
    client_in: Literal["basic", "form", "json"] = "basic"


class OAuthRefresh(Entry):
    """OAuth with a refresh token, which the vendor may replace at every use; the newest is kept in the home."""

    kind: Literal["oauth_refresh"]
    token_url: BaseUrl
    client_id: Variable
    client_secret: Variable
    refresh_token: Variable
    client_in: Literal["basic", "form", "json"] = "form"


Auth = Annotated[BasicToken | Bearer | HeaderKey | OAuthClient | OAuthRefresh, Field(discriminator="kind")]


class Api(Entry):
    """Where a feed is pulled from. Secrets are named by their environment variables, never written here."""

    connector: str
    base_url: BaseUrl
    auth: Auth | None = None
    since: date = Field(description="the first pull asks for records from this day on")
    page_size: int | None = Field(None, ge=1, description="records a page; the vendor's maximum unless set")
    requests_per_minute: float | None = Field(None, gt=0, description="a pace below the vendor's own limits")
    options: dict[str, Any] = Field({}, description="further settings of the connector")
