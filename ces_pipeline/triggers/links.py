"""Signed survey links: signs the link of an invitation, and checks it when it is opened. A link names no person."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from ces_pipeline.errors import CesError

_NAMES = ("survey", "invitation", "ticket", "expires")
_SIGNATURE = "signature"


class MangledLinkError(CesError):
    """The link was not signed with this key, or was changed later."""


class ExpiredLinkError(CesError):
    """The link is genuine but has expired."""


@dataclass(frozen=True)
class LinkTarget:
    """The content of a genuine link: ids of the survey, the invitation and the ticket."""

    survey: str
    invitation: str
    ticket: str | None


def signed_link(base: str, target: LinkTarget, expires_at: datetime, key: bytes) -> str:
    """`base` with survey, invitation, ticket, expiry and their HMAC-SHA256 added to its query."""
    fields = {"survey": target.survey, "invitation": target.invitation}
    if target.ticket:
        fields["ticket"] = target.ticket
    fields["expires"] = str(int(expires_at.timestamp()))
    fields[_SIGNATURE] = _signature(fields, key)
    return f"{base}{'&' if urlsplit(base).query else '?'}{urlencode(fields)}"


def check_link(url: str, now: datetime, key: bytes) -> LinkTarget:
    """The content of a link, if the link is genuine and has not expired.

    Raises MangledLinkError, or ExpiredLinkError for a genuine link that has expired. The survey platform may add other
    parameters to the query.
    """
    try:
        fields = _genuine_fields(url, key)
    except ValueError:
        # An address that is none, or half a character in it.
        fields = None
    if fields is None:
        raise MangledLinkError("The survey link was changed. Open it from the invitation again.")
    if now.timestamp() >= int(fields["expires"]):
        raise ExpiredLinkError("The survey link has expired. The interaction is too long ago for a survey.")
    return LinkTarget(fields["survey"], fields["invitation"], fields.get("ticket"))


def _genuine_fields(url: str, key: bytes) -> dict[str, str] | None:
    """Our parameters of a link; None if it was not signed with this key. Raises ValueError for no address."""
    found = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    fields = {name: value for name, value in found if name in _NAMES}
    signatures = [value for name, value in found if name == _SIGNATURE]
    names = [name for name, _ in found if name in _NAMES]
    is_ours = (
        len(names) == len(fields)
        and len(signatures) == 1
        and {"survey", "invitation", "expires"} <= fields.keys()
        and hmac.compare_digest(_signature(fields, key).encode(), signatures[0].encode("utf-8", "replace"))
    )
    return fields if is_ours else None


def _signature(fields: dict[str, str], key: bytes) -> str:
    text = urlencode([(name, fields[name]) for name in _NAMES if name in fields])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
