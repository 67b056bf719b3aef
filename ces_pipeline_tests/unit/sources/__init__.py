"""Readers: what each makes of small exports written here."""
