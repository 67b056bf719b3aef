"""Looks at one export from end to end and puts the findings together."""

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
    """Look at one export as a new feed (or, if `source` is registered, as that feed) would read it.

    score: the column of the effort answer. columns: our field -> the export's column, for any other field.
    scale, survey, source: registry ids; the latter two may be new. kind: of a table whose columns do not tell it.
    Raises UnreadableFileError where no reader fits, RegistryError where an argument names nothing.
    """
    file = DeliveredFile(Path(path))
    if not file.path.is_file():
        raise UnreadableFileError(f"{path}: no such file")
    feed = registry.sources.get(source) if source else None
    chosen, others = _choose_reader(file, reader or (feed.reader if feed else None))
    _refuse_other_kind(kind, chosen, feed)
    export = chosen.read(file, _as_feed(chosen, feed, delimiter))
    zone, zone_is = _zone(export, feed, time_zone)
    with loaded(export, zone) as rows:
        naming = Naming(file, chosen, export, rows, registry, feed, kind)
        naming.name_fields(score, survey, columns or {})
        times = Times(naming)
        times.settle_formats()
        survey = survey or (feed.survey if feed else None)
        on = (
            _settle_scale(naming, scale, registry.surveys.get(survey or ""))
            if naming.kind == "survey"
            else None
        )
        new_id = source or _free_id(file, registry)
        entry_zone = zone if zone_is in ("given", "assumed", "named in a column's name") else None
        settled = _Settled(new_id, survey, on, entry_zone, delimiter)
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
            counts=count_rules(naming, times, on),
            columns=naming.column_views(),
            proposal=_proposal(naming, times, settled),
            notes=tuple(naming.notes),
            questions=tuple(naming.questions),
        )


def _choose_reader(file: DeliveredFile, given: str | None) -> tuple[Reader, list[tuple[Reader, int]]]:
    if given is not None and given not in READERS:
        raise RegistryError(f"no reader {given!r} (known: {', '.join(sorted(READERS))})")
    found = recognise(file)
    if given is None:
        if not found:
            file.refuse_binary()
            raise UnreadableFileError(f"{file.name}: no reader recognises this file: name one with --reader")
        given = found[0][0].name
    return READERS[given], [(reader, points) for reader, points in found if reader.name != given]


def _refuse_other_kind(given: KindName | None, reader: Reader, feed: Source | None) -> None:
    if given and feed and given != feed.kind:
        raise RegistryError(f"--kind: the feed {feed.id} is registered as one of {feed.kind}")
    if given and reader.kind not in ("any", given):
        raise RegistryError(f"--kind: the reader {reader.name} reads {reader.kind}, not {given}")


def _as_feed(reader: Reader, feed: Source | None, delimiter: str | None) -> Source:
    given = {"delimiter": delimiter} if delimiter else {}
    if feed:
        return feed.model_copy(update={"options": {**feed.options, **given}})
    kind: KindName = "tickets" if reader.kind == "tickets" else "survey"
    return Source(
        id="inspected",
        kind=kind,
        reader=reader.name,
        survey="inspected" if kind == "survey" else None,
        options=given,
    )  # type: ignore[call-arg]


def _zone(export: Export, feed: Source | None, given: str | None) -> tuple[str, ZoneIs]:
    if export.time_zone:
        return export.time_zone, "stated in the file"
    if given:
        return given, "given"
    if feed:
        return feed.time_zone, "of the feed"
    named = {zone for column in export.columns for zone in _ZONE.findall(column)} & available_timezones()
    return (named.pop(), "named in a column's name") if len(named) == 1 else ("UTC", "assumed")


def _settle_scale(naming: Naming, given: str | None, survey: Survey | None) -> Scale | None:
    """The scale given, else of the registered survey, else the only one that has the answers' labels."""
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
    # Numbers alone never tell whether more is easier or harder.
    possible = fitting or [scale for scale in scales.values() if reaches(scale, cells - labels)]
    listed = ", ".join(scale.id for scale in possible) or "no registered one fits: add yours to scales.yaml"
    question = f"which scale do the answers of {column!r} use, and is more easier or harder? ({listed})"
    naming.questions.append(Question(question, "--scale ID"))
    return None


def _free_id(file: DeliveredFile, registry: Registry) -> str:
    """An id made of the file's name that neither a feed nor a survey has."""
    stem = re.sub(r"[^a-z0-9]+", "_", file.name.split(".")[0].lower()).strip("_")
    base = (stem if stem[:1].isalpha() else f"feed_{stem}".rstrip("_"))[:55]
    taken = {*registry.sources, *registry.surveys}
    return next(name for name in chain([base], (f"{base}_{n}" for n in count(2))) if name not in taken)


@dataclass(frozen=True)
class _Settled:
    """What the arguments and the file have settled, for the entries. survey: None where none is named."""

    source: str
    survey: str | None
    scale: Scale | None
    zone: str | None
    delimiter: str | None


def _proposal(naming: Naming, times: Times, settled: _Settled) -> Proposal:
    entry: dict[str, Any] = {"id": settled.source, "kind": naming.kind, "reader": naming.reader.name}
    survey: dict[str, Any] = {}
    columns = dict(naming.guessed)
    if naming.kind == "survey":
        entry["survey"] = settled.survey or settled.source
        if entry["survey"] not in naming.registry.surveys:
            survey = {"id": entry["survey"], "title": naming.file.name.split(".")[0]}
            if settled.scale:
                survey["scale"] = settled.scale.id
    elif settled.survey and KINDS[naming.kind].has_survey:
        entry["survey"] = settled.survey
        columns.pop("survey", None)
    elif "survey" in columns:
        entry["survey_column"] = columns.pop("survey")
    if settled.zone:
        entry["time_zone"] = settled.zone
    if times.guessed_formats:
        entry["time_formats"] = list(times.guessed_formats)
    if naming.missing:
        entry["missing"] = naming.missing
    if columns:
        entry["columns"] = columns
    if naming.translated:
        entry["values"] = naming.translated
    if settled.delimiter:
        entry["options"] = {"delimiter": settled.delimiter}
    return Proposal(() if naming.feed else (entry,), (survey,) if survey else ())
