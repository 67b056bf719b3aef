"""Protects the signed links: a genuine link is accepted; a changed and an expired link give different errors."""

from datetime import UTC, datetime, timedelta

import pytest

from ces_pipeline.triggers.links import (
    ExpiredLinkError,
    LinkTarget,
    MangledLinkError,
    check_link,
    signed_link,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = b"link-key"
TARGET = LinkTarget("after_chat", "0f3a", "T 7&x=1")
LINK = signed_link("https://surveys.example.com/effort?lang=de", TARGET, NOW + timedelta(days=1), KEY)


def test_a_genuine_link_returns_its_content() -> None:
    assert check_link(LINK, NOW, KEY) == TARGET
    without = signed_link(
        "https://surveys.example.com/effort", LinkTarget("a", "b", None), NOW + timedelta(1), KEY
    )
    assert without.startswith("https://surveys.example.com/effort?survey=a&invitation=b&expires=")
    assert check_link(without, NOW, KEY) == LinkTarget("a", "b", None)


def test_the_survey_platform_may_add_parameters() -> None:
    assert check_link(f"{LINK}&utm_source=mail", NOW, KEY) == TARGET


@pytest.mark.parametrize(
    "changed",
    [
        LINK.replace("survey=after_chat", "survey=after_call"),
        LINK.replace("expires=17", "expires=18"),
        LINK.replace("ticket=T+7%26x%3D1&", ""),
        LINK[:-1],
        LINK.split("&signature")[0],
        f"{LINK}&expires=9999999999",
        f"{LINK}&signature=0",
        LINK[:-1] + "ü",
        "https://surveys.example.com/effort",
        "",
    ],
)
def test_a_changed_link_is_mangled(changed: str) -> None:
    assert changed != LINK
    with pytest.raises(MangledLinkError, match="was changed"):
        check_link(changed, NOW, KEY)


def test_a_link_is_not_accepted_with_another_key() -> None:
    with pytest.raises(MangledLinkError):
        check_link(LINK, NOW, b"other")


def test_a_link_expires_to_the_second() -> None:
    assert check_link(LINK, NOW + timedelta(days=1, seconds=-1), KEY) == TARGET
    with pytest.raises(ExpiredLinkError, match="has expired"):
        check_link(LINK, NOW + timedelta(days=1), KEY)


@pytest.mark.parametrize(
    "link",
    [
        "http://[::1?signature=a",
        "https://x:99999?signature=a",
        f"{LINK}\ud800",
        LINK.replace("0f3a", "\udfff"),
    ],
)
def test_a_link_that_is_no_address_is_mangled(link: str) -> None:
    with pytest.raises(MangledLinkError):
        check_link(link, NOW, KEY)
