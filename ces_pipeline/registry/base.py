"""The base class and value types of every registry model. Each YAML file has its own module with its models."""

import re
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ces_pipeline.registry.yaml_file import Flag

_LARGEST_INTEGER = 2**31 - 1
"""The largest number that the columns of the published tables hold."""


class Entry(BaseModel):
    """Base of every registry model. Unknown keys are errors. Values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _numbers_fit(self) -> "Entry":
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
                raise ValueError(f"{name} must be a number of at most {_LARGEST_INTEGER:,}")
        return self


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


def _with_bools(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_bools(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_bools(inner) for inner in value]
    return value.is_true if isinstance(value, Flag) else value


Options = Annotated[dict[str, Any], BeforeValidator(_with_bools)]
"""Settings that a reader or connector defines: `yes`, `off` and the like are bools, since no model asks for texts."""

MOST_DAYS = 36_500
"""A hundred years: dates so far from today still exist."""

Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]
