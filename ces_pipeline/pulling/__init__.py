"""Deliveries by API: what a connector promises, the HTTP client they share, and the pull that lands their pages.

Everything after landing is the same as for a file dropped into the inbox.
"""
