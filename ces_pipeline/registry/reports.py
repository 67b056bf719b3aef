"""`reports` in settings.yaml: which report pages a run writes, and the figures that an installation adds to them."""

from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, field_validator, model_validator

from ces_pipeline.registry.base import Entry, Slug

FigureKind = Literal["trend", "bands", "intervals", "histogram", "table"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "trend": ("label", "n", "value", "low", "high"),
    "bands": ("label", "n", "difficult_share", "difficult_share_low", "difficult_share_high", "easy_share"),
    "intervals": ("label", "n", "value", "low", "high"),
    "histogram": ("label", "n"),
    "table": (),
}
"""Kind of figure -> the columns that its query must have."""


class OwnFigure(Entry):
    """A figure that an installation adds to its reports: a query on the published file, and how to draw its rows."""

    id: Slug = Field(description="name of the figure: lower-case letters, digits, _")
    title: str = Field(description="heading on the page; say the unit and the direction")
    kind: FigureKind = Field(
        description="`trend` and `intervals` draw the columns label, n, value, low, high; `bands` label, n, "
        "difficult_share, difficult_share_low, difficult_share_high, easy_share; `histogram` label, n; `table` any"
    )
    sql: str = Field(description="file of the query, below the registry folder, such as `figures/nps.sql`")
    note: str = Field("", description="a sentence below the heading")

    @field_validator("sql")
    @classmethod
    def _below_the_registry(cls, path: str) -> str:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or parts.suffix != ".sql":
            raise ValueError(f"{path!r} is no .sql file below the registry folder")
        return path

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that the query must have."""
        return COLUMNS[self.kind]


class ReportSettings(Entry):
    """The reports of an installation."""

    after_run: bool = Field(True, description="write the report after each publish")
    period: Literal["week", "month", "quarter"] = Field("week", description="what a page covers")
    weeks: int = Field(
        26, ge=2, le=520, description="how many weeks (or months, or quarters) the trends show"
    )
    language: Literal["en", "de"] = Field("en", description="language of the pages")
    comments: int = Field(
        0, ge=0, le=500, description="most comments of difficult answers on a page, redacted; 0: none"
    )
    pages_by: tuple[Literal["owner", "survey"], ...] = Field(
        (), description="also a page for each owner, each survey, or both"
    )
    figures: tuple[OwnFigure, ...] = Field((), description="figures that the installation adds")

    @model_validator(mode="after")
    def _ids_differ(self) -> "ReportSettings":
        ids = [figure.id for figure in self.figures]
        if len(set(ids)) < len(ids):
            repeated = next(name for name in ids if ids.count(name) > 1)
            raise ValueError(f"two figures have the id {repeated!r}")
        return self
