"""Cleaning: plain functions from frame to frame that judge, normalise and split the rows of a day. No I/O, no Dagster."""
