"""The registry as one model: all entries, and look-ups across them. `load.py` reads the files."""

from datetime import date
from functools import cached_property

from ces_pipeline.folding import fold
from ces_pipeline.registry.alerts import Alerts
from ces_pipeline.registry.base import Entry
from ces_pipeline.registry.fixes import Fix
from ces_pipeline.registry.objectives import Objective
from ces_pipeline.registry.priorities import Priorities
from ces_pipeline.registry.products import Product
from ces_pipeline.registry.releases import Release
from ces_pipeline.registry.restatements import Restatement
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.segments import ACCOUNT_PREFIX, Segment
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.schemas.kinds import ALWAYS, KINDS


class Registry(Entry):
    """The full registry, checked: every reference points to an existing entry."""

    sources: dict[str, Source]
    surveys: dict[str, Survey]
    scales: dict[str, Scale]
    segments: tuple[Segment, ...]
    handling: tuple[Segment, ...] = ()
    settings: Settings
    restatements: tuple[Restatement, ...] = ()
    fixes: tuple[Fix, ...] = ()
    releases: tuple[Release, ...] = ()
    priorities: Priorities = Priorities()
    products: tuple[Product, ...] = ()
    objectives: tuple[Objective, ...] = ()
    alerts: Alerts = Alerts()

    @cached_property
    def product_names(self) -> dict[str, str]:
        """Folded product id or alias -> product id."""
        return {
            fold(name): product.id
            for product in self.products
            for name in (product.id, *product.also_known_as)
        }

    @cached_property
    def survey_names(self) -> dict[str, str]:
        """Folded survey id or alias -> survey id."""
        names = {}
        for survey in self.surveys.values():
            for name in (survey.id, *survey.also_known_as):
                names[fold(name)] = survey.id
        return names

    def survey_of_source(self, source_id: str, named: str) -> str | None:
        """The survey id of an answer: the survey of its source if set there, else the one that `named` means."""
        source = self.sources.get(source_id)
        return source.survey if source and source.survey else self.survey_names.get(fold(named))

    @property
    def asks_accounts(self) -> bool:
        """Whether a rule uses an attribute of accounts."""
        return any(name.startswith(ACCOUNT_PREFIX) for segment in self.segments for name in segment.when)

    def accounts_as_of(self, day: date) -> date:
        """The day whose accounts decide the personas of this day: the same day, unless an entry restates it."""
        for restatement in self.restatements:
            if restatement.first_day <= day <= restatement.last_day:
                return restatement.as_of
        return day

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of source that this home uses, in the order in which a run cleans them."""
        return tuple(name for name in KINDS if name in ALWAYS or self.sources_of(name))

    def sources_of(self, kind: str) -> list[Source]:
        """The sources of a kind, in the order of sources.yaml."""
        return [source for source in self.sources.values() if source.kind == kind]
