"""The base class and value types of every registry model. Each YAML file has its own module with its models."""

import re
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Entry(BaseModel):
    """Base of every registry model. Unknown keys are errors. Values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _slug(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text):
        raise ValueError(f"{text!r} must be lower-case letters, digits and _ and start with a letter")
    return text


Slug = Annotated[str, AfterValidator(_slug)]

Text = Annotated[str, Field(min_length=1)]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone (such as Europe/London or UTC)")
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]
