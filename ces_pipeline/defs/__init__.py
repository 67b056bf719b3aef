"""Dagster only: assets, checks, jobs, the schedule and sensors. Each one calls a plain function."""
