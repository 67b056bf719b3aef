"""The `ces` command: one module per command group, each words in, one call, an exit status out."""
