"""Cleaning: which days are stale, and how the raw rows of a day become accepted and rejected rows."""
