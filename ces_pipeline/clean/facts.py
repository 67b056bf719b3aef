"""Facts about rows of any kind. Rules compute their evidence from facts; accepted rows are built from them.

Each fact is computed once, at its first use. `judge.py` reaches the verdicts.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.rules.contract import Counts, Flags, Numbers


class Facts:
    """Facts about the newest version of each raw row (of `read_rows`), of any kind."""

    def __init__(self, rows: pd.DataFrame, registry: Registry):
        self.rows, self.registry = rows, registry
        self.surveys: list[Survey] = list(registry.surveys.values())

    @cached_property
    def is_readable(self) -> Flags:
        """Whether the row fits the header of its export."""
        return self.rows["problem"].isna().to_numpy()

    @cached_property
    def is_usable(self) -> Flags:
        """Whether the row has a time that is not before the installation's first day."""
        settings = self.registry.settings
        first = pd.Timestamp(settings.first_day).tz_localize(settings.business_time_zone)
        return (self.rows["event_at"] >= first).to_numpy(dtype=bool, na_value=False)

    @cached_property
    def which(self) -> np.ndarray:
        """Position in `surveys` of each row's survey, -1 if it is not registered."""
        place = {survey.id: position for position, survey in enumerate(self.surveys)}
        sources, source_ids = pd.factorize(self.rows["source_id"])
        named, names = pd.factorize(self.rows["survey"])
        found = np.full((len(source_ids), len(names) + 1), -1)
        for of_source, source_id in enumerate(source_ids):
            # The last place is for rows that name no survey.
            for of_name, name in enumerate([*names, ""]):
                survey_id = self.registry.survey_of_source(str(source_id), str(name))
                found[of_source, of_name] = place.get(survey_id or "", -1)
        return found[sources, named] if len(self.rows) else np.zeros(0, dtype=np.int64)

    def per_survey(self, value_of: Callable[[Survey], float], otherwise: float) -> Numbers:
        """A value of each row's survey; `otherwise` if the survey is not registered."""
        values: Numbers = np.array([*(value_of(survey) for survey in self.surveys), otherwise], dtype=float)[
            self.which
        ]
        return values

    def by_survey(self) -> Iterator[tuple[Survey, Flags]]:
        """Each survey that has rows, with flags of its rows."""
        for position, survey in enumerate(self.surveys):
            rows = self.which == position
            if rows.any():
                yield survey, rows

    def count(self, flags: Iterable[Flags]) -> Counts:
        """For each row, how many of these flags are set."""
        total = np.zeros(len(self.rows), dtype=np.int64)
        for flag in flags:
            total += flag
        return total
