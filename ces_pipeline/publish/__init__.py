"""Publishing: the lake becomes one self-contained DuckDB file, with its marts, checks and descriptions."""
