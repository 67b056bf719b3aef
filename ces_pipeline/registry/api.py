"""The `api` block of a source: the API to pull from, and the environment variables that hold its credentials."""

import re
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from ces_pipeline.registry.base import Entry, Options


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        # The message does not repeat the text: somebody may have pasted the secret instead of the name.
        raise ValueError("must be the NAME of an environment variable (capitals, digits, _), never its value")
    return name


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    _ = parts.port  # raises ValueError for a port that no address has
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError("must be a plain URL such as https://example.zendesk.com")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must be https: credentials are not sent unencrypted")
    return url.rstrip("/")


Variable = Annotated[str, AfterValidator(_variable)]


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class BasicToken(Entry):
    """HTTP Basic. If the vendor takes its token as the user name, the entry has no password."""

    kind: Literal["basic_token"] = Field(description="the only kind that is possible here")
    user: Variable = Field(description="variable that holds the user name, e-mail address or key")
    password: Variable | None = Field(
        None,
        description="variable that holds the password or token; leave it out if the key is the user name",
    )


class Bearer(Entry):
    """A token, sent unchanged as `Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: Variable = Field(description="variable that holds the token, sent as `Authorization: Bearer`")


class HeaderKey(Entry):
    """A key in a header that the vendor defines."""

    kind: Literal["header_key"]
    header: str = Field(description="name of the header")
    key: Variable = Field(description="variable that holds the key")


class OAuthClient(Entry):
    """OAuth client credentials."""

    kind: Literal["oauth_client"]
    token_url: BaseUrl = Field(description="address of the token endpoint")
    client_id: Variable = Field(description="variable that holds the client id")
    client_secret: Variable = Field(description="variable that holds the client secret")
    scope: str | None = Field(None, description="scope to request")
    client_in: Literal["basic", "form", "json"] = Field(
        "basic", description="where the token request carries the client id and secret"
    )


class OAuthRefresh(Entry):
    """OAuth with a refresh token. The vendor may replace the token at every use; the home keeps the newest one."""

    kind: Literal["oauth_refresh"]
    token_url: BaseUrl = Field(description="address of the token endpoint")
    client_id: Variable = Field(description="variable that holds the client id")
    client_secret: Variable = Field(description="variable that holds the client secret")
    refresh_token: Variable = Field(
        description="variable that holds the first refresh token; the home keeps later ones"
    )
    client_in: Literal["basic", "form", "json"] = Field(
        "form", description="where the token request carries the client id and secret"
    )


Auth = Annotated[BasicToken | Bearer | HeaderKey | OAuthClient | OAuthRefresh, Field(discriminator="kind")]


class Api(Entry):
    """The API that a source is pulled from. The entry names environment variables; it never holds a secret."""

    connector: str = Field(description="which API it is; see Connectors below")
    base_url: BaseUrl = Field(description="the vendor's address, https")
    auth: Auth | None = Field(None, description="credentials; leave it out for an API that needs none")
    since: date = Field(description="the first pull requests records from this day on")
    page_size: int | None = Field(None, ge=1, description="records per page; the vendor's maximum unless set")
    requests_per_minute: float | None = Field(
        None, gt=0, description="a rate limit below the vendor's own, in requests per minute"
    )
    options: Options = Field({}, description="further settings of the connector")
