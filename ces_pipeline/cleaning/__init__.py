"""Cleaning: plain functions from frame to frame that judge, normalise and split rows.

No I/O and no Dagster here.
"""
