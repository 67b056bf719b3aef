"""The key index of a source: the keys of all landed rows, for deliveries that land in one DuckDB connection.

`landing_sql.py` defines the keys. `staging.py` decides what a repeated key means.
"""

from collections.abc import Sequence

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
    the keys of all files before them. If there are more, only the keys that a delivery shares are read from the lake.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Lake, deliveries: Sequence[Delivery]):
        """Creates the temporary tables `held_keys` and `ranks` in `connection`."""
        self.connection = connection
        self._lake = lake
        self._deliveries = [delivery for delivery in deliveries if delivery.rows_landed]
        self._rows = sum(delivery.rows_landed for delivery in self._deliveries)
        self._is_held = False
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

    def _files(self) -> list[str]:
        return [index_file(delivery.source_id, delivery.delivery_id) for delivery in self._deliveries]

    def _scan(self) -> str:
        rows = self._lake.scan(self.connection, self._files(), "landed_before")
        # Key files of earlier releases have no row numbers.
        return f"(FROM {rows} UNION ALL BY NAME SELECT NULL::BIGINT AS row_number WHERE false)"

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
        if not self._is_held and self._rows <= _HELD_ROWS:
            if self._deliveries:
                self.connection.execute(f"INSERT INTO held_keys SELECT {_KEYS}, place FROM {self._scan()}")
            self._is_held = True
        rows = "held_keys" if self._is_held else self._scan()
        self.connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE known_keys AS
            SELECT {_KEYS}, received_order, received_at, delivery_id
            FROM (SELECT {_KEYS}, place FROM {rows}) JOIN ranks USING (place)
            SEMI JOIN keys USING (key_hi, key_lo)
            """
        )

    def add(self, delivery: Delivery) -> None:
        """Add the keys of a delivery that has just landed; table `landed` holds them."""
        if not delivery.rows_landed:
            return
        place = len(self._deliveries)
        self._deliveries.append(delivery)
        self._rows += delivery.rows_landed
        self._rank([delivery], place)
        if self._is_held and self._rows <= _HELD_ROWS:
            self.connection.execute(f"INSERT INTO held_keys SELECT {_KEYS}, {place} FROM landed")
        elif self._is_held:
            self._is_held = False
            self.connection.execute("DELETE FROM held_keys")
