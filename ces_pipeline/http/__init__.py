"""HTTP: the client that connectors share, with credentials, rate limits, retries and the request log."""
