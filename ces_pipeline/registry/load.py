"""Makes the models of `registry/*.yaml`. Every error is one line with the file, the line, the entry and the key."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ces_pipeline.errors import RegistryError
from ces_pipeline.folding import fold
from ces_pipeline.registry.api import Api
from ces_pipeline.registry.exports import Export
from ces_pipeline.registry.fixes import Fix
from ces_pipeline.registry.installed import InstalledConnector, InstalledReader, installed_vendors
from ces_pipeline.registry.objectives import Objective
from ces_pipeline.registry.priorities import Priorities
from ces_pipeline.registry.products import Product
from ces_pipeline.registry.receive import RECEIVED_NAME, Receive
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.releases import Release
from ces_pipeline.registry.restatements import Restatement
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.segments import ACCOUNT_PREFIX, Segment
from ces_pipeline.registry.settings import Settings
from ces_pipeline.registry.sources import Source, WriteBack
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.registry.yaml_file import YamlFile, read_yaml
from ces_pipeline.schemas.fields import fields_of

M = TypeVar("M", bound=BaseModel)
_SHIPPED_SCALES = Path(__file__).with_name("scales.yaml")
_SHIPPED_LATER = frozenset({"ces2_agreement_1_5", "csat_1_7", "csat_0_10", "csat_0_100"})
"""Scales that older releases did not ship: a home may have its own under such a name, which then counts."""


def load_registry(folder: Path) -> Registry:
    """The registry of a home. A missing file means no entries. The shipped scales are always included.

    Raises RegistryError for unreadable YAML, repeated keys, unknown keys, wrong values, repeated ids, and references to
    an entry that does not exist.
    """
    if not folder.is_dir():
        raise RegistryError(
            f"no registry at {folder}: create one with `ces init`, or give the home with --home"
        )
    files = _Files(folder)
    sources = files.entries("sources.yaml", Source)
    surveys = files.entries("surveys.yaml", Survey)
    scales = _Files(_SHIPPED_SCALES.parent).entries(_SHIPPED_SCALES.name, Scale)
    for scale_id, scale in files.entries("scales.yaml", Scale).items():
        if scale_id in scales and scale_id not in _SHIPPED_LATER:
            raise files.wrong("scales.yaml", scale_id, "id", "this scale ships with ces: choose another id")
        scales[scale_id] = scale
    rules = tuple(files.entries("segments.yaml", Segment).values())
    restatements = tuple(files.entries("restatements.yaml", Restatement).values())
    registry = Registry(
        sources=sources,
        surveys=surveys,
        scales=scales,
        segments=tuple(rule for rule in rules if rule.assigns != "handling"),
        handling=tuple(rule for rule in rules if rule.assigns == "handling"),
        settings=files.single("settings.yaml", Settings),
        restatements=restatements,
        fixes=tuple(files.entries("fixes.yaml", Fix).values()),
        releases=tuple(files.entries("releases.yaml", Release).values()),
        priorities=files.single("priorities.yaml", Priorities),
        products=tuple(files.entries("products.yaml", Product).values()),
        objectives=tuple(files.entries("objectives.yaml", Objective).values()),
    )
    _check_references(registry, files)
    return registry


def load_exports(folder: Path) -> dict[str, Export]:
    """The receivers of `exports.yaml`, by id. Empty if the file does not exist. Raises RegistryError."""
    return _Files(folder).entries("exports.yaml", Export)


def load_surveys(folder: Path) -> tuple[dict[str, Survey], Settings]:
    """Surveys and settings only, for code that must start quickly: it loads no reader or connector.

    Raises RegistryError as `load_registry` does, except for references, which `ces doctor` checks.
    """
    if not folder.is_dir():
        raise RegistryError(
            f"no registry at {folder}: deploy the registry/ folder of the home, and set CES_HOME to the home"
        )
    files = _Files(folder)
    return files.entries("surveys.yaml", Survey), files.single("settings.yaml", Settings)


def load_settings(folder: Path) -> Settings:
    """The settings only; the defaults if there is no file. Raises RegistryError."""
    return _Files(folder).single("settings.yaml", Settings)


class _Files:
    """The files of a registry folder, read once each. They are kept for the line numbers of later errors."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._read: dict[str, YamlFile] = {}

    def wrong(self, name: str, entry_id: str | None, key: str, text: str) -> RegistryError:
        """The error for a key of an entry. entry_id: None for a file without entries."""
        file = self._file(name)
        loc: list[str | int] = [part for part in key.split(".") if part]
        if entry_id is not None:
            loc.insert(0, next(place for place, raw in enumerate(file.data) if raw["id"] == entry_id))
        return file.wrong(loc, text)

    def entries(self, name: str, model: type[M]) -> dict[str, M]:
        """The entries of a file, by id."""
        file = self._file(name)
        if file.data is None:
            return {}
        if not isinstance(file.data, list):
            raise RegistryError(
                f"{file.path}, line 1: expected a list of entries, each starting with `- id:`"
            )
        found: dict[str, M] = {}
        for place, raw in enumerate(file.data):
            if not isinstance(raw, dict) or "id" not in raw:
                raise file.wrong((place, "id"), "this key is required: start it with `- id:`")
            entry = _validated(file, (place,), model, raw)
            if raw["id"] in found:
                raise file.wrong((place, "id"), "two entries have this id: rename or delete one")
            found[raw["id"]] = entry
        return found

    def single(self, name: str, model: type[M]) -> M:
        """The settings of a file without entries."""
        file = self._file(name)
        if file.data is not None and file.data != [] and not isinstance(file.data, dict):
            raise RegistryError(f"{file.path}, line 1: expected `key: value` lines")
        return _validated(file, (), model, file.data or {})

    def _file(self, name: str) -> YamlFile:
        if name not in self._read:
            self._read[name] = read_yaml(self._folder / name)
        return self._read[name]


def _validated(file: YamlFile, place: tuple[int, ...], model: type[M], raw: dict[Any, Any]) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as problem:
        # A key with a slip of the pen is often also the one that is missing: its error says more.
        errors = problem.errors(include_url=False, include_input=False)
        first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
        more = f" (and {problem.error_count() - 1} more)" if problem.error_count() > 1 else ""
        raise file.wrong((*place, *first["loc"]), f"{_what_is_wrong(model, first)}{more}") from None


def _what_is_wrong(model: type[BaseModel], error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        *above, key = error["loc"]
        return f"unknown key{_suggestion(str(key), known_keys(model, above))}"
    if error["type"] == "missing":
        return "this key is required"
    quotes = ": write it in quotes" if error["type"] == "string_type" else ""
    return " ".join(error["msg"].removeprefix("Value error, ").split()) + quotes


def _suggestion(name: str, known: Iterable[str]) -> str:
    """What may have been meant: the nearest known name, else all of them."""
    names = list(known)
    if near := get_close_matches(name, names, n=1):
        return f": did you mean {near[0]}?"
    return f" (known: {', '.join(names) or 'none'})"


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a model, or the models at a place inside it, know. Parts of `loc` that are no field are passed."""
    models = [model]
    for part in loc:
        inner = [
            inside
            for outer in models
            if part in outer.model_fields
            for inside in _models_in(outer.model_fields[str(part)].annotation)
        ]
        tagged = [
            each
            for each in models
            if "kind" in each.model_fields and part in get_args(each.model_fields["kind"].annotation)
        ]
        models = inner or tagged or models
    return list(dict.fromkeys(name for each in models for name in each.model_fields))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _check_references(registry: Registry, files: _Files) -> None:
    def known(path: str, entry: str, key: str, name: str | None, names: Iterable[str]) -> None:
        if name is not None and name not in names:
            listed = ", ".join(sorted(names)) or "none"
            found = get_close_matches(name, names, n=1)
            near = f", did you mean {found[0]}?" if found else ""
            raise files.wrong(path, entry, key, f"no such entry {name!r}{near} (known: {listed})")

    readers = {reader.name: reader for vendor in installed_vendors() for reader in vendor.readers}
    _check_surveys(registry, files, known)
    _check_earlier_ids(registry, files)
    for source in registry.sources.values():
        known("sources.yaml", source.id, "survey", source.survey, registry.surveys)
        known("sources.yaml", source.id, "csat_scale", source.csat_scale, registry.scales)
        known("sources.yaml", source.id, "reader", source.reader, readers)
        reader = readers[source.reader]
        if source.kind != reader.kind and reader.kind != "any":
            raise files.wrong(
                "sources.yaml",
                source.id,
                "reader",
                f"{source.reader} reads {reader.kind}, "
                f"but the kind of the source is {source.kind}: change one of them",
            )
        if stray := [name for name in source.options if name not in reader.options]:
            raise files.wrong(
                "sources.yaml",
                source.id,
                f"options.{stray[0]}",
                f"unknown key of the reader {reader.name}{_suggestion(stray[0], reader.options)}",
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
            _check_api(source, source.api, files)
        if source.receive is not None:
            _check_receive(source, source.receive, reader, files)
        if source.write_back is not None:
            _check_write_back(source, source.write_back, registry, files)
    _check_improvements(registry, files)
    _check_objectives(registry, files)
    _check_accounts(registry, files)
    _check_products(registry, files)


def _check_surveys(registry: Registry, files: _Files, known: Callable[..., None]) -> None:
    """The scales of surveys exist, and a name means one survey."""
    taken: dict[str, str] = {}
    for survey in registry.surveys.values():
        known("surveys.yaml", survey.id, "scale", survey.scale, registry.scales)
        known("surveys.yaml", survey.id, "csat_scale", survey.csat_scale, registry.scales)
        for scale_id in survey.scale_changes.values():
            known("surveys.yaml", survey.id, "scale_changes", scale_id, registry.scales)
        for name in (survey.id, *survey.also_known_as):
            if taken.setdefault(name, survey.id) != survey.id:
                raise files.wrong(
                    "surveys.yaml",
                    survey.id,
                    "also_known_as",
                    f"{name!r} already means {taken[name]}: remove it from one of them",
                )


def _check_earlier_ids(registry: Registry, files: _Files) -> None:
    """An id belongs to one source: no entry has the earlier id of another as its own id, or as an earlier one."""
    taken = {source_id: source_id for source_id in registry.sources}
    for source in registry.sources.values():
        for place, name in enumerate(source.formerly):
            if taken.setdefault(name, source.id) != source.id:
                raise files.wrong(
                    "sources.yaml",
                    source.id,
                    f"formerly.{place}",
                    f"{name!r} already belongs to entry {taken[name]}: remove it from one of them",
                )


def _check_products(registry: Registry, files: _Files) -> None:
    """A name means one product. If products are registered, the rest of the registry must use their ids."""
    taken: dict[str, str] = {}
    for product in registry.products:
        for name in (product.id, *product.also_known_as):
            if taken.setdefault(fold(name), product.id) != product.id:
                raise files.wrong(
                    "products.yaml",
                    product.id,
                    "also_known_as",
                    f"{name!r} already means {taken[fold(name)]}: remove it from one of them",
                )
    if not registry.products:
        return
    known = sorted(product.id for product in registry.products)
    for file, entry_id, key, named in _named_products(registry):
        if named != "unknown" and named not in known:
            raise files.wrong(
                file,
                entry_id,
                key,
                f"no such product {named!r}: use an id of products.yaml (known: {', '.join(known)})",
            )


def _named_products(registry: Registry) -> Iterator[tuple[str, str | None, str, str]]:
    """(File, entry, key, product) of every key of the registry that names a product."""
    for survey in registry.surveys.values():
        yield "surveys.yaml", survey.id, "product", survey.product
    for segment in (*registry.segments, *registry.handling):
        wanted = segment.when.get("product", ())
        for name in wanted if isinstance(wanted, tuple) else (wanted,):
            yield "segments.yaml", segment.id, "when.product", str(name)
    for name in registry.settings.survey_ineligible.get("product", ()):
        yield "settings.yaml", None, "survey_ineligible.product", name
    for release in registry.releases:
        for name in release.products:
            yield "releases.yaml", release.id, "products", name


def _check_improvements(registry: Registry, files: _Files) -> None:
    for release in registry.releases:
        for survey_id in release.touchpoints:
            if survey_id not in registry.surveys:
                raise files.wrong(
                    "releases.yaml",
                    release.id,
                    "touchpoints",
                    f"no such entry {survey_id!r} (known: {', '.join(sorted(registry.surveys)) or 'none'})",
                )
    personas = {rule.value for rule in registry.segments if rule.assigns == "persona"} | {"unassigned"}
    for persona in registry.priorities.value_weights:
        if persona not in personas:
            raise files.wrong(
                "priorities.yaml",
                None,
                f"value_weights.{persona}",
                f"no rule of segments.yaml assigns this persona (known: {', '.join(sorted(personas))})",
            )


def _check_objectives(registry: Registry, files: _Files) -> None:
    for objective in registry.objectives:
        if objective.dimension == "survey" and objective.segment not in registry.surveys:
            raise files.wrong(
                "objectives.yaml",
                objective.id,
                "segment",
                f"no such entry {objective.segment!r} "
                f"(known: {', '.join(sorted(registry.surveys)) or 'none'})",
            )


def _check_accounts(registry: Registry, files: _Files) -> None:
    if registry.asks_accounts and not registry.sources_of("accounts"):
        rule = next(
            rule for rule in registry.segments if any(name.startswith(ACCOUNT_PREFIX) for name in rule.when)
        )
        raise files.wrong(
            "segments.yaml",
            rule.id,
            "when",
            "a condition uses an attribute of accounts, but "
            "sources.yaml has no source of kind accounts: add one, or remove the condition",
        )
    if registry.restatements and not registry.asks_accounts:
        raise files.wrong(
            "restatements.yaml",
            registry.restatements[0].id,
            "",
            "no rule of segments.yaml uses "
            "an attribute of accounts, so there is nothing to restate: delete the entry",
        )
    in_order = sorted(registry.restatements, key=lambda restatement: restatement.first_day)
    for earlier, later in pairwise(in_order):
        if later.first_day <= earlier.last_day:
            raise files.wrong(
                "restatements.yaml",
                later.id,
                "first_day",
                f"entry {earlier.id} already restates "
                f"{later.first_day}: change the days so that they do not overlap",
            )


def _check_receive(source: Source, receive: Receive, reader: InstalledReader, files: _Files) -> None:
    """Payloads become files that the source's reader and `inbox` must take, signed as an installed vendor knows."""

    def wrong(key: str, what: str) -> RegistryError:
        return files.wrong("sources.yaml", source.id, key, what)

    signatures = {
        signature.name: signature for vendor in installed_vendors() for signature in vendor.signatures
    }
    signature = signatures.get(receive.signature)
    if signature is None:
        known = ", ".join(signatures)
        raise wrong("receive.signature", f"no such signature {receive.signature!r} (known: {known})")
    if not reader.reads_json_lines:
        readers = [
            reader.name
            for vendor in installed_vendors()
            for reader in vendor.readers
            if reader.reads_json_lines
        ]
        raise wrong(
            "reader",
            f"payloads are kept as JSON Lines, which {reader.name} does not read: choose {' or '.join(readers)}, "
            "or give the webhooks a source of their own",
        )
    if not source.takes(RECEIVED_NAME):
        raise wrong("inbox", f"it leaves out the files of received payloads, such as {RECEIVED_NAME}")
    if found := signature.problem(receive):
        key, what = found
        raise wrong(f"receive.{key}", what)


def _check_write_back(source: Source, write_back: WriteBack, registry: Registry, files: _Files) -> None:
    """The vendor must support write-back, and no source may read its answers from the field that is written."""

    def wrong(key: str, what: str) -> RegistryError:
        return files.wrong("sources.yaml", source.id, f"write_back{key}", what)

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


def _check_api(source: Source, api: Api, files: _Files) -> None:
    def wrong(key: str, what: str) -> RegistryError:
        return files.wrong("sources.yaml", source.id, key, what)

    connectors = _connectors()
    connector = connectors.get(api.connector)
    if connector is None:
        raise wrong("api.connector", f"no such connector {api.connector!r} (known: {', '.join(connectors)})")
    if source.reader not in connector.readers:
        raise wrong(
            "reader", f"api.connector {connector.name} needs the reader {' or '.join(connector.readers)}"
        )
    if stray := sorted(set(api.options) - set(connector.options)):
        raise wrong(f"api.options.{stray[0]}", f"unknown key{_suggestion(stray[0], connector.options)}")
    try:
        connector.check(api)
    except ValueError as problem:
        raise wrong("api", str(problem)) from None
