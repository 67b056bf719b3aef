"""Inspects one export: reader, kind, time zone, scale, counts and the proposed registry entries."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.profiling.counts import count_rules
from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.result import Inspection, Proposal, Question, ZoneIs
from ces_pipeline.profiling.rows import loaded
from ces_pipeline.profiling.scales import fitting_labels, is_number, reaches
from ces_pipeline.profiling.times import Times
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.schemas.kinds import KINDS, KindName
from ces_pipeline.vendors.catalog import READERS
from ces_pipeline.vendors.recognise import recognise

# As `Received at (America/New_York)` or `Date & Time (UTC)`.
_ZONE = re.compile(r"\((UTC|GMT|[A-Z][A-Za-z]+/[A-Za-z_/+-]+)\)")


def inspect_file(
    path: Path,
    registry: Registry,
    *,
    score: str | None = None,
    scale: str | None = None,
    survey: str | None = None,
    source: str | None = None,
    time_zone: str | None = None,
    delimiter: str | None = None,
    reader: str | None = None,
    kind: KindName | None = None,
    columns: Mapping[str, str] | None = None,
) -> Inspection:
    """Inspect one export, read as a new source, or as the registered one that `source` names.

    score: the column of the effort answer. columns: our field -> the export's column, for any other field.
    scale, survey, source: registry ids; survey and source may be new. kind: needed if the columns do not show it.
    Raises UnreadableFileError if no reader fits, RegistryError if an argument names something that does not exist.
    """
    file = DeliveredFile(Path(path))
    if not file.path.is_file():
        raise UnreadableFileError(f"{path}: no such file")
    known_source = registry.sources.get(source) if source else None
    chosen, others = _choose_reader(file, reader or (known_source.reader if known_source else None))
    _refuse_other_kind(kind, chosen, known_source)
    export = chosen.read(file, _as_source(chosen, known_source, delimiter))
    zone, zone_is = _zone(export, known_source, time_zone)
    with loaded(export, zone) as rows:
        naming = Naming(file, chosen, export, rows, registry, known_source, kind)
        naming.name_fields(score, survey, columns or {})
        times = Times(naming)
        times.find_formats()
        survey = survey or (known_source.survey if known_source else None)
        found_scale = (
            _find_scale(naming, scale, registry.surveys.get(survey or ""))
            if naming.kind == "survey"
            else None
        )
        new_id = source or _free_id(file, registry)
        entry_zone = zone if zone_is in ("given", "assumed", "named in a column's name") else None
        known = _Known(new_id, survey, found_scale, entry_zone, delimiter)
        return Inspection(
            file=file.name,
            reader=chosen,
            runners_up=tuple((other.name, points) for other, points in others),
            kind=naming.kind,
            rows=rows.count("true"),
            unreadable=len(export.unreadable),
            time_zone=zone,
            time_zone_is=zone_is,
            times=times.ranges(zone_is),
            counts=count_rules(naming, times, found_scale),
            columns=naming.column_views(),
            proposal=_proposal(naming, times, known),
            notes=tuple(naming.notes),
            questions=tuple(naming.questions),
        )


def _choose_reader(file: DeliveredFile, given: str | None) -> tuple[Reader, list[tuple[Reader, int]]]:
    if given is not None and given not in READERS:
        raise RegistryError(f"--reader: no reader {given!r} (known: {', '.join(sorted(READERS))})")
    found = recognise(file)
    if given is None:
        if not found:
            file.refuse_binary()
            raise UnreadableFileError(f"{file.name}: no reader recognises this file: give one with --reader")
        given = found[0][0].name
    return READERS[given], [(reader, points) for reader, points in found if reader.name != given]


def _refuse_other_kind(given: KindName | None, reader: Reader, known_source: Source | None) -> None:
    if given and known_source and given != known_source.kind:
        raise RegistryError(
            f"--kind: the source {known_source.id} is registered with the kind {known_source.kind}"
        )
    if given and reader.kind not in ("any", given):
        raise RegistryError(f"--kind: the reader {reader.name} reads {reader.kind}, not {given}")


def _as_source(reader: Reader, known_source: Source | None, delimiter: str | None) -> Source:
    given = {"delimiter": delimiter} if delimiter else {}
    if known_source:
        return known_source.model_copy(update={"options": {**known_source.options, **given}})
    kind: KindName = "tickets" if reader.kind == "tickets" else "survey"
    return Source(
        id="inspected",
        kind=kind,
        reader=reader.name,
        survey="inspected" if kind == "survey" else None,
        options=given,
    )  # type: ignore[call-arg]


def _zone(export: Export, known_source: Source | None, given: str | None) -> tuple[str, ZoneIs]:
    if export.time_zone:
        return export.time_zone, "stated in the file"
    if given:
        return given, "given"
    if known_source:
        return known_source.time_zone, "of the source"
    named = {zone for column in export.columns for zone in _ZONE.findall(column)} & available_timezones()
    return (named.pop(), "named in a column's name") if len(named) == 1 else ("UTC", "assumed")


def _find_scale(naming: Naming, given: str | None, survey: Survey | None) -> Scale | None:
    """The given scale, else that of the registered survey, else the only scale with all labels of the answers."""
    scales = naming.registry.scales
    if given is not None:
        if given not in scales:
            raise RegistryError(f"--scale: no scale {given!r} (known: {', '.join(sorted(scales))})")
        return scales[given]
    if survey:
        return scales.get(survey.scale or "")
    column = naming.mapping.get("score")
    if column is None:
        return None
    cells = set(naming.scores)
    labels = {cell for cell in cells if not is_number(cell)}
    fitting = fitting_labels(scales.values(), labels) if labels else []
    if len(fitting) == 1:
        return fitting[0]
    # Numbers alone do not show whether a higher answer is easier or harder.
    possible = fitting or [scale for scale in scales.values() if reaches(scale, cells - labels)]
    listed = ", ".join(scale.id for scale in possible) or "no registered scale fits: add yours to scales.yaml"
    question = f"which scale has {column!r}, and is a higher answer easier or harder? ({listed})"
    naming.questions.append(Question(question, "--scale ID"))
    return None


def _free_id(file: DeliveredFile, registry: Registry) -> str:
    """An id from the name of the file that no source and no survey has."""
    stem = re.sub(r"[^a-z0-9]+", "_", file.name.split(".")[0].lower()).strip("_")
    base = (stem if stem[:1].isalpha() else f"source_{stem}".rstrip("_"))[:55]
    taken = {*registry.sources, *registry.surveys}
    return next(name for name in chain([base], (f"{base}_{n}" for n in count(2))) if name not in taken)


@dataclass(frozen=True)
class _Known:
    """What is known from the arguments and the file, for the proposed entries. survey: None if not given."""

    source: str
    survey: str | None
    scale: Scale | None
    zone: str | None
    delimiter: str | None


def _proposal(naming: Naming, times: Times, known: _Known) -> Proposal:
    entry: dict[str, Any] = {"id": known.source, "kind": naming.kind, "reader": naming.reader.name}
    survey: dict[str, Any] = {}
    columns = dict(naming.guessed)
    if naming.kind == "survey":
        entry["survey"] = known.survey or known.source
        if entry["survey"] not in naming.registry.surveys:
            survey = {"id": entry["survey"], "title": naming.file.name.split(".")[0]}
            if known.scale:
                survey["scale"] = known.scale.id
    elif known.survey and KINDS[naming.kind].has_survey:
        entry["survey"] = known.survey
        columns.pop("survey", None)
    elif "survey" in columns:
        entry["survey_column"] = columns.pop("survey")
    if known.zone:
        entry["time_zone"] = known.zone
    if times.guessed_formats:
        entry["time_formats"] = list(times.guessed_formats)
    if naming.missing:
        entry["missing"] = naming.missing
    if columns:
        entry["columns"] = columns
    if naming.translated:
        entry["values"] = naming.translated
    if known.delimiter:
        entry["options"] = {"delimiter": known.delimiter}
    return Proposal(() if naming.known_source else (entry,), (survey,) if survey else ())
