"""What every registry model is made of. The models themselves are in `models.py` and `improvements.py`."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Entry(BaseModel):
    """Base of every registry model: unknown keys are errors, values are never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _slug(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text):
        raise ValueError(f"{text!r} must be lower-case letters, digits and _ and start with a letter")
    return text


Slug = Annotated[str, AfterValidator(_slug)]
