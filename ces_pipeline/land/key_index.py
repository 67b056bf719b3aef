"""The keys of what a feed has landed before, for deliveries that land one after the other in one connection.

What a key is, is said in `statement.py`; what is concluded from one that comes again, in `staging.py`.
"""

from collections.abc import Sequence
from itertools import filterfalse

import duckdb
import pyarrow as pa

from ces_pipeline.errors import HomeError
from ces_pipeline.land.ledger import Delivery
from ces_pipeline.land.paths import index_file
from ces_pipeline.storage.lake import Lake

_HELD_ROWS = 250_000
_KEYS = "key_hi, key_lo, content, day, event_at"
_RANKS = pa.schema(
    [("place", pa.int32()), ("delivery_id", pa.string()), ("as_of", pa.timestamp("us", "UTC"))]
)


class KeyIndex:
    """Keys of the rows that a feed's deliveries landed.

    Few are held in memory, so that of thousands of small files (the payloads of a webhook) not each reads the keys of
    all before it; of many, only those that a delivery has too are read from the lake.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Lake, deliveries: Sequence[Delivery]):
        """connection: its temporary tables `earlier`, `ranks` and `before` are made here."""
        self.connection = connection
        self._lake = lake
        self._deliveries = [one for one in deliveries if one.rows_landed]
        self._rows = sum(one.rows_landed for one in self._deliveries)
        self._is_held = False
        connection.execute(
            "CREATE TEMP TABLE earlier (key_hi UBIGINT, key_lo UBIGINT, content UBIGINT, day DATE, "
            "event_at TIMESTAMPTZ, place INTEGER)"
        )
        connection.execute("CREATE TEMP TABLE ranks (place INTEGER, delivery_id VARCHAR, as_of TIMESTAMPTZ)")
        self._rank(self._deliveries, 0)

    def _files(self) -> list[str]:
        return [index_file(one.source_id, one.delivery_id) for one in self._deliveries]

    def _scan(self) -> str:
        return self._lake.scan(self.connection, self._files(), "landed_before")

    def _rank(self, deliveries: Sequence[Delivery], first: int) -> None:
        ranks = [
            {"place": place, "delivery_id": one.delivery_id, "as_of": one.rank[0]}
            for place, one in enumerate(deliveries, start=first)
        ]
        self.connection.register("new_ranks", pa.Table.from_pylist(ranks, schema=_RANKS))
        self.connection.execute("INSERT INTO ranks FROM new_ranks")
        self.connection.unregister("new_ranks")

    def match(self) -> None:
        """Make table `before`: the landed keys that stand in table `keys` too, with their deliveries' ranks.

        Raises HomeError where the keys of a delivery are lost.
        """
        try:
            self._match()
        except duckdb.IOException as problem:
            lost = next(filterfalse(self._lake.exists, self._files()), None)
            if lost is None:
                raise
            raise HomeError(
                f"{lost} is gone from the lake, and with it which rows its delivery landed: restore it from your backup"
            ) from problem

    def _match(self) -> None:
        if not self._is_held and self._rows <= _HELD_ROWS:
            if self._deliveries:
                self.connection.execute(f"INSERT INTO earlier SELECT {_KEYS}, place FROM {self._scan()}")
            self._is_held = True
        rows = "earlier" if self._is_held else self._scan()
        self.connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE before AS
            SELECT {_KEYS}, delivery_id, as_of
            FROM (SELECT {_KEYS}, place FROM {rows}) JOIN ranks USING (place)
            SEMI JOIN keys USING (key_hi, key_lo)
            """
        )

    def add(self, delivery: Delivery) -> None:
        """Count a delivery, whose keys are table `landed`, among the earlier ones of the next."""
        if not delivery.rows_landed:
            return
        place = len(self._deliveries)
        self._deliveries.append(delivery)
        self._rows += delivery.rows_landed
        self._rank([delivery], place)
        if self._is_held and self._rows <= _HELD_ROWS:
            self.connection.execute(f"INSERT INTO earlier SELECT {_KEYS}, {place} FROM landed")
        elif self._is_held:
            self._is_held = False
            self.connection.execute("DELETE FROM earlier")
