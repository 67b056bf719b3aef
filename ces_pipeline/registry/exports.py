"""`exports.yaml`: the platforms that receive journeys. Without an entry, nothing is sent."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from ces_pipeline.registry.api import BaseUrl, BasicToken, Variable
from ces_pipeline.registry.base import Entry, Slug


class Export(Entry):
    """A receiver of journeys. The entry names environment variables; it never holds a secret."""

    id: Slug = Field(description="name of the receiver, for `ces export journeys --to`")
    target: Literal["mixpanel", "amplitude"] = Field(description="the platform")
    base_url: BaseUrl = Field(description="the vendor's address for your region")
    since: date = Field(description="events before this day are not sent")
    auth: BasicToken | None = Field(None, description="Mixpanel: a service account's name and secret")
    project_id: str | None = Field(None, description="Mixpanel: the project")
    key: Variable | None = Field(None, description="Amplitude: the project's API key")

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Export":
        wanted = ("auth", "project_id") if self.target == "mixpanel" else ("key",)
        for name in ("auth", "project_id", "key"):
            if (getattr(self, name) is not None) != (name in wanted):
                raise ValueError(f"{self.target} takes {' and '.join(wanted)}, and no other credentials")
        return self
