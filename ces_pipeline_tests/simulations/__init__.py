"""Simulations behind the statistical claims of `sql/DECISIONS.md`. Each module prints its table when run as a command."""
