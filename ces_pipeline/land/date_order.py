"""Whether the day or the month comes first in a source's dates: decided once for the source, and kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.errors import UnreadableFileError
from ces_pipeline.formats.contract import Export
from ces_pipeline.formats.slash_dates import START, Shown, both, first_in_dates, order_of_formats
from ces_pipeline.formats.times import DateOrder
from ces_pipeline.land.ledger import Delivery
from ces_pipeline.registry.sources import Source


def decided_order(source: Source | None, export: Export) -> DateOrder | None:
    """The order that the source's entry or the format itself decides; None if neither does."""
    by_source = (source.date_order or order_of_formats(source.time_formats)) if source else None
    return by_source or export.date_order or order_of_formats(export.time_formats)


@dataclass
class KeptOrder:
    """The order that the deliveries of a source have shown so far.

    order: None while no delivery has shown it. elsewhere: what the other files of the inbox show, asked for only if
    a file does not show it itself.
    """

    source: Source
    order: DateOrder | None
    elsewhere: Callable[[], Iterable[Shown | None]] = tuple

    @classmethod
    def of(
        cls,
        source: Source,
        deliveries: Iterable[Delivery],
        elsewhere: Callable[[], Iterable[Shown | None]] = tuple,
    ) -> "KeptOrder":
        shown = sorted((delivery.rank, delivery.date_order) for delivery in deliveries if delivery.date_order)
        return cls(source, shown[0][1] if shown else None, elsewhere)

    def order_of(self, export: Export, times: Iterable[str], name: str) -> DateOrder | None:
        """The order to read an export with; None if its first rows have no such dates. times: its columns of times.

        Raises UnreadableFileError if the export shows no order and no other delivery does, or if it shows both.
        """
        if decided := decided_order(self.source, export):
            return decided
        if self.order:
            return self.order
        shown = shown_by(export, times)
        if shown is None:
            return None
        if shown == "both":
            raise UnreadableFileError(
                f"{name}: some dates begin with the day, others with the month (such as 20/11/2026 and 11/20/2026), so "
                f"the rest cannot be known. Deliver it with dates such as 2026-11-20"
            )
        if shown == "either":
            shown = next((each for each in self.elsewhere() if each in ("day", "month")), None)
        if shown is None:
            raise UnreadableFileError(
                f"{name}: no date shows whether the day or the month comes first (such as 02/11/2026). Set "
                f"date_order: day or date_order: month in the entry {self.source.id} of sources.yaml"
            )
        self.order = "day" if shown == "day" else "month"
        return self.order


def shown_by(export: Export, times: Iterable[str]) -> Shown | None:
    """What the dates in columns of an export show. Reads no further than needed; the rows that it read stay in it.

    If the first rows have no such dates, the others are not read: landing finds the dates that it could not read.
    """
    columns = [name for name in times if name in export.columns]
    batches = iter(export.batches)
    read: list[pa.RecordBatch] = []
    shown: Shown | None = None
    for batch in batches if columns else ():
        read.append(batch)
        shown = both([shown, *(first_in_dates(_dates(batch.column(name))) for name in columns)])
        if shown != "either":
            break
    export.batches = chain(read, batches)
    return shown


def _dates(cells: pa.Array) -> list[str]:
    """The cells that begin with such a date; few exports have any."""
    found = pc.match_substring_regex(cells, f"^{START}")
    return cells.filter(found).to_pylist() if pc.any(found).as_py() else []


def contradiction(source: Source, order: DateOrder | None, rows: int, first_row: int, name: str) -> str:
    """The message about dates of a file that its source's order cannot read."""
    dates = "1 row has a date" if rows == 1 else f"{rows:,} rows have dates"
    if order is None:
        return (
            f"{name}: {dates} such as 02/11/2026, the first in row {first_row:,}, and nothing says whether the day or "
            f"the month comes first. Set date_order: day or date_order: month in the entry {source.id} of sources.yaml"
        )
    other = "month" if order == "day" else "day"
    return (
        f"{name}: {dates} with the {other} first, the first in row {first_row:,}, but the dates of source {source.id} "
        f"have the {order} first. If all of its files have the {other} first, set date_order: {other} in its entry in "
        f"sources.yaml; else deliver this file with dates such as 2026-11-20"
    )


def elsewhere(
    exports: Iterable[Callable[[], tuple[Export, Iterable[str]]]],
) -> Iterable[Shown | None]:
    """What each export shows; each is opened only when it is asked for. One that cannot be read shows nothing."""
    for opened in exports:
        try:
            export, times = opened()
            yield shown_by(export, times)
        except Exception:  # noqa: S112 - whatever its parser raises, the file is reported when it is landed
            continue
