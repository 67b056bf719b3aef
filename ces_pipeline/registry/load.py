"""Reads `registry/*.yaml` into the models. Every error names the file, the entry and the key."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ces_pipeline.errors import RegistryError
from ces_pipeline.folding import fold
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.exports import Export
from ces_pipeline.registry.fixes import Fix
from ces_pipeline.registry.installed import InstalledConnector, installed_vendors
from ces_pipeline.registry.objectives import Objective
from ces_pipeline.registry.priorities import Priorities
from ces_pipeline.registry.products import Product
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.releases import Release
from ces_pipeline.registry.restatements import Restatement
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.segments import ACCOUNT_PREFIX, Segment
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source, WriteBack
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.schemas.fields import fields_of

M = TypeVar("M", bound=BaseModel)
_SHIPPED_SCALES = Path(__file__).with_name("scales.yaml")
_SHIPPED_LATER = frozenset({"ces2_agreement_1_5", "csat_1_7", "csat_0_10", "csat_0_100"})
"""Scales that older releases did not ship: a home may have its own under such a name, which then counts."""


def load_registry(folder: Path) -> Registry:
    """The registry of a home. A missing file means no entries. The shipped scales are always included.

    Raises RegistryError for unreadable YAML, unknown keys, wrong values, repeated ids, and references to an entry
    that does not exist.
    """
    if not folder.is_dir():
        raise RegistryError(
            f"no registry at {folder}: create one with `ces init`, or give the home with --home"
        )
    sources = _entries(folder / "sources.yaml", Source)
    surveys = _entries(folder / "surveys.yaml", Survey)
    scales = _entries(_SHIPPED_SCALES, Scale)
    for scale_id, scale in _entries(folder / "scales.yaml", Scale).items():
        if scale_id in scales and scale_id not in _SHIPPED_LATER:
            raise RegistryError(
                f"{folder / 'scales.yaml'}: entry {scale_id}: id: this scale ships with ces: choose another id"
            )
        scales[scale_id] = scale
    rules = tuple(_entries(folder / "segments.yaml", Segment).values())
    restatements = tuple(_entries(folder / "restatements.yaml", Restatement).values())
    registry = Registry(
        sources=sources,
        surveys=surveys,
        scales=scales,
        segments=tuple(rule for rule in rules if rule.assigns != "handling"),
        handling=tuple(rule for rule in rules if rule.assigns == "handling"),
        settings=_single(folder / "settings.yaml", Settings),
        restatements=restatements,
        fixes=tuple(_entries(folder / "fixes.yaml", Fix).values()),
        releases=tuple(_entries(folder / "releases.yaml", Release).values()),
        priorities=_single(folder / "priorities.yaml", Priorities),
        products=tuple(_entries(folder / "products.yaml", Product).values()),
        objectives=tuple(_entries(folder / "objectives.yaml", Objective).values()),
    )
    _check_references(registry, folder)
    return registry


def load_exports(folder: Path) -> dict[str, Export]:
    """The receivers of `exports.yaml`, by id. Empty if the file does not exist. Raises RegistryError."""
    return _entries(folder / "exports.yaml", Export)


def load_surveys(folder: Path) -> tuple[dict[str, Survey], Settings]:
    """Surveys and settings only, for code that must start quickly: it loads no reader or connector.

    Raises RegistryError as `load_registry` does, except for references, which `ces doctor` checks.
    """
    if not folder.is_dir():
        raise RegistryError(
            f"no registry at {folder}: deploy the registry/ folder of the home, and set CES_HOME to the home"
        )
    return _entries(folder / "surveys.yaml", Survey), _single(folder / "settings.yaml", Settings)


def _read(path: Path) -> Any:
    if not path.exists():
        return None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        place = getattr(problem, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        raise RegistryError(
            f"{path}{line}: this is not valid YAML in UTF-8: {getattr(problem, 'problem', problem)}"
        ) from None


def _validated(path: Path, what: str, make: Callable[[], M]) -> M:
    try:
        return make()
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "entry"
        text = {"extra_forbidden": "unknown key", "missing": "this key is required"}.get(
            first["type"], first["msg"].removeprefix("Value error, ")
        )
        more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        raise RegistryError(f"{path}: {what}: {key}: {text}{more}") from None


def _entries(path: Path, model: type[M]) -> dict[str, M]:
    listed = _read(path)
    if listed is None:
        return {}
    if not isinstance(listed, list):
        raise RegistryError(f"{path}: expected a list of entries, each starting with `- id:`")
    found: dict[str, M] = {}
    for number, raw in enumerate(listed, start=1):
        if not isinstance(raw, dict) or "id" not in raw:
            raise RegistryError(f"{path}: entry {number}: id: this key is required: start it with `- id:`")
        what = f"entry {raw['id']}"
        entry = _validated(path, what, lambda raw=raw: model.model_validate(raw))  # type: ignore[misc]
        if raw["id"] in found:
            raise RegistryError(f"{path}: {what}: id: two entries have this id: rename or delete one")
        found[raw["id"]] = entry
    return found


def _single(path: Path, model: type[M]) -> M:
    raw = _read(path) or {}
    if not isinstance(raw, dict):
        raise RegistryError(f"{path}: expected `key: value` lines")
    return _validated(path, path.stem, lambda: model.model_validate(raw))


def _check_references(registry: Registry, folder: Path) -> None:
    def known(path: str, entry: str, key: str, name: str | None, names: Iterable[str]) -> None:
        if name is not None and name not in names:
            listed = ", ".join(sorted(names)) or "none"
            raise RegistryError(
                f"{folder / path}: entry {entry}: {key}: no such entry {name!r} (known: {listed})"
            )

    readers = {reader.name: reader for vendor in installed_vendors() for reader in vendor.readers}
    _check_surveys(registry, folder, known)
    for source in registry.sources.values():
        known("sources.yaml", source.id, "survey", source.survey, registry.surveys)
        known("sources.yaml", source.id, "csat_scale", source.csat_scale, registry.scales)
        known("sources.yaml", source.id, "reader", source.reader, readers)
        reader = readers[source.reader]
        if source.kind != reader.kind and reader.kind != "any":
            raise RegistryError(
                f"{folder / 'sources.yaml'}: entry {source.id}: reader: {source.reader} reads {reader.kind}, "
                f"but the kind of the source is {source.kind}: change one of them"
            )
        fields = fields_of(source.kind)
        people = [field.name for field in fields.values() if field.treatment == "person"]
        for key, named, names in (
            ("columns", source.columns, fields),
            ("values", source.values, fields),
            ("hashed", source.hashed, people),
        ):
            for name in named:
                known("sources.yaml", source.id, key, name, names)
        if source.api is not None:
            _check_api(source, source.api, folder)
        if source.write_back is not None:
            _check_write_back(source, source.write_back, registry, folder)
    _check_improvements(registry, folder)
    _check_objectives(registry, folder)
    _check_accounts(registry, folder)
    _check_products(registry, folder)


def _check_surveys(registry: Registry, folder: Path, known: Callable[..., None]) -> None:
    """The scales of surveys exist, and a name means one survey."""
    taken: dict[str, str] = {}
    for survey in registry.surveys.values():
        known("surveys.yaml", survey.id, "scale", survey.scale, registry.scales)
        known("surveys.yaml", survey.id, "csat_scale", survey.csat_scale, registry.scales)
        for scale_id in survey.scale_changes.values():
            known("surveys.yaml", survey.id, "scale_changes", scale_id, registry.scales)
        for name in (survey.id, *survey.also_known_as):
            if taken.setdefault(name, survey.id) != survey.id:
                raise RegistryError(
                    f"{folder / 'surveys.yaml'}: entry {survey.id}: also_known_as: {name!r} already means "
                    f"{taken[name]}: remove it from one of them"
                )


def _check_products(registry: Registry, folder: Path) -> None:
    """A name means one product. If products are registered, the rest of the registry must use their ids."""
    taken: dict[str, str] = {}
    for product in registry.products:
        for name in (product.id, *product.also_known_as):
            if taken.setdefault(fold(name), product.id) != product.id:
                raise RegistryError(
                    f"{folder / 'products.yaml'}: entry {product.id}: also_known_as: {name!r} already means "
                    f"{taken[fold(name)]}: remove it from one of them"
                )
    if not registry.products:
        return
    known = sorted(product.id for product in registry.products)
    for file, where, named in _named_products(registry):
        if named != "unknown" and named not in known:
            raise RegistryError(
                f"{folder / file}: {where}: no such product {named!r}: use an id of products.yaml "
                f"(known: {', '.join(known)})"
            )


def _named_products(registry: Registry) -> Iterator[tuple[str, str, str]]:
    """(File, entry and key, product) of every key of the registry that names a product."""
    for survey in registry.surveys.values():
        yield "surveys.yaml", f"entry {survey.id}: product", survey.product
    for segment in (*registry.segments, *registry.handling):
        wanted = segment.when.get("product", ())
        for name in wanted if isinstance(wanted, tuple) else (wanted,):
            yield "segments.yaml", f"entry {segment.id}: when.product", str(name)
    for name in registry.settings.survey_ineligible.get("product", ()):
        yield "settings.yaml", "settings: survey_ineligible.product", name
    for release in registry.releases:
        for name in release.products:
            yield "releases.yaml", f"entry {release.id}: products", name


def _check_improvements(registry: Registry, folder: Path) -> None:
    for release in registry.releases:
        for survey_id in release.touchpoints:
            if survey_id not in registry.surveys:
                raise RegistryError(
                    f"{folder / 'releases.yaml'}: entry {release.id}: touchpoints: no such entry {survey_id!r} "
                    f"(known: {', '.join(sorted(registry.surveys)) or 'none'})"
                )
    personas = {rule.value for rule in registry.segments if rule.assigns == "persona"} | {"unassigned"}
    for persona in registry.priorities.value_weights:
        if persona not in personas:
            raise RegistryError(
                f"{folder / 'priorities.yaml'}: value_weights.{persona}: no rule of segments.yaml assigns this "
                f"persona (known: {', '.join(sorted(personas))})"
            )


def _check_objectives(registry: Registry, folder: Path) -> None:
    for objective in registry.objectives:
        if objective.dimension == "survey" and objective.segment not in registry.surveys:
            raise RegistryError(
                f"{folder / 'objectives.yaml'}: entry {objective.id}: segment: no such entry {objective.segment!r} "
                f"(known: {', '.join(sorted(registry.surveys)) or 'none'})"
            )


def _check_accounts(registry: Registry, folder: Path) -> None:
    if registry.asks_accounts and not registry.sources_of("accounts"):
        rule = next(
            rule for rule in registry.segments if any(name.startswith(ACCOUNT_PREFIX) for name in rule.when)
        )
        raise RegistryError(
            f"{folder / 'segments.yaml'}: entry {rule.id}: when: a condition uses an attribute of accounts, but "
            f"sources.yaml has no source of kind accounts: add one, or remove the condition"
        )
    if registry.restatements and not registry.asks_accounts:
        raise RegistryError(
            f"{folder / 'restatements.yaml'}: entry {registry.restatements[0].id}: no rule of segments.yaml uses "
            f"an attribute of accounts, so there is nothing to restate: delete the entry"
        )
    in_order = sorted(registry.restatements, key=lambda restatement: restatement.first_day)
    for earlier, later in pairwise(in_order):
        if later.first_day <= earlier.last_day:
            raise RegistryError(
                f"{folder / 'restatements.yaml'}: entry {later.id}: first_day: entry {earlier.id} already restates "
                f"{later.first_day}: change the days so that they do not overlap"
            )


def _check_write_back(source: Source, write_back: WriteBack, registry: Registry, folder: Path) -> None:
    """The vendor must support write-back, and no source may read its answers from the field that is written."""

    def wrong(key: str, what: str) -> RegistryError:
        return RegistryError(f"{folder / 'sources.yaml'}: entry {source.id}: write_back{key}: {what}")

    writable = {
        name: installed for vendor in installed_vendors() for name, installed in vendor.write_backs.items()
    }
    if source.kind != "tickets" or source.api is None or source.api.connector not in writable:
        raise wrong(
            "", f"only a source of kind tickets with api.connector {' or '.join(writable)} can have it"
        )
    try:
        writable[source.api.connector].check(write_back.field)
    except ValueError as problem:
        raise wrong(".field", str(problem)) from None
    connectors = _connectors()
    for other in registry.sources.values():
        if other.api is None or other.api.connector not in connectors:
            continue
        read_field = connectors[other.api.connector].ticket_field(other.api)
        if read_field == write_back.field and other.api.base_url == source.api.base_url:
            raise wrong(
                ".field", f"the source {other.id} reads its answers from this field: choose another field"
            )


def _connectors() -> dict[str, InstalledConnector]:
    return {connector.name: connector for vendor in installed_vendors() for connector in vendor.connectors}


def _check_api(source: Source, api: Api, folder: Path) -> None:
    def wrong(key: str, what: str) -> RegistryError:
        return RegistryError(f"{folder / 'sources.yaml'}: entry {source.id}: {key}: {what}")

    connectors = _connectors()
    connector = connectors.get(api.connector)
    if connector is None:
        raise wrong("api.connector", f"no such connector {api.connector!r} (known: {', '.join(connectors)})")
    if source.reader not in connector.readers:
        raise wrong(
            "reader", f"api.connector {connector.name} needs the reader {' or '.join(connector.readers)}"
        )
    if stray := sorted(set(api.options) - set(connector.options)):
        listed = ", ".join(connector.options) or "none"
        raise wrong("api.options", f"unknown key {stray[0]} (known: {listed})")
    try:
        connector.check(api)
    except ValueError as problem:
        raise wrong("api", str(problem)) from None
