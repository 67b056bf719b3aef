"""Signed survey links: made for an invitation, checked by whoever opens one. No person is in a link."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from ces_pipeline.errors import CesError

_NAMES = ("survey", "invitation", "ticket", "expires")
_SIGNATURE = "signature"


class MangledLinkError(CesError):
    """The link was not made with this key, or was changed on the way."""


class ExpiredLinkError(CesError):
    """The link is genuine and too old."""


@dataclass(frozen=True)
class LinkTarget:
    """What a genuine link says."""

    survey: str
    invitation: str
    ticket: str | None


def signed_link(base: str, target: LinkTarget, expires_at: datetime, key: bytes) -> str:
    """`base` with survey, invitation, ticket, expiry and their HMAC-SHA256 added to its query."""
    told = {"survey": target.survey, "invitation": target.invitation}
    if target.ticket:
        told["ticket"] = target.ticket
    told["expires"] = str(int(expires_at.timestamp()))
    told[_SIGNATURE] = _signature(told, key)
    return f"{base}{'&' if urlsplit(base).query else '?'}{urlencode(told)}"


def check_link(url: str, now: datetime, key: bytes) -> LinkTarget:
    """What a link says, once it is known to be ours and in time.

    Raises MangledLinkError, or ExpiredLinkError for a genuine one that is too old. What the survey platform added to
    the query does not matter.
    """
    found = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    told = {name: value for name, value in found if name in _NAMES}
    given = [value for name, value in found if name == _SIGNATURE]
    names = [name for name, _ in found if name in _NAMES]
    is_ours = (
        len(names) == len(told)
        and len(given) == 1
        and {"survey", "invitation", "expires"} <= told.keys()
        and hmac.compare_digest(_signature(told, key).encode(), given[0].encode("utf-8", "replace"))
    )
    if not is_ours:
        raise MangledLinkError("the survey link is not as it was sent: open it from the invitation again")
    if now.timestamp() >= int(told["expires"]):
        raise ExpiredLinkError(
            "the survey link has expired: the interaction is too long ago to be asked about"
        )
    return LinkTarget(told["survey"], told["invitation"], told.get("ticket"))


def _signature(told: dict[str, str], key: bytes) -> str:
    text = urlencode([(name, told[name]) for name in _NAMES if name in told])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
