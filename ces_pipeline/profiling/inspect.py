"""Inspects one export: reader, kind, time zone, scale, counts and the proposed registry entries."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from ces_pipeline.errors import RegistryError, UnreadableFileError
from ces_pipeline.formats.contract import Export, Reader, within_bounds
from ces_pipeline.formats.encodings import known_encoding
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.formats.times import DateOrder
from ces_pipeline.profiling.counts import count_rules
from ces_pipeline.profiling.naming import Naming
from ces_pipeline.profiling.result import Inspection, Proposal, Question, ZoneIs
from ces_pipeline.profiling.rows import loaded
from ces_pipeline.profiling.score import find_csat_scale, find_scale, name_score
from ces_pipeline.profiling.ticket_fields import ask_for_ticket_fields
from ces_pipeline.profiling.times import Times
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.scales import Scale
from ces_pipeline.registry.sources import Source
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
    csat_scale: str | None = None,
    higher_means: Literal["easier", "harder"] | None = None,
    survey: str | None = None,
    source: str | None = None,
    time_zone: str | None = None,
    day: str | None = None,
    reader: str | None = None,
    options: Mapping[str, str] | None = None,
    kind: KindName | None = None,
    columns: Mapping[str, str] | None = None,
    date_order: DateOrder | None = None,
) -> Inspection:
    """Inspect one export, read as a new source, or as the registered one that `source` names.

    score: the column of the effort answer. columns: our field -> the export's column, for any other field; empty: the
    export has none. scale, csat_scale, survey, source: registry ids; survey and source may be new.
    higher_means: confirms the direction of the scale. day: the day of answers without any time, ISO 8601 or `received`.
    date_order: what comes first in dates such as 02/11/2026, if the file does not show it.
    options: settings of the reader, such as delimiter, sheet or encoding. kind: needed if the columns do not show it.
    Raises UnreadableFileError if no reader fits, RegistryError if an argument names something that does not exist or
    contradicts the entry of a registered source or survey.
    """
    file = DeliveredFile(Path(path))
    if not file.path.is_file():
        raise UnreadableFileError(f"{path}: no such file")
    known_source = registry.sources.get(source) if source else None
    _refuse_zone(time_zone)
    given: dict[str, Any] = {name: value for name, value in (options or {}).items() if value}
    _refuse_contradictions(known_source, reader=reader, survey=survey, time_zone=time_zone, kind=kind)
    # Recognising reads the file's start, so it needs the encoding that was given.
    readable = file.encoded_as(known_encoding(given["encoding"]) if "encoding" in given else None)
    chosen, others = _choose_reader(readable, reader or (known_source.reader if known_source else None))
    _refuse_other_kind(kind, chosen, known_source)
    _refuse_unknown_options(chosen, given)
    export = within_bounds(chosen.read(file, _as_source(chosen, known_source, given)), file)
    if export.options_found and known_source is None:
        # Read again as the entry will say, so that columns which an option opens are shown and mapped.
        given = {**export.options_found, **given}
        found_notes = [note for note in export.notes if note not in export.doubts]
        export = within_bounds(chosen.read(file, _as_source(chosen, known_source, given)), file)
        export.notes += [note for note in found_notes if note not in export.notes]
    zone, zone_is = _zone(export, known_source, time_zone)
    with loaded(export, zone) as rows:
        naming = Naming(
            file, chosen, export, rows, registry, known_source, kind, score_given=score is not None
        )
        naming.name_fields(score, survey, columns or {})
        if time_zone and zone != time_zone:
            naming.notes.append(f"--time-zone {time_zone} has no effect: the file states {zone}")
        if chosen.kind == "any" and reader is None and known_source is None:
            naming.notes.append(
                "no product's export is recognised: it is read as a plain table or list, and its columns are mapped by "
                "their names. If it is a product's export, name it with --reader"
            )
        survey = survey or (known_source.survey if known_source else None)
        registered = registry.surveys.get(survey or "")
        if naming.kind == "survey":
            name_score(naming, score, registered)
        times = Times(naming, date_order)
        times.find_formats(
            has_day=day is not None or (known_source is not None and known_source.day is not None)
        )
        found_scale = None
        if naming.kind == "survey":
            found_scale = find_scale(naming, scale, registered, higher_means)
        found_csat = None
        if naming.kind in ("survey", "tickets"):
            found_csat = find_csat_scale(naming, csat_scale, registered)
        ask_for_ticket_fields(naming, times)
        if not naming.kind_is_known:
            naming.questions = [_which_kind()]
        new_id = source or _free_id(file, registry)
        entry_zone = zone if zone_is in ("given", "assumed", "named in a column's name") else None
        known = _Known(new_id, survey, found_scale, found_csat, entry_zone, day, given)
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
            kind_is="known" if naming.kind_is_known else "not known",
        )


def _which_kind() -> Question:
    kinds = ", ".join(sorted(KINDS))
    return Question(
        f"what are its rows ({kinds})? No column looks like an answer, a ticket or an event",
        "--kind KIND, or --score COLUMN if they are answers",
    )


def _refuse_zone(name: str | None) -> None:
    if name is not None and name not in available_timezones():
        raise RegistryError(f"--time-zone: {name!r} is not an IANA time zone (such as Europe/London or UTC)")


def _refuse_contradictions(known_source: Source | None, **given: str | None) -> None:
    """Raise RegistryError if an option differs from the entry of the registered source, which would win in silence."""
    if known_source is None:
        return
    for name, value in given.items():
        registered = getattr(known_source, name)
        if value is not None and registered is not None and value != registered:
            raise RegistryError(
                f"--{name.replace('_', '-')}: the source {known_source.id} is registered with {registered}, not "
                f"{value}: leave the option out, or change the entry in sources.yaml"
            )


def _refuse_unknown_options(reader: Reader, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in reader.options:
            listed = ", ".join(sorted(reader.options)) or "none"
            raise RegistryError(f"--{name}: the reader {reader.name} has no such option (it has: {listed})")


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


def _as_source(reader: Reader, known_source: Source | None, given: Mapping[str, Any]) -> Source:
    if known_source:
        return known_source.model_copy(update={"options": {**known_source.options, **given}})
    kind: KindName = "tickets" if reader.kind == "tickets" else "survey"
    return Source(
        id="inspected",
        kind=kind,
        reader=reader.name,
        survey="inspected" if kind == "survey" else None,
        options=dict(given),
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
    csat_scale: str | None
    zone: str | None
    day: str | None
    options: Mapping[str, Any]


def _proposal(naming: Naming, times: Times, known: _Known) -> Proposal:
    entry: dict[str, Any] = {"id": known.source, "kind": naming.kind, "reader": naming.reader.name}
    survey: dict[str, Any] = {}
    columns: dict[str, str | list[str]] = {
        name: [column, *naming.otherwise[name]] if name in naming.otherwise else column
        for name, column in naming.guessed.items()
    }
    if naming.kind == "survey":
        entry["survey"] = known.survey or known.source
        if entry["survey"] not in naming.registry.surveys:
            survey = _survey_entry(naming, entry["survey"], known)
    elif known.survey and KINDS[naming.kind].has_survey:
        entry["survey"] = known.survey
        columns.pop("survey", None)
    elif "survey" in columns:
        entry["survey_column"] = columns.pop("survey")
    if known.zone:
        entry["time_zone"] = known.zone
    if times.new_order:
        entry["date_order"] = times.new_order
    if known.day and naming.kind == "survey":
        entry["day"] = known.day
    found = {"missing": naming.missing, "columns": columns, "people": naming.people, "values": naming.values}
    entry |= {key: value for key, value in found.items() if value}
    if known.csat_scale and naming.kind == "tickets":
        entry["csat_scale"] = known.csat_scale
    if known.options:
        entry["options"] = dict(known.options)
    return Proposal(() if naming.known_source else (entry,), (survey,) if survey else ())


def _survey_entry(naming: Naming, survey_id: str, known: _Known) -> dict[str, Any]:
    survey: dict[str, Any] = {"id": survey_id, "title": naming.file.name.split(".")[0]}
    if known.scale:
        survey["scale"] = known.scale.id
    if known.csat_scale:
        survey["csat_scale"] = known.csat_scale
    if "nps" in naming.mapping:
        survey["has_nps"] = True
    return survey
