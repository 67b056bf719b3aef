"""Corrections of what has landed: commands that take back, judge again, restate or erase, and their log."""
