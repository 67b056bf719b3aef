"""Storage: the files of the lake, locks, DuckDB sessions and SQL files. It contains no business rule and no table."""
