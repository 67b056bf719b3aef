"""Schemas: the fields of raw files, and every table's grain, key and columns, described once."""
