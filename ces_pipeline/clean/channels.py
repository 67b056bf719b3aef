"""Translates the channel names of exports into the published list of channels."""

import pandas as pd

from ces_pipeline.clean.columns import texts_by_code
from ces_pipeline.registry.surveys import CHANNELS

_CHANNEL_WORDS = {
    "e-mail": "email", "mail": "email", "voice": "phone", "call": "phone", "telephone": "phone", "ivr": "phone",
    "live chat": "chat", "live_chat": "chat", "messaging": "chat", "widget": "chat", "website": "web",
    "in-app": "in_app", "in app": "in_app", "app": "in_app", "mobile app": "mobile", "bot": "chatbot", "text": "sms",
    "help center": "portal",
}  # fmt: skip


def channels_of(texts: pd.Series) -> pd.Series:
    """Each text as one of CHANNELS; `other` if it is none of them; null stays null."""
    codes, distinct = pd.factorize(texts)
    words: list[str] = []
    for text in distinct:
        plain = str(text).strip().casefold()
        plain = _CHANNEL_WORDS.get(plain, plain.replace(" ", "_").replace("-", "_"))
        words.append(plain if plain in CHANNELS else "other")
    return texts_by_code(codes, words, texts.index)
