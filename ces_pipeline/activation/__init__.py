"""Reverse ETL: sends journeys to analytics platforms or files, scores to tickets, contacts to trigger handlers.

Off unless configured. Every export reads the published file and sends people only as keyed hashes. Our own ledger, not
the receiver's memory, decides what was sent.
"""
