"""Formats: bytes of a delivery become rows of text, and one parser per kind of value reads text. Knows no vendor."""
