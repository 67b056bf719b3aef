"""Takes a delivery back: its rows leave the lake, and the rows of later deliveries that repeated them count.

A later delivery that repeated a row gets that row from the delivery that is taken back, so its export is not needed.
The ledger keeps the entry, with the rows that it had landed, so its file never lands again and the books balance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ces_pipeline.land.change_set import ChangeSet
from ces_pipeline.land.landing_sql import day_of
from ces_pipeline.land.ledger import KEYS, Delivery
from ces_pipeline.land.paths import CROSS_DAY_SUFFIX, cross_day_file, index_file, raw_file, repeats_file
from ces_pipeline.registry.settings import Settings
from ces_pipeline.schemas.table import split_by_day
from ces_pipeline.storage.lake import Lake
from ces_pipeline.storage.scratch import scratch

REPEATS = pa.schema([("row_number", pa.int64()), ("of_delivery", pa.string()), ("of_row_number", pa.int64())])


@dataclass(frozen=True)
class Heir:
    """A later delivery that repeated rows of the one that is taken back.

    rows: row_number of the repeated row in the later delivery, and in the one that is taken back (`of_row_number`);
    a row that several deliveries repeated belongs to the first of them.
    """

    delivery: Delivery
    rows: pa.Table


@dataclass(frozen=True)
class Unlanding:
    """What taking a delivery back would do. unrecorded: later deliveries of an earlier release, which did not record
    which rows they repeat, although some of theirs may repeat the delivery's.
    """

    delivery: Delivery
    heirs: tuple[Heir, ...] = ()
    unrecorded: tuple[Delivery, ...] = ()

    @property
    def rows(self) -> int:
        return self.delivery.rows_landed

    @property
    def rows_that_return(self) -> int:
        return sum(heir.rows.num_rows for heir in self.heirs)

    @property
    def days(self) -> list[date]:
        return sorted(day for day, (landed, _) in self.delivery.days.items() if landed)


def plan_unlanding(lake: Lake, delivery: Delivery, landed: Sequence[Delivery]) -> Unlanding:
    """What taking back `delivery` would do. landed: all deliveries of its source."""
    heirs, unrecorded = [], []
    inherited: list[pa.ChunkedArray] = []
    for later in sorted(landed, key=lambda other: other.rank):
        if later.rank <= delivery.rank or later.unlanded_at or not later.rows_redelivered:
            continue
        repeated = read_repeats(lake, later)
        repeated = repeated.filter(pc.equal(repeated["of_delivery"], delivery.delivery_id))
        if (later.repeats is None and may_repeat(later, delivery)) or repeated["of_row_number"].null_count:
            unrecorded.append(later)
            continue
        for numbers in inherited:
            repeated = repeated.filter(
                pc.invert(pc.is_in(repeated["of_row_number"], numbers.combine_chunks()))
            )
        if repeated.num_rows:
            heirs.append(Heir(later, repeated.select(["row_number", "of_row_number"])))
            inherited.append(repeated["of_row_number"])
    return Unlanding(delivery, tuple(heirs), tuple(unrecorded))


def may_repeat(later: Delivery, earlier: Delivery) -> bool:
    """Whether redelivered rows of a delivery may be rows of an earlier one, by their days."""
    return later.rank > earlier.rank and any(
        again and earlier.days.get(day, (0, 0))[0] for day, (_, again) in later.days.items()
    )


def read_repeats(lake: Lake, delivery: Delivery) -> pa.Table:
    """The redelivered rows of a delivery, as REPEATS."""
    path = repeats_file(delivery.source_id, delivery.delivery_id)
    return lake.read_table(path).cast(REPEATS) if lake.exists(path) else REPEATS.empty_table()


def unland(
    lake: Lake, unlanding: Unlanding, landed: Sequence[Delivery], settings: Settings, now: datetime
) -> None:
    """Take a delivery back. Call it with the landing lock and the cleaning lock of its kind.

    landed: all deliveries of its source. Raises an error of UNREADABLE if a file of the lake cannot be read.
    """
    delivery = unlanding.delivery
    changes = ChangeSet(lake)
    for heir in unlanding.heirs:
        _give(lake, changes, heir, _inherited_rows(lake, delivery, heir, settings))
    _repoint(lake, changes, delivery, unlanding.heirs, landed)
    _rewrite_cross_day_revisions(lake, changes, delivery, unlanding.heirs, landed)
    changes.commit_entry(
        replace(
            delivery,
            days={day: (0, again) for day, (_, again) in delivery.days.items()},
            unlanded={day: rows for day, (rows, _) in delivery.days.items() if rows},
            unlanded_at=now,
            checksums={},
        )
    )
    own = (delivery.source_id, delivery.delivery_id)
    changes.delete([*delivery.raw_files, index_file(*own), cross_day_file(*own), repeats_file(*own)])
    changes.apply()


def _inherited_rows(lake: Lake, delivery: Delivery, heir: Heir, settings: Settings) -> pa.Table:
    """The raw rows that a later delivery gets, under its own row numbers and on its own days, sorted by day.

    key_time: the time of the row in the key index.
    """
    with scratch() as connection:
        rows = lake.scan(connection, delivery.raw_files, "taken_back")
        keys = lake.scan(
            connection, [index_file(delivery.source_id, delivery.delivery_id)], "taken_back_keys"
        )
        connection.register("inherited", heir.rows)
        return connection.sql(
            f"""
            SELECT landed.* EXCLUDE (place) REPLACE (inherited.row_number AS row_number),
                {day_of("landed.event_at")} AS day, keys.event_at AS key_time
            FROM {rows} landed
            JOIN inherited ON landed.row_number = inherited.of_row_number
            JOIN {keys} keys ON landed.row_number = keys.row_number
            ORDER BY day, row_number
            """,
            params={
                "received_at": heir.delivery.received_at,
                "first_day": settings.first_day,
                "zone": settings.business_time_zone,
            },
        ).to_arrow_table()


def _give(lake: Lake, changes: ChangeSet, heir: Heir, rows: pa.Table) -> None:
    """Add the rows to a later delivery: its raw files, its keys and its ledger entry."""
    later = heir.delivery
    days, checksums = dict(later.days), dict(later.checksums)
    for day, part in split_by_day(rows).items():
        path = raw_file(later.source_id, later.delivery_id, day)
        kept = [lake.read_table(path)] if days.get(day, (0, 0))[0] else []
        joined = pa.concat_tables(
            [*kept, part.drop_columns(["day", "key_time"])], promote_options="permissive"
        )
        _keep(checksums, day.isoformat(), changes.write_table(path, joined.sort_by("row_number")))
        landed, again = days.get(day, (0, 0))
        days[day] = (landed + part.num_rows, again - part.num_rows)
    keys = rows.select(["key_hi", "key_lo", "content", "day", "key_time", "row_number"])
    keys = keys.rename_columns({"key_time": "event_at"})
    keys = keys.append_column("delivery_id", pa.array([later.delivery_id] * keys.num_rows, pa.string()))
    path = index_file(later.source_id, later.delivery_id)
    kept = [lake.read_table(path)] if lake.exists(path) else []
    joined = pa.concat_tables([*kept, keys], promote_options="permissive")
    _keep(checksums, KEYS, changes.write_table(path, joined))
    touches = tuple(sorted({*later.touches, *(day for day, (landed, _) in days.items() if landed)}))
    repeats = None if later.repeats is None else later.repeats - heir.rows.num_rows
    changes.commit_entry(replace(later, days=days, touches=touches, repeats=repeats, checksums=checksums))


def _keep(checksums: dict[str, tuple[int, str]], part: str, checksum: tuple[int, str] | None) -> None:
    if checksum is None:
        checksums.pop(part, None)
    else:
        checksums[part] = checksum


def _repoint(
    lake: Lake, changes: ChangeSet, delivery: Delivery, heirs: Sequence[Heir], landed: Sequence[Delivery]
) -> None:
    """Make the repeats of later deliveries name the heir's row. The heir's own are no repeats any more."""
    if not heirs:
        return
    moved = pa.concat_tables(
        heir.rows.append_column(
            "heir", pa.array([heir.delivery.delivery_id] * heir.rows.num_rows, pa.string())
        )
        for heir in heirs
    ).rename_columns(["heir_row_number", "of_row_number", "heir"])
    for later in landed:
        if later.rank <= delivery.rank or later.unlanded_at:
            continue
        repeats = read_repeats(lake, later)
        is_own = pc.equal(repeats["of_delivery"], delivery.delivery_id)
        if not pc.any(is_own).as_py():
            continue
        pointed = repeats.filter(is_own).join(moved, "of_row_number", join_type="inner")
        pointed = pointed.filter(pc.not_equal(pointed["heir"], later.delivery_id))
        renamed = pa.table(
            [pointed["row_number"], pointed["heir"], pointed["heir_row_number"]], schema=REPEATS
        )
        kept = pa.concat_tables([repeats.filter(pc.invert(is_own)), renamed]).sort_by(
            [("of_delivery", "ascending"), ("row_number", "ascending")]
        )
        changes.write_table(repeats_file(later.source_id, later.delivery_id), kept)


def _rewrite_cross_day_revisions(
    lake: Lake, changes: ChangeSet, delivery: Delivery, heirs: Sequence[Heir], landed: Sequence[Delivery]
) -> None:
    """In the cross-day revisions of other deliveries: rows of the delivery belong to their heir, or are gone."""
    own = cross_day_file(delivery.source_id, delivery.delivery_id)
    paths = {cross_day_file(other.source_id, other.delivery_id) for other in landed} - {own}
    heir_of: dict[tuple[int, int, int], str] = {}
    for info in lake.list(f"index/{delivery.source_id}"):
        if not info.base_name.endswith(CROSS_DAY_SUFFIX) or info.path not in paths:
            continue
        revisions = lake.read_table(info.path)
        is_own = pc.equal(revisions["delivery_id"], delivery.delivery_id)
        if not pc.any(is_own).as_py():
            continue
        heir_of = heir_of or _heirs_by_key(lake, delivery, heirs)
        names = []
        for row in revisions.select(["key_hi", "key_lo", "content", "delivery_id"]).to_pylist():
            key = (row["key_hi"], row["key_lo"], row["content"])
            names.append(
                heir_of.get(key) if row["delivery_id"] == delivery.delivery_id else row["delivery_id"]
            )
        place = revisions.schema.get_field_index("delivery_id")
        changed = revisions.set_column(place, "delivery_id", pa.array(names, pa.string()))
        changes.write_table(info.path, changed.filter(pc.is_valid(changed["delivery_id"])))


def _heirs_by_key(lake: Lake, delivery: Delivery, heirs: Sequence[Heir]) -> dict[tuple[int, int, int], str]:
    """Key and content of every row that an heir gets -> the heir's delivery id."""
    if not heirs:
        return {}
    index = lake.read_table(index_file(delivery.source_id, delivery.delivery_id))
    found = {}
    for heir in heirs:
        rows = index.filter(pc.is_in(index["row_number"], heir.rows["of_row_number"].combine_chunks()))
        for row in rows.select(["key_hi", "key_lo", "content"]).to_pylist():
            found[row["key_hi"], row["key_lo"], row["content"]] = heir.delivery.delivery_id
    return found
