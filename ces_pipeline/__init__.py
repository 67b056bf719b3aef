"""Customer Effort Score pipeline: exports and tickets in, judged and linked days out, one DuckDB file published."""
