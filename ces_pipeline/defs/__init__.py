"""Dagster only: assets, checks, jobs, the schedule and sensors, each a thin call of a plain function."""
