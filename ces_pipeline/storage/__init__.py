"""Storage: the lake's day files, the published DuckDB snapshot, and the SQL files. No business rule lives here."""
