"""The key index of a source: the keys of all landed rows, for deliveries that land in one DuckDB connection.

`landing_sql.py` defines the keys. `staging.py` decides what a repeated key means.
"""

from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa

from ces_pipeline.errors import HomeError
from ces_pipeline.land.ledger import Delivery
from ces_pipeline.land.paths import index_file
from ces_pipeline.storage.lake import UNREADABLE, Lake, unreadable_files

_HELD_ROWS = 250_000
_KEYS = "key_hi, key_lo, content, day, event_at, row_number"
_RANKS = pa.schema(
    [
        ("place", pa.int32()),
        ("received_order", pa.int64()),
        ("received_at", pa.timestamp("us", "UTC")),
        ("delivery_id", pa.string()),
    ]
)


class KeyIndex:
    """Keys of the rows that a source's deliveries landed.

    Up to _HELD_ROWS keys are held in memory, so that thousands of small files (a webhook's payloads) do not each read
    the keys of all files before them. If there are more, half of each key is held from the second delivery on: it says
    which key files a delivery shares rows with, and only these are read.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Lake, deliveries: Sequence[Delivery]):
        """Creates the temporary tables `held_keys`, `held_halves` and `ranks` in `connection`."""
        self.connection = connection
        self._lake = lake
        self._deliveries = [delivery for delivery in deliveries if delivery.rows_landed]
        self._rows = sum(delivery.rows_landed for delivery in self._deliveries)
        self._is_held = False
        self._halved = 0
        """So many of the deliveries, the first ones, have their keys in `held_halves`."""
        self._matched = 0
        connection.execute("CREATE TEMP TABLE held_halves (key_hi UBIGINT, place INTEGER)")
        connection.execute(
            "CREATE TEMP TABLE held_keys (key_hi UBIGINT, key_lo UBIGINT, content UBIGINT, day DATE, "
            "event_at TIMESTAMPTZ, row_number BIGINT, place INTEGER)"
        )
        connection.execute(
            "CREATE TEMP TABLE ranks "
            "(place INTEGER, received_order BIGINT, received_at TIMESTAMPTZ, delivery_id VARCHAR)"
        )
        self._rank(self._deliveries, 0)

    @property
    def contents(self) -> int | None:
        """How the oldest contents in the index were made; None if it is empty."""
        return min((delivery.contents for delivery in self._deliveries), default=None)

    def _files(self, places: Iterable[int] | None = None) -> list[str]:
        """The key files of the deliveries at these places, by default of all."""
        chosen = self._deliveries if places is None else [self._deliveries[place] for place in places]
        return [index_file(delivery.source_id, delivery.delivery_id) for delivery in chosen]

    def _scan(self, places: Sequence[int]) -> str:
        """SQL for the keys of the deliveries at these places."""
        rows = self._lake.scan(self.connection, self._files(places), "landed_before")
        # Key files of earlier releases have no row numbers.
        known = f"FROM {rows} UNION ALL BY NAME SELECT NULL::BIGINT AS row_number WHERE false"
        place = (
            f"place + {places.start}" if isinstance(places, range) else f"{list(places)}[place::BIGINT + 1]"
        )
        return f"(SELECT {_KEYS}, ({place})::INTEGER AS place FROM ({known}))"

    def _rank(self, deliveries: Sequence[Delivery], first: int) -> None:
        ranks = [
            {
                "place": place,
                "received_order": delivery.received_order,
                "received_at": delivery.received_at,
                "delivery_id": delivery.delivery_id,
            }
            for place, delivery in enumerate(deliveries, start=first)
        ]
        self.connection.register("new_ranks", pa.Table.from_pylist(ranks, schema=_RANKS))
        self.connection.execute("INSERT INTO ranks FROM new_ranks")
        self.connection.unregister("new_ranks")

    def match(self) -> None:
        """Create table `known_keys`: the landed keys that are also in table `keys`, with their deliveries' ranks.

        Raises HomeError if the key file of a delivery is damaged.
        """
        try:
            self._match()
        except UNREADABLE as problem:
            damaged = unreadable_files(self._lake, self._files())
            if not damaged:
                raise
            raise HomeError(
                f"Lake file {damaged[0]} is damaged, so ces does not know which rows of that delivery have landed. "
                f"Delete the file and run `ces run` again, which lands the delivery again from its export, or says "
                f"which rows are gone"
            ) from problem

    def _match(self) -> None:
        everything = range(len(self._deliveries))
        if not self._is_held and self._rows <= _HELD_ROWS:
            if self._deliveries:
                self.connection.execute(
                    f"INSERT INTO held_keys SELECT {_KEYS}, place FROM {self._scan(everything)}"
                )
            self._is_held = True
        self._matched += 1
        if self._is_held:
            rows = "held_keys"
        else:
            places = everything if self._matched == 1 else self._sharing()
            rows = self._scan(places) if places else "held_keys"
        self.connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE known_keys AS
            SELECT {_KEYS}, received_order, received_at, delivery_id
            FROM (SELECT {_KEYS}, place FROM {rows}) JOIN ranks USING (place)
            SEMI JOIN keys USING (key_hi, key_lo)
            """
        )

    def _sharing(self) -> list[int]:
        """The places of the deliveries that have a key with the first half of one in table `keys`, ascending."""
        if self._halved < len(self._deliveries):
            missing = range(self._halved, len(self._deliveries))
            self.connection.execute(
                f"INSERT INTO held_halves SELECT key_hi, place FROM {self._scan(missing)}"
            )
            self._halved = len(self._deliveries)
        found = self.connection.execute(
            "SELECT DISTINCT place FROM held_halves SEMI JOIN keys USING (key_hi) ORDER BY place"
        )
        return [place for (place,) in found.fetchall()]

    def add(self, delivery: Delivery) -> None:
        """Add the keys of a delivery that has just landed; table `landed` holds them."""
        if not delivery.rows_landed:
            return
        place = len(self._deliveries)
        self._deliveries.append(delivery)
        self._rows += delivery.rows_landed
        self._rank([delivery], place)
        if self._halved == place and not self._is_held:
            self.connection.execute(f"INSERT INTO held_halves SELECT key_hi, {place} FROM landed")
            self._halved += 1
        if self._is_held and self._rows <= _HELD_ROWS:
            self.connection.execute(f"INSERT INTO held_keys SELECT {_KEYS}, {place} FROM landed")
        elif self._is_held:
            self._is_held = False
            self.connection.execute("DELETE FROM held_keys")
