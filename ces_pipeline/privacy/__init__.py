"""Privacy: which names mean people, the keyed hash that replaces a person, its key, and redaction of free text."""
