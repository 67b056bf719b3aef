"""The `ces` command: one module per command. A command parses its options, calls one function and exits."""
