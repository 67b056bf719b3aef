"""Runs the real landing and cleaning on one file in a scratch home, and counts what the next run would do with it.

The scratch home has the registry with the proposed entries. It also has the lake of the home that is inspected, as
links, because what has landed before decides which rows are redelivered, revised or duplicates. Nothing in the home
itself is written. The scratch home is deleted afterwards.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from ces_pipeline.clean.inputs import commit_marker_file
from ces_pipeline.clean.unknown_words import counted_words
from ces_pipeline.formats.files import DeliveredFile
from ces_pipeline.home import Home
from ces_pipeline.land.ledger import Delivery, Ledger
from ces_pipeline.pipeline import clean, land_source
from ces_pipeline.privacy.key import KEY_FILE
from ces_pipeline.profiling.result import Inspection, Question, Rehearsal
from ces_pipeline.publish.derived import define_macros
from ces_pipeline.registry.registry import Registry
from ces_pipeline.registry.sources import Source
from ces_pipeline.registry.surveys import Survey
from ces_pipeline.schemas.kinds import KINDS
from ces_pipeline.storage.duck import readable, session
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.quote import quote_text
from ces_pipeline.storage.scratch import scratch
from ces_pipeline.storage.sql_files import sql_files

_RUN_ID = "rehearsal"
_MOST_REJECTED = 0.85
"""Largest share of rejected rows that does not question the mapping."""


def with_entries(registry: Registry, inspection: Inspection) -> Registry:
    """The registry with the proposed entries of an inspection. Raises ValidationError if an entry is not valid."""
    sources = [Source.model_validate(entry) for entry in inspection.proposal.sources]
    surveys = [Survey.model_validate(entry) for entry in inspection.proposal.surveys]
    # Made anew: a copy would keep look-ups that the registry has cached without the new entries.
    parts = {name: getattr(registry, name) for name in Registry.model_fields}
    parts["sources"] = {**registry.sources, **{source.id: source for source in sources}}
    parts["surveys"] = {**registry.surveys, **{survey.id: survey for survey in surveys}}
    return Registry(**parts)


def with_rehearsal(
    home: Home,
    registry: Registry,
    inspection: Inspection,
    path: Path,
    *,
    source: str | None,
    accepts_rejected: bool,
) -> Inspection:
    """The inspection with its rehearsal, and with the questions that the result raises.

    Unchanged while a question is open that the result depends on. source: the registered source, if it is one.
    accepts_rejected: whether entries may be written although much of the file would be rejected.
    """
    if accepts_rejected:
        answered = tuple(
            replace(question, blocks=False) if question.about == "rejected" else question
            for question in inspection.questions
        )
        inspection = replace(inspection, questions=answered)
    if any(question.blocks and question.about != "rejected" for question in inspection.questions):
        return inspection
    source_id = inspection.proposal.sources[0]["id"] if inspection.proposal.sources else source
    if source_id is None:
        return inspection
    found = rehearse(home, with_entries(registry, inspection), source_id, path)
    questions, notes = list(inspection.questions), [*inspection.notes]
    if found.failure:
        questions.append(Question(f"the run could not land this file: {found.failure}", "other options"))
    judged = found.accepted + found.rejected
    if found.rejected > _MOST_REJECTED * judged:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in found.reasons.items())
        questions.append(
            Question(
                f"the run would reject {found.rejected:,} of {judged:,} rows ({reasons}): is the file mapped right?",
                "other columns, scale or times, or --accept-rejected",
                blocks=not accepts_rejected,
                about="rejected",
            )
        )
    return replace(inspection, rehearsal=found, questions=tuple(questions), notes=(*notes, *found.notes))


def rehearse(home: Home, registry: Registry, source_id: str, path: Path) -> Rehearsal:
    """What `ces run` would do with this file as the next delivery of a source of the registry.

    home: the home that is inspected; it may be new. Raises HomeError if no scratch folder can be written.
    """
    source = registry.sources[source_id]
    with _scratch_home(home) as copy:
        inbox = copy.inbox / source_id
        inbox.mkdir(parents=True)
        _link(str(path.resolve()), str(inbox / path.name))
        # Files of the source that landed before are not in this inbox, so only this file is new.
        reading = source.model_copy(update={"inbox": "**/*"})
        outcome = land_source(copy, registry, reading)
        if outcome.failures:
            return Rehearsal(failure="; ".join(outcome.failures), notes=outcome.notes)
        lake = Lake(copy.lake)
        delivery_id = DeliveredFile(path).sha256
        delivery = {known.delivery_id: known for known in Ledger.read(lake, source_id).deliveries}[
            delivery_id
        ]
        if not outcome.files_new:
            return Rehearsal(has_landed_before=True, notes=outcome.notes, rows=delivery.rows_read)
        results = list(clean(copy, registry, source.kind, delivery.touches, run_id=_RUN_ID))
        if problems := [problem for result in results for problem in result.problems]:
            return Rehearsal(failure="; ".join(problems), notes=outcome.notes)
        return _counted(home, registry, lake, source, delivery, outcome.notes)


@contextmanager
def _scratch_home(home: Home) -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="ces-inspect-") as folder:
        copy = Home(Path(folder))
        key = home.root / KEY_FILE
        if key.exists():
            shutil.copy(key, copy.root / KEY_FILE)
        if home.lake.is_dir():
            # Files of the lake are never changed in place, so a link is as safe as a copy. Locks are not linked:
            # the inspection does not wait for a run.
            shutil.copytree(
                home.lake,
                copy.lake,
                copy_function=_link,
                ignore=lambda _folder, names: [name for name in names if name.startswith(".")],
            )
        yield copy.make()


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another disk, or a file that a run has just replaced.
        if Path(source).exists():
            shutil.copyfile(source, target)


def _counted(
    home: Home, registry: Registry, lake: Lake, source: Source, delivery: Delivery, notes: tuple[str, ...]
) -> Rehearsal:
    kind = KINDS[source.kind]
    of_delivery = {
        table: [path for day in delivery.touches if lake.exists(path := lake.day_file(table, day))]
        for table in kind.tables
    }
    with scratch() as connection:

        def counted(table: str, query: str) -> list[tuple[Any, ...]]:
            if not of_delivery[table]:
                return []
            rows = lake.scan(connection, of_delivery[table], "rows_of_days")
            return connection.execute(
                query.format(rows=f"(SELECT * FROM {rows} WHERE delivery_id = $1 AND source_id = $2)"),
                [delivery.delivery_id, source.id],
            ).fetchall()

        accepted = counted(kind.accepted, "SELECT day, count(*) FROM {rows} GROUP BY day")
        rejected = counted(kind.rejected, "SELECT day, count(*) FROM {rows} GROUP BY day")
        reasons: Counter[str] = Counter(
            dict(counted(kind.rejected, "SELECT unnest(reasons), count(*) FROM {rows} GROUP BY 1"))
        )
        marked: dict[str, int] = {}
        if source.kind in ("survey", "tickets"):
            marked = dict(counted(kind.accepted, "SELECT unnest(flags), count(*) FROM {rows} GROUP BY 1"))
        links = None
        if source.kind == "survey" and of_delivery[kind.accepted]:
            links = _links(home, registry, lake, of_delivery[kind.accepted], delivery)
    days = sorted({day for day, _ in (*accepted, *rejected)})
    n_accepted, n_rejected = (sum(n for _, n in part) for part in (accepted, rejected))
    return Rehearsal(
        rows=delivery.rows_read,
        unreadable=delivery.rows_unreadable,
        redelivered=delivery.rows_redelivered,
        superseded=delivery.rows_landed - n_accepted - n_rejected,
        accepted=n_accepted,
        rejected=n_rejected,
        reasons=dict(sorted(reasons.items())),
        marked=dict(sorted(marked.items())),
        days=tuple(days),
        links=links,
        unknown_words=_unknown_words(lake, source, days),
        notes=notes,
    )


def _links(
    home: Home, registry: Registry, lake: Lake, paths: list[str], delivery: Delivery
) -> tuple[int, int] | None:
    """(Accepted answers that name or match a ticket, those of them that link) with the tickets that are published.

    None if no file is published: which tickets there will be is not known yet.
    """
    if not home.published.exists():
        return None
    query = next(file.query for file in sql_files("core") if file.name == "response_tickets")
    windows = pa.table(
        {
            "survey_id": list(registry.surveys),
            "link_window_days": [survey.link_window_days for survey in registry.surveys.values()],
        }
    )
    with session(None) as connection, readable(connection, lake, paths) as rows:
        connection.execute(f"ATTACH {quote_text(str(home.published))} AS ces (READ_ONLY)")
        connection.execute("CREATE SCHEMA core; CREATE SCHEMA reference")
        connection.execute("CREATE VIEW core.tickets AS FROM ces.core.tickets")
        connection.register("windows", windows)
        connection.execute("CREATE TABLE reference.surveys AS FROM windows")
        connection.execute(
            f"CREATE TABLE core.responses AS FROM {rows} "
            f"WHERE delivery_id = {quote_text(delivery.delivery_id)} AND source_id = {quote_text(delivery.source_id)}"
        )
        define_macros(connection)
        found = connection.execute(
            f"SELECT count(*), count(ticket_key) FROM ({query.rstrip().rstrip(';')})"
        ).fetchone()
    return (int(found[0]), int(found[1])) if found else None


def _unknown_words(lake: Lake, source: Source, days: list[date]) -> dict[str, dict[str, int]]:
    columns = ["source_id", "unknown_words", "is_current"]
    markers = [lake.read_table(commit_marker_file(source.kind, day), columns).to_pylist() for day in days]
    found: dict[str, dict[str, int]] = {}
    for (source_id, field, word), n in counted_words(chain.from_iterable(markers)).items():
        if source_id == source.id:
            found.setdefault(field, {})[word] = n
    return found
