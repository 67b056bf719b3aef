"""Simulations behind the statistical claims of `sql/DECISIONS.md`: how often noise is claimed, and an effect found.

Each module prints its table as a command, `python -m ces_pipeline_tests.simulations.<module>`, and a test next to it holds
the limits. All are seeded. They run the product's own functions.
"""
